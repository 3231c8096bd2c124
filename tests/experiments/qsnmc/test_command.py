"""`twin experiment qsnmc`: the report and the test folder."""

import json

import jsonschema
import pytest
import xarray as xr
from rich.console import Console

from experiments.qsnmc import experiment
from experiments.qsnmc.settings import QUICK
from twin import report

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ran(tmp_path_factory, written):
    """A quick run with a test folder of two further stimuli."""
    folder = tmp_path_factory.mktemp("ran")
    data = written(folder / "data")
    test = written(folder / "test", {"x": (0.2, 0.15), "y": (0.35, 0.0)})
    experiment.run(data, test, folder / "out", seed=0, console=Console(quiet=True), settings=QUICK)
    return folder / "out"


def test_the_test_folder_is_the_test_split_and_left_out_stimuli_the_validation(ran):
    """Stimuli of both folders are scored apart: by times where they repeat, by rates everywhere."""
    document = json.loads((ran / "report.json").read_text())
    jsonschema.validate(document, report.schema())
    scored = {(row["split"], row["condition"], row["metric"]) for row in document["scores"] if row["model"] == "vote"}
    assert ("test", "stimulus_x", "relative_coincidence") in scored and ("test", "stimulus_y", "rate_error") in scored
    assert ("test", "stimulus_y", "relative_coincidence") not in scored
    assert ("validation", "stimulus_a", "relative_coincidence") in scored
    handed = [row for row in document["scores"] if row["model"] == "another_stimulus" and row["split"] == "test"]
    assert {row["condition"] for row in handed} >= {"stimulus_x"}
    names = {claim["name"] for claim in document["claims"]}
    assert {f"{split}_stimuli_beat_the_best_simple_method_in_spike_times" for split in ("test", "validation")} <= names


def test_the_page_and_the_store_hold_every_part(ran):
    """Sections of both splits are on the page; fits without each stimulus and of all are in the store."""
    page = (ran / "report.html").read_text()
    for heading in ("What was recorded", "Spike times: test", "Spike times: left out", "Rates: test", "Restarts"):
        assert f">{heading}</h2>" in page
    tree = xr.open_datatree(ran / "results.zarr", engine="zarr", consolidated=False)
    assert set(tree["fits"].children) == {"without_a", "without_b", "without_c", "all"}
    assert {"recorded", "vote", "gif_coupled"} <= set(tree["test/x"].children)
