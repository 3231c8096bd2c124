"""Units (spike times) and fluorescence of an NWB file."""

import dataclasses
from typing import Any

import numpy as np
import xarray as xr

from twin import recording
from twin.errors import InputError
from twin.protocol import Covariate
from twin.readers.nwb.arrays import numbers, timing, values
from twin.readers.nwb.protocol import extra_columns, text_of
from twin.recording import UnitTable

_DF = "DfOverF"


@dataclasses.dataclass(frozen=True)
class Signal:
    """One signal of a population, as a recording of its own, with what it adds to the protocol."""

    tree: xr.DataTree
    protocol: dict[str, Covariate]
    handled: set[str]
    not_read: list[str]


def spikes(nwb: Any, name: str) -> Signal | None:
    """The units table as one trial that spans the session; None where there are no spike times.

    Spike times that repeat the one before exactly are left out, and counted in `not_read`.
    """
    table = nwb.units
    if table is None or "spike_times" not in table.colnames or not len(table):
        return None
    trains, not_read = [], []
    ids = [str(one) for one in np.asarray(table.id[:])]
    for unit in range(len(table)):
        times = np.asarray(table.get_unit_spike_times(unit), dtype=np.float64)
        repeated = np.flatnonzero(np.diff(times) == 0) + 1
        if repeated.size:
            not_read.append(f"units/spike_times: {repeated.size} of unit {ids[unit]} that repeat the one before")
        trains.append(np.delete(times, repeated))
    start_s, stop_s = _span(table, trains)
    extra = {
        column: (array, "1" if column != "waveform_mean" else "V")
        for column, array, _ in extra_columns(table, len(table))
        if column not in ("spike_times", "obs_intervals")
    }
    extra |= _electrodes(table, ids)
    tree = recording.from_spikes([trains], start_s=start_s, stop_s=stop_s, name=name, unit_ids=UnitTable(ids, extra))
    left = [
        f"units/{column}"
        for column in table.colnames
        if column not in (*extra, "spike_times", "obs_intervals", "electrodes")
    ]
    covariates = {}
    if resolution := getattr(table, "resolution", None):
        covariates["spike_time_resolution"] = Covariate(
            float(resolution), "s", "reported", "resolution of the units table"
        )
    return Signal(tree, covariates, {table.object_id}, not_read + left)


def _span(table: Any, trains: list[np.ndarray]) -> tuple[float, float]:
    """What was observed, where the file says it; otherwise from 0 (or the first spike) to just after the last spike."""
    if "obs_intervals" in table.colnames:
        intervals = [np.asarray(table.get_unit_obs_intervals(unit), dtype=np.float64) for unit in range(len(table))]
        edges = np.concatenate([one.reshape(-1, 2) for one in intervals])
        if edges.size:
            return float(edges[:, 0].min()), float(np.nextafter(edges[:, 1].max(), np.inf))
    times = np.concatenate(trains)
    if not times.size:
        raise InputError(
            "the units have neither spike times nor obs_intervals, so nobody knows how long they were observed."
        )
    return min(0.0, float(times.min())), float(np.nextafter(times.max(), np.inf))


def _electrodes(table: Any, ids: list[str]) -> dict[str, tuple[np.ndarray, str]]:
    """The rows of the electrodes table that each unit was found on, as text, since they differ in number."""
    if "electrodes" not in table.colnames:
        return {}
    rows = []
    for unit in range(len(ids)):
        found = table["electrodes"][unit]
        index = (
            found.index if hasattr(found, "index") and not callable(found.index) else np.atleast_1d(np.asarray(found))
        )
        rows.append(", ".join(str(one) for one in np.asarray(index).ravel()))
    return {"electrodes": (np.array(rows, dtype=object), "1")}


def fluorescence(nwb: Any, name: str) -> Signal | None:
    """One response series of regions of interest: of dF/F where there is one, of raw fluorescence otherwise."""
    found = [one for one in nwb.objects.values() if type(one).__name__ == "RoiResponseSeries"]
    if not found:
        return None
    found.sort(key=lambda one: _container(one) != _DF)
    series = found[0]
    shape = np.shape(series.data)
    if len(shape) not in (1, 2):
        raise InputError(f"{series.name} has the shape {shape}; wanted (time, roi).")
    data = values(series)
    data = data[None, :, None] if len(shape) == 1 else data[None]
    unit = "dF/F" if _container(series) == _DF else text_of(series.unit)
    rate = timing(series)
    stamps = None if rate else numbers(series.timestamps)
    rois, columns, covariates = _rois(series, data.shape[2])
    tree = recording.from_fluorescence(
        data,
        name=name,
        unit=unit if unit and unit.lower() not in ("n.a.", "na", "n.a", "lumens", "unknown") else "1",
        sampling_hz=rate[0] if rate else None,
        times_s=stamps,
        start_s=rate[1] if rate else 0.0,
        unit_ids=UnitTable(rois, columns),
    )
    not_read = [
        f"{_container(one)}/{one.name}: a recording holds one fluorescence, {series.name} was taken"
        for one in found[1:]
    ]
    return Signal(tree, covariates, {one.object_id for one in found} | {series.rois.table.object_id}, not_read)


def _container(series: Any) -> str:
    return type(series.parent).__name__ if series.parent is not None else ""


def _rois(series: Any, n: int) -> tuple[list[str], dict[str, tuple[np.ndarray, str]], dict[str, Covariate]]:
    """Names and columns of the regions, and what is known of how they were imaged."""
    region = series.rois
    rows = np.asarray(region.data[:], dtype=int)
    table = region.table
    if len(rows) != n:
        raise InputError(f"{series.name} has {n} columns and refers to {len(rows)} regions of interest.")
    ids = [str(one) for one in np.asarray(table.id[:])[rows]]
    columns = {column: (array[rows], "1") for column, array, _ in extra_columns(table, len(table))}
    plane = getattr(table, "imaging_plane", None)
    if plane is None:
        return ids, columns, {}
    source = f"imaging plane {plane.name!r}"
    covariates = {"recording_method": Covariate("imaging", "1", "reported", f"type of {series.name}")}
    for field, name, unit in (("indicator", "indicator", "1"), ("location", "recording_site", "1")):
        if text := text_of(getattr(plane, field, None)):
            covariates[name] = Covariate(text, unit, "reported", f"{field} of {source}")
    for field, name, unit in (
        ("excitation_lambda", "excitation_wavelength", "nm"),
        ("imaging_rate", "imaging_rate", "Hz"),
    ):
        if getattr(plane, field, None) is not None:
            covariates[name] = Covariate(float(getattr(plane, field)), unit, "reported", f"{field} of {source}")
    return ids, columns, covariates
