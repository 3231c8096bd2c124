"""Metrics as functions of sums over resampling units, so that a bootstrap is one matrix product.

A recording is cut into units once (blocks of time, or trials). Each metric keeps its additive terms for each unit and
a function from summed terms to its value; the plain value is that function of the plain sum.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from twin.errors import InputError
from twin.judge.coincidence import coincidence_from_sums, match_spikes, shuffled_intervals
from twin.judge.inference import resampled
from twin.judge.trains import SpikeTrains, bin_counts, bin_index, whole_multiple

# Intervals are compared on a clock of 10 microseconds, finer than the sampling of recordings, so that equal intervals
# are equal in floating point too and the distribution functions stay small.
_INTERVAL_CLOCK_S = 1e-5


@dataclass(frozen=True)
class Layout:
    """How a stretch of time is cut: blocks of whole bins, and what the resampling unit is."""

    start_s: float
    stop_s: float
    block_s: float
    bin_s: float
    unit: str
    n_trials: int

    def __post_init__(self) -> None:
        if self.unit not in ("block", "trial"):
            raise InputError(
                f"One recorded unit cannot be resampled over {self.unit!r}; use 'block' or 'trial' here, and pool the "
                "scores of several recordings for session, animal or lab."
            )
        whole_multiple(self.stop_s - self.start_s, self.block_s, length="the scored stretch", part="blocks (block_s)")
        whole_multiple(self.block_s, self.bin_s, length="block_s", part="bins (bin_s)")

    @property
    def n_blocks(self) -> int:
        """Blocks in the stretch."""
        return round((self.stop_s - self.start_s) / self.block_s)

    @property
    def n_units(self) -> int:
        """Resampling units."""
        return self.n_blocks if self.unit == "block" else self.n_trials

    def counts(self, trains: SpikeTrains, bin_s: float) -> Int[np.ndarray, "trial block bin"]:
        """Spike counts in bins of `bin_s`, which must fit a whole number of times into a block."""
        per_block = whole_multiple(self.block_s, bin_s, length="block_s", part="windows")
        n_bins = per_block * self.n_blocks
        counts = np.array([bin_counts(trial, self.start_s, bin_s, n_bins) for trial in trains.trials])
        return counts.reshape(len(trains.trials), self.n_blocks, per_block)

    def by_unit(self, terms: np.ndarray) -> np.ndarray:
        """Sums real terms `(trial, block, ...)` into `(unit, ...)`."""
        return terms.sum(axis=0 if self.unit == "block" else 1)

    def generated_by_unit(self, terms: np.ndarray) -> np.ndarray:
        """Sums generated terms `(trial, block, ...)`; trials of a model belong to no real trial and are shared out."""
        if self.unit == "block":
            return terms.sum(axis=0)
        return np.repeat(terms.sum(axis=(0, 1))[None] / self.n_units, self.n_units, axis=0)


@dataclass(frozen=True, eq=False)
class SummedMetric:
    """Additive terms `(unit, ...)` and the metric as a function `(sample, ...) -> (sample,)` of their sums."""

    terms: np.ndarray
    value_of: Callable[[np.ndarray], np.ndarray]

    def value(self) -> float:
        """The metric over all units."""
        return float(self.value_of(self.terms.sum(axis=0, dtype=np.float64)[None])[0])

    def replicates(self, weights: np.ndarray) -> Float[np.ndarray, " resample"]:
        """The metric of each bootstrap sample; `weights` is `(resample, unit)`."""
        return resampled(self.value_of, self.terms, weights)


def bits_per_spike_sums(counts: np.ndarray, rate: np.ndarray, layout: Layout) -> SummedMetric:
    """Bits per spike over the mean rate of the same spikes; `counts` (trial, block, bin), `rate` (block, bin)."""
    terms = np.stack(np.broadcast_arrays(counts * np.log(rate), rate, counts, np.ones(())), axis=-1).sum(axis=2)

    def value_of(sums: np.ndarray) -> np.ndarray:
        fit, expected, n_spikes, n_bins = sums.T
        n = np.where(n_spikes > 0, n_spikes, np.nan)
        return (fit - expected - n * np.log(n / n_bins) + n) / (n * np.log(2.0))

    return SummedMetric(layout.by_unit(terms), value_of)


def correlation_sums(counts: np.ndarray, rate: np.ndarray, layout: Layout) -> SummedMetric:
    """Correlation of single-trial counts (trial, block, bin) with a prediction (block, bin); 0 where either is flat."""
    flat = np.all(rate == rate.flat[0])
    x, y = counts - np.mean(counts), np.zeros_like(rate) if flat else rate - np.mean(rate)
    terms = np.stack(np.broadcast_arrays(np.ones(()), x, y, x * x, y * y, x * y), axis=-1).sum(axis=2)

    def value_of(sums: np.ndarray) -> np.ndarray:
        n, sx, sy, sxx, syy, sxy = sums.T
        product = (sxx - sx**2 / n) * (syy - sy**2 / n)
        varies = product > 1e-20 * np.maximum(sxx * syy, 1e-300)
        return np.where(varies, (sxy - sx * sy / n) / np.sqrt(np.where(varies, product, 1.0)), 0.0)

    return SummedMetric(layout.by_unit(terms), value_of)


def best_correlation_sums(counts: np.ndarray, layout: Layout) -> SummedMetric:
    """The single-trial correlation of the true mean response, from repeats: sqrt(signal power / total power).

    Signal power is the mean covariance of two different trials (Sahani and Linden 2003; Schoppe et al. 2016).
    NaN where it is not above zero. Sums over blocks whatever the unit: a trial drawn twice would share its noise.
    """
    n = len(counts)
    total, square = counts.sum(axis=0), (counts**2).sum(axis=0)
    terms = np.stack(np.broadcast_arrays(np.ones(()), total, total**2, square), axis=-1).sum(axis=1)

    def value_of(sums: np.ndarray) -> np.ndarray:
        n_bins, s, s_squared, q = sums.T
        mean = s / (n * n_bins)
        signal = (s_squared - q) / (n * (n - 1) * n_bins) - mean**2
        power = q / (n * n_bins) - mean**2
        ratio = np.divide(signal, power, out=np.full_like(signal, np.nan), where=power > 0)
        return np.sqrt(np.where(ratio > 0, ratio, np.nan))

    return SummedMetric(terms, value_of)


def coincidence_sums(
    real: SpikeTrains, generated: SpikeTrains, layout: Layout, *, window_s: float, n_shuffles: int, seed: int
) -> tuple[SummedMetric, SummedMetric]:
    """Coincidence factor, mean over pairs of a real and a generated trial: by formula, and by shuffled chance.

    Where `generated` is `real` itself, a trial is not paired with itself: the figure is the reliability of the neuron.
    """
    rng = np.random.default_rng(seed)
    shuffles = [[shuffled_intervals(g, rng) for _ in range(n_shuffles)] for g in generated.trials]
    n_real, n_generated = layout.counts(real, layout.block_s)[..., 0], layout.counts(generated, layout.block_s)[..., 0]
    terms, of_trial = [], []
    for r, train in enumerate(real.trials):
        for g, other in enumerate(generated.trials):
            if generated is real and r == g:
                continue
            matched = _matched_by_block(train, other, window_s, layout)
            chance = np.mean([_matched_by_block(train, s, window_s, layout) for s in shuffles[g]], axis=0)
            terms.append(np.stack([matched, chance, n_real[r], n_generated[g]], axis=-1))
            of_trial.append(r)
    pairs = np.array(terms, dtype=np.float64)
    per_second = 2.0 * window_s / (layout.n_blocks * layout.block_s)

    def by_formula(sums: np.ndarray) -> np.ndarray:
        matched, _, n_r, n_g = np.moveaxis(sums, -1, 0)
        return coincidence_from_sums(matched, per_second * n_g * n_r, n_r, n_g)

    def by_shuffle(sums: np.ndarray) -> np.ndarray:
        return coincidence_from_sums(*np.moveaxis(sums, -1, 0))

    return (
        _mean_over_pairs(pairs, np.array(of_trial), layout, by_formula),
        _mean_over_pairs(pairs, np.array(of_trial), layout, by_shuffle),
    )


def rate_sums(trains: SpikeTrains, layout: Layout, *, is_real: bool) -> SummedMetric:
    """Spikes per second, mean over trials."""
    n = layout.counts(trains, layout.block_s)[..., 0].astype(np.float64)
    terms = np.stack([n, np.full_like(n, layout.block_s)], axis=-1)
    return SummedMetric(
        layout.by_unit(terms) if is_real else layout.generated_by_unit(terms), lambda s: s[:, 0] / s[:, 1]
    )


def interval_sums(real: SpikeTrains, generated: SpikeTrains, layout: Layout) -> tuple[SummedMetric, SummedMetric]:
    """Kolmogorov-Smirnov and Wasserstein (ms) distance of the intervals; an interval belongs where it opens."""
    both = [np.rint(np.diff(t) / _INTERVAL_CLOCK_S).astype(np.int64) for t in (*real.trials, *generated.trials)]
    ticks = np.unique(np.concatenate(both))
    blocks = [
        bin_index(t[:-1], layout.start_s, layout.block_s, layout.n_blocks) for t in (*real.trials, *generated.trials)
    ]
    indices = [np.searchsorted(ticks, isi) for isi in both]
    n = len(real.trials)
    counts = _histograms((indices[:n], blocks[:n]), (indices[n:], blocks[n:]), max(ticks.size, 1), layout)
    below = np.cumsum(counts, axis=-1)
    widths_ms = 1e3 * _INTERVAL_CLOCK_S * np.diff(ticks)

    def gap(sums: np.ndarray) -> np.ndarray:
        fractions = _fractions(sums, sums[..., -1:])
        return np.abs(fractions[:, 0] - fractions[:, 1])

    def area(sums: np.ndarray) -> np.ndarray:
        gaps = gap(sums)
        return np.where(np.isnan(gaps[:, -1]), np.nan, gaps[:, :-1] @ widths_ms)

    return SummedMetric(below, lambda sums: np.max(gap(sums), axis=-1)), SummedMetric(below, area)


def count_sums(real: SpikeTrains, generated: SpikeTrains, layout: Layout, *, window_s: float) -> SummedMetric:
    """Total variation of the distributions of counts in windows of `window_s`."""
    trains = (layout.counts(real, window_s), layout.counts(generated, window_s))
    block = np.repeat(np.arange(layout.n_blocks), trains[0].shape[2])
    first, second = (([c.reshape(-1) for c in counts], [block] * len(counts)) for counts in trains)
    terms = _histograms(first, second, 1 + int(max(c.max() for c in trains)), layout)

    def value_of(sums: np.ndarray) -> np.ndarray:
        fractions = _fractions(sums, sums.sum(axis=-1, keepdims=True))
        return 0.5 * np.sum(np.abs(fractions[:, 0] - fractions[:, 1]), axis=-1)

    return SummedMetric(terms, value_of)


def real_against_real(distance: SummedMetric, *, n_splits: int, seed: int) -> float:
    """Mean distance between two random halves of the real units; `distance` holds the real counts first.

    NaN for fewer than two units.
    """
    real = distance.terms[:, 0]
    n_units = len(real)
    if n_units < 2:
        return float("nan")
    rng = np.random.default_rng(seed)
    half = np.argsort(rng.random((n_splits, n_units)), axis=1) < n_units // 2
    first, second = half.astype(np.float64) @ real, (~half).astype(np.float64) @ real
    return float(np.mean(distance.value_of(np.stack([first, second], axis=1))))


def _matched_by_block(real: np.ndarray, generated: np.ndarray, window_s: float, layout: Layout) -> np.ndarray:
    return bin_counts(real[match_spikes(real, generated, window_s)], layout.start_s, layout.block_s, layout.n_blocks)


def _mean_over_pairs(
    pairs: np.ndarray, of_trial: np.ndarray, layout: Layout, value_of: Callable[[np.ndarray], np.ndarray]
) -> SummedMetric:
    """`pairs` is (pair, block, term); over blocks each pair is resampled alike, over trials each trial is one value."""
    if layout.unit == "block":
        return SummedMetric(np.moveaxis(pairs, 0, 1), lambda sums: np.mean(value_of(sums), axis=-1))
    values = value_of(pairs.sum(axis=1))
    per_trial = np.array([np.mean(values[of_trial == r]) for r in range(layout.n_trials)])
    return SummedMetric(np.stack([per_trial, np.ones_like(per_trial)], axis=1), lambda sums: sums[:, 0] / sums[:, 1])


def _histograms(
    real: tuple[Sequence[np.ndarray], Sequence[np.ndarray]],
    generated: tuple[Sequence[np.ndarray], Sequence[np.ndarray]],
    n_values: int,
    layout: Layout,
) -> Float[np.ndarray, "unit two value"]:
    """Counts of each value in each unit, real first; each side is (value index per trial, block index per trial)."""
    terms = np.zeros((layout.n_units, 2, n_values))
    for trial, (index, block) in enumerate(zip(*real, strict=True)):
        unit = block if layout.unit == "block" else np.full_like(block, trial)
        np.add.at(terms[:, 0], (unit, index), 1.0)
    for index, block in zip(*generated, strict=True):
        if layout.unit == "block":
            np.add.at(terms[:, 1], (block, index), 1.0)
        else:
            terms[:, 1] += np.bincount(index, minlength=n_values) / layout.n_units
    return terms


def _fractions(counts: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Counts over their total; NaN where there is none."""
    return counts / np.where(total > 0, total, np.nan)
