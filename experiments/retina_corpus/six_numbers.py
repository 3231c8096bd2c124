"""Six numbers of a recording from which a classifier can name the study that it comes from."""

import warnings
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

NAMES = (
    "log median rate",
    "median CV of intervals",
    "median share of intervals under 10 ms",
    "mean pairwise correlation of 0.5 s counts",
    "log Fano factor of the population count at 1 s",
    "share of 1 s bins under a tenth of the mean count",
)
FEWEST_SPIKES, MOST_UNITS, FEWEST_UNITS = 20, 150, 2
SHORT_S, PAIR_S, POPULATION_S = 0.01, 0.5, 1.0


def six_numbers(trains_s: Sequence[np.ndarray], duration_s: float) -> Float[np.ndarray, "six"]:
    """The numbers, in the order of `NAMES`; NaN where a recording has fewer than two units with 20 spikes.

    Args:
        trains_s: spike times of each unit from the start of the used stretch, sorted.
        duration_s: its length.
    """
    trains = [train for train in trains_s if len(train) >= FEWEST_SPIKES][:MOST_UNITS]
    if len(trains) < FEWEST_UNITS or duration_s < 10 * POPULATION_S:
        return np.full(len(NAMES), np.nan)
    intervals = [np.diff(train) for train in trains]
    rates = [len(train) / duration_s for train in trains]
    cvs = [float(one.std() / one.mean()) for one in intervals]
    short = [float((one < SHORT_S).mean()) for one in intervals]
    population = _counts(trains, duration_s, POPULATION_S).sum(axis=1)
    low = float((population < 0.1 * population.mean()).mean())
    fano = float(population.var() / population.mean())
    correlation = _mean_correlation(_counts(trains, duration_s, PAIR_S))
    return np.array(
        [np.log(np.median(rates)), np.median(cvs), np.median(short), correlation, np.log(max(fano, 1e-6)), low]
    )


def _counts(trains: list[np.ndarray], duration_s: float, bin_s: float) -> Float[np.ndarray, "bin unit"]:
    n_bins = int(duration_s / bin_s)
    binned = [np.bincount((train / bin_s).astype(np.int64), minlength=n_bins + 1)[:n_bins] for train in trains]
    return np.stack(binned, axis=1).astype(np.float64)


def _mean_correlation(counts: Float[np.ndarray, "bin unit"]) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a unit without variance, whose pairs are left out
        found = np.corrcoef(counts.T)
    pairs = found[np.triu_indices(len(found), 1)]
    return float(np.nanmean(pairs)) if np.isfinite(pairs).any() else 0.0
