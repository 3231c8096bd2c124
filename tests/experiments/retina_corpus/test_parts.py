"""Regressions, six numbers, forest and gate against what is known by construction."""

import numpy as np
import pytest

from experiments.retina_corpus import adapting, glm
from experiments.retina_corpus.decoding import name_studies
from experiments.retina_corpus.gate import IDENTIFIABLE, NOT, examine, level
from experiments.retina_corpus.settings import QUICK
from experiments.retina_corpus.six_numbers import six_numbers


def test_newton_finds_planted_weights():
    """The weights of a Poisson regression, with an offset, come back; a large ridge keeps them at 0."""
    random = np.random.default_rng(0)
    design = np.concatenate([np.ones((20_000, 1)), random.normal(size=(20_000, 3))], axis=1).astype(np.float32)
    planted, offset = np.array([-1.0, 0.5, -0.3, 0.0]), random.normal(0.0, 0.5, 20_000)
    counts = random.poisson(np.exp(design @ planted + offset)).astype(np.float32)
    found = glm.newton(design, counts, np.zeros(4), np.zeros(4), offset)
    np.testing.assert_allclose(found, planted, atol=0.03)
    held = glm.newton(design, counts, found, np.array([0.0, 1e9, 1e9, 1e9]), offset)
    np.testing.assert_allclose(held[1:], 0.0, atol=1e-3)


def test_lags_by_hand():
    """Of one spike in window 0 each lag sees exactly the windows that it is named after; nothing looks ahead."""
    counts = np.zeros((200, 1), np.float32)
    counts[0] = 1
    sums = glm.lag_sums(counts)[:, 0]
    for place, (first, last) in enumerate(glm.LAGS):
        assert np.flatnonzero(sums[:, place]).tolist() == list(range(first, last + 1))
    np.testing.assert_array_equal(glm.shifted(counts[:3], (-2, 0, 2))[:, 0], [[0, 1, 0], [0, 0, 0], [1, 0, 0]])


def test_nearest_includes_ties():
    """On a square grid the two nearest of a corner are its neighbours; those as near as the last count too."""
    places = np.array([[0, 1, 0, 1, 5.0], [0, 0, 1, 1, 5.0]])
    near = glm.nearest(places, 1)
    np.testing.assert_allclose(near[0], [0, 0.5, 0.5, 0, 0])
    np.testing.assert_allclose(near.sum(axis=1), 1.0)


def test_bits_are_zero_at_the_mean_and_known_for_a_step():
    """A unit's own mean gives 0; knowing which half holds all spikes gives one bit."""
    counts = np.repeat([[0.0], [2.0]], 500, axis=0).astype(np.float32)
    flat = np.zeros_like(counts)
    assert adapting.bits(flat, counts) == pytest.approx(0.0, abs=1e-6)
    assert adapting.bits(np.where(counts > 0, np.log(2.0), -20.0), counts) == pytest.approx(1.0, abs=1e-4)


def test_adapting_repairs_a_wrong_level():
    """A network whose rate is e times too large is put right; a perfect one is left about as good."""
    random = np.random.default_rng(0)
    truth = np.log(0.2) + np.sin(np.arange(6000) / 30.0)[:, None] + np.zeros((1, 5))
    counts = random.poisson(np.exp(truth)).astype(np.float32)

    class One:
        places_um, fitted = np.stack([np.arange(5.0), np.zeros(5)]), 4800

    One.counts = counts
    late = slice(4800, None)
    best = adapting.bits(truth[late], counts[late])
    for shift in (0.0, 1.0):
        network = (truth + shift).astype(np.float32)
        found = adapting.adapt(One, network, glm.KINDS["glm_coupled"], QUICK)
        assert adapting.bits(found.log_counts[late], counts[late]) > best - 0.1


def test_six_numbers_of_independent_poisson_trains():
    """CV 1, no correlation, and a Fano factor of 1; without units they are not defined."""
    random = np.random.default_rng(0)
    trains = [np.sort(random.uniform(0.0, 1000.0, 2000)) for _ in range(20)]
    rate, cv, short, correlation, fano, low = six_numbers(trains, 1000.0)
    assert rate == pytest.approx(np.log(2.0)) and cv == pytest.approx(1.0, abs=0.05)
    assert short == pytest.approx(1 - np.exp(-0.02), abs=0.01) and correlation == pytest.approx(0.0, abs=0.02)
    assert fano == pytest.approx(0.0, abs=0.2) and low == 0.0
    assert np.isnan(six_numbers(trains[:1], 1000.0)).all()


def test_forest_names_studies_only_where_they_differ():
    """Features of the study give an accuracy of 1, noise an interval that holds chance."""
    random, studies = np.random.default_rng(0), np.repeat(["a", "b", "c"], 25)
    noise = random.normal(size=(75, 3))
    told = name_studies(noise + 20 * np.eye(3)[np.repeat(range(3), 25)], studies, QUICK, 0)
    guessed = name_studies(noise, studies, QUICK, 0)
    assert told.balanced == 1.0 and told.chance == pytest.approx(1 / 3)
    assert guessed.interval.low < 1 / 3 < guessed.interval.high
    assert name_studies(noise[:25], studies[:25], QUICK, 0) is None


class Made:
    """A recording of which only study and covariates matter."""

    def __init__(self, study, **covariates):
        self.study, self.covariates = study, covariates

    def covariate(self, name):
        return self.covariates.get(name)


def test_gate_refuses_what_is_one_with_the_study():
    """A covariate passes only where a training study has two of its levels and the left-out ones have them too."""
    training = [Made("a", age=5, genotype="wt"), Made("a", age=9, genotype="wt"), Made("b", age=5, genotype="KO")]
    scored = [Made("c", age=9, genotype="KO", temperature=31.0)]
    answers = {one.covariate: one for one in examine(training, scored, ("c",))}
    assert answers["age"].verdict == IDENTIFIABLE and answers["age"].known_share == 1.0
    assert answers["genotype"].verdict == NOT and "level and study are one" in answers["genotype"].reason
    assert answers["temperature"].verdict == NOT
    assert answers["condition"].reason == "no recording of the left-out studies reports it"
    assert [level(Made("a", age=age), "age") for age in (6, 7, 42)] == ["P0-6", "P7-10", "P15 or older"]
