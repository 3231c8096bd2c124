"""Metrics against closed forms and SciPy."""

import numpy as np
import pytest
from scipy import stats

from twin.errors import InputError
from twin.judge import (
    bits_per_spike,
    count_total_variation,
    interval_wasserstein_ms,
    ks_distance,
    pearson,
    wasserstein_distance,
)


def two_level_bits(low, high):
    """Expected bits per spike of knowing which half of the bins has which rate."""
    mean = (low + high) / 2
    return (low * np.log2(low / mean) + high * np.log2(high / mean)) / (2 * mean)


def test_bits_per_spike_of_a_two_level_rate_is_the_closed_form():
    """Counts in the proportion of a rate of 1 and 3 per bin give .1887 bits per spike over the mean rate."""
    counts = np.tile([1, 3], 100)
    bits = bits_per_spike(counts, counts.astype(float), np.full(200, 2.0))
    assert bits == pytest.approx(two_level_bits(1.0, 3.0), abs=1e-12)
    assert bits == pytest.approx(0.18872, abs=1e-5)


def test_bits_per_spike_of_poisson_counts_approaches_the_closed_form():
    """The true rate of 200 000 simulated bins earns the expected bits, and a wrong rate earns less."""
    rate = np.tile([0.02, 0.3], 100_000)
    counts = np.random.default_rng(0).poisson(rate)
    null = np.full(rate.size, counts.mean())
    bits = bits_per_spike(counts, rate, null)
    assert bits == pytest.approx(two_level_bits(0.02, 0.3), abs=0.01)
    assert bits_per_spike(counts, rate * 1.2, null) < bits
    assert bits_per_spike(counts, rate[::-1].copy(), null) < 0


def test_the_null_itself_has_no_bits_and_no_spike_leaves_them_undefined():
    """The gain of the null over the null is 0; without a spike there is nothing to divide by."""
    rate = np.full(10, 0.5)
    assert bits_per_spike(np.arange(10), rate, rate) == 0.0
    assert np.isnan(bits_per_spike(np.zeros(10, dtype=int), rate, rate))


@pytest.mark.parametrize("bad", [0.0, -0.1])
def test_a_rate_of_zero_is_refused_and_never_clipped(bad):
    """The message counts the bins and says how the model gets a floor of its own."""
    rate = np.array([0.1, bad, 0.2])
    with pytest.raises(InputError, match=r"zero or negative in 1 of 3 bins.*background rate"):
        bits_per_spike(np.array([0, 1, 0]), rate, np.full(3, 0.1))


def test_shapes_are_compared_before_anything_is_subtracted():
    """A single null rate is not stretched over the bins in silence."""
    with pytest.raises(InputError, match="shape"):
        bits_per_spike(np.array([0, 1]), np.array([0.1, 0.2]), np.array([0.1]))


def test_pearson_agrees_with_numpy_and_calls_a_flat_prediction_zero():
    """Two noisy series match numpy.corrcoef, and a constant explains nothing."""
    a, b = np.random.default_rng(3).normal(size=(2, 500))
    assert pearson(a, a + b) == pytest.approx(np.corrcoef(a, a + b)[0, 1])
    assert pearson(a, np.full(500, 0.1)) == 0.0
    with pytest.raises(InputError, match="NaN"):
        pearson(a, np.where(b > 0, b, np.nan))


def test_distances_of_intervals_agree_with_scipy():
    """Kolmogorov-Smirnov and Wasserstein distances of unequal samples with ties equal SciPy's."""
    rng = np.random.default_rng(4)
    a, b = rng.gamma(2, 5, 300).round(1), rng.gamma(3, 5, 170).round(1)
    assert ks_distance(a, b) == pytest.approx(stats.ks_2samp(a, b).statistic)
    assert wasserstein_distance(a, b) == pytest.approx(stats.wasserstein_distance(a, b))


def test_wasserstein_distance_of_a_shift_is_the_shift_in_milliseconds():
    """Intervals that are all 3 ms longer are 3 ms away."""
    intervals = np.random.default_rng(5).exponential(0.01, 200)
    assert interval_wasserstein_ms(intervals, intervals + 0.003) == pytest.approx(3.0)


def test_total_variation_of_counts_is_half_the_summed_difference():
    """Three quarters against one quarter of empty windows differ by one half; disjoint counts by 1."""
    assert count_total_variation(np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1])) == pytest.approx(0.5)
    assert count_total_variation(np.array([0, 0]), np.array([5])) == 1.0
    with pytest.raises(InputError, match="whole numbers"):
        count_total_variation(np.array([0.5]), np.array([1]))


def test_a_distance_to_nothing_is_nan():
    """No interval is not the same as a distance of 0."""
    assert np.isnan(ks_distance(np.array([1.0]), np.array([])))
    assert np.isnan(wasserstein_distance(np.array([]), np.array([1.0])))
