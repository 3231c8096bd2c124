"""How a recording was made: typed covariates, each a value with its unit, its status and where it comes from.

A value that nobody stated is `unreported`. That is a value of its own: it is stored, shown and asked about, and is
never replaced by a default. A correction asks by `Protocol.require`, which stops with a sentence that says what to
give.
"""

import dataclasses
import math
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from twin.errors import InputError, UnreportedError

STATUSES = ("reported", "computed", "unreported")
BY_SWEEP = "by sweep"  # the value of a covariate that differs between sweeps, which have it as a variable of that name
Value = float | int | str | bool | None
# What a number in this unit can be; outside, its unit or its sign is wrong.
_POSSIBLE: dict[str, tuple[float, float]] = {
    "MOhm": (0.0, math.inf),
    "pF": (0.0, math.inf),
    "Hz": (0.0, math.inf),
    "day": (0.0, math.inf),
    "%": (0.0, 200.0),  # prediction and supercharging go beyond 100
    "degC": (-20.0, 100.0),
}


@dataclasses.dataclass(frozen=True)
class Covariate:
    """One methodological fact.

    Attributes:
        value: a number in `unit`, a text, a truth value, or None where nobody reported it.
        unit: the unit of a number ("mV", "degC", ...), "1" where there is none.
        status: "reported" (somebody stated it), "computed" (from reported values, by a formula that `source` names),
            or "unreported".
        source: who stated it, or the formula it was computed with.
        verbatim: the words that it was read from, where it was parsed.
        uncertainty: one standard deviation in `unit`, where it is known.
    """

    value: Value
    unit: str = "1"
    status: str = "reported"
    source: str = ""
    verbatim: str = ""
    uncertainty: float | None = None

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise InputError(f"a covariate has the status {self.status!r}; wanted one of {', '.join(STATUSES)}.")
        if (self.value is None) != (self.status == "unreported"):
            raise InputError(
                f"a covariate has the value {self.value!r} and the status {self.status!r}; a value that is not known "
                "has the status 'unreported' and no value, every other status has one."
            )

    def __str__(self) -> str:
        if self.status == "unreported":
            return "unreported"
        unit = "" if self.unit == "1" else f" {self.unit}"
        spread = "" if self.uncertainty is None else f" ± {self.uncertainty:g}"
        number = f"{self.value:g}" if isinstance(self.value, float) else str(self.value)
        return f"{number}{spread}{unit}"


# The covariates that a correction or a conditional model may ask for: unit and what it is. Others may be added freely.
KNOWN: dict[str, tuple[str, str]] = {
    "species": ("1", "species of the animal"),
    "age": ("day", "age of the animal"),
    "lab": ("1", "laboratory"),
    "rig": ("1", "set-up within the laboratory"),
    "preparation": ("1", "in vivo, acute slice, isolated nerve, culture, ..."),
    "recording_method": ("1", "whole-cell patch, sharp electrode, extracellular, imaging, ..."),
    "temperature": ("degC", "temperature of the preparation while it was recorded"),
    "junction_potential": ("mV", "liquid junction potential, bath minus pipette: V_m = V_recorded - it"),
    "junction_potential_corrected": ("1", "whether the stored voltages have it removed already"),
    "pipette_solution": ("1", "ions of the electrode, mM"),
    "bath_solution": ("1", "ions of the bath, mM"),
    "electrode_resistance": ("MOhm", "resistance of the electrode in the bath"),
    "series_resistance": ("MOhm", "series (access) resistance"),
    "series_resistance_compensation": ("%", "share of the series resistance that the amplifier compensated"),
    "series_resistance_corrected": ("1", "whether the stored voltages have the drop across it removed already"),
    "bridge_balance": ("MOhm", "bridge balance in current clamp"),
    "low_pass_filter": ("Hz", "corner frequency of the amplifier's low-pass filter"),
    "low_pass_filter_family": ("1", "bessel or butterworth"),
    "low_pass_filter_poles": ("1", "number of poles of the low-pass filter"),
    "clamp": ("1", "current, zero or voltage clamp, and how that is known"),
    "imposed_signal": ("1", "whether what was imposed on the cell was measured, or is the command"),
    "holding_potential": ("mV", "command potential between the steps of a voltage clamp"),
    "holding_current": ("nA", "command current between the steps of a current clamp"),
    "bias_current": ("nA", "constant current injected in current clamp"),
    "pipette_capacitance": ("pF", "pipette capacitance that was left after neutralisation"),
    "capacitance_compensation": ("pF", "capacitance neutralised in current clamp"),
    "fast_capacitance_compensation": ("pF", "fast capacitance compensation in voltage clamp"),
    "slow_capacitance_compensation": ("pF", "slow capacitance compensation in voltage clamp"),
    "series_resistance_compensation_bandwidth": ("Hz", "bandwidth of the series resistance compensation"),
    "series_resistance_prediction": ("%", "share of the series resistance that supercharging predicts"),
    "whole_cell_capacitance_compensation": ("pF", "whole-cell capacitance that the amplifier compensated"),
    "whole_cell_series_resistance_compensation": ("MOhm", "series resistance of that compensation"),
    "seal_resistance": ("MOhm", "resistance of the seal"),
    "amplifier": ("1", "amplifier or head-stage"),
    "amplifier_gain": ("1", "gain of the amplifier, in the units of the source"),
    "recording_site": ("1", "where in the tissue the electrode or the field of view was"),
    "sex": ("1", "sex of the animal"),
    "genotype": ("1", "genotype, line or strain of the animal"),
    "subject": ("1", "name of the animal"),
    "cell": ("1", "name of the cell"),
    "session_start": ("1", "when the recording began, ISO 8601"),
    "sampling_rate": ("Hz", "sampling rate of the stored traces"),
    "spike_time_resolution": ("s", "smallest step between stored spike times"),
}


