"""Files that are whole or absent: written beside, flushed to the disk, then moved into place."""

import contextlib
import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from twin.errors import InputError, NeurotwinError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn a failure of the disk into a sentence; what was at `path` before is still there."""
    try:
        yield
    except OSError as error:
        reason = "the disk is full" if error.errno in FULL else str(error.strerror or error)
        kept = "; the one that was there before is whole" if path.exists() else ""
        raise NeurotwinError(
            f"{path}: could not be written: {reason}{kept}. Make room and run the same command again: it goes on from "
            "the last state that was saved."
        ) from error


def replace_file(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file anew, all of it or nothing."""
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(f".{path.name}.writing")
        try:
            write(scratch)
            _flush(scratch)
            os.replace(scratch, path)
        finally:
            scratch.unlink(missing_ok=True)


def replace_folder(path: Path, write: Callable[[Path], None]) -> None:
    """Write a folder anew, all of it or nothing; an interruption between the two moves leaves it as `.NAME.before`."""
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        before = path.with_name(f".{path.name}.before")
        try:
            new = scratch / "new"
            new.mkdir()
            write(new)
            for file in new.rglob("*"):
                _flush(file)
            if path.exists():
                shutil.rmtree(before, ignore_errors=True)
                path.rename(before)
            new.rename(path)
            shutil.rmtree(before, ignore_errors=True)
        except BaseException:
            if not path.exists() and before.exists():
                before.rename(path)
            raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def recovered(path: Path) -> Path:
    """`path`, put back where an interruption left it as `.NAME.before`."""
    before = path.with_name(f".{path.name}.before")
    if not path.exists() and before.exists():
        before.rename(path)
    return path


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """A NumPy archive; a name may hold slashes."""
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_arrays(path: Path, what: str) -> dict[str, np.ndarray]:
    """The inverse of `write_arrays`.

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception as error:  # a damaged archive fails in as many ways as there are damages
        raise InputError(f"{path}: is not the {what} that was saved ({error}); restore it from a copy.") from error


def read_json(path: Path, what: str) -> dict[str, Any]:
    """A JSON document.

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path.parent}: is no {what} ({error}); give a folder that training wrote.") from error


def _flush(path: Path) -> None:
    if path.is_file():
        with path.open("rb") as file:
            os.fsync(file.fileno())
