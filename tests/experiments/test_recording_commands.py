"""`twin inspect`, `correct` and `export` as a person runs them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from experiments.cli import main
from twin import recording
from twin.protocol import Covariate, Protocol
from twin.recording import Stream, Sweeps, UnitTable
from twin.recording.summary import envelope, summarise

KNOWN_CELL = {
    "series_resistance": Covariate(15.0, "MOhm"),
    "bridge_balance": Covariate(10.0, "MOhm"),
    "junction_potential": Covariate(14.0, "mV", uncertainty=0.5, source="measured"),
    "junction_potential_corrected": Covariate(False),
}


def cell() -> xr.DataTree:
    """Two kinds of sweeps with what a correction needs."""
    steps = Sweeps(1e3, np.full((2, 100), -60.0), np.full((2, 100), 0.2), ids=["first", "second"])
    ramp = Sweeps(2e3, np.linspace(-80, 0, 50)[None], np.zeros((1, 50)), "voltage")
    more = {"series_resistance_compensation": Covariate(80.0, "%", verbatim="80 percent")}
    return recording.from_sweeps({"steps": steps, "ramp": ramp}, name="cell", protocol=Protocol(KNOWN_CELL | more))


def population() -> xr.DataTree:
    """Counts, fluorescence and spikes with streams of every form."""
    streams = {
        "stimuli": {"grating": Stream(np.zeros((2, 4, 3)), 10.0, "1", leading=("trial", "time"))},
        "behaviour": {"speed": Stream(np.arange(8.0), 20.0, "cm/s")},
        "interventions": {"drug": Stream(np.array(["bicuculline", "none"], object), None, "1", leading=("trial",))},
    }
    units = UnitTable(["a", "b", "c"], {"x": (np.arange(3.0), "um")})
    counts = recording.from_counts(np.arange(24).reshape(2, 4, 3), 0.1, name="p", unit_ids=units, **streams)
    seen = recording.from_fluorescence(
        np.ones((2, 5, 2)), name="f", unit="dF/F", times_s=np.array([0.0, 0.1, 0.2, 0.4, 0.5])
    )
    trains = [[np.array([0.1, 0.2]), np.array([0.3])], [np.array([]), np.array([0.4])]]
    return recording.join(counts, seen, recording.from_spikes(trains, start_s=0.0, stop_s=1.0, name="s"))


@pytest.fixture
def run(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """Runs a command on a wide terminal: exit code, output, errors."""
    monkeypatch.setenv("COLUMNS", "200")

    def command(*arguments: object) -> tuple[int, str, str]:
        code = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return command


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The cell on disk."""
    return recording.write(cell(), tmp_path / "cell.zarr")


