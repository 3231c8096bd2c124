"""The membrane test: access resistance, membrane resistance and capacitance from a small step or ramp in voltage clamp.

`step_test` reads the transient as it was recorded, as acquisition programs do: comparable with the literature, and
biased by the amplifier's filter, which lowers and delays the peak. `membrane_fit.fit_step_test` fits the same circuit
seen through that filter. Current is positive out of the cell; resistances in MOhm, capacitances in pF.
"""

from dataclasses import dataclass

import numpy as np

from biophys.corrections.electrical import NA_PER_PF_MV_PER_MS, require_positive, time_constant_ms
from twin.errors import InputError

SETTLED_SHARE = 0.2
"""Last share of the step in which the current counts as settled."""

UPPER_SHARE = 0.9
"""The exponential begins where the transient has fallen to this share of its peak."""


@dataclass(frozen=True)
class StepTest:
    """What a voltage step shows of electrode and membrane, read from the recorded transient.

    Attributes:
        holding_current_na: mean current before the step, nA.
        access_resistance_mohm: step over the whole current at the transient's peak.
        membrane_resistance_mohm: step over the change of the settled current, minus access resistance.
        capacitance_pf: `tau / (Ra parallel to Rm)`.
        tau_ms: time constant of the transient.
        printed_rm_mohm: as pyABF prints it: step over the change of the settled current, access included.
        printed_ra_mohm: as pyABF prints it: step over the transient alone, without the settled current; too high.
        printed_cm_pf: as pyABF prints it: `tau / printed_ra`; too low, by a quarter where Rm is five times Ra.
    """

    holding_current_na: float
    access_resistance_mohm: float
    membrane_resistance_mohm: float
    capacitance_pf: float
    tau_ms: float
    printed_rm_mohm: float
    printed_ra_mohm: float
    printed_cm_pf: float


def step_test(
    i_na: np.ndarray, dt_ms: float | int, *, step_mv: float | int, step_start: int, step_stop: int
) -> StepTest:
    """Read a membrane test: holding and settled current, and an exponential of the transient's height and area.

    The circuit is an access resistance in series with a membrane, `I(0) = dV / Ra`, `I(inf) = dV / (Ra + Rm)`,
    `tau = Cm (Ra parallel to Rm)` (Axon Guide, 3rd edition; Gentet et al. 2000, Biophys J 79:314). A step
    of -10 mV that moves the current by -0.02 nA in the end means 500 MOhm, access included.

    Args:
        i_na: (time,) recorded current, nA; an average of several sweeps is one trace too.
        dt_ms: sampling interval, ms.
        step_mv: command during the step minus command before it, mV.
        step_start: first sample of the step; those before it are the holding current.
        step_stop: first sample after the step.

    Raises:
        InputError: the step does not lie within the trace, or shows no transient or no change of the settled current.
    """
    i_na = np.asarray(i_na, np.float64)
    before, during = split_step(i_na, dt_ms, step_mv, step_start, step_stop)
    holding = float(before.mean())
    outward = (during - holding) / step_mv  # in uS: positive, whatever the sign of the step
    settled = float(outward[-max(1, round(SETTLED_SHARE * len(outward))) :].mean())
    require_positive("change of the settled current over the step", settled, "uS")
    tau_ms, at_peak = _transient(outward - settled, dt_ms)
    access, whole = 1.0 / (settled + at_peak), 1.0 / settled
    return StepTest(
        holding_current_na=holding,
        access_resistance_mohm=access,
        membrane_resistance_mohm=whole - access,
        capacitance_pf=tau_ms / time_constant_ms(access * (whole - access) / whole, 1.0),
        tau_ms=tau_ms,
        printed_rm_mohm=whole,
        printed_ra_mohm=1.0 / at_peak,
        printed_cm_pf=tau_ms / time_constant_ms(1.0 / at_peak, 1.0),
    )


