"""Regular time axes: two numbers in the store, a coordinate in memory."""

import numpy as np
import xarray as xr
from xarray.indexes import RangeIndex

LONGEST_IN_MEMORY = 4_000_000  # samples; beyond, the coordinate is computed when it is looked at


def time_axis(n: int, sampling_hz: float, start_s: float) -> xr.Coordinates:
    """The coordinate `time`, s, of `n` samples.

    A long one is an `xarray.indexes.RangeIndex`, which takes no memory and selects by position or nearest value only;
    `twin.recording.between` cuts either kind.
    """
    if n <= LONGEST_IN_MEMORY:
        coordinates = xr.Coordinates({"time": start_s + np.arange(n) / sampling_hz})
    else:
        index = RangeIndex.arange(start_s, start_s + (n - 0.5) / sampling_hz, 1.0 / sampling_hz, dim="time")
        coordinates = xr.Coordinates.from_xindex(index)
    coordinates["time"].attrs["units"] = "s"
    return coordinates


def with_time(dataset: xr.Dataset) -> xr.Dataset:
    """The data set with the coordinate that its attributes `sampling_hz` and `start_s` stand for."""
    if "time" not in dataset.sizes or "time" in dataset.variables or "sampling_hz" not in dataset.attrs:
        return dataset
    axis = time_axis(dataset.sizes["time"], float(dataset.attrs["sampling_hz"]), float(dataset.attrs["start_s"]))
    return dataset.assign_coords(axis)


def without_regular_time(dataset: xr.Dataset) -> xr.Dataset:
    """The data set as it is stored: a regular time axis is left to the attributes."""
    return dataset.drop_vars("time", errors="ignore") if "sampling_hz" in dataset.attrs else dataset
