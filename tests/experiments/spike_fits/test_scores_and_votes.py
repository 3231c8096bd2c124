"""Scores of trains, the vote, and the history GLM, against what was put in."""

import numpy as np
import pytest

from experiments.spike_fits import trains
from experiments.spike_fits.consensus import consensus
from experiments.spike_fits.history_glm import BIN_S, counts_of, fit_glm
from experiments.spike_fits.trains import Repeats
from twin.judge.coincidence import coincidence_factor


def jittered(base: np.ndarray, n: int, sd_s: float, seed: int, loss: float = 0.0) -> list[np.ndarray]:
    """Copies of a train whose spikes are moved, and some lost."""
    rng = np.random.default_rng(seed)
    return [np.sort(np.abs(base + rng.normal(0, sd_s, len(base))))[rng.random(len(base)) >= loss] for _ in range(n)]


@pytest.fixture
def base():
    """About 10 Hz for 10 s."""
    return np.cumsum(np.random.default_rng(0).uniform(0.05, 0.15, 98))


def test_a_model_that_is_another_repeat_scores_one(base):
    """Trains made like the repeats reach their reliability and an Md* of 1; shuffled ones reach nothing."""
    real = Repeats.cut(jittered(base, 12, 0.002, 1), 0.0, 10.0)
    model = Repeats.cut(jittered(base, 40, 0.002, 2), 0.0, 10.0)
    assert trains.relative(real, model, 0).value == pytest.approx(1.0, abs=0.05)
    assert trains.md_star(real, model, 0, deterministic=False).value == pytest.approx(1.0, abs=0.03)
    assert trains.relative_by_blocks(real, model, 2.0, 0).value == pytest.approx(1.0, abs=0.05)
    other = np.cumsum(np.random.default_rng(9).uniform(0.05, 0.15, 98))
    unrelated = Repeats.cut(jittered(other, 40, 0.002, 3), 0.0, 10.0)
    assert abs(trains.relative(real, unrelated, 0).value) < 0.25


def test_md_star_of_noise_is_fair_and_gamma_is_not(base):
    """A model with twice the scatter loses in both; a model with the scatter of the cell only in neither."""
    real = Repeats.cut(jittered(base, 12, 0.003, 1), 0.0, 10.0)
    wide = Repeats.cut(jittered(base, 40, 0.008, 2), 0.0, 10.0)
    assert trains.md_star(real, wide, 0, deterministic=False).value < 0.97
    assert trains.relative(real, wide, 0).value < 0.7


def test_the_two_ways_to_resample_have_one_value(base):
    """Over repeats or over blocks, the figure itself is that of twin.judge for a deterministic model."""
    real, model = (
        Repeats.cut(jittered(base, 6, 0.003, 1), 0.0, 10.0),
        Repeats.cut(jittered(base, 1, 0.003, 2), 0.0, 10.0),
    )
    mean = np.mean(
        [coincidence_factor(one, model.trains[0], duration_s=10.0, window_s=0.004).value for one in real.trains]
    )
    expected = mean / trains.intrinsic(real, 0).value
    assert trains.relative(real, model, 0).value == pytest.approx(expected)
    assert trains.relative_by_blocks(real, model, 2.0, 0).value == pytest.approx(expected)
    assert trains.relative(real, model, 0).interval.low < expected < trains.relative(real, model, 0).interval.high


def test_the_vote_is_better_than_its_voters(base):
    """Voters that miss a fifth of the spikes, move them and add their own: their vote is near the truth."""
    rng = np.random.default_rng(4)
    voters = [np.sort(np.concatenate([one, rng.uniform(0, 10, 20)])) for one in jittered(base, 24, 0.002, 5, loss=0.2)]
    vote = consensus(voters, 10.0)
    truth = Repeats.cut([base], 0.0, 10.0)
    each = truth.gamma(Repeats.cut(voters, 0.0, 10.0))[0]
    assert truth.gamma(Repeats.cut([vote], 0.0, 10.0))[0, 0] > 0.95 > each.max()
    assert np.all(np.diff(vote) > 0)


def test_a_vote_of_nobody_is_silent():
    """Voters without spikes give a train without spikes."""
    assert len(consensus([np.zeros(0)] * 3, 1.0)) == 0


def test_the_history_glm_finds_what_was_put_in():
    """An exponential of the current with a dead time: the fit gains what the truth gains, and its trials repeat it."""
    rng, n = np.random.default_rng(0), 20_000
    current = np.convolve(rng.normal(0, 1, n), np.exp(-np.arange(40) / 8.0) / 4.0)[:n] * 0.2
    drive = np.log(0.02) + 4.0 * np.convolve(current, np.exp(-np.arange(30) / 6.0) / 6.0)[:n]
    counts = np.zeros((4, n))
    for row in counts:
        dead = 0
        for at in range(n):
            if dead == 0 and rng.random() < -np.expm1(-np.exp(min(drive[at], 1.0))):
                row[at], dead = 1.0, 4
            dead = max(dead - 1, 0)
    model = fit_glm(current, counts, (0.0, 12.0), (12.0, 15.0))
    seen, expected = counts[:, 15_000:], model.expected(current, counts)[:, 15_000:]
    truth = np.exp(np.minimum(drive, 1.0))[15_000:]
    gained, possible = (
        float(np.sum(seen * np.log(rate) - rate)) for rate in (expected, np.broadcast_to(truth, seen.shape))
    )
    null = float(np.sum(seen * np.log(seen.mean()) - seen.mean()))
    assert gained - null > 0.85 * (possible - null) > 0
    trials = model.trials(current, 20, np.random.default_rng(1))
    assert np.mean([len(one) for one in trials]) == pytest.approx(counts.sum(axis=1).mean(), rel=0.1)
    assert min(np.diff(one).min() for one in trials) > 3 * BIN_S


def test_the_history_glm_does_not_see_the_future():
    """A later spike changes no earlier expectation, nor that of its own bin."""
    rng = np.random.default_rng(0)
    current, counts = rng.normal(0, 1, 3000), (rng.random((2, 3000)) < 0.02).astype(float)
    model = fit_glm(current, counts, (0.0, 2.0), (2.0, 3.0))
    other = counts.copy()
    other[0, 2500] = 1.0 - other[0, 2500]
    first, second = model.expected(current, counts), model.expected(current, other)
    np.testing.assert_array_equal(first[:, :2501], second[:, :2501])
    assert np.any(first[0, 2501:] != second[0, 2501:])


def test_counts_hold_every_spike_on_its_edge():
    """A spike on the edge of a bin belongs to the bin that it opens."""
    assert counts_of([np.array([0.0, 0.003, 0.0039])], 5).tolist() == [[1.0, 0.0, 0.0, 2.0, 0.0]]