class Protocol(Mapping[str, Covariate]):
    """All covariates of one recording; those in `KNOWN` are always there, `unreported` unless given."""

    def __init__(self, covariates: Mapping[str, Covariate] | None = None) -> None:
        given = dict(covariates or {})
        for name, covariate in given.items():
            _check(name, covariate)
        unreported = {name: Covariate(None, unit, "unreported") for name, (unit, _) in KNOWN.items()}
        self._covariates: dict[str, Covariate] = {**unreported, **given}

    def __getitem__(self, name: str) -> Covariate:
        return self._covariates[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._covariates)

    def __len__(self) -> int:
        return len(self._covariates)

    def updated(self, covariates: Mapping[str, Covariate]) -> "Protocol":
        """A new protocol in which `covariates` replace those of the same names."""
        return Protocol({**self._covariates, **covariates})

    def require(self, name: str, purpose: str) -> Covariate:
        """The covariate `name`, for a `purpose` that goes into the error.

        Raises:
            UnreportedError: nobody reported it; the sentence says how to give it.
        """
        covariate = self._covariates.get(name, Covariate(None, status="unreported"))
        if covariate.status == "unreported":
            unit = KNOWN.get(name, ("1", ""))[0]
            raise UnreportedError(
                f"{purpose} needs {name} ({unit}), which is unreported in this protocol: give it in a protocol file as "
                f"[{name}] with value, unit = {unit!r} and source."
            )
        return covariate

    def to_attributes(self) -> dict[str, dict[str, Any]]:
        """As nested plain values, the form in which a recording stores it."""
        return {name: dataclasses.asdict(covariate) for name, covariate in self._covariates.items()}

    @classmethod
    def from_attributes(cls, attributes: Mapping[str, Mapping[str, Any]]) -> "Protocol":
        """The inverse of `to_attributes`."""
        return cls({name: Covariate(**fields) for name, fields in attributes.items()})


def _check(name: str, covariate: Covariate) -> None:
    """Refuse a unit that is not the covariate's, and a value that it cannot have."""
    wanted, value = KNOWN.get(name, (covariate.unit, ""))[0], covariate.value
    if covariate.unit != wanted:
        raise InputError(f"the protocol gives {name} in {covariate.unit!r}, but it is kept in {wanted!r}: convert it.")
    if name not in KNOWN or wanted == "1" or value is None or value == BY_SWEEP:
        return
    if isinstance(value, str | bool) or not math.isfinite(value):
        raise InputError(f"the protocol gives {name} as {value!r}; wanted a number in {wanted}, or none.")
    low, high = _POSSIBLE.get(wanted, (-math.inf, math.inf))
    if not low <= value <= high:
        raise InputError(f"the protocol gives {name} as {value:g} {wanted}; wanted {low:g} to {high:g} {wanted}.")


def read_toml(path: str | Path) -> dict[str, Covariate]:
    """Covariates from a protocol file: one table a covariate, with `value`, `unit` and `source`.

    Example:
        [temperature]
        value = 28.0
        unit = "degC"
        source = "thermometer in the bath"

    Raises:
        InputError: the file is missing, is no TOML, or a table has a field that is not a covariate's.
    """
    path = Path(path)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"{path}: the protocol file cannot be read ({error.strerror}); give an existing TOML file."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: the protocol file is not TOML ({error}).") from error
    fields = {field.name for field in dataclasses.fields(Covariate)}
    covariates = {}
    for name, table in tables.items():
        if not isinstance(table, dict) or not set(table) <= fields:
            wanted = ", ".join(sorted(fields))
            raise InputError(f"{path}: [{name}] has to be a table with fields out of {wanted}; found {table!r}.")
        unit = KNOWN.get(name, ("1", ""))[0]
        try:
            covariates[name] = Covariate(**{"value": None, "unit": unit, "source": str(path.name), **table})
            Protocol({name: covariates[name]})
        except InputError as error:
            raise InputError(f"{path}: [{name}]: {error}") from error
    return covariates
