"""The classifier test: power, size under dependence, leaks, and what it refuses."""

import numpy as np
import pytest
from scipy.special import ndtr

from twin.errors import InputError
from twin.judge import c2st_sample_size, classifier_two_sample
from twin.judge.classifiers import FAMILIES, held_out_predictions, logistic_weights


def compare(real, generated, groups, family="logistic", n_permutations=0, seed=0, unit="trial"):
    return classifier_two_sample(
        real, generated, groups, unit=unit, family=family, n_permutations=n_permutations, seed=seed
    )


@pytest.mark.parametrize("mu", [0.25, 0.5, 1.0, 2.0])
def test_accuracy_of_two_gaussians_is_that_of_bayes(mu):
    """N(0,1) against N(mu,1) is told apart with accuracy Phi(mu/2)."""
    rng = np.random.default_rng(int(100 * mu))
    test = compare(rng.normal(size=(4000, 1)), rng.normal(mu, 1.0, size=(4000, 1)), np.arange(4000))
    assert test.accuracy == pytest.approx(ndtr(mu / 2), abs=0.018)
    assert (test.n, test.n_groups, test.p) == (8000, 4000, None)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_family_finds_a_difference(family):
    """A shift of 1.5 in one of three features is found by each family; a refitted one has the least possible p."""
    rng = np.random.default_rng(1)
    real, generated = rng.normal(size=(60, 3)), rng.normal(size=(60, 3)) + [1.5, 0.0, 0.0]
    n_permutations = 3 if family == "random_forest" else 19
    test = compare(real, generated, np.repeat(np.arange(12), 5), family, n_permutations=n_permutations)
    assert test.p == test.smallest_p == pytest.approx(1 / (1 + n_permutations))
    assert test.low > 0.5


def rejections(groups_of, n_runs=150):
    """How often two samples of the same law, whose windows share a level within each trial, are told apart at .05."""
    rng = np.random.default_rng(2)
    trials = np.repeat(np.arange(10), 6)
    found = 0
    for run in range(n_runs):
        levels = rng.normal(size=(2, 10, 2))[:, trials]
        real, generated = levels + 0.5 * rng.normal(size=(2, 60, 2))
        found += compare(real, generated, groups_of(trials), n_permutations=59, seed=run).p <= 0.05
    return found / n_runs


def test_size_is_nominal_when_windows_inherit_their_unit():
    """Swapping whole trials rejects a true null in about 5 % of runs although windows of a trial are alike."""
    assert 0.0 <= rejections(lambda trials: trials) <= 0.10


def test_windows_taken_as_their_own_units_are_caught_rejecting_too_often():
    """The same data with one group per window, the planted mistake, reject a true null several times as often."""
    assert rejections(lambda trials: np.arange(trials.size), n_runs=60) > 0.25


def test_a_generator_that_saw_the_reference_falls_below_chance():
    """Generated windows that are real windows of other trials are taken for generated ones wherever they come from."""
    rng = np.random.default_rng(3)
    real = rng.normal(size=(100, 4))
    groups = np.repeat(np.arange(20), 5)
    leaked = compare(real, np.roll(real, 50, axis=0), groups, family="knn", n_permutations=99)
    honest = [compare(real, rng.normal(size=(100, 4)), groups, family="knn", seed=i).below_chance for i in range(60)]
    assert leaked.accuracy < 0.35
    assert leaked.below_chance
    assert np.mean(honest) <= 0.1


def test_trials_that_are_right_or_wrong_together_are_no_leak():
    """Without permutations, too, an accuracy of .31 that eight lumps of windows make is not called below chance."""
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(8), 50)
    real, generated = rng.normal(size=(2, 8, 1))[:, groups] + 0.05 * rng.normal(size=(2, 400, 1))
    test = compare(real, generated, groups)
    assert test.accuracy < 0.4
    assert not test.below_chance


def test_no_group_is_on_both_sides_of_a_fold():
    """A label that only the identity of the group gives away cannot be learned."""
    rng = np.random.default_rng(4)
    identity = np.repeat(np.eye(10), 6, axis=0)
    flips = rng.integers(0, 2, 10).astype(bool)[np.repeat(np.arange(10), 6), None]
    noise = 0.01 * rng.normal(size=(60, 10))
    real, generated = np.where(flips, identity, -identity), np.where(flips, -identity, identity)
    test = compare(real + noise, generated - noise, np.repeat(np.arange(10), 6), n_permutations=59)
    assert test.p > 0.05


