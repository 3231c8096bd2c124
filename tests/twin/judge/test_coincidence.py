"""The coincidence factor: published formula, one-to-one matching, and chance at high rates."""

import numpy as np
import pytest

from twin.errors import InputError
from twin.judge import coincidence_factor, match_spikes, shuffled_chance

DURATION_S = 200.0
WINDOW_S = 0.004


def poisson(rate_hz, rng, duration_s=DURATION_S):
    return np.sort(rng.uniform(0.0, duration_s, rng.poisson(rate_hz * duration_s)))


def mean_factor(real_hz, generated_hz, n=6):
    rng = np.random.default_rng(7)
    pairs = [(poisson(real_hz, rng), poisson(generated_hz, rng)) for _ in range(n)]
    return np.mean([coincidence_factor(r, g, duration_s=DURATION_S, window_s=WINDOW_S).value for r, g in pairs])


def test_a_copy_scores_one_and_a_missing_half_scores_two_thirds():
    """Every second spike of a sparse train: C = N/2 of a mean of 3N/4 spikes, less chance."""
    real = np.arange(0.05, 100.0, 0.1)
    assert coincidence_factor(real, real, duration_s=100.0).value == pytest.approx(1.0)
    half = coincidence_factor(real, real[::2], duration_s=100.0)
    chance = 2 * 5.0 * 0.002
    assert half.value == pytest.approx((0.5 - chance) / 0.75 / (1 - chance))
    assert (half.n_coincident, half.chance, half.rate_window_product) == (500, pytest.approx(20.0), pytest.approx(0.01))


@pytest.mark.parametrize(("real_hz", "generated_hz"), [(10.0, 10.0), (10.0, 20.0), (20.0, 10.0)])
def test_independent_poisson_trains_are_at_chance(real_hz, generated_hz):
    """With the model's rate and one-to-one matching, unequal rates stay at chance; with the data's rate they do not."""
    assert abs(mean_factor(real_hz, generated_hz)) < 0.02


def test_at_high_rates_the_formula_fails_and_shuffled_intervals_do_not():
    """Two independent 80 Hz trains score about -.69 by the formula, which the result warns of, and 0 by shuffling."""
    rng = np.random.default_rng(8)
    real, generated = poisson(80.0, rng), poisson(80.0, rng)
    by_formula = coincidence_factor(real, generated, duration_s=DURATION_S, window_s=WINDOW_S)
    assert by_formula.value == pytest.approx(-0.69, abs=0.04)
    assert not by_formula.chance_is_reliable
    chance = shuffled_chance(real, generated, window_s=WINDOW_S, seed=0)
    assert coincidence_factor(
        real, generated, duration_s=DURATION_S, window_s=WINDOW_S, chance=chance
    ).value == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize(("sd_ms", "expected"), [(1, 1.0), (2, 0.95), (4, 0.67), (8, 0.36)])
def test_jitter_lowers_the_factor_as_tabulated(sd_ms, expected):
    """A 10 Hz Poisson train jittered by 1, 2, 4 and 8 ms scores 1.00, .95, .67 and .36 at 4 ms."""
    rng = np.random.default_rng(11)
    factors = []
    for _ in range(10):
        real = poisson(10.0, rng)
        jittered = np.sort(real + rng.normal(0.0, 1e-3 * sd_ms, real.size))
        factors.append(coincidence_factor(real, jittered, duration_s=DURATION_S, window_s=WINDOW_S).value)
    assert np.mean(factors) == pytest.approx(expected, abs=0.012)


def test_no_spike_is_matched_twice():
    """Two real spikes beside one generated spike make one coincidence, on the window's edge included."""
    assert match_spikes(np.array([0.100, 0.103]), np.array([0.1015]), 0.002).tolist() == [0]
    assert match_spikes(np.array([0.100]), np.array([0.099, 0.101]), 0.002).size == 1
    assert match_spikes(np.array([0.007]), np.array([0.009]), 0.002).size == 1


def test_matching_is_the_largest_possible():
    """The greedy walk pairs as many spikes as an optimal assignment does."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    rng = np.random.default_rng(10)
    for _ in range(20):
        a, b = np.sort(rng.uniform(0, 1, 60)), np.sort(rng.uniform(0, 1, 80))
        near = csr_array((np.abs(a[:, None] - b[None, :]) <= 0.01).astype(np.int8))
        best = int(np.sum(maximum_bipartite_matching(near) >= 0))
        assert match_spikes(a, b, 0.01).size == best


def test_an_empty_train_has_no_factor_and_an_unsorted_one_is_refused():
    """No spikes: NaN, with zero coincidences. Out of order: an error that names the train."""
    empty = coincidence_factor(np.array([0.1]), np.array([]), duration_s=1.0)
    assert np.isnan(empty.value)
    assert empty.n_coincident == 0
    with pytest.raises(InputError, match="generated train is not sorted"):
        coincidence_factor(np.array([0.1]), np.array([0.2, 0.1]), duration_s=1.0)
