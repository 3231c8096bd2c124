"""Distances with their bounds and margins: who passes, who fails, and how often."""

import numpy as np
import pytest

from twin.errors import InputError
from twin.judge import SpikeTrains, basic_interval, resampling_weights
from twin.judge.sums import Layout, best_correlation_sums, count_sums, interval_sums, rate_sums, real_against_real

DURATION_S = 10.0
LAYOUT = Layout(0.0, DURATION_S, 1.0, 0.001, "block", 1)


def gamma_trains(rate_hz, shape, rng, n=1):
    """Regular trains of one rate."""
    intervals = rng.gamma(shape, 1.0 / (shape * rate_hz), (n, int(2 * rate_hz * DURATION_S)))
    times = np.cumsum(intervals, axis=1)
    return SpikeTrains(tuple(t[t < DURATION_S] for t in times), 0.0, DURATION_S)


def share_within_margin(rate_hz, shape, n_recordings=25):
    """How often the upper bound of the interval distance is within real against real, where the truth is (90 Hz, 4)."""
    rng = np.random.default_rng(1)
    weights = resampling_weights(LAYOUT.n_units, 300, seed=0)
    passed = 0
    for _ in range(n_recordings):
        ks, _ = interval_sums(gamma_trains(90.0, 4.0, rng), gamma_trains(rate_hz, shape, rng, 8), LAYOUT)
        interval = basic_interval(ks.value(), ks.replicates(weights), LAYOUT.n_units, unit="block")
        passed += interval.high <= real_against_real(ks, n_splits=100, seed=0)
    return passed / n_recordings


def test_the_true_model_is_within_the_distance_of_real_from_real():
    """At ten blocks of one second, the true interval distribution is accepted in at least four of five recordings."""
    assert share_within_margin(90.0, 4.0) >= 0.8


@pytest.mark.parametrize(("rate_hz", "shape"), [(108.0, 4.0), (90.0, 2.0), (90.0, 1.0)])
def test_a_wrong_rate_or_regularity_is_not(rate_hz, shape):
    """A rate 20 % too high, half the regularity or none of it is accepted in at most one of ten recordings."""
    assert share_within_margin(rate_hz, shape) <= 0.1


def test_the_best_correlation_of_repeats_is_signal_over_total_power():
    """For Poisson counts of a known rate the ceiling is sqrt(Var(rate) / (Var(rate) + mean rate))."""
    rng = np.random.default_rng(2)
    rate = rng.gamma(2.0, 0.25, (10, 400))
    ceiling = best_correlation_sums(rng.poisson(rate, (20, 10, 400)), LAYOUT).value()
    assert ceiling == pytest.approx(np.sqrt(rate.var() / (rate.var() + rate.mean())), abs=0.01)


def test_trials_of_a_model_are_shared_out_over_real_trials():
    """With unit trial, a bootstrap varies the real rate and leaves the generated one as it is."""
    rng = np.random.default_rng(3)
    layout = Layout(0.0, DURATION_S, 1.0, 0.001, "trial", 5)
    weights = resampling_weights(5, 50, seed=0)
    real, generated = gamma_trains(50.0, 1.0, rng, 5), gamma_trains(50.0, 1.0, rng, 7)
    assert np.ptp(rate_sums(real, layout, is_real=True).replicates(weights)) > 0
    assert np.ptp(rate_sums(generated, layout, is_real=False).replicates(weights)) == pytest.approx(0.0, abs=1e-9)
    total_variation = count_sums(real, generated, layout, window_s=0.05)
    assert total_variation.replicates(np.ones((1, 5)))[0] == pytest.approx(total_variation.value())


def test_a_unit_that_one_recording_does_not_have_is_refused():
    """Sessions, animals and laboratories are pooled above the recorded unit."""
    with pytest.raises(InputError, match="use 'block' or 'trial'"):
        Layout(0.0, 10.0, 1.0, 0.001, "lab", 1)
