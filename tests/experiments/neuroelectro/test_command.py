"""`twin experiment neuroelectro`: the report, the test folder, and one sentence for whatever is wrong."""

import json

import jsonschema
import pytest
import xarray as xr
from rich.console import Console

from experiments.cli import main
from experiments.neuroelectro import table
from experiments.neuroelectro.experiment import find
from twin import report
from twin.errors import InputError


@pytest.fixture(scope="module")
def ran(tmp_path_factory, planted, written):
    """The report of a planted table, with a test folder of other articles."""
    folder = tmp_path_factory.mktemp("ran")
    data = written(folder / "data", planted(n_labs=30))
    test = written(folder / "test", planted(seed=1, n_labs=10, first_article=1000), encoding="utf-8")
    main(["experiment", "neuroelectro", "--data", str(data), "--test", str(test), "--out", str(folder / "out")])
    return folder / "out"


def test_the_report_follows_its_schema_and_scores_the_test_folder_apart(ran):
    """report.json is valid; the test folder alone is the test split, and what was left out inside is validation."""
    document = json.loads((ran / "report.json").read_text())
    jsonschema.validate(document, report.schema())
    by_split = {split: {row["condition"] for row in document["scores"] if row["split"] == split} for split in
                ("train", "validation", "test")}  # fmt: skip
    assert by_split["test"] == {"test_folder"} and "other_lab" in by_split["validation"]
    verdicts = {claim["name"]: claim["verdict"] for claim in document["claims"]}
    assert verdicts["uncorrected_junction_potential_raises_spike_threshold"] == "pass"
    assert verdicts["uncorrected_junction_potential_raises_resting_potential"] == "fail"
    assert verdicts["conditions_predict_spike_threshold_in_a_new_lab"] == "pass"
    assert verdicts["conditions_predict_spike_threshold_in_the_test_folder"] == "pass"
    assert verdicts["conditions_predict_spike_amplitude_in_a_new_lab"] == "fail"
    assert verdicts["permuted_conditions_bring_nothing"] == "pass"
    assert verdicts["conditions_cause_the_differences"] == "not_testable"


def test_the_page_and_the_store_hold_every_part(ran):
    """Each section is on the page with its figure, and raw and adjusted values stand side by side in the store."""
    page = (ran / "report.html").read_text()
    for heading in (
        "How much conditions explain",
        "Raw and adjusted values",
        "Junction potential",
        "A lab that was left out",
        "None, lab, conditions",
        "Naming the neuron type",
        "What can be compared",
        "The test folder",
    ):
        assert f">{heading}</h2>" in page
    assert page.count("<svg") == 6
    tree = xr.open_datatree(ran / "results.zarr", engine="zarr", consolidated=False)
    rows = tree["rows"]
    assert rows["spike_threshold_adjusted"].attrs["units"] == "mV"
    assert (rows["input_resistance_adjusted"] != rows["input_resistance"]).any()
    assert tree["islands"]["rows"].sum() == rows.sizes["row"] and "spike_threshold" in tree["leave_one_lab_out"]


def test_experiments_are_listed_and_named(tmp_path, capsys):
    """The list names the experiment; another name, no --data and no --out are refused in a sentence."""
    main(["experiment", "list"])
    assert "neuroelectro" in capsys.readouterr().out
    assert "no experiment 'neuro'; the experiments are: neuroelectro" in refused(capsys, "experiment", "neuro")
    assert "give --data DIR and --out DIR" in refused(capsys, "experiment", "neuroelectro")


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert "Traceback" not in told
    return next(line for line in told.splitlines() if line.startswith("twin: "))


def test_a_folder_without_the_table_is_refused(tmp_path, capsys, planted, written):
    """The parent folder is not guessed at: the sentence says what was found, what was wanted, and where it lies."""
    written(tmp_path / "all" / "neuroelectro", planted(n_labs=3))
    out = tmp_path / "out"
    told = refused(capsys, "experiment", "neuroelectro", "--data", tmp_path / "all", "--out", out)
    assert "all: holds neuroelectro/, and the file lies below, in neuroelectro/" in told and table.FILE in told
    assert "does not exist" in refused(capsys, "experiment", "neuroelectro", "--data", tmp_path / "no", "--out", out)
    assert not out.exists()


def test_shared_articles_are_refused(tmp_path, capsys, planted, written):
    """A test folder that has an article of the data folder would be predicted from itself."""
    data = written(tmp_path / "data", planted(n_labs=20))
    test = written(tmp_path / "test", planted(n_labs=1))
    told = refused(capsys, "experiment", "neuroelectro", "--data", data, "--test", test, "--out", tmp_path / "out")
    assert "2 of its 2 articles are in --data too, the first is article/0" in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"JxnPotential": "Perhaps"}, "line 4: JxnPotential is 'Perhaps'; wanted one of Corrected, Not corrected"),
        ({"ElectrodeType": "Spoon"}, "line 4: ElectrodeType is 'Spoon'"),
        ({"ir": "many"}, "line 4: ir is 'many'; wanted a number"),
        ({"ir": "-3"}, "line 4: ir is -3; wanted a number above 0"),
        ({"Age": "0"}, "line 4: Age is 0; wanted a number above 0"),
        ({"LastAuthor": ""}, "line 4: LastAuthor is empty; wanted a name"),
    ],
)
def test_a_cell_that_cannot_be_is_named_with_its_line(tmp_path, change, told, planted, written):
    """Every refused cell is named with file, line and column, what was found and what was wanted."""
    rows = planted(n_labs=3)
    rows[2] |= change
    with pytest.raises(InputError, match=told) as caught:
        table.read(written(tmp_path, rows))
    assert str(caught.value).startswith(table.FILE)


def test_a_broken_file_is_refused(tmp_path, planted, written, header):
    """A missing column, a line that is cut off, an empty file, a table without a usable row, and one too small."""
    rows = planted(n_labs=3)
    with pytest.raises(InputError, match="has no column Temp; wanted the columns"):
        table.read(written(tmp_path / "a", rows, [name for name in header if name != "Temp"]))
    folder = written(tmp_path / "b", rows)
    text = (folder / table.FILE).read_text("latin-1")
    (folder / table.FILE).write_text(text[: len(text) - 60], "latin-1")
    with pytest.raises(InputError, match=r"line 13: has \d+ fields and the header 21; the file is cut off"):
        table.read(folder)
    (folder / table.FILE).write_text("")
    with pytest.raises(InputError, match="has 0 lines"):
        table.read(folder)
    frogs = written(tmp_path / "c", [row | {"Species": "Xenopus"} for row in rows])
    with pytest.raises(InputError, match="none of 12 rows is left"):
        table.select(table.read(frogs))
    with pytest.raises(InputError, match="no property has 20 rows beyond one for each neuron type"):
        find(table.read(written(tmp_path / "d", rows)), None, 0, Console(quiet=True))


def test_what_is_not_reported_is_a_level(rows):
    """Empty, nan and Unreported are one level of the junction potential, never a default."""
    assert {"Corrected", "Not corrected", "Not reported"} == set(table.texts(rows, "junction_potential"))