def split_step(
    i_na: np.ndarray, dt_ms: float | int, step_mv: float | int, step_start: int, step_stop: int
) -> tuple[np.ndarray, np.ndarray]:
    """The current before and during a step.

    Raises:
        InputError: the trace is no single trace, not finite, or the step does not lie within it.
    """
    require_positive("sampling interval", dt_ms, "ms")
    if i_na.ndim != 1 or not np.isfinite(i_na).all():
        raise InputError(
            f"The current has the shape {i_na.shape}; one finite trace (time,) was wanted: average sweeps."
        )
    if step_mv == 0 or not 0 < step_start < step_stop - 10 <= len(i_na) - 10:
        raise InputError(
            f"A step of {step_mv:g} mV from sample {step_start} to {step_stop} was named in a trace of {len(i_na)}; "
            "wanted a step of ten samples or more, with current before it."
        )
    return i_na[:step_start], i_na[step_start:step_stop]


def _transient(outward: np.ndarray, dt_ms: float | int) -> tuple[float, float]:
    """Time constant of the transient, from its area, and its exponential's height at the recorded peak."""
    peak = int(np.argmax(outward))
    falling = outward[peak:]
    crossed = np.flatnonzero(falling <= 0)
    falling = falling[: crossed[0]] if len(crossed) else falling
    first = int(np.argmax(falling < UPPER_SHARE * falling[0])) if len(falling) else 0
    if len(falling) - first < 4 or first == 0:
        raise InputError("The step shows no falling transient; a membrane test in voltage clamp was wanted.")
    # An exponential sampled from its height h on adds up to h / (1 - exp(-dt / tau)).
    tau_ms = -dt_ms / np.log1p(-falling[first] / falling[first:].sum())
    return float(tau_ms), float(falling[first] * np.exp(first * dt_ms / tau_ms))


def ramp_capacitance_pf(
    i_na: np.ndarray,
    dt_ms: float | int,
    *,
    ramp_mv: float | int,
    ramp_start: int,
    turn: int,
    ramp_stop: int,
    centre: float = 0.3,
) -> float:
    """Membrane capacitance from a ramp to another voltage and back, pF: half the currents' difference over the slope.

    On the way there the capacitance takes `Cm dV/dt`, on the way back minus that; at the same voltage the resistive
    current is the same and drops out. A ramp of -10 mV in 50 ms, with currents 12.4 pA apart, means 31 pF. Slow
    currents see little of the amplifier's filter, so this capacitance has less of its bias.

    Args:
        i_na: (time,) recorded current, nA.
        dt_ms: sampling interval, ms.
        ramp_mv: voltage at the turn minus voltage at the start, mV.
        ramp_start: first sample of the ramp.
        turn: first sample of the way back.
        ramp_stop: first sample after it; both ways have the same length.
        centre: middle share of each way that is used, clear of the transients at both ends.

    Raises:
        InputError: the two ways differ in length, do not lie within the trace, or the voltage does not change.
    """
    i_na = np.asarray(i_na, np.float64)
    require_positive("sampling interval", dt_ms, "ms")
    n_way = turn - ramp_start
    fits = i_na.ndim == 1 and 0 <= ramp_start < turn < ramp_stop <= len(i_na) and ramp_stop - turn == n_way
    if not fits or ramp_mv == 0 or not 0 < centre <= 1 or round(centre * n_way) < 1:
        raise InputError(
            f"A ramp of {ramp_mv:g} mV over the samples {ramp_start}, {turn} and {ramp_stop} was named in a current of "
            f"the shape {i_na.shape}; wanted one trace, and two ways of the same length."
        )
    there, back = i_na[ramp_start:turn], i_na[turn:ramp_stop][::-1]
    margin = round(0.5 * (1.0 - centre) * n_way)
    half_na = 0.5 * float((there - back)[margin : n_way - margin].mean())
    return half_na / (NA_PER_PF_MV_PER_MS * ramp_mv / (n_way * dt_ms))
