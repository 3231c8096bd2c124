"""Spike trains of repeats and of models: coincidence over reliability, Md*, and what a bootstrap says of them."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from twin.errors import InputError
from twin.judge import Interval, percentile_interval, resampling_weights
from twin.judge.coincidence import coincidence_factor, coincidence_from_sums, match_spikes

WINDOW_S = 0.004
N_RESAMPLES = 1000


@dataclasses.dataclass(frozen=True)
class Repeats:
    """Spike trains of one cell under one current, repeated, in one stretch of time.

    Attributes:
        trains: spike times of each repeat, s, all within the stretch.
        start_s: of the stretch.
        stop_s: of the stretch.
    """

    trains: tuple[np.ndarray, ...]
    start_s: float
    stop_s: float

    @classmethod
    def cut(cls, trains: Sequence[np.ndarray], start_s: float, stop_s: float) -> "Repeats":
        """The spikes of trains within a stretch."""
        return cls(tuple(between(train, start_s, stop_s) for train in trains), start_s, stop_s)

    @property
    def duration_s(self) -> float:
        """Of the stretch."""
        return self.stop_s - self.start_s

    @property
    def rate_hz(self) -> float:
        """Spikes per second, mean over repeats."""
        return float(np.mean([len(train) for train in self.trains])) / self.duration_s

    def gamma(self, other: "Repeats") -> Float[np.ndarray, "repeat other"]:
        """Coincidence factor of each train here as the real one with each there as the model's; 0 if empty."""
        if (self.start_s, self.stop_s) != (other.start_s, other.stop_s):
            raise InputError("two sets of trains of different stretches of time cannot be compared; cut both alike.")
        values = [
            [
                coincidence_factor(real, model, duration_s=self.duration_s, window_s=WINDOW_S).value
                for model in other.trains
            ]
            for real in self.trains
        ]
        return np.nan_to_num(np.array(values).reshape(len(self.trains), len(other.trains)))

    def near(self, other: "Repeats") -> Float[np.ndarray, "repeat other"]:
        """Pairs of spikes within the window, of each train here with each there."""
        reach = WINDOW_S + 1e-9
        return np.array(
            [
                [
                    np.sum(np.searchsorted(b, a + reach, "right") - np.searchsorted(b, a - reach, "left"))
                    for b in other.trains
                ]
                for a in self.trains
            ],
            np.float64,
        ).reshape(len(self.trains), len(other.trains))


def between(train: np.ndarray, start_s: float, stop_s: float) -> np.ndarray:
    """The spikes in [start_s, stop_s)."""
    return train[(train >= start_s - 1e-9) & (train < stop_s - 1e-9)]


def crossings(voltage_mv: Float[np.ndarray, "sweep time"], dt_s: float, threshold_mv: float) -> tuple[np.ndarray, ...]:
    """Spike times, s: the start of the step in which the voltage comes to the threshold from below."""
    above = voltage_mv >= threshold_mv
    return tuple(np.flatnonzero(~row[:-1] & row[1:]) * dt_s for row in above)


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure with its interval."""

    value: float
    interval: Interval


def intrinsic(real: Repeats, seed: int) -> Figure:
    """Mean coincidence factor of ordered pairs of different repeats."""
    pairs = real.gamma(real)
    return _over_repeats(lambda w: _pairs_mean(pairs, w), len(pairs), seed)


def coincidence(real: Repeats, model: Repeats, seed: int) -> Figure:
    """Mean coincidence factor of a model's trains with the repeats."""
    mean = real.gamma(model).mean(axis=1)
    return _over_repeats(lambda w: w @ mean / w.sum(axis=1), len(mean), seed)


def relative(real: Repeats, model: Repeats, seed: int) -> Figure:
    """Coincidence factor of a model over that of the repeats among themselves; both are resampled together."""
    pairs, mean = real.gamma(real), real.gamma(model).mean(axis=1)
    return _over_repeats(lambda w: w @ mean / w.sum(axis=1) / _pairs_mean(pairs, w), len(mean), seed)


def relative_by_blocks(real: Repeats, model: Repeats, block_s: float, seed: int) -> Figure:
    """Coincidence factor of a model over that of the repeats; the interval resamples blocks of time for both alike.

    The coincidences are those of the whole trains; a pair belongs to the block of its recorded spike.
    """
    n_blocks = max(int(round(real.duration_s / block_s)), 1)
    own = [(a, b) for i, a in enumerate(real.trains) for j, b in enumerate(real.trains) if i != j]
    other = [(a, b) for a in real.trains for b in model.trains]
    sums = [np.stack([_block_sums(real, a, b, n_blocks) for a, b in pairs], axis=1) for pairs in (own, other)]

    def statistic(weights: np.ndarray) -> np.ndarray:
        means = []
        for one in sums:
            matched, n_real, n_model, seconds = np.moveaxis(np.tensordot(weights, one, axes=1), -1, 0)
            chance = 2.0 * WINDOW_S * n_model * n_real / seconds
            means.append(np.nan_to_num(coincidence_from_sums(matched, chance, n_real, n_model)).mean(axis=-1))
        return means[1] / means[0]

    value = float(statistic(np.ones((1, n_blocks)))[0])
    values = statistic(resampling_weights(n_blocks, N_RESAMPLES, seed).astype(np.float64))
    return Figure(value, percentile_interval(values[np.isfinite(values)], n_blocks, unit="block", level=0.95))


def _block_sums(real: Repeats, train: np.ndarray, other: np.ndarray, n_blocks: int) -> np.ndarray:
    """(block, 4) matched spikes, recorded and model spikes, seconds."""
    edges = np.linspace(real.start_s, real.stop_s, n_blocks + 1)
    matched = train[match_spikes(train, other, WINDOW_S)]
    counts = [np.histogram(times, edges)[0] for times in (matched, train, other)]
    return np.stack([*counts, np.diff(edges)], axis=1).astype(np.float64)


def md_star(real: Repeats, model: Repeats, seed: int, deterministic: bool) -> Figure:
    """Md* = 2 <D, M> / (<D, D> + <M, M>), spike pairs within the window between different trains (Naud et al. 2011).

    A deterministic model's trains are all the same, so its own product is that of the train with itself.
    """
    with_data, within = real.near(model).mean(axis=1), real.near(real)
    own = model.near(model)
    n = len(own)
    product = float(own[0, 0]) if deterministic else float((own.sum() - np.trace(own)) / (n * (n - 1)))
    return _over_repeats(
        lambda w: 2 * (w @ with_data / w.sum(axis=1)) / (_pairs_mean(within, w) + product), len(within), seed
    )


def _pairs_mean(pairs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean over pairs of different repeats; a repeat that was drawn twice is not paired with its copy."""
    off = pairs - np.diag(np.diag(pairs))
    total = np.einsum("bi,ij,bj->b", weights, off, weights)
    number = weights.sum(axis=1) ** 2 - (weights**2).sum(axis=1)
    return np.divide(total, number, out=np.full(len(total), np.nan), where=number > 0)


def _over_repeats(statistic: Callable[[np.ndarray], np.ndarray], n: int, seed: int) -> Figure:
    value = float(statistic(np.ones((1, n)))[0])
    values = statistic(resampling_weights(n, N_RESAMPLES, seed).astype(np.float64))
    values = values[np.isfinite(values)]
    if n < 2 or not len(values):
        return Figure(value, Interval(float("nan"), float("nan"), n, "trial"))
    return Figure(value, percentile_interval(values, n, unit="trial", level=0.95))
