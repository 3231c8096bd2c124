"""Check a recording against the schema, and name every fault at once."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

from twin.errors import InputError
from twin.protocol import Protocol
from twin.recording.schema import CLAMPS, MEASURED, SCHEMA_VERSION, SIGNALS, STREAM_ROLES, VARIABLES

BLOCK = 2_000_000  # values that are looked at in one go, so that a recording larger than memory can be checked


def validate(tree: xr.DataTree, *, values: bool = True) -> None:
    """Check a recording.

    Args:
        tree: the recording.
        values: whether to look at every sample as well (block by block), or at structure, units, names and spikes
            alone.

    Raises:
        InputError: with every fault that was found, not only the first.
    """
    faults = list(_faults(tree, values))
    if faults:
        raise InputError(f"{tree.attrs.get('name', 'recording')}: {len(faults)} fault(s): " + "; ".join(faults) + ".")


def blocks(variable: xr.DataArray) -> Iterator[np.ndarray]:
    """The values of a variable in pieces that fit into memory; those of a dask array, of which each is read once."""
    if variable.chunks is not None:
        for place in itertools.product(*(_slices(sizes) for sizes in variable.chunks)):
            yield variable[place].values
        return
    if variable.size <= BLOCK:
        yield variable.values
        return
    along = max(variable.dims, key=lambda dim: variable.sizes[dim])
    step = max(1, BLOCK // (variable.size // variable.sizes[along]))
    for start in range(0, variable.sizes[along], step):
        piece = variable.isel({along: slice(start, start + step)})
        yield from blocks(piece) if piece.size > BLOCK else (piece.values,)


def _slices(sizes: tuple[int, ...]) -> list[slice]:
    stops = list(itertools.accumulate(sizes))
    return [slice(stop - size, stop) for stop, size in zip(stops, sizes, strict=True)]


def _faults(tree: xr.DataTree, values: bool) -> Iterator[str]:
    version = tree.attrs.get("schema_version")
    if version != SCHEMA_VERSION:
        yield f"schema_version is {version!r}, wanted {SCHEMA_VERSION!r}"
    yield from _protocol_faults(tree)
    signals = [signal for signal in SIGNALS if signal in tree.children]
    if not signals:
        yield f"there is no signal; wanted one or more of {', '.join('/' + signal for signal in SIGNALS)}"
    for signal in signals:
        nodes = list(tree[signal].children.values()) or [tree[signal]]
        for node in nodes:
            yield from _signal_faults(signal, node.path, node.to_dataset(inherit=False), values)
    for role in STREAM_ROLES:
        for node in tree.children[role].children.values() if role in tree.children else ():
            yield from _stream_faults(node.path, node.to_dataset(inherit=False), values)
    yield from _trial_faults(tree)


def _protocol_faults(tree: xr.DataTree) -> Iterator[str]:
    if "protocol" not in tree.children:
        yield "there is no /protocol"
        return
    try:
        Protocol.from_attributes({str(name): fields for name, fields in tree["protocol"].attrs.items()})
    except (InputError, TypeError) as error:
        yield f"/protocol is not one: {str(error).rstrip('.')}"


def _signal_faults(signal: str, path: str, dataset: xr.Dataset, values: bool) -> Iterator[str]:
    optional = {"voltage", "current"} - {MEASURED.get(dataset.attrs.get("clamp", ""), "")}
    if signal == "voltage" and dataset.attrs.get("clamp") not in CLAMPS:
        yield f"{path} has the clamp {dataset.attrs.get('clamp')!r}, wanted one of {', '.join(CLAMPS)}"
    complete = True
    for variable, (unit, dims) in VARIABLES[signal].items():
        if variable not in dataset.variables:
            if variable not in optional:
                complete = False
                yield f"{path} has no {variable}"
            continue
        found = dataset[variable].attrs.get("units")
        if found is None or (unit is not None and found != unit):
            yield f"{path}/{variable} has the units {found!r}, wanted {unit or 'any, but stated'!r}"
        if dataset[variable].dims != dims:
            complete = False
            yield f"{path}/{variable} has the dimensions {dataset[variable].dims}, wanted {dims}"
        elif dataset[variable].dtype.kind not in "iuf":
            complete = False
            yield f"{path}/{variable} holds {dataset[variable].dtype}, wanted numbers"
        elif values and signal != "spikes":
            yield from _not_finite(f"{path}/{variable}", dataset[variable])
    for dim in ("unit", "sweep"):
        yield from _repeated_names(path, dim, dataset)
    if complete and signal == "spikes":
        yield from _spike_faults(dataset)
    if complete and "time" in VARIABLES[signal][next(iter(VARIABLES[signal]))][1]:
        yield from _time_faults(path, dataset)


def _not_finite(path: str, variable: xr.DataArray) -> Iterator[str]:
    if variable.dtype.kind != "f":
        return
    wrong = sum(int(np.count_nonzero(~np.isfinite(block))) for block in blocks(variable))
    if wrong:
        yield f"{path} has {wrong} values that are not finite"


def _repeated_names(path: str, dim: str, dataset: xr.Dataset) -> Iterator[str]:
    if dim not in dataset.variables:
        return
    names, counts = np.unique([str(one) for one in dataset[dim].values], return_counts=True)
    if (counts > 1).any():
        yield f"{path} has the {dim} name {str(names[counts > 1][0])!r} {int(counts.max())} times"


def _time_faults(path: str, dataset: xr.Dataset) -> Iterator[str]:
    if "sampling_hz" in dataset.attrs:
        rate, start = dataset.attrs["sampling_hz"], dataset.attrs.get("start_s")
        if not (_is_finite(rate) and rate > 0):
            yield f"{path} has the sampling rate {rate!r}, wanted a positive number of Hz"
        if not _is_finite(start):
            yield f"{path} starts at {start!r}, wanted a number of seconds"
        return
    if "time" not in dataset.variables:
        yield f"{path} has neither sampling_hz nor time"
        return
    times = dataset["time"].values
    if dataset["time"].attrs.get("units") != "s":
        yield f"{path}/time has the units {dataset['time'].attrs.get('units')!r}, wanted 's'"
    if not np.isfinite(times).all():
        yield f"{path}/time has values that are not finite"
    elif (np.diff(times) <= 0).any():
        at = int(np.argmax(np.diff(times) <= 0))
        yield f"{path}/time does not increase: {times[at]:g} s is followed by {times[at + 1]:g} s"


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and bool(np.isfinite(value))


def _stream_faults(path: str, stream: xr.Dataset, values: bool) -> Iterator[str]:
    if "value" not in stream.variables or "units" not in stream["value"].attrs:
        yield f"{path} has no value with units"
        return
    leading = tuple(stream.attrs.get("leading", ()))
    if stream["value"].dims[: len(leading)] != leading:
        yield f"{path}/value has the dimensions {stream['value'].dims}, wanted {leading} first"
    if "time" in leading:
        yield from _time_faults(path, stream)
    if values:
        yield from _not_finite(f"{path}/value", stream["value"])


def _trial_faults(tree: xr.DataTree) -> Iterator[str]:
    """Whatever has trials has the same number of them."""
    lengths = {
        node.path: node.to_dataset(inherit=False).sizes["trial"]
        for node in tree.subtree
        if "trial" in node.to_dataset(inherit=False).sizes
    }
    if len(set(lengths.values())) > 1:
        yield "the number of trials differs: " + ", ".join(f"{path} has {n}" for path, n in lengths.items())


def _spike_faults(spikes: xr.Dataset) -> Iterator[str]:
    times, trials, units = (spikes[name].values for name in ("spike_time", "trial_index", "unit_index"))
    starts, stops = spikes["trial_start"].values, spikes["trial_stop"].values
    if not np.isfinite(times).all():
        yield "/spikes/spike_time has values that are not finite"
        return
    if not (np.isfinite(starts).all() and np.isfinite(stops).all() and (starts < stops).all()):
        yield "/spikes has a trial that does not start before it stops"
        return
    for name, index, n in (("trial", trials, len(starts)), ("unit", units, spikes.sizes.get("unit", 0))):
        if index.dtype.kind not in "iu" or (index.size and (index.min() < 0 or index.max() >= n)):
            yield f"/spikes/{name}_index points outside the {n} {name}s"
            return
    if (np.diff(trials.astype(np.int64) * spikes.sizes.get("unit", 1) + units) < 0).any():
        yield "/spikes is not ordered by trial and then unit"
        return
    same_train = (np.diff(trials) == 0) & (np.diff(units) == 0)
    backwards = np.flatnonzero(same_train & (np.diff(times) <= 0))
    if backwards.size:
        at = int(backwards[0])
        yield f"spike times do not increase: {times[at]:g} s is followed by {times[at + 1]:g} s (spike {at + 1})"
    outside = (times < starts[trials]) | (times >= stops[trials])
    if outside.any():
        yield f"{int(outside.sum())} spike(s) lie outside their trial, the first at {times[outside][0]:g} s"
