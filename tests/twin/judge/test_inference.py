"""Intervals cover, p-values are never 0, and the unit is always named."""

import numpy as np
import pytest
from scipy import stats

from twin.errors import InputError
from twin.judge import (
    basic_interval,
    bootstrap,
    clopper_pearson,
    clopper_pearson_upper,
    percentile_interval,
    permutation_p,
    resampling_weights,
)


def mean_of(sums):
    return sums[:, 0] / sums[:, 1]


def with_ones(values):
    return np.stack([values, np.ones_like(values)], axis=1)


@pytest.mark.parametrize("n_units", [6, 10, 40])
def test_the_interval_of_a_mean_covers_at_its_level(n_units):
    """About 95 % of the 95 % intervals of few units hold the truth; of six, plain percentiles hold 85 %."""
    rng = np.random.default_rng(n_units)
    weights = resampling_weights(n_units, 500, seed=0)
    hits = 0
    for _ in range(400):
        terms = with_ones(rng.normal(size=n_units))
        interval = percentile_interval(mean_of(weights @ terms), n_units, unit="trial")
        hits += interval.low <= 0.0 <= interval.high
    assert hits / 400 == pytest.approx(0.95, abs=0.03)


def test_bootstrap_agrees_with_the_t_interval():
    """For 200 normal units the bootstrap interval of the mean is the t interval to a few percent of its width."""
    values = np.random.default_rng(1).normal(3.0, 2.0, 200)
    interval = bootstrap(mean_of, with_ones(values), unit="session", seed=0, n_resamples=5000)
    low, high = stats.t.interval(0.95, 199, values.mean(), stats.sem(values))
    assert interval.low == pytest.approx(low, abs=0.03)
    assert interval.high == pytest.approx(high, abs=0.03)
    assert (interval.n, interval.unit) == (200, "session")


def test_the_unit_is_required():
    """There is no default resampling unit, and a word that is no unit is refused."""
    terms = with_ones(np.arange(5.0))
    with pytest.raises(TypeError, match="unit"):
        bootstrap(mean_of, terms, seed=0)
    with pytest.raises(InputError, match="'window' is unknown; name one of block, trial, session, animal, lab"):
        bootstrap(mean_of, terms, unit="window", seed=0)


def test_one_unit_has_no_interval_and_nan_is_loud():
    """One unit cannot be resampled; a NaN among the terms stops the bootstrap instead of being skipped."""
    assert np.isnan(bootstrap(mean_of, with_ones(np.array([1.0])), unit="trial", seed=0).low)
    with pytest.raises(InputError, match="NaN"):
        bootstrap(mean_of, with_ones(np.array([1.0, np.nan])), unit="trial", seed=0)


def test_the_reflected_interval_takes_off_what_resampling_adds():
    """For a distance that resampling doubles, the basic interval lies below the estimate and ends at 0."""
    interval = basic_interval(1.0, np.linspace(1.5, 2.5, 1001), 30, unit="trial")
    assert interval.low == 0.0
    assert interval.high == pytest.approx(0.5, abs=0.05)


def test_clopper_pearson_is_scipy_exact():
    """Two-sided and one-sided bounds are those of the exact binomial test, ends included."""
    for k, n in [(0, 10), (7, 20), (50, 100), (10, 10)]:
        exact = stats.binomtest(k, n).proportion_ci(0.95, method="exact")
        assert clopper_pearson(k, n) == pytest.approx((exact.low, exact.high))
        upper = stats.binomtest(k, n, alternative="less").proportion_ci(0.95, method="exact").high
        assert clopper_pearson_upper(k, n) == pytest.approx(upper)
    assert clopper_pearson_upper(81, 162) == pytest.approx(0.567, abs=5e-4)


def test_a_permutation_p_is_never_zero():
    """An observation beyond all 99 null values has p = 1/100; one below them all has p = 1."""
    null = np.linspace(0.0, 1.0, 99)
    assert permutation_p(5.0, null) == pytest.approx(0.01)
    assert permutation_p(-5.0, null) == 1.0
    assert permutation_p(0.5, np.full(9, 0.5)) == 1.0
    with pytest.raises(InputError):
        permutation_p(0.5, np.array([]))
