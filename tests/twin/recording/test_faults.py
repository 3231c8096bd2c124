"""A recording that is not one is refused, with every fault in one sentence; so is a store that is not whole."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from twin import recording
from twin.errors import InputError
from twin.protocol import Covariate, Protocol
from twin.recording import Stream, Sweeps, UnitTable


def sweeps() -> xr.DataTree:
    """Two sweeps in current clamp."""
    return recording.from_voltage(np.zeros((2, 50)), 1e3, current_na=np.zeros((2, 50)), name="cell")


def population() -> xr.DataTree:
    """Counts of three units with a stimulus by trial."""
    light = Stream(np.zeros((2, 4)), 10.0, "1", leading=("trial", "time"))
    return recording.from_counts(np.ones((2, 4, 3), int), 0.1, name="p", stimuli={"light": light})


def spikes() -> xr.DataTree:
    """Two trials of two units."""
    trains = [[np.array([0.1, 0.2]), np.array([0.5])]] * 2
    return recording.from_spikes(trains, start_s=0.0, stop_s=1.0, name="s")


def spoil(tree: xr.DataTree, path: str, **changes: object) -> None:
    dataset = tree[path].to_dataset(inherit=False)
    tree[path].dataset = dataset.assign(
        {name: (dataset[name].dims, value, dataset[name].attrs) for name, value in changes.items()}
    )


FAULTS: list[tuple[Callable[[], xr.DataTree], Callable[[xr.DataTree], object], str]] = [
    (sweeps, lambda t: t["voltage/voltage"].attrs.update(units="V"), "has the units 'V', wanted 'mV'"),
    (sweeps, lambda t: t["voltage"].attrs.update(clamp="patch"), "clamp 'patch', wanted one of current, zero, voltage"),
    (sweeps, lambda t: t["voltage"].attrs.update(clamp="voltage") or spoil_current(t), "/voltage has no current"),
    (sweeps, lambda t: t["voltage"].attrs.update(sampling_hz=-1.0), "sampling rate -1.0"),
    (
        sweeps,
        lambda t: spoil(t, "voltage", voltage=np.full((2, 50), np.nan)),
        "voltage has 100 values that are not finite",
    ),
    (sweeps, lambda t: spoil(t, "voltage", sweep=np.array(["a", "a"], object)), "sweep name 'a' 2 times"),
    (population, lambda t: spoil(t, "counts", unit=np.array(["a", "b", "a"], object)), "unit name 'a' 2 times"),
    (population, lambda t: t["stimulus/light/value"].attrs.clear(), "no value with units"),
    (population, lambda t: t["stimulus/light"].attrs.update(start_s=np.inf), "starts at inf"),
    (population, lambda t: t["protocol"].attrs.update(temperature={"value": 1.0}), "/protocol is not one"),
    (spikes, lambda t: spoil(t, "spikes", trial_index=np.array([0, 0, 0, 1, 1, 7])), "points outside the 2 trials"),
    (
        spikes,
        lambda t: spoil(t, "spikes", unit_index=np.array([1, 0, 0, 0, 0, 1])),
        "not ordered by trial and then unit",
    ),
    (spikes, lambda t: spoil(t, "spikes", spike_time=np.array([0.1, np.nan, 0.5, 0.1, 0.2, 0.5])), "not finite"),
    (spikes, lambda t: spoil(t, "spikes", trial_stop=np.array([1.0, -1.0])), "does not start before it stops"),
]


def spoil_current(tree: xr.DataTree) -> None:
    tree["voltage"].dataset = tree["voltage"].to_dataset(inherit=False).drop_vars("current")


@pytest.mark.parametrize(("make", "plant", "words"), FAULTS, ids=[words for _, _, words in FAULTS])
def test_every_fault_is_seen(make: Callable, plant: Callable, words: str, tmp_path: Path) -> None:
    """A planted fault is named, and such a recording is not written."""
    tree = make()
    recording.validate(tree)
    plant(tree)
    with pytest.raises(InputError, match=words):
        recording.validate(tree)
    with pytest.raises(InputError, match=words):
        recording.write(tree, tmp_path / "r.zarr")
    assert not list(tmp_path.iterdir())


def test_all_faults_come_at_once() -> None:
    """Three planted faults are three in one error."""
    tree = population()
    spoil(tree, "counts", unit=np.array(["a", "b", "a"], object))
    tree["stimulus/light"].attrs["start_s"] = np.inf
    tree["counts/count"].attrs["units"] = "Hz"
    with pytest.raises(InputError, match=r"p: 3 fault\(s\): .*'Hz'.*'a' 2 times.*inf"):
        recording.validate(tree)


BAD_ARGUMENTS: list[tuple[Callable[[], object], str]] = [
    (lambda: recording.from_counts(np.ones((2, 4)), 0.1, name="c"), r"shape \(2, 4\); wanted \(trial, time, unit\)"),
    (lambda: recording.from_counts(np.ones((1, 2, 3)), 0.0, name="c"), "bins last 0.0 s"),
    (
        lambda: recording.from_counts(np.ones((1, 2, 3)), 0.1, name="c", unit_ids=["a"]),
        "1 names were given for 3 units",
    ),
    (lambda: recording.from_counts(np.ones((1, 2, 2)), 0.1, name="c", unit_ids=["a", "a"]), "'a' 2 times"),
    (lambda: recording.from_voltage(np.zeros(5), 1e3, name="v"), "wanted \\(sweep, time\\)"),
    (lambda: recording.from_voltage(np.zeros((1, 5)), 0.0, name="v"), "sampling rate is 0.0"),
    (lambda: recording.from_voltage(None, 1e3, name="v"), "wanted \\(sweep, time\\)"),
    (lambda: recording.from_voltage(np.zeros((1, 5)), 1e3, name="v", current_na=np.zeros((1, 4))), "the same for both"),
    (
        lambda: recording.from_voltage(np.zeros((1, 5)), 1e3, name="v", sweeps={"x": ([1, 2], "1")}),
        "one value for each sweep",
    ),
    (lambda: recording.from_voltage(np.zeros((1, 5)), 1e3, name="v", clamp="voltage"), "/voltage has no current"),
    (lambda: recording.from_fluorescence(np.zeros((1, 5, 1)), name="f", unit="%"), "either sampling_hz or times_s"),
    (
        lambda: recording.from_fluorescence(np.zeros((1, 3, 1)), name="f", unit="%", times_s=np.array([0.0, 2.0, 1.0])),
        "does not increase: 2 s is followed by 1 s",
    ),
    (lambda: Stream(np.zeros(3), None, "1"), "a stream in time has a positive one"),
    (lambda: Stream(np.zeros(3), 1.0, "1", leading=("unit",)), "wanted one of"),
    (lambda: recording.from_sweeps({}, name="v"), "there are no sweeps"),
    (lambda: recording.join(sweeps(), sweeps()), "both have /voltage"),
    (lambda: Protocol({"series_resistance": Covariate(1.0, "Ohm")}), "kept in 'MOhm'"),
]


@pytest.mark.parametrize(("make", "words"), BAD_ARGUMENTS, ids=[words for _, words in BAD_ARGUMENTS])
def test_bad_arguments_are_refused(make: Callable, words: str) -> None:
    """One sentence says what was given and what is wanted."""
    with pytest.raises(InputError, match=words):
        make()


def test_trials_have_one_number() -> None:
    """A stimulus of three trials does not fit a recording of two."""
    light = Stream(np.zeros((3, 4)), 10.0, "1", leading=("trial", "time"))
    with pytest.raises(InputError, match="number of trials differs: /counts has 2, /stimulus/light has 3"):
        recording.from_counts(np.ones((2, 4, 3), int), 0.1, name="p", stimuli={"light": light})


def test_kinds_of_sweeps_lie_apart_and_one_kind_lies_in_voltage() -> None:
    """Two kinds get a group each; one alone is /voltage itself."""
    steps, ramp = Sweeps(1e3, np.zeros((2, 5)), np.zeros((2, 5))), Sweeps(2e3, None, np.zeros((1, 9)), "voltage")
    both = recording.from_sweeps({"steps": steps, "ramp": ramp}, name="b")
    assert list(recording.sweep_sets(both)) == ["/voltage/steps", "/voltage/ramp"]
    assert list(recording.sweep_sets(recording.from_sweeps({"steps": steps}, name="b"))) == ["/voltage"]


def test_signals_of_one_preparation_are_joined(tmp_path: Path) -> None:
    """Fluorescence and spikes of the same cell are one recording."""
    seen = recording.from_fluorescence(np.zeros((2, 4, 1)), name="f", unit="dF/F", sampling_hz=30.0)
    both = recording.join(seen, spikes())
    again = recording.open(recording.write(both, tmp_path / "r.zarr"))
    assert {"fluorescence", "spikes"} <= set(again.children)
    assert recording.spike_times(again)[0].tolist() == [0.1, 0.2]


def files_of(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file())


@pytest.mark.parametrize("damage", ["remove", "cut", "flip"])
def test_a_damaged_store_is_never_read_as_a_recording(damage: str, tmp_path: Path) -> None:
    """Whichever file is missing, cut or has a flipped bit: it is said, at the latest when the samples are read."""
    units = UnitTable(["a", "b"], {"x": ([1.0, 2.0], "um")})
    tree = recording.from_counts(np.arange(60).reshape(5, 6, 2), 0.1, name="p", unit_ids=units)
    path = recording.write(tree, tmp_path / "r.zarr")
    for file in files_of(path):
        whole = file.read_bytes()
        if damage == "remove":
            file.unlink()
        elif damage == "cut":
            file.write_bytes(whole[: len(whole) // 2])
        else:
            file.write_bytes(whole[:-5] + bytes([whole[-5] ^ 4]) + whole[-4:])
        try:
            found = recording.loaded(recording.open(path))
        except InputError as error:
            assert str(path) in str(error)
        except RuntimeError as error:  # zstd's own checksum, when the samples are read
            assert damage == "flip" and "zstd" in str(error).lower()
        else:
            pytest.fail(f"{file} was damaged ({damage}) and {found} was read")
        file.write_bytes(whole)
    recording.loaded(recording.open(path))


def test_an_older_schema_is_refused(tmp_path: Path) -> None:
    """The sentence says which schema was found."""
    tree = sweeps()
    tree.attrs["schema_version"] = "1"
    with pytest.raises(InputError, match="schema_version is '1', wanted '2'"):
        recording.write(tree, tmp_path / "r.zarr")


def test_overwriting_replaces_a_recording_and_nothing_else(tmp_path: Path) -> None:
    """With `overwrite` an old recording is replaced; a folder that is none is left alone."""
    path = recording.write(sweeps(), tmp_path / "r.zarr")
    recording.write(population(), path, overwrite=True)
    assert recording.open(path).attrs["name"] == "p"
    assert [one.name for one in tmp_path.iterdir()] == ["r.zarr"]
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="is not a recording, so it is not replaced"):
        recording.write(sweeps(), other, overwrite=True)
    assert (other / "thesis.txt").read_text() == "mine"


def test_a_failed_overwrite_leaves_the_old_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error while the new one is written, or while it is put in place, keeps the old one whole."""
    path = recording.write(sweeps(), tmp_path / "r.zarr")
    before = {file: file.read_bytes() for file in files_of(path)}
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self.name == "store":
            raise OSError("disk full")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="disk full"):
        recording.write(population(), path, overwrite=True)
    monkeypatch.undo()
    assert {file: file.read_bytes() for file in files_of(path)} == before
    assert recording.open(path).attrs["name"] == "cell"


