"""Animals whose rates are known: scores of the truth, defects that have to cost, and a tiny core that adapts."""

import dataclasses

import numpy as np
import pytest

from benchmarks.synthetic_vision.animals import BIN_S, Sizes, animals
from benchmarks.synthetic_vision.models import Plan, expected
from benchmarks.synthetic_vision.movies import FRAMES_HZ, movie
from benchmarks.synthetic_vision.scores import displaced, score, shifted
from twin import recording

SMALL = Sizes(animals=3, units=16, height=12, width=14, trial_s=30.0, trials=8, repeats=10)


@pytest.fixture(scope="module")
def every():
    """Three small animals."""
    return animals(SMALL, seed=0)


def test_a_movie_has_natural_statistics():
    """Power over frequencies falls as 1/f^2 within 20 %, and neighbouring frames are alike, until the scene is cut."""
    frames = movie(60.0, 48, 48, seed=0)
    assert frames.shape == (60 * FRAMES_HZ, 48, 48) and abs(frames.std() - 1.0) < 0.3
    window = np.hanning(48)[:, None] * np.hanning(48)
    power = (np.abs(np.fft.rfft2((frames - frames.mean((1, 2), keepdims=True)) * window)) ** 2).mean(axis=0)
    frequency = np.hypot(np.fft.fftfreq(48)[:, None], np.fft.rfftfreq(48)[None])
    inside = (frequency > 0.06) & (frequency < 0.25)
    slope = np.polyfit(np.log(frequency[inside]), np.log(power[inside]), 1)[0]
    assert -2.6 < slope < -1.6
    alike = [np.corrcoef(one.ravel(), other.ravel())[0, 1] for one, other in zip(frames[:-1], frames[1:], strict=True)]
    assert np.median(alike) > 0.8 and 10 < np.sum(np.array(alike) < 0.3) < 60


def test_animals_share_the_test_movie_and_nothing_else(every):
    """Other units, rates and behaviour; the new animal's temperature lies between the others'; counts are Poisson."""
    first, new = every[0], every[-1]
    trials = [one.trial for one in new.parts.test]
    shown = [one.array("stimulus/movie") for one in (first, new)]
    np.testing.assert_array_equal(shown[0][trials], shown[1][trials])
    assert not (shown[0][0] == shown[1][0]).any()
    degrees = [recording.protocol_of(one.tree)["temperature"].value for one in every]
    assert min(degrees[:-1]) < degrees[-1] < max(degrees[:-1])
    mean_hz = [one.expected.mean(axis=(0, 1)) / BIN_S for one in every]
    assert all(1.0 < one.min() and one.max() < 40.0 for one in mean_hz)
    assert abs(np.corrcoef(mean_hz[0], mean_hz[-1])[0, 1]) < 0.9
    counts, rate = new.array("counts").astype(float), new.expected
    assert np.square(counts - rate).mean() / rate.mean() == pytest.approx(1.0, abs=0.05)


def test_the_truth_scores_one_and_a_late_movie_does_not(every):
    """CC_norm of the true rates is 1 for every model that knows them; 100 ms late it is below .9, exchanged near 0."""
    new = every[-1]
    trials = [one.trial for one in new.parts.test]
    truth = new.expected[trials]
    assert score("truth", 0.0, truth, new).median == pytest.approx(1.0, abs=0.02)
    late = score("late", 0.0, np.roll(truth, 2, axis=1), new)
    assert late.median < 0.9 and late.disagreement < 0.03
    assert abs(score("exchanged", 0.0, np.roll(truth, 1, axis=2), new).median) < 0.5


@pytest.mark.slow
def test_a_small_core_adapts_and_defects_cost(every):
    """A readout fitted to the new animal beats the same model with a late movie or with places of other units."""
    plan = dataclasses.replace(Plan(), channels=(12, 12), steps=150, adapt_steps=100)
    new = every[-1]
    adapted = plan.adapted(plan.core(every[:-1]), new, minutes=3.5)
    found = score("adapted", 3.5, expected(adapted, new.tree, new), new)
    late = score("late", 3.5, expected(adapted, shifted(new.tree, 4), new), new)
    elsewhere = score("elsewhere", 3.5, expected(displaced(adapted, new.name, 0), new.tree, new), new)
    assert found.median > 0.5 and found.disagreement < 0.05
    assert late.median < found.median - 0.2 and elsewhere.median < found.median - 0.2
