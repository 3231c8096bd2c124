"""HDF5 files of the older NWB layouts, with every fault told in one sentence."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from twin.errors import InputError, UnsupportedError
from twin.readers.libraries import parsing


@contextlib.contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """The file, open for reading; whatever goes wrong while it is looked at is one sentence.

    Raises:
        InputError: it is no HDF5 file, is cut off, or holds something other than its layout says.
    """
    with parsing(path, "an NWB file of this layout"), h5py.File(path, "r") as file:
        yield file


def generation(path: Path) -> int:
    """1 or 2, the major version of NWB.

    Raises:
        UnsupportedError: neither.
    """
    with opened(path) as file:
        version = text(file.attrs.get("nwb_version")) or (
            text(file["nwb_version"][()]) if "nwb_version" in file else ""
        )
    number = version.lower().removeprefix("nwb-").split(".")[0]
    if number not in ("1", "2"):
        raise UnsupportedError(f"{path}: has the NWB version {version!r}; versions 1 and 2 are read: convert it.")
    return int(number)


def member(file: h5py.Group, name: str) -> Any:
    """The group or array of that path.

    Raises:
        InputError: there is none; the sentence names what is there instead.
    """
    if name not in file:
        above = name.rpartition("/")[0]
        found = ", ".join(list(file[above] if above and above in file else file)[:8]) or "nothing"
        raise InputError(f"{file.file.filename}: has no {file.name.rstrip('/')}/{name}; found {found}.")
    return file[name]


def numbers(file: h5py.Group, name: str, shape: tuple[int | str, ...]) -> np.ndarray:
    """The array of that path, read.

    Args:
        file: file or group.
        name: path in it.
        shape: a length for each axis, or a word where any is fine.

    Raises:
        InputError: it is not there or has another shape.
    """
    found = np.asarray(member(file, name)[()])
    fits = [want == have for want, have in zip(shape, found.shape, strict=False) if isinstance(want, int)]
    if found.ndim != len(shape) or not all(fits):
        wanted = ", ".join(str(axis) for axis in shape)
        raise InputError(
            f"{file.file.filename}: {file.name.rstrip('/')}/{name} has the shape {found.shape}; wanted ({wanted})."
        )
    return found


def text(value: Any) -> str:
    """A stored text as str, whatever way it was stored; "" for None."""
    if isinstance(value, np.ndarray):
        value = value.reshape(-1)[0] if value.size else ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


def text_at(file: h5py.Group, name: str) -> str | None:
    """The text of that path, or None where there is none."""
    if name not in file or not isinstance(file[name], h5py.Dataset):
        return None
    return text(file[name][()]).strip() or None
