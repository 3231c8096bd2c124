"""The demo as a user runs it, small: every part of the report is there, and the same seed gives the same report."""

import json

import brian2
import jsonschema
import pytest
import xarray as xr

from experiments.cli import main
from twin import recording, report


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The report of a quick demo, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    brian2.prefs.codegen.target = "cython"  # 60 000 steps of one cell: compiling them is faster than numpy
    try:
        main(["demo", "--quick", "--seed", "1", "--out", str(folder / "out")])
    finally:
        brian2.prefs.codegen.target = "numpy"
    return folder / "out"


@pytest.fixture(scope="module")
def document(ran):
    return json.loads((ran / "report.json").read_text())


def test_the_report_follows_its_schema(document):
    """report.json is what the published schema says, with the promised words for models and metrics."""
    jsonschema.validate(document, report.schema())
    models = {row["model"] for row in document["scores"] if row["metric"] == "bits_per_spike"}
    validated = {row["model"] for row in document["scores"] if row["split"] == "validation"}
    assert models == validated == {"twin", "surrogate", "circuit", "lnp", "poisson"}
    assert {"coincidence_factor", "single_trial_correlation", "interval_ks", "count_tv"} <= {
        row["metric"] for row in document["scores"]
    }


def test_brian2_gave_the_same_spikes(document):
    """Cell and twin were run again by Brian2 itself, and no spike differed."""
    verdicts = {claim["name"]: claim for claim in document["claims"] if claim["level"] == "L0"}
    assert set(verdicts) == {"circuit_same_spikes_as_brian2", "twin_same_spikes_as_brian2"}
    for claim in verdicts.values():
        assert claim["verdict"] == "pass" and claim["figure"] == 0 and claim["n"] > 0, claim


def test_one_cell_decides_nothing_about_cells_animals_or_mechanisms(document):
    """Claims about cells, animals, labs, interventions and mechanism are not testable, with the reason."""
    beyond = [claim for claim in document["claims"] if claim["level"] in ("L3", "L4", "L5")]
    assert len(beyond) >= 5
    assert {claim["verdict"] for claim in beyond} == {"not_testable"} and all(claim["reason"] for claim in beyond)


def test_the_page_is_one_offline_file_with_every_section(ran):
    """Rasters, scores, raw and corrected parameters, dose-response, effects and provenance are on the page."""
    page = (ran / "report.html").read_text()
    for heading in (
        "What was recorded",
        "Recorded and generated spikes",
        "How near the models come",
        "Parameters, raw and corrected",
        "Calibrated values",
        "Sodium channel block",
        "Temperature and current",
    ):
        assert heading in page
    assert "<script src" not in page and 'href="http' not in page
    assert "twin demo" in page and "unreported" not in page.split("What was recorded")[0]


def test_the_store_holds_recordings_and_generated_trials(ran):
    """results.zarr has both recordings in the schema, the generated trials, and the numbers behind the figures."""
    tree = xr.open_datatree(ran / "results.zarr", engine="zarr", consolidated=False)
    assert len(recording.spike_times(tree["recordings/1"])[0]) == 929
    assert len(recording.spike_times(tree["generated/twin"])) == 3
    assert tree["perturbations/sodium_block/rate"].dims == ("model", "dose", "trial")
    rows = tree["parameters"].to_dataset()
    assert float(rows["corrected"].sel(quantity="half activation of p")) == -11.0


def test_the_table_of_a_full_block_is_silence(ran):
    """Without sodium channels hardly a crossing is left; without a block the rate is exactly that of the control."""
    tree = xr.open_datatree(ran / "results.zarr", engine="zarr", consolidated=False)
    block = tree["perturbations/sodium_block"].to_dataset()
    assert (block["rate"].sel(dose=1.0) < 0.1 * block["control"]).all()
    assert (block["rate"].sel(dose=0.0) == block["control"]).all()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_report(ran, tmp_path):
    """A second run with the same seed writes the same bytes, another seed does not."""
    main(["demo", "--quick", "--seed", "1", "--out", str(tmp_path / "again")])
    assert (tmp_path / "again" / "report.json").read_bytes() == (ran / "report.json").read_bytes()
    main(["demo", "--quick", "--seed", "2", "--out", str(tmp_path / "other")])
    assert (tmp_path / "other" / "report.json").read_bytes() != (ran / "report.json").read_bytes()
