"""`twin experiment calcium`: known kinetics are found, the report, the test folder, one sentence for what is wrong."""

import dataclasses
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from experiments.calcium import cells, experiment, fitting, grid, scoring
from experiments.calcium.cells import Segment
from experiments.calcium.corpus import Corpus, coded
from experiments.calcium.moments import by_cell, moments
from experiments.calcium.settings import QUICK, Settings
from experiments.cli import main
from twin import report
from twin.errors import InputError

NAMES = ("DS01-OGB1-m-V1", "DS02-OGB1-m-S1", "DS03-GCaMP6f-m-V1", "DS04-GCaMP6f-zf-pDp")
QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, written):
    """Four data sets of two indicators."""
    return Corpus(cells.load(written(tmp_path_factory.mktemp("corpus"), NAMES), QUIET))


@pytest.fixture(scope="module")
def ran(tmp_path_factory, written):
    """A quick run with a test folder, of a data set the fits have not seen."""
    folder = tmp_path_factory.mktemp("ran")
    data, test = written(folder / "data", NAMES), written(folder / "test", ("DS09-GCaMP6f-m-V1",), seed=7000)
    experiment.run(data, test, folder / "out", seed=0, console=QUIET, settings=QUICK)
    return folder / "out"


def test_known_kinetics_are_found(corpus):
    """Exponents near 1 for the dye and near 1.9 for the protein, and decays as they were put in."""
    found = fitting.adapt(corpus, fitting.broad(len(corpus.cells)), Settings(), early=False)
    exponent, decay_s = np.exp(found[:, 2]), np.exp(found[:, 1])
    dye = corpus.indicator == "OGB1"
    assert np.median(exponent[dye]) == pytest.approx(1.0, abs=0.25)
    assert np.median(exponent[~dye]) == pytest.approx(1.9, abs=0.4)
    assert np.median(decay_s[dye]) > 1.5 * np.median(decay_s[~dye])


def test_the_fit_follows_the_slope_of_the_loss(corpus):
    """The derivative that the step is made from is the finite difference of the unexplained share."""
    theta = fitting.broad(len(corpus.cells)).mean

    def evaluated(shift):
        sums = moments((theta + shift)[corpus.cell], corpus.grid, corpus.grid.frames, len(corpus.segments))
        return fitting.local(by_cell(sums, corpus.cell, len(corpus.cells)))

    at = evaluated(0.0)
    for parameter in (1, 2, 4):
        shift = np.zeros(6)
        shift[parameter] = 0.02
        slope = (evaluated(shift).loss - evaluated(-shift).loss) / 0.04
        np.testing.assert_allclose(2 * at.slope[:, parameter], slope, atol=2e-3)


def test_a_left_out_data_set_teaches_itself_nothing(corpus):
    """Other kinetics of the left-out cells change nothing of what is believed of them."""
    kinetics = np.random.default_rng(0).normal(size=(len(corpus.cells), 6))
    own = corpus.data_set == NAMES[0]
    facts = corpus.facts[own]
    before = fitting.taught(kinetics, corpus, ~own, facts, 3.0)
    after = fitting.taught(np.where(own[:, None], 9.0, kinetics), corpus, ~own, facts, 3.0)
    np.testing.assert_array_equal(before.mean, after.mean)
    np.testing.assert_array_equal(before.precision, after.precision)
    leaked = fitting.taught(np.where(own[:, None], 9.0, kinetics), corpus, np.ones(len(own), bool), facts, 3.0)
    assert not np.array_equal(leaked.mean, before.mean)


def test_a_silent_cell_teaches_nothing(corpus):
    """A cell with four spikes has no kinetics to pass on; the others teach."""
    spikes = corpus.segments[0].spikes_s[:4]
    quiet = Corpus((dataclasses.replace(corpus.segments[0], spikes_s=spikes), *corpus.segments[1:]))
    assert corpus.teaches.all()
    assert quiet.teaches.tolist() == [False] + [True] * (len(quiet.cells) - 1)


def test_adapting_does_not_see_the_second_half(corpus):
    """Fluorescence of the second half may be anything: the adapted kinetics are the same."""
    settings = QUICK
    prior = fitting.broad(len(corpus.cells))
    before = fitting.adapt(corpus, prior, settings, early=True)
    spoiled = []
    for one in corpus.segments:
        dff = one.dff.copy()
        dff[one.half :] = dff[: one.half].mean()
        spoiled.append(Segment(one.name, one.data_set, one.cell, one.facts, one.times_s, dff, one.spikes_s, one.half))
    after = fitting.adapt(Corpus(tuple(spoiled)), prior, settings, early=True)
    np.testing.assert_allclose(after, before, atol=2e-2)
    whole = fitting.adapt(Corpus(tuple(spoiled)), prior, settings, early=False)
    assert np.abs(whole - before).max() > 0.1


def test_the_first_half_runs_over_the_segments_of_a_cell():
    """Frames 10, 30 and 20 of one cell: half of 60 is all of the first, 20 of the second and none of the third."""
    made = [
        Segment(f"s{n}", "DS", "DS 0", {}, np.arange(n, dtype=float), np.zeros(n), np.zeros(0)) for n in (10, 30, 20)
    ]
    assert [one.half for one in cells.halved(made)] == [10, 20, 0]


