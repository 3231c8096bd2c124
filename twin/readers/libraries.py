"""Other people's parsers: brought in when a file needs them, kept quiet, and their failures said in one sentence."""

import contextlib
import logging
import warnings
from collections.abc import Collection, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from twin.errors import InputError, NeurotwinError, UnsupportedError

LONGEST_REASON = 200  # characters of a library's own words
_TALKATIVE = ("neo", "igor2", "hdmf", "pynwb")  # loggers that print what they find in a broken file
IN_MEMORY = 2_000_000  # values; a longer array stays on disk until it is used


def library(module: str, purpose: str) -> Any:
    """A module of the extra `readers`.

    Raises:
        UnsupportedError: it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(module)
    except ImportError as error:
        name = module.split(".")[0]
        raise UnsupportedError(
            f"{purpose} needs the package {name}, which is not installed ({error}): pip install 'neurotwin[readers]'."
        ) from error


@contextlib.contextmanager
def parsing(path: Path, what: str) -> Iterator[None]:
    """Whatever a parser stumbles over in a broken file becomes one sentence that names the file.

    Parsers raise anything: struct.error, KeyError, UnicodeDecodeError, OverflowError, MemoryError, ... on the same
    fault at different bytes. Their warnings about old versions of a format are not shown.

    Raises:
        InputError: the file cannot be read as `what`.
    """
    levels = {name: logging.getLogger(name).level for name in _TALKATIVE}
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            for name in _TALKATIVE:
                logging.getLogger(name).setLevel(logging.CRITICAL + 1)
            yield
    except NeurotwinError as error:
        if str(path) in str(error):
            raise
        raise type(error)(f"{path}: {error}") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read as {what} ({reason(error)}); copy the file again.") from error
    except Exception as error:
        raise InputError(
            f"{path}: is not {what}, or was cut off or changed ({reason(error)}); copy the file again."
        ) from error
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def reason(error: BaseException) -> str:
    """What went wrong, on one line."""
    words = " ".join(str(error).split())
    words = words if len(words) <= LONGEST_REASON else words[: LONGEST_REASON - 3] + "..."
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def exact_float(dtype: np.dtype) -> np.dtype:
    """The float type that holds every value of `dtype`: float32 has 24 significant bits, which int16 fits into."""
    return np.dtype(np.float32 if dtype.kind in "iufb" and np.can_cast(dtype, np.float32, "safe") else np.float64)


def scaled(
    raw: Any, factor: float, offset: float = 0.0, *, dtype: np.dtype | None = None, in_memory: int | None = None
) -> Any:
    """`raw * factor + offset`, computed in float64 and kept in the smallest float type that holds the raw values.

    A dask array of more than `in_memory` values (`IN_MEMORY`, if not given) stays lazy, anything else is read.
    """
    limit = IN_MEMORY if in_memory is None else in_memory
    kept = exact_float(raw.dtype) if dtype is None else dtype
    values = (raw.astype(np.float64) * factor + offset).astype(kept)
    return values if values.size > limit or not hasattr(values, "compute") else values.compute(scheduler="sync")


def group_name(text: str, taken: Collection[str]) -> str:
    """A name for a group of a recording, made of a label: letters, digits, "-", "_" and ".", and not taken yet."""
    base = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in text).strip(".") or "unnamed"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    return name
