"""`twin experiment v1_transfer`: the report, the test folder, and refusals."""

import json

import jsonschema
import numpy as np
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
    assert claims["adapted_no_past_others_beats_glm_shared_gain_full_within_trial"]["unit"] == "animal"
    assert "own past" in claims["without_other_neurons_reaches_the_goal_flattened"]["reason"]


@pytest.mark.slow
def test_the_page_and_the_store_hold_every_part(ran):
    """Every section is on the page; predictions and scores of the mouse are in the store, and who trained the core."""
    page = (ran / "report.html").read_text()
    for heading in (
        "What was recorded",
        "All models",
        "Against every simple method",
        "Inputs left out",
        "A quarter of the trials",
    ):
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


def _without(mouse, key):
    return {name: value for name, value in mouse.items() if name != key}


def _with_gap(mouse, key):
    values = mouse[key].copy()
    values[0, 3] = np.nan
    return mouse | {key: values}


def _cut(mouse, n):
    shorter = {key: mouse[key][..., :n] for key in ("activity", "pupil", "speed", "t_s")}
    return mouse | shorter


def _first_trials(mouse, n):
    kept = np.sort(np.concatenate([np.flatnonzero(mouse["direction_deg"] == one)[:n] for one in range(0, 360, 45)]))
    fewer = {key: mouse[key][kept] for key in ("pupil", "speed", "direction_deg")}
    return mouse | fewer | {"activity": mouse["activity"][:, kept]}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda mouse: _with_gap(mouse, "activity"), "mouse1.npz: activity has 49 values that are not finite; .*leave"),
        (lambda mouse: _with_gap(mouse, "pupil"), "mouse1.npz: pupil has 1 values that are not finite"),
        (lambda mouse: _without(mouse, "speed"), "mouse1.npz: has no 'speed'; found activity, pupil"),
        (lambda mouse: mouse | {"pupil": mouse["pupil"][:, :40]}, r"pupil has the shape \(64, 40\); wanted \(64, 49\)"),
        (lambda mouse: _cut(mouse, 40), "mouse1: has 40 windows of 0.0625 s from -1 s on, mouse0 has 49 .*; cut the"),
        (
            lambda mouse: mouse | {"t_s": 2 * mouse["t_s"]},
            "mouse1: has 49 windows of 0.125 s .*; wanted windows of 0.0",
        ),
        (lambda mouse: _first_trials(mouse, 5), "mouse1: has 5 trials of 0 degrees; wanted more than 6"),
    ],
)
def test_a_bad_mouse_is_refused_in_one_sentence(arrays, written, tmp_path, spoil, message):
    """Gaps, keys, shapes, windows and trials that do not fit are named with the file, before anything is fitted."""
    folder = written(tmp_path / "data", [0])
    np.savez(folder / "mouse1.npz", **spoil(arrays(1)))
    with pytest.raises(InputError, match=message) as error:
        experiment.run(folder, None, tmp_path / "out", seed=0, console=Console(quiet=True))
    assert "\n" not in str(error.value) and not (tmp_path / "out").exists()


def test_an_empty_folder_is_refused(tmp_path):
    """A folder without a mouse says what a mouse is, as --data and as --test."""
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match=r"none: has no \*\.npz; wanted files MOUSE.npz with activity"):
        experiment.run(tmp_path / "none", None, tmp_path / "out", seed=0, console=Console(quiet=True))
