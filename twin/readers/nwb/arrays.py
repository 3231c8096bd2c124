"""Numbers of an NWB file, read when they are used and in the pieces that are used."""

import dataclasses
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from twin.errors import InputError
from twin.readers.libraries import IN_MEMORY, library, parsing, scaled

_REGULAR = 1e-3  # of a sampling interval: how far time stamps may lie from a regular axis


@dataclasses.dataclass(frozen=True)
class Stored:
    """An HDF5 data set as an array that dask can cut: the file is opened for each piece, so nothing keeps it open."""

    path: Path
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    def __getitem__(self, index: Any) -> np.ndarray:
        with parsing(self.path, "an NWB file"), h5py.File(self.path, "r") as file:
            return np.asarray(file[self.name][index])


def values(source: Any, unit_factor: float = 1.0, *, in_memory: int | None = None) -> Any:
    """The physical values of a time series' data, in its first-dimension-is-time shape.

    `(data * conversion + offset) * unit_factor`, in float64, kept as float32 where the file has no more than 24
    significant bits.

    Args:
        source: a time series of pynwb.
        unit_factor: from the series' own unit to the wanted one.
        in_memory: how many values are read at once; a longer array is read when it is used.
    """
    factor = float(source.conversion) * unit_factor
    offset = float(getattr(source, "offset", 0.0) or 0.0) * unit_factor
    limit = IN_MEMORY if in_memory is None else in_memory
    return scaled(lazy(source.data, limit), factor, offset, in_memory=limit)


def lazy(data: Any, in_memory: int) -> Any:
    """A dask array on an HDF5 data set of more than `in_memory` values; a numpy array of anything else.

    Raises:
        InputError: the data are no numbers.
    """
    if not isinstance(data, h5py.Dataset):
        return np.asarray(data)
    if data.dtype.kind not in "iufb" or data.ndim == 0:
        raise InputError(f"{data.name} holds {data.dtype} of the shape {data.shape}; wanted an array of numbers.")
    if data.size <= in_memory:
        return np.asarray(data[()])
    stored = Stored(Path(data.file.filename), str(data.name), tuple(data.shape), data.dtype)
    row = max(1, int(np.prod(data.shape[1:])))
    chunks = (max(1, min(data.shape[0], IN_MEMORY // row)), *data.shape[1:])
    return library("dask.array", "reading an NWB file").from_array(stored, chunks=chunks, name=False)


def length(series: Any) -> int:
    """Samples of a time series."""
    return int(np.shape(series.data)[0]) if np.ndim(series.data) else 0


def timing(series: Any) -> tuple[float, float] | None:
    """Sampling rate, Hz, and start, s, of a time series; None where its time stamps are not regular."""
    if series.rate is not None:
        rate, start = float(series.rate), float(series.starting_time or 0.0)
        return (rate, start) if np.isfinite([rate, start]).all() and rate > 0 else None
    if series.timestamps is None or length(series) < 2:
        return None
    times = np.asarray(
        series.timestamps[()] if isinstance(series.timestamps, h5py.Dataset) else series.timestamps, np.float64
    )
    if times.shape != (length(series),) or not np.isfinite(times).all():
        return None
    step = (times[-1] - times[0]) / (len(times) - 1)
    regular = times[0] + step * np.arange(len(times))
    return (1.0 / step, float(times[0])) if step > 0 and np.abs(times - regular).max() < _REGULAR * step else None


def numbers(column: Any) -> np.ndarray:
    """A column of a table as numbers or texts."""
    array = np.asarray(column[()] if isinstance(column, h5py.Dataset) else column)
    if array.dtype.kind == "O":
        return np.array(
            [one.decode() if isinstance(one, bytes) else str(one) for one in array.ravel()], object
        ).reshape(array.shape)
    return array
