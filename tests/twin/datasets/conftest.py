"""What every test of a data set needs: folders of small made-up files, and one way to check what comes out."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from twin import recording
from twin.datasets import ALL


@pytest.fixture
def folder(tmp_path) -> Path:
    """An empty folder for the files of a set."""
    made = tmp_path / "files"
    made.mkdir()
    return made


@pytest.fixture
def save(folder) -> Callable[..., Path]:
    """Write arrays to NAME.npz in the folder; keys may hold any character."""

    def to_npz(name: str, arrays: dict) -> Path:
        np.savez_compressed(folder / f"{name}.npz", **arrays)
        return folder / f"{name}.npz"

    return to_npz


@pytest.fixture
def loaded(folder) -> Callable[[str], dict[str, xr.DataTree]]:
    """All recordings of the set of that name in the folder."""

    def load(name: str) -> dict[str, xr.DataTree]:
        return {key: read() for key, read in ALL[name].recordings(folder, verify=False).items()}

    return load


@pytest.fixture
def round_trip(tmp_path) -> Callable[[xr.DataTree], xr.DataTree]:
    """Write a recording, open it again, and return what is there."""

    def through(tree: xr.DataTree) -> xr.DataTree:
        path = recording.write(tree, tmp_path / "stored.zarr")
        opened = recording.open(path).load()
        recording.validate(opened)
        assert {node.path: dict(node.sizes) for node in opened.subtree} == {
            node.path: dict(node.sizes) for node in tree.subtree
        }
        return opened

    return through


@pytest.fixture
def steps() -> Callable[[xr.DataTree], dict]:
    """Everything that the log of a recording says, in one dictionary."""

    def parameters(tree: xr.DataTree) -> dict:
        return {key: value for entry in tree.attrs["provenance"] for key, value in entry["parameters"].items()}

    return parameters
