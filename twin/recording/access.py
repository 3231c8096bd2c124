"""Look things up in a recording."""

import numpy as np
import xarray as xr

from twin.errors import InputError
from twin.protocol import Protocol
from twin.recording.streams import Stream


def loaded(tree: xr.DataTree) -> xr.DataTree:
    """The recording with everything in memory.

    `DataTree.load` of xarray leaves out a variable that has the name of its group, such as `/voltage/voltage`.
    """
    attributes = dict(tree.attrs)
    whole = tree.map_over_datasets(lambda dataset: dataset.load())
    whole.attrs = attributes
    return whole


def protocol_of(tree: xr.DataTree) -> Protocol:
    """The protocol that a recording carries."""
    return Protocol.from_attributes({str(name): fields for name, fields in tree["protocol"].attrs.items()})


def with_protocol(tree: xr.DataTree, protocol: Protocol) -> xr.DataTree:
    """A copy of the recording with another protocol."""
    changed = tree.copy()
    changed["protocol"] = xr.DataTree(xr.Dataset(attrs=protocol.to_attributes()))
    return changed


def stream_names(tree: xr.DataTree, role: str = "stimulus") -> tuple[str, ...]:
    """Names of the streams of one role: "stimulus", "behaviour" or "interventions"."""
    return tuple(tree.children[role].children) if role in tree.children else ()


def stream_of(tree: xr.DataTree, role: str, name: str) -> Stream:
    """The stream of that role and name.

    Raises:
        InputError: the recording has no such stream; the sentence lists those it has.
    """
    names = stream_names(tree, role)
    if name not in names:
        has = ", ".join(names) or "none"
        raise InputError(f"{tree.attrs.get('name')}: no {role} stream {name!r}; the recording has: {has}.")
    return Stream.from_dataset(tree[role].children[name].to_dataset())


def stimulus_of(tree: xr.DataTree, name: str) -> Stream:
    """The stimulus of that name; see `stream_of`."""
    return stream_of(tree, "stimulus", name)


def sweep_sets(tree: xr.DataTree) -> dict[str, xr.Dataset]:
    """The sweeps, one data set for each kind, by the path of its group: "/voltage", or "/voltage/NAME" each."""
    if "voltage" not in tree.children:
        return {}
    node = tree.children["voltage"]
    kinds = list(node.children.values()) or [node]
    return {kind.path: kind.to_dataset(inherit=False) for kind in kinds}


def between(dataset: xr.Dataset, start_s: float, stop_s: float) -> xr.Dataset:
    """The samples of a signal in [start_s, stop_s), of any length in memory or not.

    Raises:
        InputError: that is no stretch of time of this signal.
    """
    if "sampling_hz" not in dataset.attrs:
        inside = np.flatnonzero((dataset["time"].values >= start_s) & (dataset["time"].values < stop_s))
        first, last = (int(inside[0]), int(inside[-1]) + 1) if inside.size else (0, 0)
    else:
        rate, origin = dataset.attrs["sampling_hz"], dataset.attrs["start_s"]
        first, last = (int(np.ceil(round((edge - origin) * rate, 6))) for edge in (start_s, stop_s))
    if first < 0 or last > dataset.sizes["time"] or first >= last:
        raise InputError(f"the signal has no samples, or not all of those, between {start_s:g} and {stop_s:g} s.")
    part = dataset.isel(time=slice(first, last))
    if "sampling_hz" in dataset.attrs:
        part.attrs = {**dataset.attrs, "start_s": dataset.attrs["start_s"] + first / dataset.attrs["sampling_hz"]}
    return part


def spike_times(tree: xr.DataTree, unit: int = 0) -> list[np.ndarray]:
    """For each trial, the increasing spike times of one unit, s."""
    spikes = tree["spikes"].to_dataset()
    times, trials = spikes["spike_time"].values, spikes["trial_index"].values
    own = spikes["unit_index"].values == unit
    return [times[own & (trials == trial)] for trial in range(spikes.sizes["trial"])]


def first_trials(tree: xr.DataTree, n: int) -> xr.DataTree:
    """A copy of a recording of spikes with its first `n` trials alone."""
    spikes = tree["spikes"].to_dataset()
    own = np.flatnonzero(spikes["trial_index"].values < n)
    shorter = tree.copy()
    shorter["spikes"] = xr.DataTree(spikes.isel(spike=own, trial=slice(0, n)))
    return shorter


def span(tree: xr.DataTree) -> tuple[float, float]:
    """Start and end, s, that all trials of a recording of spikes have."""
    spikes = tree["spikes"].to_dataset()
    return float(spikes["trial_start"].values[0]), float(spikes["trial_stop"].values[0])
