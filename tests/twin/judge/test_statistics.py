"""Statistics of one train against clocks, Poisson processes and hand-worked trains."""

import numpy as np
import pytest

from twin.errors import InputError
from twin.judge import statistics

CLOCK = np.arange(0.0, 10.0, 0.01)


def poisson(rate_hz=50.0, duration_s=400.0, seed=1):
    rng = np.random.default_rng(seed)
    return np.sort(rng.uniform(0.0, duration_s, rng.poisson(rate_hz * duration_s)))


def test_a_clock_is_perfectly_regular():
    """All measures of irregularity of a pacemaker are zero."""
    assert statistics.coefficient_of_variation(CLOCK) == pytest.approx(0.0, abs=1e-9)
    assert statistics.cv2(CLOCK) == pytest.approx(0.0, abs=1e-9)
    assert statistics.local_variation(CLOCK) == pytest.approx(0.0, abs=1e-9)
    assert statistics.fano_factor(statistics.window_counts(CLOCK, 0.0, 10.0, 0.1)) == 0.0
    assert statistics.rate_hz(CLOCK, 0.0, 10.0) == pytest.approx(100.0)


def test_a_poisson_process_has_unit_irregularity():
    """CV, CV2, LV and Fano factor of 20 000 Poisson spikes are 1 to a few hundredths, and intervals are independent."""
    train = poisson()
    assert statistics.coefficient_of_variation(train) == pytest.approx(1.0, abs=0.03)
    assert statistics.cv2(train) == pytest.approx(1.0, abs=0.03)
    assert statistics.local_variation(train) == pytest.approx(1.0, abs=0.04)
    assert statistics.fano_factor(statistics.window_counts(train, 0.0, 400.0, 0.1)) == pytest.approx(1.0, abs=0.08)
    assert statistics.lag_one_interval_correlation(train) == pytest.approx(0.0, abs=0.03)


def test_local_measures_ignore_a_slow_change_of_rate_and_cv_does_not():
    """A gamma process whose rate drifts threefold keeps the LV of its shape, 3 / (2 k + 1), while its CV grows."""
    shape = 4
    intervals = np.random.default_rng(2).gamma(shape, 1.0 / shape, 40_000) * np.linspace(1.0, 3.0, 40_000)
    train = np.cumsum(intervals)
    assert statistics.local_variation(train) == pytest.approx(3.0 / (2 * shape + 1), abs=0.01)
    assert statistics.coefficient_of_variation(train) > 1.1 / np.sqrt(shape)


def test_hand_worked_train():
    """Intervals of 10, 30, 10 and 30 ms: CV 1/2, CV2 1, LV 3/4, and neighbours are anticorrelated."""
    train = np.cumsum([0.0, 0.01, 0.03, 0.01, 0.03])
    assert statistics.coefficient_of_variation(train) == pytest.approx(0.5)
    assert statistics.cv2(train) == pytest.approx(1.0)
    assert statistics.local_variation(train) == pytest.approx(0.75)
    assert statistics.lag_one_interval_correlation(train) == pytest.approx(-1.0)
    assert statistics.refractory_violation_fraction(train, 0.02) == 0.5


def test_refractory_violations_of_a_poisson_process_are_one_minus_exp():
    """A process without refractoriness breaks a 2 ms refractory time in 1 - exp(-rate 2 ms) of its intervals."""
    expected = 1.0 - np.exp(-50.0 * 0.002)
    assert statistics.refractory_violation_fraction(poisson(), 0.002) == pytest.approx(expected, abs=0.01)


def test_count_distribution_of_a_poisson_process_is_poisson():
    """The frequencies of counts agree with the Poisson probabilities to a hundredth and sum to one."""
    from scipy import stats

    frequencies = statistics.count_distribution(statistics.window_counts(poisson(), 0.0, 400.0, 0.05))
    assert frequencies.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(frequencies, stats.poisson.pmf(np.arange(frequencies.size), 2.5), atol=0.015)


def test_what_a_train_does_not_define_is_nan():
    """Two spikes have no variability, and none of the statistics fills the gap."""
    train = np.array([0.1, 0.2])
    undefined = (
        statistics.coefficient_of_variation(train),
        statistics.cv2(train),
        statistics.local_variation(train),
        statistics.lag_one_interval_correlation(CLOCK),
        statistics.refractory_violation_fraction(train[:1], 0.002),
        statistics.fano_factor(np.zeros(10, dtype=np.int64)),
    )
    assert np.all(np.isnan(undefined))


def test_a_cut_window_is_left_out():
    """Spikes in a last window that is not whole are not counted as a window of few spikes."""
    assert statistics.window_counts(CLOCK, 0.0, 0.25, 0.1).tolist() == [10, 10]
    with pytest.raises(InputError, match="No window"):
        statistics.window_counts(CLOCK, 0.0, 0.05, 0.1)
