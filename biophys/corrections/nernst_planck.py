"""The junction potential of the stationary electroneutral Nernst-Planck equations, without the assumption of Henderson.

Henderson takes every concentration to change linearly across the junction; here the profiles are what diffusion and
migration at zero current make them (Planck 1890; Marino, Misuri & Brogioli 2014, arXiv:1403.3640).

In units of RT/F, with fluxes J and mobilities u, `c_i' = -J_i / u_i - z_i c_i psi'` and electroneutrality give
`psi' = -sum(z_i J_i / u_i) / S` with `S = sum z_i^2 c_i`. So psi never turns back, and with `s = psi / psi_end` in the
place of the distance the equations are linear with constant coefficients:

    dc_i/ds = a_i S - psi_end z_i c_i .

Ions of one valence differ only in a_i. Summed over valence classes the problem has one exponential of a small matrix
and as many unknowns as valences plus one: no mesh, hence no discretisation error. Ions that one side lacks are no
special case, and nothing is singular where the potential is zero.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from biophys.corrections.henderson import henderson
from biophys.corrections.solutions import Solution, neutralised, require_neutral, solution_of
from biophys.corrections.temperature import ZERO_CELSIUS_K, thermal_voltage_mv
from twin.errors import NeurotwinError

_MAX_NEWTON_STEPS = 30
_CONVERGED_STEP = 1e-9  # Newton converges quadratically: the step after one of this size is lost in rounding
_SMALLEST_FRACTION = 1e-4
_ROUNDING = 1e-14  # with which the residual itself is evaluated
_PROFILE_POINTS = 64


@dataclass(frozen=True)
class _Junction:
    """Sums over the ions of each valence, relative to S at the start: plain sums, and weighted by mobility."""

    valence: np.ndarray
    start: np.ndarray
    end: np.ndarray
    mobile_start: np.ndarray
    mobile_end: np.ndarray

    def part_way(self, fraction: float) -> "_Junction":
        """The junction to an end that has only this fraction of the difference in composition and in log strength."""
        strength = float(self.valence**2 @ self.end)
        rest, share = (1.0 - fraction) * strength**fraction, fraction * strength ** (fraction - 1.0)
        return _Junction(
            self.valence,
            self.start,
            rest * self.start + share * self.end,
            self.mobile_start,
            rest * self.mobile_start + share * self.mobile_end,
        )


def nernst_planck(
    pipette: Solution | Mapping[str, float | int],
    bath: Solution | Mapping[str, float | int],
    temperature_c: float | int,
    *,
    zero_celsius_k: float | int = ZERO_CELSIUS_K,
    tolerance_mv: float | int = 1e-6,
) -> float:
    """Liquid junction potential E_bath - E_pipette in mV, by the stationary Nernst-Planck equation.

    For one salt at two concentrations, and for two salts with a common ion at one concentration, it equals `henderson`.
    9 mM ZnCl2 in the pipette against 3 mM KCl with 0.0284 mM ZnCl2 gives -20.81 mV at 25 C, Henderson -19.86 mV.

    Charge that is missing within the tolerance of `require_neutral` is filled up as `neutralised` says, because the
    equation has no solution otherwise. Concentrations stand for activities.

    Args:
        pipette: free ions in the pipette, as a `Solution` or as mM by ion name.
        bath: free ions in the bath, likewise.
        temperature_c: temperature of the junction, C.
        zero_celsius_k: 273.15, or 273 for comparison with JPCalcW.
        tolerance_mv: largest numerical error that is accepted, mV.

    Raises:
        InputError: an ion is unknown, a concentration is negative, a side has no ions or is not electroneutral, or the
            temperature is not in degrees Celsius.
        NeurotwinError: the solution was not found to within the tolerance.
    """
    sides = solution_of(pipette), solution_of(bath)
    approximate_mv = henderson(*sides, temperature_c, zero_celsius_k=zero_celsius_k)
    for side, name in zip(sides, ("pipette", "bath"), strict=True):
        require_neutral(side, name)
    thermal_mv = thermal_voltage_mv(temperature_c, zero_celsius_k)
    potential, error = _potential(*neutralised(*sides))
    if not error * thermal_mv <= tolerance_mv:
        raise NeurotwinError(
            f"The Nernst-Planck equation did not converge for the pipette ({sides[0]}) against the bath ({sides[1]}): "
            f"an error of {error * thermal_mv:.1g} mV remains, {tolerance_mv:g} mV was wanted; give a larger "
            f"tolerance_mv, or use the Henderson equation, which gives {approximate_mv:.4g} mV."
        )
    return float(potential * thermal_mv)


def _potential(pipette: Solution, bath: Solution) -> tuple[float, float]:
    """Potential of the bath against the pipette and an estimate of its error, in units of RT/F.

    The equations are followed from the weaker to the stronger solution: the other way round the small concentrations
    at the end are differences of large ones.
    """
    weaker_first = _strength(pipette) <= _strength(bath)
    potential, error = _solve(_junction_of(pipette, bath) if weaker_first else _junction_of(bath, pipette))
    return (potential if weaker_first else -potential), error


def _strength(solution: Solution) -> float:
    return math.fsum(one.valence**2 * mm for one, mm in solution.concentrations_mm.items())


def _junction_of(weaker: Solution, stronger: Solution) -> _Junction:
    first, last = weaker.concentrations_mm, stronger.concentrations_mm
    ions = [one for one in {**first, **last} if first.get(one, 0.0) + last.get(one, 0.0) > 0]
    valences = np.array([one.valence for one in ions], dtype=float)
    mobility = np.array([one.mobility for one in ions], dtype=float)
    start = np.array([first.get(one, 0.0) for one in ions], dtype=float)
    end = np.array([last.get(one, 0.0) for one in ions], dtype=float)
    valence = np.unique(valences)
    of_class = (valence[:, None] == valences[None, :]) / np.sum(valences**2 * start)
    return _Junction(
        valence, of_class @ start, of_class @ end, of_class @ (mobility * start), of_class @ (mobility * end)
    )


def _solve(junction: _Junction) -> tuple[float, float]:
    """The potential drop in units of RT/F, and an estimate of its error; infinite where nothing was found.

    The full problem is tried first; where that fails the end is brought to its place from the start in steps.
    """
    unknowns = np.zeros(junction.valence.size + 1)  # exact where the end is like the start
    fraction, step = 0.0, 1.0
    while fraction < 1.0:
        step = min(step, 1.0 - fraction)
        part = junction.part_way(fraction + step)
        found = _newton(unknowns, part)
        if found is not None and _is_positive(found, part):
            unknowns, fraction, step = found, fraction + step, 2.0 * step
        elif step > _SMALLEST_FRACTION:
            step *= 0.5
        else:
            return unknowns[0], np.inf
    return unknowns[0], _error(unknowns, junction)


def _newton(unknowns: np.ndarray, junction: _Junction) -> np.ndarray | None:
    """The zero of the residual by Newton steps of limited length, or None."""
    for _ in range(_MAX_NEWTON_STEPS):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a wrong turn, found out below
            residual, slopes = _residual(unknowns, junction), _slopes(unknowns, junction)
        if not (np.all(np.isfinite(residual)) and np.all(np.isfinite(slopes))):
            return None
        step = -linalg.lstsq(slopes, residual)[0]
        length = float(np.max(np.abs(step)))
        unknowns = unknowns + step / max(1.0, length)
        if length < _CONVERGED_STEP:
            return unknowns
    return None


def _residual(unknowns: np.ndarray, junction: _Junction) -> np.ndarray:
    """Current, and how far the integrals y miss themselves; all zero at the solution.

    The unknowns are psi_end and, for each valence, `log y` with `y = exp(-z psi_end) integral exp(z psi) S ds`, whence
    `c_i(1) = exp(-z_i psi_end) c_i(0) + a_i y`.
    """
    integrals = np.exp(unknowns[1:])
    gained = junction.mobile_end - junction.mobile_start * np.exp(-junction.valence * unknowns[0])
    after = linalg.expm(_generator(unknowns, junction)) @ _initial(junction)
    return np.concatenate(
        [[np.sum(junction.valence * gained / integrals)], after[junction.valence.size :] / integrals - 1.0]
    )


def _slopes(unknowns: np.ndarray, junction: _Junction) -> np.ndarray:
    """Derivative of the residual by each unknown, by complex steps: exact to rounding."""
    tiny = 1e-30
    columns = [_residual(unknowns + 1j * tiny * row, junction).imag / tiny for row in np.eye(unknowns.size)]
    return np.stack(columns, axis=1)


def _generator(unknowns: np.ndarray, junction: _Junction) -> np.ndarray:
    """The matrix of the linear equations in s for `exp(-z psi) c(0)` and y, by valence."""
    valence, n = junction.valence, junction.valence.size
    matrix = np.zeros((2 * n, 2 * n), dtype=unknowns.dtype)
    matrix[n:, :n] = valence**2
    matrix[n:, n:] = valence**2 * _supply(unknowns, junction)
    matrix[np.diag_indices(2 * n)] -= np.tile(valence, 2) * unknowns[0]
    return matrix


def _supply(unknowns: np.ndarray, junction: _Junction) -> np.ndarray:
    """The coefficients a of the equations, summed over each valence."""
    return (junction.end - junction.start * np.exp(-junction.valence * unknowns[0])) / np.exp(unknowns[1:])


def _initial(junction: _Junction) -> np.ndarray:
    return np.concatenate([junction.start, np.zeros_like(junction.start)])


def _is_positive(unknowns: np.ndarray, junction: _Junction) -> bool:
    """Whether S is positive all along, and with it every concentration: the test of a physical solution."""
    step = linalg.expm(_generator(unknowns, junction) / _PROFILE_POINTS)
    supply, state, n_valences = _supply(unknowns, junction), _initial(junction), junction.valence.size
    for _ in range(_PROFILE_POINTS - 1):
        state = step @ state
        if not junction.valence**2 @ (state[:n_valences] + supply * state[n_valences:]) > 0:
            return False
    return True


def _error(unknowns: np.ndarray, junction: _Junction) -> float:
    """First-order bound on the error of psi_end: the next Newton step, and rounding in the residual."""
    sensitivity = linalg.pinv(_slopes(unknowns, junction))[0]
    return float(np.abs(sensitivity) @ (np.abs(_residual(unknowns, junction)) + _ROUNDING))
