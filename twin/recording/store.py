"""Recordings on disk: written whole or not at all, and read only if nothing is missing.

The root's attribute `manifest` has the size of every file, and the hash of those that describe the arrays. A chunk
that is absent would otherwise be read as the array's fill value, so a store that was cut off while it was copied would
look like a recording with zeros in it. Each chunk carries a checksum of its own.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from zarr.codecs import ZstdCodec

from twin.errors import InputError
from twin.recording.time_axis import with_time, without_regular_time
from twin.recording.validation import validate

MANIFEST = "manifest"
ROOT = "zarr.json"
CHUNK = 2_000_000  # values; what a reader that streams keeps in memory is a few of these


def write(tree: xr.DataTree, path: str | Path, *, overwrite: bool = False) -> Path:
    """Store a recording as zarr v3, all of it or nothing: it is written beside `path` and then renamed.

    Dask arrays are written chunk by chunk, whatever their size.

    Args:
        tree: the recording.
        path: folder to make.
        overwrite: replace a recording that is there; it stays until the new one is complete.

    Raises:
        InputError: the recording is not valid, or `path` exists and is not to be replaced, or is no recording.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise InputError(f"{path}: exists already; give another name, or remove it first.")
    if path.exists() and not (path / ROOT).is_file():
        raise InputError(f"{path}: is there and is not a recording, so it is not replaced; give another name.")
    validate(tree)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _beside(path) as scratch:
        _write_arrays(tree, scratch / "store")
        _write_manifest(scratch / "store")
        _take_the_place(scratch / "store", path, scratch / "old")
    return path


def open(path: str | Path, *, chunks: dict[str, int] | None = None) -> xr.DataTree:
    """Open a stored recording; signals are read when they are used.

    Args:
        path: folder that `write` made.
        chunks: as xarray's: {} gives dask arrays in the store's chunks, for work on a recording larger than memory.

    Raises:
        InputError: there is no recording at `path`, a file of it is missing or was changed, or it is not valid. The
            samples themselves are not looked at until they are read: `validate` does that.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such recording; give the folder that `twin ingest` or `twin data get` wrote.")
    _check_manifest(path)
    try:
        stored = xr.open_datatree(path, engine="zarr", consolidated=False, chunks=chunks)
        tree = stored.map_over_datasets(_as_built)
    except Exception as error:  # zarr and xarray raise whatever the broken part of the store makes them stumble over
        raise InputError(f"{path}: is not a recording in zarr v3 ({error}).") from error
    tree.attrs = {name: value for name, value in stored.attrs.items() if name != MANIFEST}
    try:
        validate(tree, values=False)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except Exception as error:
        raise InputError(f"{path}: cannot be read ({error}); copy it again, or make it anew.") from error
    return tree


def _as_built(dataset: xr.Dataset) -> xr.Dataset:
    """Texts as objects in memory and times as a coordinate, as they were before they were written."""
    texts = {
        name: (variable.dims, np.asarray(variable.values, dtype=object), variable.attrs)
        for name, variable in dataset.variables.items()
        if variable.dtype.kind == "T"
    }
    coordinates = {name: text for name, text in texts.items() if name in dataset.coords}
    columns = {name: text for name, text in texts.items() if name not in coordinates}
    return with_time(dataset.assign_coords(coordinates).assign(columns))


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A folder on the same disk, which is gone afterwards."""
    scratch = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write_arrays(tree: xr.DataTree, folder: Path) -> None:
    stored = tree.map_over_datasets(without_regular_time)
    stored.attrs = dict(tree.attrs)
    encoding = {node.path: _encoding(node.to_dataset(inherit=False)) for node in stored.subtree}
    # A chunk of zeros would be left out otherwise, and read as whatever the array's fill value is.
    stored.to_zarr(folder, zarr_format=3, consolidated=False, encoding=encoding, write_empty_chunks=True)


def _encoding(dataset: xr.Dataset) -> dict[str, dict[str, Any]]:
    encoding: dict[str, dict[str, Any]] = {}
    for name, variable in dataset.variables.items():
        variable.encoding = {}  # of the file that it was read from
        encoding[str(name)] = {"compressors": (ZstdCodec(level=3, checksum=True),), "chunks": _chunks(variable)}
    return {name: given for name, given in encoding.items() if given["chunks"]}


def _chunks(variable: xr.Variable) -> tuple[int, ...]:
    """A dask array keeps its own chunks; another is cut along its longest axes."""
    if variable.chunks is not None:
        return tuple(sizes[0] for sizes in variable.chunks)
    shape = [max(length, 1) for length in variable.shape]
    while shape and _product(shape) > CHUNK:
        longest = shape.index(max(shape))
        shape[longest] = -(-shape[longest] // 2)
    return tuple(shape)


def _product(shape: list[int]) -> int:
    result = 1
    for length in shape:
        result *= length
    return result


def _write_manifest(folder: Path) -> None:
    files: dict[str, dict[str, Any]] = {}
    for file in sorted(Path(root) / name for root, _, names in os.walk(folder) for name in names):
        if file != folder / ROOT:
            hashed = {"sha256": _hash(file.read_bytes())} if file.name == ROOT else {}
            files[file.relative_to(folder).as_posix()] = {"bytes": file.stat().st_size} | hashed
    root = json.loads((folder / ROOT).read_text(encoding="utf-8"))
    root["attributes"][MANIFEST] = {"files": files, "root": _hash_of_root(root)}
    (folder / ROOT).write_text(json.dumps(root, indent=1), encoding="utf-8")


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _hash_of_root(root: dict[str, Any]) -> str:
    """Of what the root says, but for the manifest."""
    attributes = {name: value for name, value in root["attributes"].items() if name != MANIFEST}
    return _hash(json.dumps({**root, "attributes": attributes}, sort_keys=True).encode())


def _check_manifest(path: Path) -> None:
    wanted = _manifest(path)
    for name, entry in wanted.items():
        file = path / name
        if not file.is_file():
            raise InputError(f"{path}: {name} is missing; copy the recording again, or make it anew.")
        size, digest = entry["bytes"], entry.get("sha256")
        if file.stat().st_size != size or (digest is not None and _hash(file.read_bytes()) != digest):
            raise InputError(f"{path}: {name} was changed or cut off; copy the recording again, or make it anew.")


def _manifest(path: Path) -> dict[str, dict[str, Any]]:
    again = "copy the recording again, or make it anew with `twin ingest` or `twin data get`"
    try:
        root = json.loads((path / ROOT).read_text(encoding="utf-8"))
        manifest = root["attributes"][MANIFEST]
        files, told = dict(manifest["files"]), manifest["root"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: is not a recording, or was not written to the end ({type(error).__name__}: {error}); {again}."
        ) from None
    if _hash_of_root(root) != told:
        raise InputError(f"{path}: {ROOT} was changed after it was written; {again}.")
    return files


def _take_the_place(new: Path, path: Path, old: Path) -> None:
    """Put the new store where the old one is; the old one is back if that fails."""
    if path.exists():
        path.rename(old)
    try:
        new.rename(path)
    except BaseException:
        if old.exists():
            old.rename(path)
        raise
