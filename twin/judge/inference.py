"""Inference: intervals and p-values, always for a named resampling unit.

The unit says what a figure speaks about. "block" is a contiguous stretch of one recording: an interval over blocks
speaks about that recording only, not about other trials, cells, animals or laboratories.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import special

from twin.errors import InputError

UNITS = ("block", "trial", "session", "animal", "lab")
# Resampled sums are made this many resamples at a time, so that memory stays flat.
_CHUNK = 256


@dataclass(frozen=True)
class Interval:
    """A confidence interval, how many units it rests on, and which; NaN bounds where there are too few units."""

    low: float
    high: float
    n: int
    unit: str


def require_unit(unit: str) -> str:
    """The unit itself, if it is one of `UNITS`.

    Raises:
        InputError: it is not.
    """
    if unit not in UNITS:
        raise InputError(f"The resampling unit {unit!r} is unknown; name one of {', '.join(UNITS)}.")
    return unit


def bootstrap(
    statistic: Callable[[np.ndarray], np.ndarray],
    units: np.ndarray,
    *,
    unit: str,
    seed: int,
    n_resamples: int = 2000,
    level: float = 0.95,
) -> Interval:
    """Percentile bootstrap interval of a statistic that is a function of sums over units.

    Args:
        statistic: maps sums `(resample, ...)` to values `(resample,)`; a mean, for units with a column of ones, is
            `lambda s: s[:, 0] / s[:, 1]`.
        units: additive terms, one row per unit, `(unit, ...)`.
        unit: what a row is; one of `UNITS`.
        seed: of the resampling.
        n_resamples: bootstrap samples.
        level: nominal coverage.

    Raises:
        InputError: unknown unit, no unit, or a NaN among the terms.
    """
    require_unit(unit)
    if len(units) == 0 or not np.all(np.isfinite(units)):
        raise InputError(f"The terms of the {unit}s are empty or hold a NaN; every {unit} needs finite sums.")
    values = resampled(statistic, units, resampling_weights(len(units), n_resamples, seed))
    return percentile_interval(values, len(units), unit=unit, level=level)


def resampling_weights(n_units: int, n_resamples: int, seed: int) -> Int[np.ndarray, "resample unit"]:
    """How often each unit is drawn in each bootstrap sample; shared weights make the figures of two models paired."""
    return np.random.default_rng(seed).multinomial(n_units, np.full(n_units, 1.0 / n_units), size=n_resamples)


def resampled(
    statistic: Callable[[np.ndarray], np.ndarray], units: np.ndarray, weights: np.ndarray
) -> Float[np.ndarray, " resample"]:
    """The statistic of each weighted sum over units; `weights` is `(resample, unit)`."""
    flat = units.reshape(len(units), -1).astype(np.float64)
    values = []
    for at in range(0, len(weights), _CHUNK):
        sums = weights[at : at + _CHUNK].astype(np.float64) @ flat
        values.append(statistic(sums.reshape(-1, *units.shape[1:])))
    return np.concatenate(values)


def percentile_interval(values: np.ndarray, n_units: int, *, unit: str, level: float = 0.95) -> Interval:
    """Percentiles of bootstrap values, widened for few units.

    The plain percentile interval of n units is too short by sqrt((n - 1) / n) and by normal instead of t quantiles;
    the percentiles are moved outward to make up for both (expanded percentile interval, Hesterberg 2015, Am. Stat. 69).
    NaN for fewer than two units, or if any value is NaN.
    """
    require_unit(unit)
    if n_units < 2 or not np.all(np.isfinite(values)):
        return Interval(float("nan"), float("nan"), n_units, unit)
    tail = special.ndtr(np.sqrt(n_units / (n_units - 1.0)) * special.stdtrit(n_units - 1, (1.0 - level) / 2.0))
    low, high = np.quantile(values, [tail, 1.0 - tail])
    return Interval(float(low), float(high), n_units, unit)


def basic_interval(value: float, values: np.ndarray, n_units: int, *, unit: str, level: float = 0.95) -> Interval:
    """The percentile interval reflected about the estimate, for figures that resampling inflates.

    A distance between two samples grows with sampling noise, and a bootstrap sample adds that noise a second time;
    reflecting takes it off again (the basic bootstrap interval of Davison and Hinkley 1997, ch. 5). A bound below zero
    is reported as zero, where a distance must end.
    """
    percentile = percentile_interval(values, n_units, unit=unit, level=level)
    low, high = 2.0 * value - percentile.high, 2.0 * value - percentile.low
    return Interval(float(np.maximum(low, 0.0)), float(np.maximum(high, 0.0)), n_units, unit)


def clopper_pearson(n_success: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Exact two-sided interval of a proportion from independent trials. Clopper and Pearson 1934, Biometrika 26."""
    tail = (1.0 - level) / 2.0
    return clopper_pearson_lower(n_success, n, level=1.0 - tail), clopper_pearson_upper(n_success, n, level=1.0 - tail)


def clopper_pearson_upper(n_success: int, n: int, *, level: float = 0.95) -> float:
    """Exact one-sided upper bound of a proportion: 81 of 162 gives .567 at 95 %."""
    _check_proportion(n_success, n)
    return 1.0 if n_success == n else float(special.betaincinv(n_success + 1, n - n_success, level))


def clopper_pearson_lower(n_success: int, n: int, *, level: float = 0.95) -> float:
    """Exact one-sided lower bound of a proportion: 81 of 162 gives .433 at 95 %."""
    _check_proportion(n_success, n)
    return 0.0 if n_success == 0 else float(special.betaincinv(n_success, n - n_success + 1, 1.0 - level))


def permutation_p(observed: float, null: np.ndarray) -> float:
    """(1 + number of null values at least as large) / (1 + number of null values): valid, and never 0.

    Phipson and Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9.

    Raises:
        InputError: no null value, or a NaN.
    """
    if null.size == 0 or not np.isfinite(observed) or not np.all(np.isfinite(null)):
        raise InputError("A permutation p-value needs a finite observed value and at least one finite null value.")
    return float((1 + np.sum(null >= observed - 1e-12)) / (1 + null.size))


def holm(p: Float[np.ndarray, " test"]) -> Float[np.ndarray, " test"]:
    """p-values corrected for how many there are (Holm 1979, Scand J Stat 6:65): .01, .04, .03 become .03, .06, .06."""
    order = np.argsort(p)
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(raised, 1.0)
    return corrected


def _check_proportion(n_success: int, n: int) -> None:
    if not 0 <= n_success <= n or n == 0:
        raise InputError(f"{n_success} of {n} is not a proportion; give 0 <= n_success <= n with n of at least 1.")