def test_one_unit_is_not_testable():
    """With a single trial nothing can be held out: no accuracy, no p, and the reason."""
    test = compare(np.zeros((5, 2)), np.ones((5, 2)), np.zeros(5), n_permutations=9)
    assert not test.testable
    assert np.isnan(test.accuracy)
    assert test.p is None
    assert "at least two" in test.reason


def test_few_units_say_how_small_a_p_they_can_give():
    """Four trials have eight different labellings, so p cannot fall below 1/8 however many are drawn."""
    rng = np.random.default_rng(5)
    test = compare(
        rng.normal(size=(40, 1)), rng.normal(9.0, 1.0, size=(40, 1)), np.repeat(np.arange(4), 10), "knn", 199
    )
    assert test.smallest_p == 0.125
    assert test.p >= 0.08


def test_nan_rows_missing_units_and_unknown_families_are_refused():
    """Nothing is dropped, guessed or defaulted."""
    good, groups = np.zeros((4, 2)), np.array([0, 0, 1, 1])
    bad = good.copy()
    bad[2, 1] = np.nan
    with pytest.raises(InputError, match="1 of 4 generated rows hold a NaN"):
        compare(good, bad, groups)
    with pytest.raises(TypeError, match="unit"):
        classifier_two_sample(good, good, groups, family="knn", n_permutations=0, seed=0)
    with pytest.raises(InputError, match="'window' is unknown"):
        compare(good, good, groups, unit="window")
    with pytest.raises(InputError, match="'svm' is unknown"):
        compare(good, good, groups, family="svm")
    with pytest.raises(InputError, match="same shape"):
        compare(good, good[:3], groups)


def test_logistic_regression_of_many_labellings_is_scikit_learns():
    """Weights and intercepts of three labellings fitted together agree with one ridge fit of each."""
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(6)
    features = rng.normal(size=(120, 4))
    labels = (features @ rng.normal(size=(4, 3)) + rng.normal(size=(120, 3))) > 0.3
    weights = logistic_weights(features, labels)
    for i in range(3):
        fit = LogisticRegression(C=1.0, tol=1e-8).fit(features, labels[:, i])
        np.testing.assert_allclose(weights[:-1, i], fit.coef_[0], atol=0.02)
        assert weights[-1, i] == pytest.approx(fit.intercept_[0], abs=0.02)


def test_nearest_neighbours_are_scikit_learns():
    """Predictions of the shared neighbours equal those of a classifier fitted to each labelling."""
    from sklearn.neighbors import KNeighborsClassifier

    rng = np.random.default_rng(7)
    features, labels = rng.normal(size=(80, 3)), rng.integers(0, 2, (80, 2)).astype(bool)
    folds = np.repeat([0, 1], 40)
    predicted = held_out_predictions(features, labels, folds, family="knn", seed=0)
    train = features[:40]
    scaled = (features - train.mean(axis=0)) / train.std(axis=0)
    for i in range(2):
        peer = KNeighborsClassifier(7).fit(scaled[:40], labels[:40, i])
        np.testing.assert_array_equal(predicted[40:, i], peer.predict(scaled[40:]))


def test_a_constant_feature_does_no_harm():
    """A column that never varies leaves the accuracy as it was."""
    rng = np.random.default_rng(8)
    real, generated, groups = rng.normal(size=(50, 1)), rng.normal(1.0, 1.0, size=(50, 1)), np.repeat(np.arange(10), 5)
    constant = np.full((50, 1), 0.1)
    alone = compare(real, generated, groups)
    beside = compare(np.hstack([real, constant]), np.hstack([generated, constant]), groups)
    assert alone.accuracy == beside.accuracy


@pytest.mark.parametrize(("epsilon", "n"), [(0.02, 3862.005), (0.05, 616.16), (0.10, 152.46)])
def test_sample_size_of_the_classifier_test(epsilon, n):
    """80 % power at .05 for accuracies of .52, .55 and .60."""
    assert c2st_sample_size(epsilon) == np.ceil(n)
