"""Metrics: how near a prediction or a generated train is to the real one. Figures only; inference lives elsewhere.

NaN policy of the whole module: a NaN or infinity in the input is an `InputError`; a metric that the data do not define
(no spikes, no intervals) is NaN, and becomes null in a report.
"""

import numpy as np

from twin.errors import InputError


def bits_per_spike(counts: np.ndarray, rate_per_bin: np.ndarray, null_rate_per_bin: np.ndarray) -> float:
    """Poisson log-likelihood gain of a rate over a null rate, in bits for each spike.

    Definition: sum(k ln(r / r0) - (r - r0)) / (n ln 2), with k the counts, r the rate, r0 the null and n = sum(k); the
    factorial terms cancel. Range: (-inf, inf); 0 is the null, 1 doubles the likelihood with every spike.
    NaN where there is no spike. Source: Pillow et al. 2008, Nature 454; Pei et al. 2021 (Neural Latents Benchmark).

    Args:
        counts: spikes in each bin.
        rate_per_bin: expected spikes in each bin, same shape, above zero.
        null_rate_per_bin: expected spikes under the null, same shape, above zero. The mean of `counts` is the usual
            choice, and a generous one: it is read off the evaluated spikes.

    Raises:
        InputError: shapes differ, a value is not finite, a count is negative, or a rate is zero or negative.
    """
    _same_shape(counts, rate_per_bin, "counts", "rate_per_bin")
    _same_shape(counts, null_rate_per_bin, "counts", "null_rate_per_bin")
    if np.any(counts < 0):
        raise InputError("counts holds a negative number; counts are spikes per bin, 0 or more.")
    check_positive_rate(rate_per_bin, "rate_per_bin")
    check_positive_rate(null_rate_per_bin, "null_rate_per_bin")
    n_spikes = float(np.sum(counts))
    if n_spikes == 0:
        return float("nan")
    gain = np.sum(counts * np.log(rate_per_bin / null_rate_per_bin)) - np.sum(rate_per_bin - null_rate_per_bin)
    return float(gain / (n_spikes * np.log(2.0)))


def check_positive_rate(rate: np.ndarray, name: str) -> None:
    """Refuse a rate that gives a spike no probability: one spike there would cost infinitely many bits."""
    if not np.all(np.isfinite(rate)):
        raise InputError(f"{name} holds a value that is NaN or infinite; a rate is a finite number above zero.")
    if np.any(rate <= 0):
        raise InputError(
            f"{name} is zero or negative in {int(np.sum(rate <= 0))} of {rate.size} bins, where a spike would be "
            "impossible; give the model a floor of its own (a background rate fitted on the training data)."
        )


def pearson(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson correlation, over all bins; used at 5 ms as `single_trial_correlation`.

    Range [-1, 1]. Constant input: 0, because a flat prediction explains nothing of what varies (a documented policy, so
    that a constant-rate baseline has a figure). NaN for fewer than two bins.

    Raises:
        InputError: shapes differ or a value is not finite.
    """
    _same_shape(a, b, "a", "b")
    if a.size < 2:
        return float("nan")
    if np.all(a == a.flat[0]) or np.all(b == b.flat[0]):
        return 0.0
    first, second = a - np.mean(a), b - np.mean(b)
    return float(np.sum(first * second) / np.sqrt(np.sum(first**2) * np.sum(second**2)))


def ks_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Kolmogorov-Smirnov distance: the largest gap of the two distribution functions.

    Range [0, 1]. NaN if one is empty. Massey 1951, J. Am. Stat. Assoc. 46.
    """
    _finite(a, "a")
    _finite(b, "b")
    if a.size == 0 or b.size == 0:
        return float("nan")
    grid = np.union1d(a, b)
    return float(np.max(np.abs(_distribution_function(a, grid) - _distribution_function(b, grid))))


def wasserstein_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Wasserstein-1 distance, the area between the two distribution functions, in the unit of the values.

    Range [0, inf); equals the shift between two distributions of one shape. NaN if one is empty. Villani 2009, ch. 6.
    """
    _finite(a, "a")
    _finite(b, "b")
    if a.size == 0 or b.size == 0:
        return float("nan")
    grid = np.union1d(a, b)
    gap = np.abs(_distribution_function(a, grid) - _distribution_function(b, grid))
    return float(np.sum(gap[:-1] * np.diff(grid)))


def interval_ks(real_intervals_s: np.ndarray, generated_intervals_s: np.ndarray) -> float:
    """Kolmogorov-Smirnov distance of two sets of inter-spike intervals. Range [0, 1]. NaN if one is empty."""
    return ks_distance(real_intervals_s, generated_intervals_s)


def interval_wasserstein_ms(real_intervals_s: np.ndarray, generated_intervals_s: np.ndarray) -> float:
    """Wasserstein-1 distance, in milliseconds, of two sets of intervals in seconds. NaN if one is empty."""
    return 1e3 * wasserstein_distance(real_intervals_s, generated_intervals_s)


def count_total_variation(real_counts: np.ndarray, generated_counts: np.ndarray) -> float:
    """Total variation of two sets of spike counts: half of the summed absolute difference of their frequencies.

    Range [0, 1]: the largest difference in probability that the two give to any set of counts. NaN if one is empty.

    Raises:
        InputError: a count is not a whole number of 0 or more.
    """
    for name, counts in (("real_counts", real_counts), ("generated_counts", generated_counts)):
        if not np.issubdtype(counts.dtype, np.integer) or np.any(counts < 0):
            raise InputError(f"{name} must be whole numbers of spikes, 0 or more; found {counts.dtype}.")
    if real_counts.size == 0 or generated_counts.size == 0:
        return float("nan")
    n = 1 + int(max(np.max(real_counts), np.max(generated_counts)))
    real = np.bincount(real_counts, minlength=n) / real_counts.size
    generated = np.bincount(generated_counts, minlength=n) / generated_counts.size
    return float(0.5 * np.sum(np.abs(real - generated)))


def _distribution_function(values: np.ndarray, grid: np.ndarray) -> np.ndarray:
    return np.searchsorted(np.sort(values), grid, side="right") / values.size


def _same_shape(a: np.ndarray, b: np.ndarray, name_a: str, name_b: str) -> None:
    if a.shape != b.shape:
        raise InputError(f"{name_a} has shape {a.shape} and {name_b} {b.shape}; give one value for each bin in both.")
    _finite(a, name_a)
    _finite(b, name_b)


def _finite(values: np.ndarray, name: str) -> None:
    if not np.all(np.isfinite(values)):
        raise InputError(f"{name} holds a NaN or an infinity; remove it before judging.")
