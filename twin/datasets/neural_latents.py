"""Neural Latents Benchmark: NWB 2 files with sorted units, a table of trials with their split, and behaviour."""

from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from twin import recording
from twin.datasets import hdf5
from twin.datasets.dataset import Dataset, Recordings
from twin.datasets.facts import reported
from twin.datasets.originals import find, logged
from twin.errors import InputError
from twin.protocol import Covariate, Protocol
from twin.recording import Stream, UnitTable

PAPER = "Pei, Ye et al. 2021, Neural Latents Benchmark '21, NeurIPS Datasets and Benchmarks"
OFF_GRID = 0.1  # of a step, the most that a sample may lie off its place


def load(folder: Path) -> Recordings:
    """A recording for each `.nwb` file, also in folders below."""
    paths = find(folder, "**/*.nwb", "NWB 2 files with /units and /intervals/trials")
    return {path.stem: partial(load_one, path) for path in paths}


def load_one(path: Path) -> xr.DataTree:
    """Spikes of every trial, in seconds of the session, with the columns of the trials (`split` among them).

    A behaviour runs through the whole session on a regular grid; its last feature is 1 where it was measured, and 0
    (with zeros beside it) in the gaps of the file.
    """
    with hdf5.opened(path) as file:
        starts = hdf5.numbers(file, "intervals/trials/start_time", ("trial",)).astype(np.float64)
        stops = hdf5.numbers(file, "intervals/trials/stop_time", (len(starts),)).astype(np.float64)
        trains = _trains(file)
        cut = [[_within(train, *edges) for train in trains] for edges in zip(starts, stops, strict=True)]
        tree = recording.from_spikes(
            cut,
            start_s=starts.tolist(),
            stop_s=stops.tolist(),
            name=path.stem,
            unit_ids=_units(file, len(trains)),
            trials=_columns(file["intervals/trials"], len(starts), ("start_time", "stop_time")),
            behaviour=_behaviour(file),
            protocol=Protocol(_facts(file)),
        )
    kept = tree["spikes"].sizes["spike"]
    total = sum(train.size for train in trains)
    return logged(tree, [path], spikes=total, spikes_outside_trials_or_in_several=total - kept)


def _trains(file: h5py.File) -> list[np.ndarray]:
    times = hdf5.numbers(file, "units/spike_times", ("spike",)).astype(np.float64)
    ends = hdf5.numbers(file, "units/spike_times_index", ("unit",)).astype(np.int64)
    if not ends.size or ends[-1] != times.size:
        raise InputError(f"{file.filename}: units/spike_times_index does not end at the {times.size} spike times.")
    return [np.unique(train) for train in np.split(times, ends[:-1])]


def _within(train: np.ndarray, start_s: float, stop_s: float) -> np.ndarray:
    first, last = np.searchsorted(train, (start_s, stop_s))
    return train[first:last]


def _units(file: h5py.File, n: int) -> UnitTable:
    ids = hdf5.numbers(file, "units/id", (n,)) if "units/id" in file else np.arange(n)
    return UnitTable([str(one) for one in ids], _columns(file["units"], n, ("id", "spike_times", "spike_times_index")))


def _columns(table: h5py.Group, n: int, but: tuple[str, ...]) -> dict[str, tuple[Any, str]]:
    """Columns of one number, truth value or text a row; times in s."""
    columns: dict[str, tuple[Any, str]] = {}
    for name, column in table.items():
        plain = isinstance(column, h5py.Dataset) and column.shape == (n,) and f"{name}_index" not in table
        if not plain or name in (*but, "id") or name.endswith("_index"):
            continue
        values = column[()]
        if h5py.check_string_dtype(column.dtype) is not None:
            columns[name] = ([hdf5.text(value) for value in values], "1")
        elif values.dtype.kind in "iuf":
            columns[name] = (values, "s" if name.endswith("_time") else "1")
        elif h5py.check_enum_dtype(column.dtype) is not None or values.dtype.kind == "b":
            columns[name] = (values.astype(np.int8), "1")
    return columns


def _behaviour(file: h5py.File) -> dict[str, Stream]:
    """Every series below /processing/behavior."""
    series: list[h5py.Group] = []

    def note(_: str, node: h5py.Group | h5py.Dataset) -> None:
        if isinstance(node, h5py.Group) and isinstance(node.get("data"), h5py.Dataset):
            series.append(node)

    if "processing/behavior" in file:
        file["processing/behavior"].visititems(note)
    return {group.name.rpartition("/")[2]: _on_grid(file.filename, group) for group in series}


def _on_grid(path: str, group: h5py.Group) -> Stream:
    data = group["data"]
    values = data[()].astype(np.float64).reshape(len(data), -1) * float(data.attrs.get("conversion", 1.0))
    unit = hdf5.text(data.attrs.get("unit")) or "1"
    times, rate = _times(path, group, len(values))
    places = np.rint((times - times[0]) * rate).astype(np.int64)
    off = np.abs((times - times[0]) * rate - places)
    if off.max() > OFF_GRID or (np.diff(places) < 1).any():
        raise InputError(
            f"{path}: the samples of {group.name} lie on no regular grid of {rate:g} Hz; wanted equal steps."
        )
    finite = np.isfinite(values).all(axis=1)
    grid = np.zeros((places[-1] + 1, values.shape[1] + 1), np.float32)
    grid[places[finite], :-1] = values[finite]
    grid[places[finite], -1] = 1.0
    facts = {"features": [f"value {index}" for index in range(values.shape[1])] + ["measured"]}
    return Stream(grid, rate, unit, float(times[0]), attributes=facts)


def _times(path: str, group: h5py.Group, n: int) -> tuple[np.ndarray, float]:
    if "timestamps" in group:
        times = hdf5.numbers(group, "timestamps", (n,)).astype(np.float64)
        if n < 2:
            raise InputError(f"{path}: {group.name} has {n} sample(s); wanted two or more.")
        return times, round(1.0 / float(np.median(np.diff(times))), 3)
    start = hdf5.member(group, "starting_time")
    rate = float(start.attrs["rate"])
    return float(start[()]) + np.arange(n) / rate, rate


def _facts(file: h5py.File) -> dict[str, Covariate]:
    described = {
        "species": "general/subject/species",
        "lab": "general/lab",
        "subject": "general/subject/subject_id",
        "session": "general/session_id",
        "preparation": "session_description",
    }
    source = f"{Path(file.filename).name}"
    return reported(source, **{name: hdf5.text_at(file, place) for name, place in described.items()})


DATASET = Dataset(
    name="neural_latents",
    title="Neural Latents Benchmark, motor and other cortex of monkeys: units, trials with split, hand and cursor",
    source="DANDI archive: MC_Maze 000128, 000138 to 000140; MC_RTT 000129, Area2_Bump 000127, DMFC_RSG 000130",
    citation=PAPER,
    licence="CC BY 4.0",
    size="0.1 to 30 GB a file",
    load=load,
    traps=(
        "files of the test split have no behaviour and no spikes of held-out units",
        "the unit column heldout marks the units that are to be predicted",
    ),
)
