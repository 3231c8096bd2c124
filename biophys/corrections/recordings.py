"""Correct a recording as its protocol calls for, remember it, refuse to do it twice, and undo it.

Each correction asks the protocol for what it needs; what nobody reported stops it with a sentence that says how to give
it. A corrected recording says so in its protocol, and its log has every number, its source and its uncertainty.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from biophys.corrections.bridge import add_bridge_error, remove_bridge_error
from biophys.corrections.electrode_kernel import ElectrodeKernel, compensate
from biophys.corrections.junction import InputUncertainty, junction_potential, remove_junction_potential
from biophys.corrections.recipes import solution_named
from biophys.corrections.series_resistance import residual_resistance_mohm
from biophys.corrections.solutions import require_neutral
from twin import provenance, recording
from twin.errors import InputError
from twin.protocol import BY_SWEEP, Covariate, Protocol

VERB, UNDO = "correct", "undo the correction of"
Numbers = Mapping[str, Any]  # name with unit -> a number, or one for each sweep


@dataclasses.dataclass(frozen=True)
class RecordingCorrection:
    """One kind of correction.

    Attributes:
        name: of the correction.
        flag: the covariate that says whether it is in the stored voltages already.
        ask: what it needs, from the protocol and one kind of sweeps: numbers, and what of them goes into the log.
        apply: raw voltage, current and numbers -> corrected voltage, all in mV and nA.
        invert: the way back.
    """

    name: str
    flag: str
    ask: Callable[[Protocol, xr.Dataset], tuple[dict[str, Any], dict[str, Any]]]
    apply: Callable[[Any, Any, Numbers], Any]
    invert: Callable[[Any, Any, Numbers], Any]


def correct(
    tree: xr.DataTree, *, leave_out: Sequence[str] = (), electrode: ElectrodeKernel | None = None
) -> xr.DataTree:
    """All corrections that the protocol calls for: the drop across the electrode, then the junction potential.

    Current clamp: `V_m = V_recorded - I (Rs - bridge) - junction potential`. Voltage clamp: `V_m = V_command - I Rs (1
    - compensation) - junction potential`. A recorded -60 mV with a junction potential of +14 mV is -74 mV.

    Args:
        tree: a recording with sweeps.
        leave_out: names of corrections to leave out: "series_resistance", "junction_potential".
        electrode: kernel of the electrode, which replaces the resistor of the bridge in current clamp.

    Raises:
        UnreportedError: a value is needed that nobody reported; the sentence says which and how to give it.
        InputError: there are no sweeps, nothing is left to correct, or a correction is unknown.
    """
    _require_known(leave_out)
    if not recording.sweep_sets(tree):
        raise InputError(f"{tree.attrs['name']}: has no voltages or currents, so there is nothing to correct.")
    protocol = recording.protocol_of(tree)
    wanted = [one for one in _corrections(electrode) if one.name not in leave_out]
    open_ones = [one for one in wanted if protocol[one.flag].value is not True]
    if not open_ones:
        done = ", ".join(one.name for one in wanted) or "nothing"
        raise InputError(f"{tree.attrs['name']}: was corrected for {done} before; doing it twice would shift it twice.")
    for one in open_ones:
        tree = _apply(tree, one)
    return tree


def invert(tree: xr.DataTree) -> xr.DataTree:
    """The recording as it was before `correct`: every correction in its log is taken back, the last one first.

    Voltages return to within a rounding of their own precision.

    Raises:
        InputError: the log has no correction that is not undone.
    """
    entries = [entry for entry in tree.attrs["provenance"] if entry["step"].startswith(VERB + " ")]
    undone = sum(entry["step"].startswith(UNDO + " ") for entry in tree.attrs["provenance"])
    left = entries[: len(entries) - undone]
    if not left:
        raise InputError(f"{tree.attrs['name']}: its log has no correction to undo.")
    for entry in reversed(left):
        name = entry["step"].removeprefix(VERB + " ").replace(" ", "_")
        one = next(known for known in (*_corrections(None), _ELECTRODE) if known.name == name)
        groups = {path: values["numbers"] for path, values in entry["parameters"].items()}
        tree = _mapped(tree, one.invert, groups)
        stated = {one.flag: Covariate(False, status="computed", source=f"{UNDO} {_words(name)}")}
        tree = recording.with_protocol(tree, recording.protocol_of(tree).updated(stated))
        tree = provenance.log(tree, f"{UNDO} {_words(name)}", parameters=entry["parameters"])
    return tree


def _apply(tree: xr.DataTree, one: RecordingCorrection) -> xr.DataTree:
    protocol, asked = recording.protocol_of(tree), {}
    for path, sweeps in recording.sweep_sets(tree).items():
        if "voltage" not in sweeps:
            raise InputError(
                f"{tree.attrs['name']}: {path} has no command voltage to correct; give --leave-out {one.name}."
            )
        numbers, facts = one.ask(protocol, sweeps)
        asked[path] = {"numbers": numbers, **facts}
    changed = _mapped(tree, one.apply, {path: values["numbers"] for path, values in asked.items()})
    stated = {one.flag: Covariate(True, status="computed", source=f"{VERB} {_words(one.name)}")}
    changed = recording.with_protocol(changed, protocol.updated(stated))
    return provenance.log(changed, f"{VERB} {_words(one.name)}", parameters=asked)


def _mapped(tree: xr.DataTree, function: Callable, groups: Mapping[str, Numbers]) -> xr.DataTree:
    """A copy whose voltages are changed; samples that are not in memory stay where they are until they are used."""
    changed = tree.copy()
    for path, sweeps in recording.sweep_sets(tree).items():
        voltage = sweeps["voltage"]
        current = sweeps["current"] if "current" in sweeps else xr.zeros_like(voltage)
        numbers = {
            name: np.asarray(value)[..., None] if np.ndim(value) else value for name, value in groups[path].items()
        }
        made = _per_block(function, voltage, current, numbers)
        changed[path] = xr.DataTree(sweeps.assign(voltage=(voltage.dims, made.data, voltage.attrs)))
    return changed


def _per_block(function: Callable, voltage: xr.DataArray, current: xr.DataArray, numbers: Numbers) -> xr.DataArray:
    def block(v: np.ndarray, i: np.ndarray) -> np.ndarray:
        return np.asarray(function(v.astype(np.float64), i.astype(np.float64), numbers)).astype(v.dtype)

    if voltage.chunks is not None:  # whole sweeps: the kernel of an electrode looks back in time
        voltage, current = voltage.chunk(sweep=-1, time=-1), current.chunk(sweep=-1, time=-1)
    return xr.apply_ufunc(block, voltage, current, dask="parallelized", output_dtypes=[voltage.dtype])


def _corrections(electrode: ElectrodeKernel | None) -> tuple[RecordingCorrection, ...]:
    if electrode is None:
        return _SERIES_RESISTANCE, _JUNCTION
    facts = {"resistance_mohm": electrode.resistance_mohm, "uncertainty_mohm": electrode.resistance_sd_mohm}

    def ask(protocol: Protocol, sweeps: xr.Dataset) -> tuple[dict[str, Any], dict[str, Any]]:
        if sweeps.attrs["clamp"] == "voltage":
            raise InputError("the kernel of an electrode corrects current clamp, and these sweeps are voltage clamp.")
        rate = 1e3 / electrode.dt_ms
        if not np.isclose(rate, sweeps.attrs["sampling_hz"]):
            raise InputError(
                f"the kernel of the electrode was estimated at {rate:g} Hz and the sweeps have "
                f"{sweeps.attrs['sampling_hz']:g} Hz; give an electrode test with the same sampling."
            )
        return {"kernel_mohm": [float(value) for value in electrode.kernel_mohm]}, facts

    return dataclasses.replace(_ELECTRODE, ask=ask), _JUNCTION


def _ask_series_resistance(protocol: Protocol, sweeps: xr.Dataset) -> tuple[dict[str, Any], dict[str, Any]]:
    if sweeps.attrs["clamp"] == "zero":
        return {"series_resistance_mohm": 0.0, "bridge_mohm": 0.0}, {"reason": "no current was injected"}
    if "current" not in sweeps:
        raise InputError("the drop across the electrode needs the current, which the sweeps do not have.")
    purpose = "removing the voltage drop across the series resistance"
    resistance = _number(protocol, sweeps, "series_resistance", purpose)
    facts = {name: getattr(protocol["series_resistance"], name) for name in ("source", "uncertainty")}
    if sweeps.attrs["clamp"] == "current":
        bridge = _number(protocol, sweeps, "bridge_balance", purpose)
        return {"series_resistance_mohm": resistance, "bridge_mohm": bridge}, facts
    compensation = _number(protocol, sweeps, "series_resistance_compensation", purpose)
    left = residual_resistance_mohm(np.asarray(resistance), np.asarray(compensation))
    facts |= {"series_resistance": resistance, "series_resistance_compensation": compensation}
    return {"series_resistance_mohm": np.asarray(left).tolist(), "bridge_mohm": 0.0}, facts


def _ask_junction(protocol: Protocol, sweeps: xr.Dataset) -> tuple[dict[str, Any], dict[str, Any]]:
    purpose = "removing the junction potential"
    protocol.require("junction_potential_corrected", purpose)
    potential = protocol["junction_potential"]
    if potential.status == "unreported":
        potential = computed_junction_potential(protocol)
    value = _number(protocol.updated({"junction_potential": potential}), sweeps, "junction_potential", purpose)
    return {"junction_potential_mv": value}, {"source": potential.source, "uncertainty_mv": potential.uncertainty}


def computed_junction_potential(protocol: Protocol) -> Covariate:
    """The junction potential of the two solutions that the protocol reports, by the Henderson equation.

    Raises:
        UnreportedError: a solution or the temperature is unreported; the sentence names both ways out.
        InputError: a solution cannot be read or is not electroneutral.
    """
    purpose = "computing the junction potential (or give junction_potential itself), which"
    texts = {side: protocol.require(f"{side}_solution", purpose) for side in ("pipette", "bath")}
    solutions = {side: solution_named(str(text.value)) for side, text in texts.items()}
    for side, solution in solutions.items():
        require_neutral(solution, side)
    stated = protocol.require("temperature", purpose)
    temperature = float(stated.value)  # type: ignore[arg-type]
    spread = InputUncertainty() if stated.uncertainty is None else InputUncertainty(temperature_c=stated.uncertainty)
    result = junction_potential(solutions["pipette"], solutions["bath"], temperature, uncertainty=spread)
    source = f"{result.method} at {temperature:g} degC from the two solutions"
    return Covariate(result.value_mv, "mV", "computed", source, uncertainty=result.uncertainty_mv)


def _number(protocol: Protocol, sweeps: xr.Dataset, name: str, purpose: str) -> Any:
    """The value of a covariate: one number, or a list of one for each sweep."""
    covariate = protocol.require(name, purpose)
    if covariate.value == BY_SWEEP:
        return [float(value) for value in sweeps[name].values]
    if isinstance(covariate.value, str | bool):
        raise InputError(f"{purpose} needs {name} as a number; the protocol has {covariate.value!r}.")
    return float(covariate.value)  # type: ignore[arg-type]


def _require_known(names: Sequence[str]) -> None:
    known = [one.name for one in _corrections(None)]
    for name in names:
        if name not in known:
            raise InputError(f"there is no correction {name!r} to leave out; the corrections are: {', '.join(known)}.")


def _words(name: str) -> str:
    return name.replace("_", " ")


_SERIES_RESISTANCE = RecordingCorrection(
    "series_resistance",
    "series_resistance_corrected",
    _ask_series_resistance,
    lambda v, i, numbers: remove_bridge_error(v, i, numbers["series_resistance_mohm"], numbers["bridge_mohm"]),
    lambda v, i, numbers: add_bridge_error(v, i, numbers["series_resistance_mohm"], numbers["bridge_mohm"]),
)
_ELECTRODE = RecordingCorrection(
    "electrode",
    "series_resistance_corrected",
    _ask_series_resistance,
    lambda v, i, numbers: compensate(v, i, numbers["kernel_mohm"].ravel()),
    lambda v, i, numbers: 2.0 * v - compensate(v, i, numbers["kernel_mohm"].ravel()),
)
_JUNCTION = RecordingCorrection(
    "junction_potential",
    "junction_potential_corrected",
    _ask_junction,
    lambda v, i, numbers: remove_junction_potential(v, numbers["junction_potential_mv"]),
    lambda v, i, numbers: v + numbers["junction_potential_mv"],
)
