"""Metrics of repeated stimuli against rates that are known."""

import numpy as np
import pytest

from twin.errors import InputError
from twin.judge import cc_max, cc_norm, feve, signal_power


def recorded(n_repeats, n_times=20_000, seed=0):
    """Poisson counts (repeat, time, unit) of ten units, and their expected value (time, unit)."""
    random = np.random.default_rng(seed)
    expected = np.exp(random.normal(-0.5, 0.7, size=(n_times, 10)))
    return random.poisson(expected, size=(n_repeats, n_times, 10)).astype(float), expected


@pytest.mark.parametrize("n_repeats", [2, 5, 20])
def test_the_true_rate_scores_one_whatever_the_noise(n_repeats):
    """CC_norm and FEVE of the true rate are 1, and the ceiling is its correlation with the mean response."""
    counts, expected = recorded(n_repeats)
    truth = np.broadcast_to(expected, counts.shape)
    correlation = [np.corrcoef(counts.mean(0)[:, k], expected[:, k])[0, 1] for k in range(10)]
    np.testing.assert_allclose(signal_power(counts).mean() / expected.var(0).mean(), 1.0, atol=0.05)
    np.testing.assert_allclose(cc_max(counts), correlation, atol=0.02)
    np.testing.assert_allclose(cc_norm(truth, counts).mean(), 1.0, atol=0.01)
    np.testing.assert_allclose(feve(truth, counts).mean(), 1.0, atol=0.02)


def test_a_wrong_rate_scores_its_correlation_with_the_truth():
    """CC_norm of a rate with an error is the correlation with the true rate; scale and offset lower FEVE alone."""
    counts, expected = recorded(20)
    random = np.random.default_rng(1)
    wrong = 3.0 + 2.0 * (expected + expected.std() * random.normal(size=expected.shape))
    wanted = [np.corrcoef(wrong[:, k], expected[:, k])[0, 1] for k in range(10)]
    found = cc_norm(np.broadcast_to(wrong, counts.shape), counts)
    np.testing.assert_allclose(found, wanted, atol=0.03)
    assert max(wanted) < 0.85
    assert (feve(np.broadcast_to(wrong, counts.shape), counts) < 0).all()


def test_the_formula_by_hand():
    """Two repeats 0 2 and 0 4: variances 1 and 4 and of the sum 9, so SP = (9 - 5) / 2 = 2, FEVE of the mean is 0."""
    counts = np.array([[[0.0], [2.0]], [[0.0], [4.0]]])
    assert signal_power(counts) == pytest.approx(2.0)
    assert cc_max(counts) == pytest.approx(np.sqrt(2.0 / 2.25))
    assert cc_norm(counts, counts) == pytest.approx(2.25 / np.sqrt(2.25 * 2.0))
    total = counts.var(ddof=1)
    flat = np.full_like(counts, counts.mean())
    assert feve(flat, counts) == pytest.approx(1.0 - (0.75 * total - 1.0) / (total - 1.0))


def test_what_the_data_do_not_define_is_nan_and_what_is_wrong_is_refused():
    """No signal power and a flat prediction are NaN; one repeat, other shapes and a NaN are errors that say so."""
    opposite = np.array([[[0.0], [1.0], [0.0], [1.0]], [[1.0], [0.0], [1.0], [0.0]]])
    assert np.isnan(cc_norm(opposite, opposite)) and np.isnan(cc_max(opposite))
    counts, _ = recorded(3, n_times=50)
    assert np.isnan(cc_norm(np.ones_like(counts), counts)).all()
    with pytest.raises(InputError, match="two repeats"):
        signal_power(counts[:1])
    with pytest.raises(InputError, match="one prediction for every repeat"):
        cc_norm(counts[:, 1:], counts)
    with pytest.raises(InputError, match="NaN or infinite"):
        feve(np.full_like(counts, np.nan), counts)
