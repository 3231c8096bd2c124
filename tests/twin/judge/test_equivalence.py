"""Equivalence: who passes, who cannot be tested, and how many windows it takes."""

import numpy as np
import pytest

from twin.errors import InputError
from twin.judge import accuracy_equivalence, c2st_equivalence, classifier_two_sample, equivalence_power


@pytest.mark.parametrize(("margin", "n"), [(0.02, 3900), (0.05, 637), (0.10, 162)])
def test_windows_for_80_percent_power(margin, n):
    """The exact bound passes a perfect twin with 80 % probability at the tabulated n, and not at 9/10 of it."""
    assert equivalence_power(n, margin=margin) == pytest.approx(0.8, abs=0.02)
    assert equivalence_power(int(0.9 * n), margin=margin) < 0.78


def test_power_is_the_frequency_of_passing():
    """Simulated accuracies of a perfect twin pass as often as the power says."""
    rng = np.random.default_rng(0)
    passed = [accuracy_equivalence(int(k), 200, margin=0.1).verdict == "pass" for k in rng.binomial(200, 0.5, 1500)]
    assert np.mean(passed) == pytest.approx(equivalence_power(200, margin=0.1), abs=0.03)


def test_a_twin_at_the_margin_passes_at_most_one_time_in_twenty():
    """The error of calling a twin indistinguishable whose true accuracy is 1/2 + margin is at most 5 %."""
    rng = np.random.default_rng(1)
    passed = [accuracy_equivalence(int(k), 400, margin=0.1).verdict == "pass" for k in rng.binomial(400, 0.6, 1500)]
    assert np.mean(passed) <= 0.065


def test_three_verdicts():
    """Chance at enough windows passes, a visible difference fails, and too few windows pass not even by luck."""
    assert accuracy_equivalence(500, 1000, margin=0.05).verdict == "pass"
    assert accuracy_equivalence(540, 1000, margin=0.05).verdict == "fail"
    assert accuracy_equivalence(20, 20, margin=0.05).verdict == "fail"
    few = accuracy_equivalence(3, 20, margin=0.05)
    assert few.verdict == "not_testable"
    assert "even an accuracy of 1/2" in few.reason


def test_the_margin_is_required_and_means_something():
    """There is no default margin, and none of 0 or more than 1/2."""
    with pytest.raises(TypeError, match="margin"):
        accuracy_equivalence(50, 100)
    for margin in (0.0, 0.5, -0.1):
        with pytest.raises(InputError, match="margin"):
            accuracy_equivalence(50, 100, margin=margin)


def test_windows_alike_within_a_trial_widen_the_bound():
    """Where the accuracy varies from trial to trial more than windows would, the bound follows the trials."""
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(8), 50)
    offsets = rng.normal(size=(2, 8, 1))[:, groups]
    real, generated = offsets + 0.05 * rng.normal(size=(2, 400, 1))
    test = classifier_two_sample(real, generated, groups, unit="trial", family="logistic", n_permutations=0, seed=0)
    found = c2st_equivalence(test, margin=0.1)
    assert found.upper > accuracy_equivalence(test.n_correct, test.n, margin=0.1).upper
    assert found.verdict == "not_testable"


def test_below_chance_is_a_leak_and_fails():
    """A generator that handed out real windows of other trials does not pass for being hard to tell."""
    real = np.random.default_rng(3).normal(size=(200, 4))
    groups = np.repeat(np.arange(20), 10)
    leaked = np.roll(real, 100, axis=0)
    test = classifier_two_sample(real, leaked, groups, unit="trial", family="knn", n_permutations=99, seed=0)
    found = c2st_equivalence(test, margin=0.1)
    assert found.verdict == "fail"
    assert "saw the reference" in found.reason


def test_one_trial_is_not_testable():
    """The verdict and its reason come through from the test."""
    rows = np.zeros((5, 1))
    test = classifier_two_sample(rows, rows, np.zeros(5), unit="trial", family="knn", n_permutations=0, seed=0)
    assert c2st_equivalence(test, margin=0.1).verdict == "not_testable"