SLOW_WRITE = """
    import sys
    import time

    import dask.array
    import numpy as np

    from twin import recording

    def slow(block):
        print("writing", flush=True)
        time.sleep(0.2)
        return block

    values = dask.array.zeros((1, 1_000_000), chunks=(1, 10_000), dtype=np.float32).map_blocks(slow)
    recording.write(recording.from_voltage(values, 1e4, name="new"), sys.argv[1], overwrite=True)
"""


def test_a_killed_write_leaves_the_old_store(tmp_path: Path) -> None:
    """A process that is killed in the middle of writing leaves the old recording as it was."""
    path = recording.write(sweeps(), tmp_path / "r.zarr")
    before = {file: file.read_bytes() for file in files_of(path)}
    root = Path(recording.__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SLOW_WRITE), str(path)],
        stdout=subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as process:
        assert process.stdout is not None and process.stdout.readline()
        time.sleep(0.3)
        process.send_signal(signal.SIGKILL)
    assert {file: file.read_bytes() for file in files_of(path)} == before
    assert recording.open(path).attrs["name"] == "cell"


def test_the_root_carries_the_manifest(tmp_path: Path) -> None:
    """Every file of the store but the root is in the manifest, and the manifest is not part of the recording."""
    path = recording.write(sweeps(), tmp_path / "r.zarr")
    root = json.loads((path / "zarr.json").read_text())
    named = {path / name for name in root["attributes"]["manifest"]["files"]}
    assert named == set(files_of(path)) - {path / "zarr.json"}
    assert "manifest" not in recording.open(path).attrs
