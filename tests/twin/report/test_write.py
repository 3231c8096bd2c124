"""A report's folder holds everything or does not exist."""

import dataclasses
import json
import os
import stat
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import xarray as xr

from twin.errors import InputError, NeurotwinError
from twin.report import check_out_dir, render, schema, to_json, write


@pytest.fixture
def results() -> xr.DataTree:
    scores = xr.Dataset(
        {"value": ("model", [0.5, np.nan]), "word": ("model", np.array(["a", "bb"]))}, coords={"model": ["twin", "glm"]}
    )
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs={"seed": 7}), "/scores": scores})


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_folder_gets_all_three(report, results, tmp_path):
    """report.html and report.json are what `render` and `to_json` say, and the results read back from zarr v3."""
    out = write(report, tmp_path / "deep" / "out", results)
    assert names(out) == ["report.html", "report.json", "results.zarr"]
    assert (out / "report.html").read_text("utf-8") == render(report)
    assert (out / "report.json").read_text("utf-8") == to_json(report)
    jsonschema.validate(json.loads((out / "report.json").read_text("utf-8")), schema())
    assert json.loads((out / "results.zarr" / "zarr.json").read_text())["zarr_format"] == 3
    again = xr.open_datatree(out / "results.zarr", engine="zarr", consolidated=False)
    np.testing.assert_array_equal(again["scores/value"].values, [0.5, np.nan])
    assert list(again["scores/model"].values) == ["twin", "glm"] and list(again["scores/word"].values) == ["a", "bb"]
    assert again.attrs["seed"] == 7
    assert results["scores/word"].dtype.kind == "U", "the caller's results were changed"


def test_results_may_be_absent(report, tmp_path):
    """Without results there is a page and a report.json."""
    assert names(write(report, tmp_path / "out")) == ["report.html", "report.json"]
    assert names(tmp_path) == ["out"]


def test_an_empty_folder_is_filled_in_place(report, results, tmp_path):
    """A folder that is empty is used as it is: it may be a mount point or somebody's working directory."""
    out = tmp_path / "out"
    out.mkdir(mode=0o750)
    before = out.stat()
    write(report, out, results)
    assert names(out) == ["report.html", "report.json", "results.zarr"]
    assert (out.stat().st_ino, stat.S_IMODE(out.stat().st_mode)) == (before.st_ino, 0o750)
    assert names(tmp_path) == ["out"]


def test_the_working_directory_can_be_the_folder(report, tmp_path, monkeypatch):
    """`.` is a folder like any other."""
    monkeypatch.chdir(tmp_path)
    write(report, ".")
    assert names(tmp_path) == ["report.html", "report.json"]


def test_a_folder_with_something_in_it_is_refused(report, tmp_path):
    """Nobody's files are overwritten; the sentence names the folder and the way out."""
    (tmp_path / "kept.txt").write_text("kept")
    expected = f"{tmp_path} is not empty; give the name of a new folder, or empty this one first."
    for use in (check_out_dir, lambda out: write(report, out)):
        with pytest.raises(InputError) as caught:
            use(tmp_path)
        assert str(caught.value) == expected
    assert names(tmp_path) == ["kept.txt"]


def test_a_file_is_refused(tmp_path):
    """Neither a file nor a place below a file can be the folder."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is a file; give the name of a new or an empty folder"):
        check_out_dir(tmp_path / "file")
    with pytest.raises(InputError, match="lies below .*file, which is a file"):
        check_out_dir(tmp_path / "file" / "out")


def test_a_dangling_link_is_refused(tmp_path):
    """A link to nowhere is not a new name."""
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="is a file; give"):
        check_out_dir(tmp_path / "link")


def test_a_read_only_place_is_refused(tmp_path, monkeypatch):
    """A place that cannot be written to is refused before the work starts, by its nearest folder."""
    monkeypatch.setattr(os, "access", lambda folder, mode: folder != tmp_path)
    with pytest.raises(InputError, match=f"{tmp_path} is read-only"):
        check_out_dir(tmp_path / "deep" / "out")


def test_checking_makes_nothing(tmp_path):
    """The check before long work leaves no folder behind."""
    assert check_out_dir(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert names(tmp_path) == []


class Unwritable(xr.DataTree):
    """Results that fail, as `failure` says, after half of them are on disk."""

    failure: type[BaseException] = RuntimeError
    __slots__ = ()

    def to_zarr(self, store, **options):
        super().to_zarr(store, **options)
        raise self.failure("half-way")

    def map_over_datasets(self, *arguments, **options):
        return self


class Watched(Unwritable):
    """Results that note where they were written to."""

    seen: list[Path] = []
    __slots__ = ()

    def to_zarr(self, store, **options):
        self.seen.append(Path(store))


@pytest.mark.parametrize("existed", [False, True])
def test_work_in_progress_is_beside_a_new_folder_and_inside_an_old_one(report, tmp_path, monkeypatch, existed):
    """Renaming works only within one file system: that of the parent, or that of a folder which may be a mount."""
    monkeypatch.setattr(Watched, "seen", [])
    out = tmp_path / "out"
    if existed:
        out.mkdir()
    write(report, out, Watched(xr.Dataset({"x": ("i", np.arange(3))})))
    (store,) = Watched.seen
    assert store.parents[1] == (out if existed else tmp_path)
    assert store.parent.name.startswith(".")


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("existed", [False, True])
def test_nothing_is_left_when_writing_fails(report, tmp_path, monkeypatch, failure, existed):
    """An error or an interrupt half-way leaves neither files, nor hidden folders, nor the parents that were made."""
    monkeypatch.setattr(Unwritable, "failure", failure)
    out = tmp_path / "deep" / "out"
    if existed:
        out.mkdir(parents=True)
    with pytest.raises(failure, match="half-way"):
        write(report, out, Unwritable(xr.Dataset({"x": ("i", np.arange(3))})))
    assert sorted(path.name for path in tmp_path.rglob("*")) == (["deep", "out"] if existed else [])


def test_results_that_zarr_cannot_store_leave_nothing(report, tmp_path):
    """A real failure of the store, an array of mixed objects, is not hidden and leaves nothing."""
    mixed = xr.DataTree(xr.Dataset({"x": ("i", np.array([object(), "a"], dtype=object))}))
    with pytest.raises(ValueError, match="mixed native types"):
        write(report, tmp_path / "out", mixed)
    assert names(tmp_path) == []


def test_a_failure_at_the_last_step_leaves_nothing(report, tmp_path, monkeypatch):
    """When the second of two files cannot be moved into an existing folder, the first is taken back."""
    out = tmp_path / "out"
    out.mkdir()
    rename = type(out).rename

    def full_disk(path, target):
        if path.name == "report.json":
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(type(out), "rename", full_disk)
    with pytest.raises(NeurotwinError, match="could not be written .*No space left.*nothing was left there"):
        write(report, out)
    assert names(out) == []


def test_a_report_with_nan_writes_nothing(report, tmp_path):
    """NaN is refused before the first file is made."""
    broken = dataclasses.replace(report, scores=[dict(report.scores[0], value=float("nan"))])
    with pytest.raises(InputError, match="score 1, value is nan"):
        write(broken, tmp_path / "out")
    assert names(tmp_path) == []
