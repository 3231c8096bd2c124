"""The split of the trials, and features that look at nothing else."""

import dataclasses

import numpy as np
import pytest

from experiments.v1_transfer import features, mice, readouts, recipes, ridge, scoring
from experiments.v1_transfer.reliability import feve, of_response
from experiments.v1_transfer.ridge import Search
from experiments.v1_transfer.settings import Settings
from twin.errors import InputError


@pytest.fixture(scope="module")
def mouse(written, tmp_path_factory):
    """One synthetic mouse."""
    return mice.load(written(tmp_path_factory.mktemp("one"), [0]), Settings())[0]


def test_the_split_is_the_reference_split():
    """One generator of seed 0 permutes each direction in rising order; the last three trials are scored."""
    direction = np.random.default_rng(3).permutation(np.repeat([0.0, 90.0], 16))
    fitted, quarter, scored = mice.split(direction, Settings())
    random, expected = np.random.default_rng(0), []
    for angle in (0.0, 90.0):
        expected.append(random.permutation(np.flatnonzero(direction == angle)))
    assert scored.tolist() == sorted([*expected[0][-3:], *expected[1][-3:]])
    assert quarter.tolist() == sorted([*expected[0][:3], *expected[1][:3]])
    assert len(fitted) == 26 and not set(fitted) & set(scored) and set(quarter) <= set(fitted)


def test_too_few_trials_are_refused():
    """A direction with as many trials as are scored and in the quarter leaves nothing more to fit."""
    with pytest.raises(InputError, match="m: has 6 trials of 45 degrees; wanted more than 6"):
        mice.split(np.full(6, 45.0), Settings(), "m")


def test_a_past_holds_no_present_and_no_future(mouse):
    """The k-th feature of a window is the response k windows before; changing a window changes only later features."""
    activity = mouse.activity.copy()
    before = features.past(activity, 3)
    np.testing.assert_array_equal(before[:, 5, :, 1], activity[:, 3])
    activity[:, 10] += 1.0
    changed = np.abs(features.past(activity, 3) - before).max(axis=(0, 2, 3)) > 0
    assert np.flatnonzero(changed).tolist() == [11, 12, 13]


def test_scored_activity_enters_only_where_a_recipe_says_so(mouse):
    """With the scored trials' activity replaced, only recipes that see past or others predict something else."""
    activity = mouse.activity.copy()
    activity[mouse.scored] = np.random.default_rng(0).normal(size=activity[mouse.scored].shape)
    other = dataclasses.replace(mouse, activity=activity)
    directions, settings = np.unique(mouse.direction), Settings(search=Search(4, 0, 3, 2), own_lags=2)
    for recipe in recipes.LINEAR:
        one, two = (
            readouts.predict(recipe, this, mouse.fitted, directions, settings, None).predicted
            for this in (mouse, other)
        )
        sees = {"own_past", "others"} & set(recipe.inputs)
        assert np.allclose(one, two) != bool(sees), recipe.model


def test_shared_gain_leaves_the_neuron_itself_out(mouse):
    """A neuron's gain is the mean of the others' scaled residuals; its own residual does not move it."""
    random, n = np.random.default_rng(0), mouse.n_neurons
    values = mouse.standardised(mouse.fitted)
    shape = (len(mouse.fitted), len(mouse.time_s), n)
    chosen = ridge.Chosen(np.zeros(shape), random.normal(size=values[mouse.scored].shape), np.zeros((0, n)))
    gain = features.shared_gain(values, chosen, mouse.fitted, mouse.scored)
    residual = values[mouse.scored] - chosen.predicted
    np.testing.assert_allclose(gain[mouse.scored][..., 0, 0], residual[..., 1:].mean(axis=-1))
    np.testing.assert_allclose(gain[mouse.scored][..., 1], gain[mouse.scored][..., 0] * chosen.predicted)


def test_scores_are_the_definitions():
    """Flattened and within trial by numpy's own correlation; a constant counts 0; a perfect prediction explains all."""
    random = np.random.default_rng(0)
    recorded, predicted = random.normal(size=(2, 5, 7, 3))
    predicted = predicted + recorded
    found = scoring.by_neuron(recorded, predicted)
    flat = [np.corrcoef(recorded[..., n].ravel(), predicted[..., n].ravel())[0, 1] for n in range(3)]
    within = [np.mean([np.corrcoef(recorded[t, :, n], predicted[t, :, n])[0, 1] for t in range(5)]) for n in range(3)]
    np.testing.assert_allclose(found[scoring.FLATTENED], flat)
    np.testing.assert_allclose(found[scoring.WITHIN], within)
    assert (scoring.by_neuron(recorded, 0 * recorded)[scoring.WITHIN] == 0).all()
    np.testing.assert_allclose(scoring.by_neuron(recorded, recorded)[scoring.VARIANCE], 1.0)


def test_intervals_over_mice_know_that_mice_differ():
    """Mice that differ widen the interval of the mean, however many neurons they have; one mouse has none."""
    random = np.random.default_rng(0)
    alike = [0.3 + 0.01 * random.normal(size=200) for _ in range(5)]
    apart = [values + shift for values, shift in zip(alike, (-0.2, -0.1, 0.0, 0.1, 0.2), strict=True)]
    narrow, wide = (scoring.over_mice(values, 500, 0).interval for values in (alike, apart))
    assert wide.high - wide.low > 20 * (narrow.high - narrow.low)
    assert np.isnan(scoring.over_mice(alike[:1], 500, 0).interval.low)


def test_reliability_and_feve_of_a_known_mouse(written, tmp_path):
    """Tuned neurons repeat, untuned ones do not; the true mean response explains all that can be explained."""
    folder = written(tmp_path / "a", [1], tuned=2.0, drift=0.0, running=0.0, past=0.0)
    tuned = mice.load(folder, Settings())[0]
    blank = mice.load(written(tmp_path / "b", [1], tuned=0.0, drift=0.0, running=0.0, past=0.0), Settings())[0]
    assert of_response(tuned).testable and not of_response(blank).testable
    random, direction = np.random.default_rng(0), np.repeat(np.arange(8), 20)
    truth = random.normal(size=(8, 30, 5))[direction]
    recorded = truth + 0.8 * random.normal(size=truth.shape)
    assert feve(recorded, truth, direction) == pytest.approx(1.0, abs=0.02)
    assert feve(recorded, 0.5 * truth, direction) == pytest.approx(0.75, abs=0.03)