def test_inspect_says_what_is_there_and_what_is_not(
    run: Callable, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sizes, ranges, clamp, sampling, reported covariates with their words, and the names of those unreported."""
    code, out, _ = run("inspect", store)
    assert code == 0
    assert "2 sweep x 100 time" in out and "-60 to -60 mV" in out and "1000 Hz, 0.1 s, current clamp" in out
    assert "-80 to 0 mV" in out and "voltage clamp" in out
    assert "14 ± 0.5 mV" in out and "80 percent" in out
    missing = out.split("not reported:")[1]
    assert "temperature" in missing and "junction_potential," not in missing


@pytest.mark.parametrize("make", [cell, population])
@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_inspect_draws_every_kind(make: Callable, ending: str, run: Callable, tmp_path: Path) -> None:
    """A picture of sweeps, and one of a population with streams; what is there already is not overwritten."""
    path = recording.write(make(), tmp_path / "r.zarr")
    picture = tmp_path / f"picture{ending}"
    code, out, err = run("inspect", path, "--draw", picture)
    assert (code, err) == (0, "") and str(picture) in out
    assert picture.stat().st_size > 5000
    code, _, err = run("inspect", path, "--draw", picture)
    assert code == 2 and "exists already" in err


def test_an_unknown_picture_format_is_refused(run: Callable, store: Path, tmp_path: Path) -> None:
    """Before anything is read."""
    code, out, err = run("inspect", store, "--draw", tmp_path / "picture.bmp")
    assert code == 2 and ".png or .svg or .pdf" in err and not out


def test_correct_and_undo(run: Callable, store: Path, tmp_path: Path) -> None:
    """The corrected recording, its table, the refusal to do it twice, and the way back."""
    code, out, err = run("correct", store, "--out", tmp_path / "c.zarr")
    assert (code, err) == (0, "")
    assert "junction_potential_mv 14" in out.replace("\n", " ") and "0.5" in out
    np.testing.assert_allclose(recording.open(tmp_path / "c.zarr")["voltage/steps/voltage"].values, -75.0)
    code, _, err = run("correct", tmp_path / "c.zarr", "--out", tmp_path / "cc.zarr")
    assert code == 2 and "doing it twice" in err and not (tmp_path / "cc.zarr").exists()
    code, _, _ = run("correct", tmp_path / "c.zarr", "--out", tmp_path / "u.zarr", "--undo")
    assert code == 0
    np.testing.assert_allclose(recording.open(tmp_path / "u.zarr")["voltage/steps/voltage"].values, -60.0)


def test_correct_asks_for_what_is_unreported_and_takes_it_from_a_file(run: Callable, tmp_path: Path) -> None:
    """The error names the value; a protocol file gives it, and is in the log by its hash."""
    known = {name: one for name, one in KNOWN_CELL.items() if name != "junction_potential"}
    tree = recording.from_voltage(
        np.full((1, 9), -60.0), 1e3, name="c", current_na=np.zeros((1, 9)), protocol=Protocol(known)
    )
    path = recording.write(tree, tmp_path / "r.zarr")
    code, _, err = run("correct", path, "--out", tmp_path / "c.zarr")
    assert code == 2 and "pipette_solution" in err and not (tmp_path / "c.zarr").exists()
    facts = tmp_path / "p.toml"
    facts.write_text('[junction_potential]\nvalue = 10.0\nsource = "notebook"\n')
    code, _, _ = run("correct", path, "--out", tmp_path / "c.zarr", "--protocol", facts)
    corrected = recording.open(tmp_path / "c.zarr")
    assert code == 0 and corrected["voltage/voltage"].values[0, 0] == -70.0
    assert "p.toml" in corrected.attrs["provenance"][0]["inputs"]


def test_export_writes_a_crate(run: Callable, store: Path, tmp_path: Path) -> None:
    """A folder with the metadata and the store."""
    code, out, _ = run("export", store, "--out", tmp_path / "crate")
    assert code == 0 and str(tmp_path / "crate") in out
    assert {one.name for one in (tmp_path / "crate").iterdir()} == {"ro-crate-metadata.json", "cell.zarr"}


@pytest.mark.parametrize("command", ["inspect", "correct", "export"])
def test_no_recording_is_one_sentence(command: str, run: Callable, tmp_path: Path) -> None:
    """A path that is none is named, with exit code 2."""
    more = [] if command == "inspect" else ["--out", tmp_path / "x"]
    code, _, err = run(command, tmp_path / "none.zarr", *more)
    assert code == 2 and err.count("\n") == 1 and "none.zarr: no such recording" in err


def test_envelope_and_summary_are_those_of_the_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lowest, highest and mean, in blocks that do not fit the stretches."""
    values = np.random.default_rng(0).normal(size=10_007)
    variable = xr.DataArray(values, dims="time")
    for block in (100, 997, 20_000):
        monkeypatch.setattr("twin.recording.summary.BLOCK", block)
        monkeypatch.setattr("twin.recording.validation.BLOCK", block)
        low, high = envelope(variable, 13)
        edges = np.linspace(0, len(values), 14).astype(int)
        np.testing.assert_array_equal(low, np.minimum.reduceat(values, edges[:-1]))
        np.testing.assert_array_equal(high, np.maximum.reduceat(values, edges[:-1]))
        found = summarise(variable)
        assert found is not None
        assert (found.n, found.low, found.high) == (10_007, values.min(), values.max())
        assert found.mean == pytest.approx(values.mean())
