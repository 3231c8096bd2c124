"""The membrane test through the amplifier's filter: the same step, fitted with the circuit as the filter shows it.

A filter of 2 kHz turns the sharp peak of a 0.3 ms transient into a lower and later one. Read off, the access resistance
comes out too high and the capacitance too low. Here the transient is predicted, sent through the filter, sampled, and
compared with what was recorded, so nothing has to be extrapolated back to a peak that nobody saw.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from biophys.corrections.electrical import time_constant_ms
from biophys.corrections.filtering import LowPass
from biophys.corrections.membrane_test import split_step, step_test
from twin.errors import InputError

OVERSAMPLING = 10
"""Samples of the prediction for one that was recorded: the transient begins between two of them."""


@dataclass(frozen=True)
class StepFit:
    """Electrode and membrane fitted to a voltage step, each with one standard deviation.

    Attributes:
        access_resistance_mohm: step over the current at its very beginning, with `access_resistance_sd_mohm`.
        membrane_resistance_mohm: input resistance minus access resistance, with `membrane_resistance_sd_mohm`.
        capacitance_pf: from the charge of the transient, with `capacitance_sd_pf`.
        taus_ms: (exponential,) time constants of the transient, the fastest first.
        onset_ms: when the step reached the cell, after the sample that was named.
        residual_na: root mean square of what the fit leaves, nA.
        predicted_na: (time,) the fitted current during the step, nA.
    """

    access_resistance_mohm: float
    access_resistance_sd_mohm: float
    membrane_resistance_mohm: float
    membrane_resistance_sd_mohm: float
    capacitance_pf: float
    capacitance_sd_pf: float
    taus_ms: tuple[float, ...]
    onset_ms: float
    residual_na: float
    predicted_na: np.ndarray


def fit_step_test(
    i_na: np.ndarray,
    dt_ms: float | int,
    *,
    step_mv: float | int,
    step_start: int,
    step_stop: int,
    family: str,
    n_poles: int,
    corner_hz: float | int,
    n_exponentials: int = 1,
) -> StepFit:
    """Fit access resistance, membrane resistance and capacitance through the amplifier's low-pass filter.

    The current after the step is `I(t) = I_inf + sum_j A_j exp(-t / tau_j)`, filtered. One exponential is the circuit
    of `step_test`; a cell with dendrites needs two. `Ra = dV / I(0)`, `Ra + Rm = dV / I_inf`, and the charge `Q = sum_j
    A_j tau_j` gives `Cm = Q / dV ((Ra + Rm) / Rm)^2`, which for one exponential is `tau / (Ra parallel to Rm)`.
    Standard deviations are those of the regression, which takes the residuals for white: lower bounds.

    Args:
        i_na: (time,) recorded current, nA; the average of several sweeps.
        dt_ms: sampling interval, ms.
        step_mv: command during the step minus command before it, mV.
        step_start: first sample of the step.
        step_stop: first sample after it.
        family: "bessel" or "butterworth".
        n_poles: poles of the filter.
        corner_hz: its -3 dB frequency, Hz.
        n_exponentials: exponentials of the transient, 1 or more.

    Raises:
        InputError: as `step_test` and `LowPass`; or the fit does not converge, as when a second exponential is asked of
            a circuit that has one, and hides behind the filter.
    """
    i_na = np.asarray(i_na, np.float64)
    low_pass = LowPass(family, n_poles, corner_hz, 1000.0 * OVERSAMPLING / dt_ms)
    start = step_test(i_na, dt_ms, step_mv=step_mv, step_start=step_start, step_stop=step_stop)
    before, during = split_step(i_na, dt_ms, step_mv, step_start, step_stop)
    conductance_us = (during - before.mean()) / step_mv
    shapes = _FilteredShapes(low_pass, len(during), dt_ms)

    log_taus = np.log(start.tau_ms) + np.log(4.0) * np.arange(n_exponentials)
    guess = np.concatenate([[0.5 * dt_ms], log_taus])
    weights = np.linalg.lstsq(shapes(guess), conductance_us, rcond=None)[0]

    def leftover(parameters: np.ndarray) -> np.ndarray:
        return shapes(parameters[: len(guess)]) @ parameters[len(guess) :] - conductance_us

    fit = optimize.least_squares(leftover, np.concatenate([guess, weights]), x_scale="jac")
    variance = 2.0 * fit.cost / (len(conductance_us) - len(fit.x))
    covariance = variance * np.linalg.pinv(fit.jac.T @ fit.jac)
    values, sds = _with_sd(lambda p: _circuit(p, n_exponentials), fit.x, covariance)
    taus_ms = np.sort(np.exp(fit.x[1 : 1 + n_exponentials]))
    if not fit.success or not np.all(values > 0) or taus_ms[0] < 500.0 / (np.pi * corner_hz):
        raise InputError(
            f"The fit of the membrane test found Ra {values[0]:.3g} MOhm, Rm {values[1]:.3g} MOhm, Cm {values[2]:.3g} "
            f"pF and a time constant of {taus_ms[0]:.3g} ms, which have to be positive and slower than the filter: "
            "look at the trace, and ask for fewer exponentials."
        )
    return StepFit(
        access_resistance_mohm=float(values[0]),
        access_resistance_sd_mohm=float(sds[0]),
        membrane_resistance_mohm=float(values[1]),
        membrane_resistance_sd_mohm=float(sds[1]),
        capacitance_pf=float(values[2]),
        capacitance_sd_pf=float(sds[2]),
        taus_ms=tuple(taus_ms.tolist()),
        onset_ms=float(fit.x[0]),
        residual_na=abs(step_mv) * float(np.sqrt(np.mean(fit.fun**2))),
        predicted_na=before.mean() + step_mv * (conductance_us + fit.fun),
    )


@dataclass(frozen=True)
class _FilteredShapes:
    """A step and exponentials that begin with it, of height 1, as they come out of the filter."""

    low_pass: LowPass
    n_samples: int
    dt_ms: float | int

    def __call__(self, parameters: np.ndarray) -> np.ndarray:
        """(time, 1 + exponential); parameters: onset in ms, and the logarithm of each time constant in ms."""
        fine_ms = self.dt_ms / OVERSAMPLING
        since = np.arange(self.n_samples * OVERSAMPLING) * fine_ms - parameters[0]
        rates = np.concatenate([[0.0], np.exp(-parameters[1:])])
        # The step rises within one fine sample, so that the fit changes smoothly with its onset.
        risen = np.clip(since / fine_ms + 0.5, 0.0, 1.0)
        return self.low_pass(risen * np.exp(-rates[:, None] * np.maximum(since, 0.0)))[:, ::OVERSAMPLING].T


def _circuit(parameters: np.ndarray, n_exponentials: int) -> np.ndarray:
    """Access and membrane resistance, MOhm, and capacitance, pF."""
    taus_ms = np.exp(parameters[1 : 1 + n_exponentials])
    settled_us, heights_us = parameters[1 + n_exponentials], parameters[2 + n_exponentials :]
    whole, access = 1.0 / settled_us, 1.0 / (settled_us + heights_us.sum())
    membrane = whole - access
    capacitance = float(heights_us @ taus_ms) / time_constant_ms(1.0, 1.0) * (whole / membrane) ** 2
    return np.array([access, membrane, capacitance])


def _with_sd(
    function: Callable[[np.ndarray], np.ndarray], parameters: np.ndarray, covariance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Values of a function of fitted parameters and their standard deviations, to first order."""
    slopes = []
    for index, sd in enumerate(np.sqrt(np.diag(covariance))):
        step = np.zeros_like(parameters)
        step[index] = max(1e-3 * sd, 1e-9 * abs(parameters[index]))
        slopes.append((function(parameters + step) - function(parameters - step)) / (2.0 * step[index]))
    slope = np.stack(slopes, axis=1)
    return function(parameters), np.sqrt(np.diag(slope @ covariance @ slope.T))
