"""Differentiable features of the response to a current step, for gradient fitting.

Each is the counterpart of one of eFEL's, with its definition, and equals it up to what softness costs. A count, a
latency and a threshold get their derivative from how a trace passes a level: a sigmoid of the voltage rises from 0 to 1
on the way up, and what it rises is the share of an action potential that has been seen.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from twin.errors import InputError

Trace = Float[Array, " time"]
Scalar = Float[Array, ""]


@dataclasses.dataclass(frozen=True)
class Step:
    """A current step and the sampling of its response.

    Attributes:
        dt_ms: time between samples, ms; sample 0 is at 0 ms.
        start_ms: onset.
        end_ms: end.
        current_na: height, nA; positive depolarises.
    """

    dt_ms: float
    start_ms: float
    end_ms: float
    current_na: float

    def __post_init__(self) -> None:
        if not 0 < self.dt_ms < self.start_ms < self.end_ms:
            raise InputError(
                f"a step from {self.start_ms:g} to {self.end_ms:g} ms at samples of {self.dt_ms:g} ms; wanted an onset "
                "after the first sample and an end after the onset."
            )

    def window(self, low_ms: float, high_ms: float) -> slice:
        """The samples from one time to before another."""
        return slice(round(low_ms / self.dt_ms), round(high_ms / self.dt_ms))

    @property
    def inside(self) -> slice:
        """The samples within the step."""
        return self.window(self.start_ms, self.end_ms)


def voltage_base(voltage_mv: Trace, step: Step) -> Scalar:
    """Mean voltage in the last tenth of the time before the step, mV."""
    return voltage_mv[step.window(0.9 * step.start_ms, step.start_ms)].mean()


def steady_state_voltage(voltage_mv: Trace, step: Step) -> Scalar:
    """Mean voltage in the last tenth of the step, mV."""
    return voltage_mv[step.window(step.end_ms - 0.1 * (step.end_ms - step.start_ms), step.end_ms)].mean()


def input_resistance(voltage_mv: Trace, step: Step) -> Scalar:
    """Steady deflection over current, MOhm: 10 mV by 0.1 nA is 100 MOhm."""
    if step.current_na == 0:
        raise InputError("an input resistance needs a step that is not 0 nA.")
    return (steady_state_voltage(voltage_mv, step) - voltage_base(voltage_mv, step)) / step.current_na


def lowest_voltage(voltage_mv: Trace, step: Step, softness_mv: float = 0.01) -> Scalar:
    """Mean voltage within the step, mV, weighted by exp(-v/softness): its minimum for small softness."""
    return -_soft_maximum(-voltage_mv[step.inside], softness_mv)


def sag_ratio(voltage_mv: Trace, step: Step, softness_mv: float = 0.01) -> Scalar:
    """Steady state minus lowest voltage, over base minus lowest voltage; 0 without sag. For negative steps."""
    lowest = lowest_voltage(voltage_mv, step, softness_mv)
    return (steady_state_voltage(voltage_mv, step) - lowest) / (voltage_base(voltage_mv, step) - lowest)


def time_constant(voltage_mv: Trace, step: Step) -> Scalar:
    """Area between the response and its steady state over the deflection, ms.

    It is tau for v = v_ss + (v_base - v_ss) exp(-t/tau) and a step of many tau; 20 ms for tau = 20 ms. It has no fit
    that could fail, and a derivative everywhere.
    """
    steady = steady_state_voltage(voltage_mv, step)
    deflection = voltage_base(voltage_mv, step) - steady
    # The trapezoidal rule: the first sample of the step counts half.
    area = (voltage_mv[step.inside] - steady).sum() - 0.5 * (voltage_mv[step.inside][0] - steady)
    return area * step.dt_ms / deflection


def spike_count(voltage_mv: Trace, step: Step, level_mv: float = -20.0, softness_mv: float = 2.0) -> Scalar:
    """Action potentials within the step: what a sigmoid of the voltage rises, all rises together."""
    return _rises(voltage_mv[step.inside], level_mv, softness_mv).sum()


def latency(voltage_mv: Trace, step: Step, level_mv: float = -20.0, softness_mv: float = 2.0) -> Scalar:
    """Time from onset to when the first action potential passes the level, ms; the duration if there is none."""
    first = _first(_rises(voltage_mv[step.inside], level_mv, softness_mv))
    # A rise between two samples happened, on average, half a sample before the later one.
    times = (jnp.arange(first.size, dtype=voltage_mv.dtype) + 0.5) * step.dt_ms
    return (first * times).sum() + (1 - first.sum()) * (step.end_ms - step.start_ms)


def peak_voltage(voltage_mv: Trace, step: Step, softness_mv: float = 0.5) -> Scalar:
    """Mean voltage within the step, mV, weighted by exp(v/softness): its maximum for small softness."""
    return _soft_maximum(voltage_mv[step.inside], softness_mv)


def threshold_voltage(
    voltage_mv: Trace, step: Step, slope_mv_per_ms: float = 10.0, softness_mv_per_ms: float = 0.5
) -> Scalar:
    """Voltage at which the slope first passes a value, mV; the base where it never does."""
    inside = voltage_mv[step.inside]
    slope = (inside[2:] - inside[:-2]) / (2 * step.dt_ms)
    first = _first(_rises(slope, slope_mv_per_ms, softness_mv_per_ms))
    # Between samples k and k + 1 of the slope, which are samples k + 1 and k + 2 of the voltage.
    between = 0.5 * (inside[1:-2] + inside[2:-1])
    return (first * between).sum() + (1 - first.sum()) * voltage_base(voltage_mv, step)


def spike_amplitude(voltage_mv: Trace, step: Step) -> Scalar:
    """Highest voltage minus the threshold of the first action potential, mV."""
    return peak_voltage(voltage_mv, step) - threshold_voltage(voltage_mv, step)


# Name of the eFEL feature that each one stands for, and its unit.
SMOOTH: dict[str, tuple[Any, str, str]] = {
    "voltage_base": (voltage_base, "voltage_base", "mV"),
    "steady_state_voltage": (steady_state_voltage, "steady_state_voltage_stimend", "mV"),
    "input_resistance": (input_resistance, "ohmic_input_resistance_vb_ssse", "MOhm"),
    "lowest_voltage": (lowest_voltage, "minimum_voltage", "mV"),
    "sag_ratio": (sag_ratio, "sag_ratio1", "1"),
    "time_constant": (time_constant, "time_constant", "ms"),
    "spike_count": (spike_count, "spike_count_stimint", "1"),
    "latency": (latency, "time_to_first_spike", "ms"),
    "peak_voltage": (peak_voltage, "peak_voltage", "mV"),
    "threshold_voltage": (threshold_voltage, "AP_begin_voltage", "mV"),
    "spike_amplitude": (spike_amplitude, "AP_amplitude", "mV"),
}


def smooth_features(voltage_mv: Trace, step: Step, names: tuple[str, ...]) -> dict[str, Scalar]:
    """Several differentiable features of one response, by name; the names are those of `SMOOTH`.

    Raises:
        InputError: an unknown name, or a trace that ends before the step does.
    """
    if unknown := [name for name in names if name not in SMOOTH]:
        raise InputError(f"no differentiable feature {', '.join(unknown)}; there are {', '.join(SMOOTH)}.")
    if voltage_mv.size < step.inside.stop:
        raise InputError(
            f"the step ends at {step.end_ms:g} ms, the trace at {voltage_mv.size * step.dt_ms:g} ms; give a longer one."
        )
    return {name: SMOOTH[name][0](voltage_mv, step) for name in names}


def _soft_maximum(values: Trace, softness: float) -> Scalar:
    return (values * jax.nn.softmax(values / softness)).sum()


def _rises(values: Trace, level: float, softness: float) -> Float[Array, " between"]:
    """What a sigmoid of the values rises from each one to the next; falls count as 0."""
    seen = jax.nn.sigmoid((values - level) / softness)
    return jax.nn.relu(seen[1:] - seen[:-1])


def _first(rises: Trace) -> Trace:
    """The part of the rises that makes up the first whole one; sums to 1, or to less where there is none."""
    total = jnp.minimum(jnp.cumsum(rises), jnp.ones((), rises.dtype))
    return jnp.diff(total, prepend=jnp.zeros((1,), rises.dtype))
