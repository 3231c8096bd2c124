"""How well the best set does on each sweep, beside what the most similar fitted sweep would say."""

import dataclasses

import numpy as np

from biophys.calibrate import Fit, Target
from experiments.calibration.choices import WINDOW_S
from experiments.calibration.responses import Responses, respond
from twin.judge.coincidence import coincidence_factor

BEFORE_S, AFTER_S = 0.002, 0.005  # around recorded spikes nothing is compared, as in the objective
NEAREST = "nearest_sweep"


@dataclasses.dataclass(frozen=True)
class SweepScore:
    """One sweep by one model.

    Attributes:
        sweep: its name.
        model: whose response it is: the fitted model, or `NEAREST`.
        n_recorded: spikes of the cell.
        n_model: spikes of the model.
        coincidence: coincidence factor within 4 ms; NaN where either has no spike.
        squares: sum of squared voltage differences away from recorded spikes, mV2.
        n_samples: how many.
    """

    sweep: str
    model: str
    n_recorded: int
    n_model: int
    coincidence: float
    squares: float
    n_samples: int

    @property
    def rmse_mv(self) -> float:
        """Of the voltage between spikes."""
        return float(np.sqrt(self.squares / self.n_samples)) if self.n_samples else float("nan")


@dataclasses.dataclass(frozen=True)
class Scored:
    """A target with what the best set does on it.

    Attributes:
        free: responses of all equally good sets with spikes of their own.
        residual_mv: (sweep, time) model minus cell where they are compared, NaN elsewhere; a model with a reset is
            reset where the cell spiked.
        rows: scores of the best set.
        nearest: scores of the most similar fitted sweep's recorded response; empty on fitted sweeps.
    """

    free: Responses
    residual_mv: np.ndarray
    rows: tuple[SweepScore, ...]
    nearest: tuple[SweepScore, ...]

    @property
    def target(self) -> Target:
        """At the step of the fit."""
        return self.free.target


def score(fit: Fit, target: Target, fitted: Target | None = None) -> Scored:
    """Scores of a target.

    Args:
        fit: a fresh one.
        target: to be scored.
        fitted: that was fitted, for the baseline; None leaves it out.
    """
    target = target.at_step(fit.dt_s)
    free = respond(fit, target, len(fit.sets))
    forced = respond(fit, target, 1, forced=True) if fit.model.reset and target.spike_times_s else free
    recorded = _voltage(target)
    residual = np.where(_compared(target), forced.voltage_mv[:, 0] - recorded, np.nan)
    rows = tuple(
        _row(target, k, fit.model.name, free.spike_times_s[k][0], residual[k]) for k in range(len(target.sweeps))
    )
    nearest = () if fitted is None else tuple(_nearest(target, fitted.at_step(fit.dt_s)))
    return Scored(free, residual, rows, nearest)


def _row(target: Target, k: int, model: str, spikes_s: np.ndarray, residual: np.ndarray) -> SweepScore:
    recorded = spikes_of(target, k)
    value = float("nan")
    if len(recorded):
        value = coincidence_factor(recorded, spikes_s, duration_s=target.duration_s, window_s=WINDOW_S).value
        value = 0.0 if not len(spikes_s) else value
    known = residual[np.isfinite(residual)]
    return SweepScore(
        target.sweeps[k], model, len(recorded), len(spikes_s), value, float(np.sum(known**2)), int(known.size)
    )


def _nearest(target: Target, fitted: Target) -> list[SweepScore]:
    """The response that was recorded to the most similar current among the fitted sweeps."""
    rows = []
    for k in range(len(target.sweeps)):
        n = min(target.n_steps, fitted.n_steps)
        distance = np.mean((fitted.current_na[:, :n] - target.current_na[k, :n]) ** 2, axis=1)
        j = int(np.argmin(distance))
        compared = _compared(target)[k, :n] & _compared(fitted)[j, :n]
        residual = np.where(compared, _voltage(fitted)[j, :n] - _voltage(target)[k, :n], np.nan)
        rows.append(_row(target, k, NEAREST, spikes_of(fitted, j), residual))
    return rows


def spikes_of(target: Target, k: int) -> np.ndarray:
    """The recorded spikes of a sweep, s; empty where none are known."""
    return np.asarray(target.spike_times_s[k][0]) if target.spike_times_s else np.zeros(0)


def _voltage(target: Target) -> np.ndarray:
    assert target.voltage_mv is not None  # `target_of` refuses sweeps without
    return target.voltage_mv


def _compared(target: Target) -> np.ndarray:
    shown = np.isfinite(_voltage(target))
    before, after = round(BEFORE_S / target.dt_s), round(AFTER_S / target.dt_s)
    for k in range(len(target.sweeps)):
        for step in target.steps_of(spikes_of(target, k)):
            shown[k, max(step + 1 - before, 0) : step + 1 + after] = False
    return shown


def pooled_rmse_mv(rows: tuple[SweepScore, ...]) -> float:
    """Over all compared samples."""
    n = sum(row.n_samples for row in rows)
    return float(np.sqrt(sum(row.squares for row in rows) / n)) if n else float("nan")


def mean_coincidence(rows: tuple[SweepScore, ...]) -> float:
    """Over sweeps in which the cell spikes."""
    values = [row.coincidence for row in rows if np.isfinite(row.coincidence)]
    return float(np.mean(values)) if values else float("nan")
