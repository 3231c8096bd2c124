"""The public mice: simple methods as they are known, and the goals of a full run."""

import json

import numpy as np
import pytest
from rich.console import Console

from experiments.v1_transfer import experiment, mice, readouts, recipes, scoring
from experiments.v1_transfer.reliability import of_response
from experiments.v1_transfer.settings import Settings

pytestmark = pytest.mark.needs_data


@pytest.fixture(scope="module")
def folder(recordings):
    """The folder of the set."""
    one = recordings / "park_v1acc"
    if not one.is_dir():
        pytest.skip("no park_v1acc among the outside recordings")
    return one


@pytest.fixture(scope="module")
def real(folder):
    """The mice."""
    return mice.load(folder, Settings())


def _mean(real, predict):
    scores = [scoring.by_neuron(one.standardised(one.fitted)[one.scored], predict(one)) for one in real]
    return [
        np.mean([score[metric].mean() for score in scores])
        for metric in (scoring.FLATTENED, scoring.WITHIN, scoring.VARIANCE)
    ]


def test_real_condition_means_are_the_known_ones(real):
    """On the same split: .11 / .10, explained variance -.03; a quarter of the data .09 / .08 and -.29."""
    assert _mean(real, lambda one: readouts.condition_mean(one, one.fitted)) == pytest.approx(
        [0.107, 0.100, -0.035], abs=0.008
    )
    quarter = [readouts.condition_mean(one, one.quarter) for one in real]
    scores = [
        scoring.by_neuron(one.standardised(one.quarter)[one.scored], q) for one, q in zip(real, quarter, strict=True)
    ]
    assert np.mean([one[scoring.FLATTENED].mean() for one in scores]) == pytest.approx(0.087, abs=0.008)
    assert np.mean([one[scoring.VARIANCE].mean() for one in scores]) == pytest.approx(-0.29, abs=0.01)


def test_real_response_is_reliable_in_one_mouse_alone(real):
    """FEVE is testable in mrcuts28 and nowhere else."""
    assert [one.name for one in real if of_response(one).testable] == ["mrcuts28"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "flattened", "within"),
    [
        ("running_and_pupil", 0.16, 0.12),
        ("trial_index", 0.23, 0.12),
        ("glm", 0.18, 0.13),
        ("glm_trial_index", 0.27, 0.13),
        ("glm_shared_gain", 0.23, 0.14),
        ("glm_others", 0.28, 0.14),
        ("glm_trial_index_others", 0.30, 0.15),
    ],
)
def test_real_linear_models_reach_the_known_figures(real, model, flattened, within):
    """Within .025 of what the same methods reached with penalties on a grid and behaviour that was not clipped."""
    recipe, directions = next(one for one in recipes.LINEAR if one.model == model), np.unique(real[0].direction)
    found = _mean(real, lambda one: readouts.predict(recipe, one, one.fitted, directions, Settings(), None).predicted)
    assert found[:2] == pytest.approx([flattened, within], abs=0.025)


@pytest.mark.slow
def test_real_run_reaches_the_goals_with_the_past_and_says_where_it_does_not(folder, tmp_path):
    """Goals with the neuron's own past pass, each beside the linear model of the same inputs; all mice are scored."""
    experiment.run(folder, None, tmp_path / "out", seed=0, console=Console(quiet=True))
    document = json.loads((tmp_path / "out" / "report.json").read_text())
    verdicts = {claim["name"]: claim["verdict"] for claim in document["claims"]}
    for goal in ("without_other_neurons", "with_other_neurons"):
        assert (
            verdicts[f"{goal}_reaches_the_goal_flattened"]
            == verdicts[f"{goal}_reaches_the_goal_within_trial"]
            == "pass"
        )
    assert [name for name, one in verdicts.items() if one == "not_testable"] == [
        f"more_explainable_variance_than_the_glm_in_mrcuts{number}" for number in (24, 26, 27, 29)
    ]
    value = {
        (row["condition"], row["model"], row["metric"]): row["value"]
        for row in document["scores"]
        if row["split"] == "test"
    }
    mean = {
        model: value["mean_of_mice", model, "single_trial_correlation"] for _, model, _ in value if model != "ceiling"
    }
    assert mean["adapted"] > mean["glm_own_past"] - 0.005 and mean["adapted_no_past"] > mean["glm_trial_index"] - 0.005
