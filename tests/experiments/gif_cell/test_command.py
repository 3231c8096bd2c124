"""`twin experiment gif_cell`: the report, the test folder, and one sentence for whatever is wrong."""

import json

import jsonschema
import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from experiments.cli import main
from experiments.gif_cell import cell, experiment
from experiments.gif_cell.settings import QUICK
from twin import report
from twin.errors import InputError


@pytest.fixture(scope="module")
def ran(tmp_path_factory, written):
    """A quick run on a cell that was made up, with the time after it as the test folder."""
    folder = tmp_path_factory.mktemp("ran")
    data, test = written(folder / "data"), written(folder / "test", 3.6, 5.0)
    experiment.run(data, test, folder / "out", seed=0, console=Console(quiet=True), settings=QUICK)
    return folder / "out"


@pytest.mark.slow
def test_the_report_follows_its_schema_and_has_every_claim(ran):
    """report.json is valid, the test folder is the test split, and what cannot be tested says so."""
    document = json.loads((ran / "report.json").read_text())
    jsonschema.validate(document, report.schema())
    metrics = {row["metric"] for row in document["scores"] if row["split"] == "test"}
    assert {"coincidence_factor", "relative_coincidence", "md_star", "bits_per_spike", "rmse_mv", "rate_hz"} <= metrics
    verdicts = {claim["name"]: claim["verdict"] for claim in document["claims"]}
    assert verdicts["junction_potential_is_corrected"] == "not_testable"
    assert verdicts["fits_transfer_to_another_cell"] == "not_testable"
    assert len(verdicts) == 7


@pytest.mark.slow
def test_the_electrode_that_was_put_in_is_taken_out(ran):
    """The kernel in the store is the one of the made-up electrode."""
    tree = xr.open_datatree(ran / "results.zarr", engine="zarr", consolidated=False)
    kernel = tree["electrode"]["kernel"].values
    np.testing.assert_allclose(kernel[:10], 4.0 * np.exp(-np.arange(10) / 2.0), atol=0.3)


@pytest.mark.slow
def test_the_page_and_the_store_hold_every_part(ran):
    """Each section is on the page, and spikes of recording, restarts, trials and vote are in the store."""
    page = (ran / "report.html").read_text()
    for heading in (
        "What was recorded",
        "Recorded and predicted spikes",
        "How near the models come",
        "Restarts",
        "Voltage between spikes",
        "With and without the electrode",
        "An assumed junction potential",
        "The escape-noise model",
    ):
        assert f">{heading}</h2>" in page
    tree = xr.open_datatree(ran / "results.zarr", engine="zarr", consolidated=False)
    assert {"recorded", "vote", "lif_coupled", "gif_coupled", "glm"} <= set(tree["test"].children)
    assert tree["test/lif_coupled"].attrs["n_trains"] == QUICK.restarts


def test_a_test_folder_that_goes_on_keeps_the_data_as_its_past(tmp_path, written):
    """The models run from the data's first sample; a folder from elsewhere is run alone and warmed up."""
    data, next_one = written(tmp_path / "data"), written(tmp_path / "next", 3.6, 5.0)
    joined = cell.load(data, next_one, QUICK)
    assert joined.scored_s == pytest.approx((3.6, 5.0)) and joined.raw.duration_s == pytest.approx(5.0)
    assert joined.split.stop_s == pytest.approx(3.6)
    fewer = written(tmp_path / "fewer", 3.6, 5.0, n_repeats=3)
    apart = cell.load(data, fewer, QUICK)
    assert apart.scored_s == pytest.approx((0.5, 1.4)) and len(apart.raw.sweeps) == 3


def test_without_a_test_folder_the_last_third_is_scored(tmp_path, written):
    """3.6 s: fitted to 1.2 s, chosen on to 2.4 s, scored from there."""
    one = cell.load(written(tmp_path / "data"), None, QUICK)
    assert one.split.validation == pytest.approx((1.2, 2.4)) and one.scored_s == pytest.approx((2.4, 3.6))


def test_wrong_folders_are_one_sentence(tmp_path, written, capsys):
    """No electrode test, a single repeat, or nothing at all: what was found, and what was wanted."""
    without = written(tmp_path / "without", with_test=False)
    with pytest.raises(InputError, match="0 electrode tests; wanted one"):
        cell.load(without, None, QUICK)
    alone = written(tmp_path / "alone", n_repeats=1)
    with pytest.raises(InputError, match="one repeat; reliability needs two"):
        cell.load(alone, None, QUICK)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit) as stopped:
        main(["experiment", "gif_cell", "--data", str(tmp_path / "empty"), "--out", str(tmp_path / "out")])
    assert stopped.value.code == 2 and "npz" in capsys.readouterr().err and not (tmp_path / "out").exists()
