"""The observation model: what the amplifier would have shown of a membrane potential, and back where that is possible.

Current clamp, current positive into the cell:

    tau dV_pipette/dt = V_m + Rs I - V_pipette,  tau = Rs C_pipette
    V_recorded        = sampled(low-pass(V_pipette - bridge I + junction potential)) + noise

Voltage clamp, current positive out of the cell:

    I_recorded = sampled(low-pass((V_command - junction potential - V_m) / (Rs (1 - compensation)))) + noise

It is made from the protocol that the corrections read, so predicting a recording and correcting it are the same
equations. Comparing a model with a recording *as recorded* needs no inverse, and lets what is badly known be fitted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from biophys.corrections.bridge import (
    add_bridge_error,
    charge_pipette,
    discharge_pipette,
    pipette_time_constant_ms,
    remove_bridge_error,
)
from biophys.corrections.electrical import Numbers, require_not_negative
from biophys.corrections.filtering import LowPass, decimate
from biophys.corrections.junction import remove_junction_potential
from biophys.corrections.series_resistance import clamp_current, clamped_voltage
from twin.errors import InputError, UnreportedError
from twin.protocol import KNOWN, Protocol

Params = Mapping[str, Any]

# Covariates that only this model asks for: unit, and what it is.
OWN = {
    "noise_sd": ("mV in current clamp, nA in voltage clamp", "standard deviation of the noise as it was recorded"),
}
_PARAMETERS = {
    "junction_potential": "junction_potential_mv",
    "series_resistance": "series_resistance_mohm",
    "bridge_balance": "bridge_mohm",
    "pipette_capacitance": "pipette_capacitance_pf",
    "series_resistance_compensation": "compensation_percent",
}
_ELECTRICAL = {
    "current": ("junction_potential", "series_resistance", "bridge_balance", "pipette_capacitance"),
    "voltage": ("junction_potential", "series_resistance", "series_resistance_compensation"),
}
_SAMPLED = ("low_pass_filter", "sampling_rate")
UNITS = {
    "junction_potential_mv": "mV",
    "series_resistance_mohm": "MOhm",
    "bridge_mohm": "MOhm",
    "pipette_capacitance_pf": "pF",
    "compensation_percent": "%",
    "noise_sd": "mV or nA",
}


@dataclass(frozen=True)
class ObservationModel:
    """A pure function from what a model does to what an amplifier shows of it; make it with `from_protocol`.

    Attributes:
        clamp: "current" or "voltage".
        params: what can be fitted, a pytree: name with unit (see `UNITS`) -> number. What was left out has the value
            that does nothing. Pass it, or a changed copy, to `forward` and `inverse`.
        model_dt_ms: sampling interval of what goes into `forward`, ms.
        factor: samples of the model for one of the recording.
        low_pass: the amplifier's filter, or None. Its corner is part of the structure and cannot be fitted.
    """

    clamp: str
    params: Params
    model_dt_ms: float
    factor: int
    low_pass: LowPass | None

    @classmethod
    def from_protocol(
        cls,
        protocol: Protocol,
        *,
        model_rate_hz: float | int,
        clamp: str | None = None,
        given: Mapping[str, float | int | str] | None = None,
        leave_out: Sequence[str] = (),
    ) -> "ObservationModel":
        """The model of a recording that was made as the protocol says.

        Where the protocol says that the stored voltages have the junction potential, or the drop across the electrode,
        removed already, the prediction leaves it out, so that it compares with what is stored.

        Args:
            protocol: how the recording was made.
            model_rate_hz: sampling rate of the model's traces, Hz; a whole multiple of the recording's.
            clamp: "current" or "voltage"; None asks the protocol.
            given: covariate -> value, for what the protocol does not report or what is to replace it. Besides the
                protocol's own names it knows those in `OWN`.
            leave_out: covariates whose part is left out knowingly: "junction_potential", "series_resistance" (with
                bridge and pipette), "pipette_capacitance", "low_pass_filter", "sampling_rate" (the model's rate stays).

        Raises:
            UnreportedError: a value is needed that nobody reported, gave or left out.
            InputError: a name or value that is not known, or rates that do not fit.
        """
        asked = _Asked(protocol, dict(given or {}))
        clamp = clamp or str(asked.value("clamp"))
        if clamp not in _ELECTRICAL:
            raise InputError(f"An observation model was wanted for the clamp {clamp!r}; wanted 'current' or 'voltage'.")
        out = _left_out(asked, clamp, leave_out)
        params = {_PARAMETERS[name]: 0.0 if name in out else asked.number(name) for name in _ELECTRICAL[clamp]}
        if "noise_sd" in asked.given:
            params["noise_sd"] = asked.number("noise_sd")
        for name in set(params) - {"junction_potential_mv"}:
            require_not_negative(name, params[name], UNITS[name])
        rate_hz = model_rate_hz if "sampling_rate" in out else asked.number("sampling_rate")
        factor = round(model_rate_hz / rate_hz)
        if factor < 1 or not np.isclose(factor * rate_hz, model_rate_hz):
            raise InputError(
                f"The model runs at {model_rate_hz:g} Hz and the recording was sampled at {rate_hz:g} Hz; a whole "
                f"multiple was wanted: run the model at {max(factor, 1) * rate_hz:g} Hz, or leave out sampling_rate."
            )
        low_pass = None
        if "low_pass_filter" not in out:
            family, n_poles = str(asked.value("low_pass_filter_family")), int(asked.number("low_pass_filter_poles"))
            low_pass = LowPass(family, n_poles, asked.number("low_pass_filter"), model_rate_hz)
        return cls(clamp, params, 1000.0 / model_rate_hz, factor, low_pass)

    @property
    def dt_ms(self) -> float:
        """Sampling interval of the recording, ms."""
        return self.factor * self.model_dt_ms

    def forward(self, v_mv: Numbers, imposed: Numbers, params: Params, key: jax.Array | None = None) -> Numbers:
        """What is recorded: a voltage in mV under current clamp, a current in nA under voltage clamp.

        -74 mV without current and with a junction potential of +14 mV is recorded as -60 mV.

        Args:
            v_mv: (..., time) membrane potential at the model's rate, mV.
            imposed: the injected current, nA, or the command voltage, mV; same shape.
            params: as `self.params`.
            key: draws noise with the standard deviation `noise_sd` and the spectrum of the low-pass filter.

        Raises:
            InputError: the shapes differ, a key comes without `noise_sd`, or voltage clamp without series resistance.
        """
        self._require_same_shape(v_mv, imposed)
        if self.clamp == "current":
            recorded = _shown_voltage(v_mv, imposed, params, self.model_dt_ms)
        else:
            recorded = _shown_current(v_mv, imposed, params)
        recorded = decimate(recorded, self.factor, self.low_pass)
        return recorded if key is None else recorded + self._noise(recorded, params, key)

    def inverse(self, recorded: Numbers, imposed: Numbers, params: Params) -> Numbers:
        """The correction: membrane potential in mV from what was recorded, by the same equations backwards.

        Filter and sampling are not undone, so what comes back is the membrane potential as the filter shows it; without
        both it is the one that went into `forward`.

        Args:
            recorded: (..., time) voltage in mV or current in nA, at the recording's rate.
            imposed: injected current, nA, or command voltage, mV, at the recording's rate; same shape.
            params: as `self.params`.

        Raises:
            InputError: the shapes differ.
        """
        self._require_same_shape(recorded, imposed)
        if self.clamp == "voltage":
            return clamped_voltage(
                imposed,
                recorded,
                params["series_resistance_mohm"],
                compensation_percent=params["compensation_percent"],
                junction_potential_mv=params["junction_potential_mv"],
            )
        tau_ms = _pipette_tau_ms(params)
        bridged = remove_junction_potential(recorded, params["junction_potential_mv"])
        at_pipette = remove_bridge_error(bridged, imposed, 0.0, params["bridge_mohm"])
        behind = discharge_pipette(at_pipette, tau_ms, self.dt_ms)
        return remove_bridge_error(behind, imposed, params["series_resistance_mohm"], 0.0)

    def _noise(self, recorded: Numbers, params: Params, key: jax.Array) -> jax.Array:
        """White noise through the filter, scaled to its standard deviation, without the filter's transient."""
        if "noise_sd" not in params:
            raise InputError("A key for noise was given, but the model has no noise_sd: give it to `from_protocol`.")
        dtype = jax.numpy.asarray(recorded).dtype
        shape = np.shape(recorded)
        if self.low_pass is None:
            return params["noise_sd"] * jax.random.normal(key, shape, dtype)
        impulse = self.low_pass(np.eye(1, round(20 * self.low_pass.sampling_hz / self.low_pass.corner_hz), 1)[0])
        n_fine = len(impulse) + self.factor * shape[-1]
        white = jax.random.normal(key, (*shape[:-1], n_fine), dtype)
        filtered = self.low_pass(white)[..., len(impulse) :: self.factor]
        return params["noise_sd"] * filtered / float(np.sqrt(np.sum(impulse**2)))

    @staticmethod
    def _require_same_shape(one: Numbers, other: Numbers) -> None:
        if np.shape(one) != np.shape(other) or np.ndim(one) == 0:
            raise InputError(
                f"Voltage and imposed signal, or recording and imposed signal, have the shapes {np.shape(one)} and "
                f"{np.shape(other)}; wanted (..., time), the same for both."
            )


def _pipette_tau_ms(params: Params) -> Numbers:
    return pipette_time_constant_ms(params["series_resistance_mohm"], params["pipette_capacitance_pf"])


def _shown_voltage(v_mv: Numbers, i_na: Numbers, params: Params, dt_ms: float) -> Numbers:
    uncharged = add_bridge_error(v_mv, i_na, params["series_resistance_mohm"], 0.0)
    at_pipette = charge_pipette(uncharged, _pipette_tau_ms(params), dt_ms)
    return add_bridge_error(at_pipette, i_na, 0.0, params["bridge_mohm"]) + params["junction_potential_mv"]


def _shown_current(v_mv: Numbers, v_command_mv: Numbers, params: Params) -> Numbers:
    return clamp_current(
        v_command_mv,
        v_mv,
        params["series_resistance_mohm"],
        compensation_percent=params["compensation_percent"],
        junction_potential_mv=params["junction_potential_mv"],
    )


@dataclass(frozen=True)
class _Asked:
    """Values from a protocol, where the caller's own come first."""

    protocol: Protocol
    given: Mapping[str, float | int | str]

    def __post_init__(self) -> None:
        unknown = sorted(set(self.given) - set(KNOWN) - set(OWN))
        if unknown:
            raise InputError(f"The observation model was given {', '.join(unknown)}, which it does not know.")

    def value(self, name: str) -> Any:
        purpose = "the observation model (by given=, or leave_out= where that part is to be left out)"
        if name in self.given:
            return self.given[name]
        if name in OWN and (name not in self.protocol or self.protocol[name].status == "unreported"):
            unit, meaning = OWN[name]
            raise UnreportedError(f"{purpose} needs {name} ({unit}), {meaning}, which is unreported in this protocol.")
        return self.protocol.require(name, purpose).value

    def number(self, name: str) -> float:
        value = self.value(name)
        if isinstance(value, bool | str) or not np.isfinite(value):
            raise InputError(f"The observation model needs a number for {name} and found {value!r}: give it by given=.")
        return float(value)


def _left_out(asked: _Asked, clamp: str, leave_out: Sequence[str]) -> set[str]:
    """Names whose part is left out, by the caller or because the stored voltages have it removed already."""
    may = {"junction_potential", *_SAMPLED} | (
        {"series_resistance", "pipette_capacitance"} if clamp == "current" else set()
    )
    unknown = sorted(set(leave_out) - may)
    if unknown:
        raise InputError(
            f"{', '.join(unknown)} cannot be left out of an observation model of {clamp} clamp; wanted names out of "
            f"{', '.join(sorted(may))}."
        )
    out = set(leave_out)
    if not out & {"junction_potential"} and "junction_potential" not in asked.given:
        out |= {"junction_potential"} if asked.value("junction_potential_corrected") else set()
    if clamp == "current" and asked.protocol["series_resistance_corrected"].value is True:
        out |= {"series_resistance"} - set(asked.given)
    if "series_resistance" in out:
        out |= {"bridge_balance", "pipette_capacitance"}
    return out
