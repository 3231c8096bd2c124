"""What fitted models predict: free spike trains, their vote, and hazards and voltages with spikes forced."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from biophys.calibrate import Target, TraceError
from experiments.gif_cell.cell import Cell
from experiments.gif_cell.fitting import AFTER_S, BEFORE_S, Escape, binned
from experiments.gif_cell.settings import Settings
from experiments.spike_fits import coupled_gif, trains
from experiments.spike_fits.consensus import consensus
from experiments.spike_fits.hazards import expected_counts
from experiments.spike_fits.history_glm import HistoryGlm
from experiments.spike_fits.restarts import Restarts
from experiments.spike_fits.simulate import Forced, forced, own_spikes
from experiments.spike_fits.trains import Figure, Repeats
from twin.judge import percentile_interval, resampling_weights

ESCAPE_NAME, VOTE, CONSTANT = "gif_coupled", "vote", "poisson"


@dataclasses.dataclass(frozen=True)
class Predicted:
    """Spikes that were generated under the mean current of a recording, all from its first sample.

    Attributes:
        restarts: model -> one train for each restart, the best fit first.
        trials: model with noise -> trials.
        vote: where most restarts and trials agree.
        stretch: that is compared with the recording.
        real: the recorded spikes there.
    """

    restarts: Mapping[str, tuple[np.ndarray, ...]]
    trials: Mapping[str, tuple[np.ndarray, ...]]
    vote: np.ndarray
    stretch: tuple[float, float]
    real: Repeats

    def cut(self, *trains_s: np.ndarray) -> Repeats:
        """Trains of a model in the compared stretch."""
        return Repeats.cut(trains_s, *self.stretch)

    def candidates(self) -> dict[str, np.ndarray]:
        """One train for each model that claims spike times: the best fit of each, and the vote."""
        return {name: fits[0] for name, fits in self.restarts.items()} | {VOTE: self.vote}


def predict(
    target: Target,
    stretch: tuple[float, float],
    fits: Mapping[str, Restarts],
    escape: Escape,
    glms: Mapping[str, HistoryGlm],
    key: Any,
    seed: int,
    settings: Settings,
) -> Predicted:
    """Run everything freely to the end of a stretch, and read the recorded spikes there."""
    n_steps = round(stretch[1] / target.dt_s)
    current = target.current_na.mean(axis=0)[:n_steps]
    free = {name: one.trains(current, target.dt_s) for name, one in fits.items()}
    copies = {name: np.full(settings.trials, value) for name, value in escape.values.items()}
    noisy = {ESCAPE_NAME: own_spikes(coupled_gif.ESCAPE, copies, current, target.dt_s, key)}
    binned_na, _ = binned(target.part(stop_s=stretch[1]))
    noisy["glm"] = glms["glm"].trials(binned_na, settings.trials, np.random.default_rng(seed))
    voters = [train for name in settings.voters for train in free[name]]
    voters += noisy[ESCAPE_NAME][: len(voters)]
    return Predicted(free, noisy, consensus(voters, stretch[1]), stretch, recorded(target, stretch))


def recorded(target: Target, stretch: tuple[float, float]) -> Repeats:
    """The recorded spikes of a stretch."""
    return Repeats.cut([sweep[0] for sweep in target.spike_times_s or ()], *stretch)


def rates(cell: Cell, escapes: Mapping[str, Escape], glms: Mapping[str, HistoryGlm]) -> dict[str, np.ndarray]:
    """Expected spikes of each millisecond of each repeat, (repeat, bin), given all spikes before it."""
    target = cell.raw
    current, counts = binned(target)
    fitted_rate = np.mean([len(train) for train in recorded(cell.fitted, cell.whole_fit).trains]) / cell.split.stop_s
    expected = {CONSTANT: np.full(counts.shape, max(1e-3 * float(fitted_rate), 1e-9))}
    expected |= {name: glm.expected(current, counts) for name, glm in glms.items()}
    raster = target.raster()
    for name, escape in escapes.items():
        expected[name] = expected_counts(coupled_gif.ESCAPE, escape.values, target.current_na, raster, target.dt_s)
    return expected


def other_repeats(counts: np.ndarray, deviation_bins: float = 2.0) -> np.ndarray:
    """Expected spikes of each millisecond from the other repeats: their mean, smoothed, with a floor of 5 %."""
    reach = np.arange(-8, 9)
    kernel = np.exp(-0.5 * (reach / deviation_bins) ** 2)
    kernel /= kernel.sum()
    total = counts.sum(axis=0)
    others = np.stack([np.convolve(total - row, kernel, mode="same") / (len(counts) - 1) for row in counts])
    return 0.95 * others + 0.05 * others.mean(axis=1, keepdims=True) + 1e-6


def voltages(target: Target, escape: Escape) -> Forced:
    """Voltage of the escape-noise model that is reset where each repeat spiked."""
    return forced(coupled_gif.ESCAPE, escape.values, target.current_na, target.raster(), target.dt_s)


def voltage_error(target: Target, voltage_mv: np.ndarray, stretch: tuple[float, float], seed: int) -> Figure:
    """Root mean square error, mV, away from spikes; the interval resamples repeats."""
    sums = _squares(target, voltage_mv, stretch)
    return _figure(_root_mean(sums, np.ones((1, len(sums)))), _root_mean(sums, _draws(len(sums), seed)), len(sums))


def voltage_gain(
    first: tuple[Target, np.ndarray], second: tuple[Target, np.ndarray], stretch: tuple[float, float], seed: int
) -> Figure:
    """By how much the second error is smaller than the first, mV, on the same repeats, which are resampled together.

    Args:
        first: what was recorded, and the model's voltage.
        second: another version of the same repeats.
        stretch: that is compared, s.
        seed: of the resampling.
    """
    one, other = (_squares(*version, stretch) for version in (first, second))
    n = len(one)
    whole, draws = np.ones((1, n)), _draws(n, seed)
    return _figure(
        _root_mean(one, whole) - _root_mean(other, whole), _root_mean(one, draws) - _root_mean(other, draws), n
    )


def _squares(target: Target, voltage_mv: np.ndarray, stretch: tuple[float, float]) -> np.ndarray:
    """(repeat, 2): the sum of squared errors, and of how many samples."""
    prepared = TraceError(before_s=BEFORE_S, after_s=AFTER_S).prepare(
        target.part(start_s=stretch[0], stop_s=stretch[1])
    )
    weight, seen = prepared.rows["weight"], prepared.rows["recorded"]
    squares = weight * (voltage_mv[:, : weight.shape[1]] - seen) ** 2
    return np.stack([squares.sum(axis=1), weight.sum(axis=1)], axis=1)


def _draws(n: int, seed: int) -> np.ndarray:
    return resampling_weights(n, trains.N_RESAMPLES, seed).astype(np.float64)


def _root_mean(sums: np.ndarray, weights: np.ndarray) -> np.ndarray:
    totals = weights @ sums
    return np.sqrt(totals[:, 0] / totals[:, 1])


def _figure(value: np.ndarray, resampled: np.ndarray, n: int) -> Figure:
    return Figure(float(value[0]), percentile_interval(resampled, n, unit="trial", level=0.95))
