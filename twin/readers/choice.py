"""Which reader takes which files, by their first bytes: a new reader is a new module and one name in this list."""

import inspect
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import xarray as xr

from twin.errors import InputError, UnsupportedError
from twin.readers import axon, crcns_ia1, igor, neo_formats, nwb, table

# The first that accepts the files reads them: those that know their files by a signature come first, and Neo, which
# knows most formats by their extension alone, comes last.
READERS: tuple[ModuleType, ...] = (nwb, axon, igor, table, crcns_ia1, neo_formats)


def read(paths: Sequence[Path], clamp: str | None = None) -> xr.DataTree:
    """Read files that belong together with the first reader that takes them.

    Args:
        paths: the files.
        clamp: "current", "zero" or "voltage", for readers of formats that may not say it.

    Raises:
        InputError: a file is missing, empty or a folder, or the reader finds a fault in it.
        UnsupportedError: no reader takes them; the sentence lists what can be read.
    """
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: no such file; give an existing one.")
        if not path.is_file():
            raise InputError(f"{path}: is a folder; give the files in it that belong together.")
        if path.stat().st_size == 0:
            raise InputError(f"{path}: is empty; copy the file again.")
    for reader in READERS:
        if reader.accepts(paths):
            knows = clamp is not None and "clamp" in inspect.signature(reader.read).parameters
            return reader.read(paths, **({"clamp": clamp} if knows else {}))
    formats = "; ".join(reader.FORMAT for reader in READERS)
    names = ", ".join(str(path) for path in paths) or "no files"
    raise UnsupportedError(f"{names}: no reader takes these files together; what can be read: {formats}.")