def test_spikes_keep_their_number_on_the_grid(corpus):
    """Every spike is on the grid once, pieces overlap in their warm-up only."""
    segment = corpus.segments[0]
    assert grid.on_grid(segment)[0].sum() == pytest.approx(len(segment.spikes_s))
    mine = corpus.grid.segment == 0
    counted = np.asarray(corpus.grid.spikes)[grid.WARM_UP :, mine].sum()
    assert counted == pytest.approx(len(segment.spikes_s), rel=1e-5)
    assert np.asarray(corpus.grid.frames)[:, mine].sum() == len(segment.dff)


@pytest.mark.parametrize(
    ("indicator", "told"),
    [
        ("GCaMP6f", (1, 0, 0)),
        ("GCaMP6s", (1, 1, 0)),
        ("jRCaMP1a", (0, 0, 1)),
        ("jGECO1a", (0, 0, 1)),
        ("R-CaMP", (0, 0, 1)),
        ("OGB1-2", (0, 0, 0)),
    ],
)
def test_indicators_become_families(indicator, told):
    """What the name of an indicator says of its family."""
    facts = {"indicator": indicator, "species": "mouse", "cell_type": "unknown", "neuropil_subtracted": "True"}
    assert coded(facts) == [1, *told, 0, 0, 1]


def test_the_interval_resamples_data_sets_and_cells():
    """Ten sets around .7 with a spread of .1: the interval holds .7 and is wider than without sets' spread."""
    random = np.random.default_rng(0)
    sets = {f"d{n}": 0.7 + 0.1 * random.normal() + 0.02 * random.normal(size=8) for n in range(10)}
    one = scoring.over_sets(sets, 1000, 0)
    assert one.interval.low < 0.7 < one.interval.high and 0.08 < one.interval.high - one.interval.low < 0.4


def test_the_report_follows_its_schema_and_has_every_claim(ran):
    """report.json is valid; left-out sets are the validation, the test folder the test; chance predicts nothing."""
    document = json.loads((ran / "report.json").read_text())
    jsonschema.validate(document, report.schema())
    assert {row["split"] for row in document["scores"]} == {"validation", "test"}
    claims = {claim["name"]: claim for claim in document["claims"]}
    assert len(claims) == 13
    assert claims["left_out_data_sets_reach_80"]["figure"] > 0.7
    assert claims["spikes_at_the_wrong_time_predict_nothing"]["figure"] < 0.3


def test_the_page_and_the_store_hold_every_part(ran):
    """Each section is on the page; the store has cells and frames of both splits."""
    page = (ran / "report.html").read_text()
    for heading in ("How near the models come: test", "Data sets: validation", "Some cells", "Kinetics",
                    "When earlier frames are known", "Calibration", "What is left"):  # fmt: skip
        assert f">{heading}</h2>" in page
    tree = xr.open_datatree(ran / "results.zarr", engine="zarr", consolidated=False)
    assert tree["test/cells"].sizes["cell"] == 3 and tree["validation/data_sets"].sizes["data_set"] == 4
    assert tree["validation/frames"].sizes["segment"] == 12


def test_a_recording_in_both_folders_is_refused(tmp_path, written):
    """What is scored must not be fitted."""
    data = written(tmp_path / "data", NAMES[:2], 1)
    with pytest.raises(InputError, match="share 1 recordings, such as DS01"):
        experiment.run(data, written(tmp_path / "test", NAMES[:1], 1), tmp_path / "out", seed=0, console=QUIET)


def test_one_data_set_and_no_data_set_are_one_sentence(tmp_path, written, capsys):
    """Exit code 2, and nothing is written."""
    one = written(tmp_path / "one", NAMES[:1], 1)
    (tmp_path / "empty").mkdir()
    for folder, told in ((one, "has one data set"), (tmp_path / "empty", "has no *.npz")):
        with pytest.raises(SystemExit) as stopped:
            main(["experiment", "calcium", "--data", str(folder), "--out", str(tmp_path / "out")])
        assert stopped.value.code == 2 and told in capsys.readouterr().err
    assert not Path(tmp_path / "out").exists()


def test_a_folder_that_cannot_be_scored_is_refused(tmp_path, written):
    """Four seconds at 20 Hz are 80 frames, and a second half of 40 is too short for a correlation."""
    data = written(tmp_path / "data", NAMES[:2], 1)
    test = written(tmp_path / "test", ("DS09-GCaMP6f-m-V1",), 1, seconds=4.0)
    with pytest.raises(InputError, match="test: no cell has a segment with 5 spikes and 50 frames in its second half"):
        experiment.run(data, test, tmp_path / "out", seed=0, console=QUIET)


def test_a_slow_drift_is_little_evidence():
    """White residuals of 400 s count as 400 values; a random walk counts as a few."""
    random = np.random.default_rng(0)
    times = np.arange(0, 400, 0.1)
    values = random.normal(size=4000), np.cumsum(random.normal(size=4000))
    made = tuple(Segment(f"s{n}", "DS", f"DS {n}", {}, times, one, np.zeros(0)) for n, one in enumerate(values))
    white, walk = fitting.independent_values(Corpus(made), [np.zeros(4000)] * 2, early=False)
    assert white > 330 and walk < 20
