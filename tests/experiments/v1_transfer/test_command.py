"""`twin experiment v1_transfer`: the report, the test folder, and refusals."""

import json

import jsonschema
import pytest
import xarray as xr
from rich.console import Console

from experiments.v1_transfer import experiment
from experiments.v1_transfer.settings import QUICK
from twin import report
from twin.errors import InputError


@pytest.fixture(scope="module")
def ran(tmp_path_factory, written):
    """A quick run of two mice and one in a test folder."""
    folder = tmp_path_factory.mktemp("ran")
    data, test = written(folder / "data", [0, 1]), written(folder / "test", [2])
    experiment.run(data, test, folder / "out", seed=0, console=Console(quiet=True), settings=QUICK)
    return folder / "out"


@pytest.mark.slow
def test_the_report_names_inputs_goals_and_pairs(ran):
    """Only the test mouse is scored, by both definitions; every goal is a claim, and one mouse gives no interval."""
    document = json.loads((ran / "report.json").read_text())
    jsonschema.validate(document, report.schema())
    conditions = {row["condition"] for row in document["scores"]}
    assert conditions == {"mouse2", "mean_of_mice", "mouse2_quarter", "mean_of_mice_quarter"}
    metrics = {row["metric"] for row in document["scores"] if row["model"] == "adapted"}
    assert {"single_trial_correlation", "within_trial_correlation", "explained_variance"} <= metrics
    claims = {claim["name"]: claim for claim in document["claims"]}
    assert claims["without_other_neurons_reaches_the_goal_flattened"]["margin"] == 0.29
    assert claims["with_other_neurons_reaches_the_goal_within_trial"]["margin"] == 0.18
    assert claims["adapted_beats_the_linear_model_of_the_same_inputs_flattened"]["verdict"] == "not_testable"
    assert "own past" in claims["without_other_neurons_reaches_the_goal_flattened"]["reason"]


@pytest.mark.slow
def test_the_page_and_the_store_hold_every_part(ran):
    """Every section is on the page; predictions and scores of the mouse are in the store, and who trained the core."""
    page = (ran / "report.html").read_text()
    for heading in ("What was recorded", "All models", "One input left out", "A quarter of the trials"):
        assert f">{heading}</h2>" in page
    tree = xr.open_datatree(ran / "results.zarr", engine="zarr", consolidated=False)
    assert set(tree["mouse2"].children) == {"full", "quarter", "scores"}
    assert tree["mouse2/full"].attrs["core_trained_on"] == ["mouse0", "mouse1"]
    assert tree["mouse2/full/adapted"].shape == (24, 49, 6)


def test_a_mouse_in_both_folders_and_a_single_mouse_are_refused(written, tmp_path):
    """Leaving one out needs two; a mouse cannot be trained on and left out."""
    one = written(tmp_path / "one", [0])
    with pytest.raises(InputError, match="has one mouse"):
        experiment.run(one, None, tmp_path / "out", seed=0, console=Console(quiet=True))
    with pytest.raises(InputError, match="both have mouse0"):
        experiment.run(one, one, tmp_path / "out", seed=0, console=Console(quiet=True))
    assert not (tmp_path / "out").exists()
