"""Which reader takes which files: a new reader is a new module and one name in this list."""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import xarray as xr

from twin.errors import InputError, UnsupportedError
from twin.readers import crcns_ia1

READERS: tuple[ModuleType, ...] = (crcns_ia1,)


def read(paths: Sequence[Path]) -> xr.DataTree:
    """Read files that belong together with the first reader that takes them.

    Raises:
        InputError: a file is missing, or the reader finds a fault in it.
        UnsupportedError: no reader takes them; the sentence lists what can be read.
    """
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: no such file; give an existing one.")
    for reader in READERS:
        if reader.accepts(paths):
            return reader.read(paths)
    formats = "; ".join(reader.FORMAT for reader in READERS)
    names = ", ".join(str(path) for path in paths) or "no files"
    raise UnsupportedError(f"{names}: no reader takes these files together; what can be read: {formats}.")
