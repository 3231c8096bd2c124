"""Original files as people have them: found, opened and checked, with every fault told in one sentence."""

import contextlib
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from twin import provenance
from twin.errors import InputError
from twin.readers import nwb


def find(folder: Path, pattern: str, what: str) -> list[Path]:
    """The files of `folder` that match, in alphabetical order; hidden ones are left out.

    Raises:
        InputError: there is none; `what` says what such a file is.
    """
    paths = sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))
    if not paths:
        raise InputError(f"{folder}: has no {pattern}; wanted {what}.")
    return paths


def require(path: Path, what: str) -> Path:
    """The path, if it is there.

    Raises:
        InputError: it is not.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file; wanted {what}.")
    return path


class Archive:
    """A `.npz` file (or a `.npy` file, whose only key is "array"); an array is read when it is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._reading():
            if path.suffix == ".npy":
                self.keys: tuple[str, ...] = ("array",)
                np.load(path, mmap_mode="r", allow_pickle=False)
            else:
                with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
                    self.keys = tuple(file.files)

    def __contains__(self, key: str) -> bool:
        return key in self.keys

    def array(self, key: str, shape: Sequence[int | str] = (), *, text: bool = False) -> np.ndarray:
        """The array of that key.

        Args:
            key: its name.
            shape: a length for each axis, or a word where any length is fine; () for a single value.
            text: whether it holds texts instead of numbers.

        Raises:
            InputError: no such key, another shape, or not numbers (texts).
        """
        if key not in self.keys:
            raise InputError(f"{self.path}: has no {key!r}; found {', '.join(self.keys[:8]) or 'nothing'}.")
        found = self.arrays((key,))[key]
        fits = [want == have for want, have in zip(shape, found.shape, strict=False) if isinstance(want, int)]
        if found.ndim != len(shape) or not all(fits):
            wanted = ", ".join(str(axis) for axis in shape)
            raise InputError(f"{self.path}: {key} has the shape {found.shape}; wanted ({wanted}).")
        if found.dtype.kind not in ("SU" if text else "biuf"):
            raise InputError(f"{self.path}: {key} holds {found.dtype}; wanted {'texts' if text else 'numbers'}.")
        return found

    def arrays(self, keys: Iterable[str]) -> dict[str, np.ndarray]:
        """Several arrays, whatever their shapes."""
        with self._reading():
            if self.path.suffix == ".npy":
                return {key: np.load(self.path, allow_pickle=False) for key in keys}
            with open(self.path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
                return {key: file[key] for key in keys}

    def number(self, key: str) -> float:
        """A single number."""
        return float(self.array(key))

    def sampling_hz(self, key: str, unit_s: float = 1.0) -> float:
        """The rate, Hz, that belongs to a stored step of time in units of `unit_s` seconds.

        Raises:
            InputError: the step is not positive.
        """
        step_s = self.number(key) * unit_s
        if not (np.isfinite(step_s) and step_s > 0):
            raise InputError(f"{self.path}: {key} is {self.number(key):g}; wanted a positive step of time.")
        return round(1.0 / step_s, 6)

    def text(self, key: str) -> str:
        """A single text."""
        return str(self.array(key, text=True))

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, EOFError, KeyError, zlib.error, zipfile.BadZipFile) as error:
            raise InputError(
                f"{self.path}: cannot be read as a numpy {self.path.suffix} file ({error}); copy it again."
            ) from error


def logged(tree: xr.DataTree, paths: Sequence[Path], **parameters: object) -> xr.DataTree:
    """The recording with an entry in its log: the files that it was read from, and what was done to their contents."""
    hashes = {path.name: provenance.file_hash(path) for path in paths}
    return provenance.log(tree, "read original files", inputs=hashes, parameters=parameters)


def read_nwb(path: Path, name: str) -> xr.DataTree:
    """An NWB 2 file as the NWB reader gives it, under a name of the set's choice."""
    return nwb.read([path], name=name)


def rate_from_times(times_s: np.ndarray, path: Path, tolerance: float = 0.05) -> float:
    """Sampling rate, Hz, of a regular time axis, rounded to 0.01 Hz: times are often stored in single precision.

    Raises:
        InputError: fewer than two samples, or a sample lies more than `tolerance` of a step from where it belongs.
    """
    rate = regular_rate(np.asarray(times_s, np.float64), tolerance)
    if rate is None:
        raise InputError(
            f"{path}: the {len(times_s)} times are not regular; wanted equal steps of two or more samples."
        )
    return round(rate, 2)


def regular_rate(times_s: np.ndarray, tolerance: float = 0.05) -> float | None:
    """Samples a second of a time axis that is regular to `tolerance` of a step, or None."""
    if len(times_s) < 2 or not times_s[-1] > times_s[0]:
        return None
    rate = (len(times_s) - 1) / float(times_s[-1] - times_s[0])
    off = np.abs(times_s - (times_s[0] + np.arange(len(times_s)) / rate)) * rate
    return rate if off.max() <= tolerance else None
