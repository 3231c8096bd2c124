"""Statistics of one spike train: intervals, counts and what they say about regularity.

A train is a sorted 1-D float array of seconds. NaN policy: a statistic that the train does not define (too few
intervals, no spikes) is NaN, never a filled value; a NaN in the input is an `InputError` where trains are checked.
"""

import numpy as np
from jaxtyping import Float, Int

from twin.errors import InputError
from twin.judge.trains import bin_counts, check_stretch


def intervals(train: np.ndarray) -> Float[np.ndarray, " interval"]:
    """Inter-spike intervals, seconds; empty for fewer than two spikes."""
    return np.diff(np.asarray(train, dtype=np.float64))


def rate_hz(train: np.ndarray, start_s: float, stop_s: float) -> float:
    """Spikes per second over [start_s, stop_s)."""
    check_stretch(start_s, stop_s)
    return len(train) / (stop_s - start_s)


def coefficient_of_variation(train: np.ndarray) -> float:
    """Standard deviation of the intervals over their mean (population form): 0 for a clock, 1 for a Poisson process.

    NaN for fewer than two intervals, or where all intervals are zero.
    """
    isi = intervals(train)
    return float(np.std(isi) / np.mean(isi)) if isi.size >= 2 and np.mean(isi) > 0 else float("nan")


def cv2(train: np.ndarray) -> float:
    """Mean of 2|I[i+1] - I[i]| / (I[i+1] + I[i]) over neighbouring intervals: 0 for a clock, 1 for a Poisson process.

    Range [0, 2]. NaN for fewer than two intervals. Holt, Softky, Koch and Douglas 1996, J. Neurophysiol. 75.
    """
    contrast = _neighbour_contrast(train)
    return float(2.0 * np.mean(np.abs(contrast))) if contrast.size else float("nan")


def local_variation(train: np.ndarray) -> float:
    """Three times the mean of ((I[i] - I[i+1]) / (I[i] + I[i+1]))^2: 0 for a clock, 1 for a Poisson process.

    Range [0, 3]. NaN for fewer than two intervals. Shinomoto, Shima and Tanji 2003, Neural Comput. 15.
    """
    contrast = _neighbour_contrast(train)
    return float(3.0 * np.mean(contrast**2)) if contrast.size else float("nan")


def lag_one_interval_correlation(train: np.ndarray) -> float:
    """Pearson correlation of each interval with the next; -0.2, say, is a neuron with short intervals after long ones.

    Range [-1, 1]. NaN for fewer than three intervals or where either series is constant.
    """
    isi = intervals(train)
    if isi.size < 3:
        return float("nan")
    first, second = isi[:-1] - np.mean(isi[:-1]), isi[1:] - np.mean(isi[1:])
    # Intervals read off a sampling clock differ by rounding even for a perfect pacemaker.
    if max(np.max(np.abs(first)), np.max(np.abs(second))) < 1e-9 * np.mean(isi):
        return float("nan")
    scale = np.sqrt(np.sum(first**2) * np.sum(second**2))
    return float(np.sum(first * second) / scale) if scale > 0 else float("nan")


def refractory_violation_fraction(train: np.ndarray, refractory_s: float) -> float:
    """Fraction of the intervals that are shorter than `refractory_s`. NaN where there is no interval."""
    if not refractory_s > 0:
        raise InputError(f"refractory_s is {refractory_s}; give a time above zero, in seconds (0.001 or 0.002).")
    isi = intervals(train)
    return float(np.mean(isi < refractory_s)) if isi.size else float("nan")


def window_counts(train: np.ndarray, start_s: float, stop_s: float, window_s: float) -> Int[np.ndarray, " window"]:
    """Spikes in consecutive windows from `start_s`; a last window that `stop_s` would cut short is left out.

    Raises:
        InputError: not one whole window fits.
    """
    check_stretch(start_s, stop_s)
    n_windows = int((stop_s - start_s) / window_s + 1e-6) if window_s > 0 else 0
    if n_windows < 1:
        raise InputError(
            f"No window of {window_s:g} s fits in [{start_s:g}, {stop_s:g}) s; give a shorter window_s above zero."
        )
    return bin_counts(np.asarray(train, dtype=np.float64), start_s, window_s, n_windows)


def count_distribution(counts: np.ndarray) -> Float[np.ndarray, " count"]:
    """Fraction of the windows with 0, 1, 2, ... spikes, up to the largest count seen; sums to 1.

    Raises:
        InputError: there is no window.
    """
    if counts.size == 0:
        raise InputError("There is no count to make a distribution of; give at least one window.")
    return np.bincount(counts) / counts.size


def fano_factor(counts: np.ndarray) -> float:
    """Variance (unbiased) over mean of the counts: 1 for a Poisson process, 0 for a clock.

    NaN for fewer than two windows or where no window has a spike.
    """
    if counts.size < 2 or np.mean(counts) == 0:
        return float("nan")
    return float(np.var(counts, ddof=1) / np.mean(counts))


def _neighbour_contrast(train: np.ndarray) -> Float[np.ndarray, " pair"]:
    """(I[i+1] - I[i]) / (I[i+1] + I[i]); two intervals of zero length do not differ, and count as 0."""
    isi = intervals(train)
    total = isi[1:] + isi[:-1]
    return np.divide(isi[1:] - isi[:-1], total, out=np.zeros_like(total), where=total > 0)
