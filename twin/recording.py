"""The recording: an `xarray.DataTree` with one group for each kind of signal, stored as zarr v3.

| group | variables |
|---|---|
| `/` | attributes `schema_version`, `name`, `provenance` (a list of steps) |
| `/spikes` | `spike_time`, `trial_index`, `unit_index (spike)`, `trial_start`, `trial_stop (trial)`; times in s |
| `/counts` | `count (trial, time, unit)` spikes in bins that start at `time` s and last the attribute `bin_s` |
| `/voltage` | `voltage (sweep, time)` mV and, where it is known, `current (sweep, time)` nA |
| `/stimulus/NAME` | `value (time, ...)`, sampled regularly |
| `/protocol` | attributes: one covariate each, see `twin.protocol` |

Times are seconds, voltages mV, currents nA; a reader converts, once. Every variable has the attribute `units`.
Real recordings and those that a model generates have the same shape, so that every comparison is symmetric.
"""

import dataclasses
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from twin.errors import InputError
from twin.protocol import Protocol

SCHEMA_VERSION = "1"
SIGNALS = ("spikes", "counts", "voltage")
_UNITS = {
    "spikes": {"spike_time": "s", "trial_index": "1", "unit_index": "1", "trial_start": "s", "trial_stop": "s"},
    "counts": {"count": "1", "time": "s"},
    "voltage": {"voltage": "mV", "current": "nA", "time": "s"},
}


@dataclasses.dataclass(frozen=True)
class Stimulus:
    """A regularly sampled stimulus: `values` (time, ...) in `unit`, the first sample at `start_s`."""

    values: np.ndarray
    sampling_hz: float
    unit: str
    start_s: float = 0.0

    @property
    def stop_s(self) -> float:
        """The end of the last sample, s."""
        return self.start_s + len(self.values) / self.sampling_hz

    def between(self, start_s: float, stop_s: float) -> "Stimulus":
        """The samples in [start_s, stop_s); the time of the result goes on counting from the recording's start."""
        first, last = (int(round((edge - self.start_s) * self.sampling_hz)) for edge in (start_s, stop_s))
        if first < 0 or last > len(self.values) or first >= last:
            raise InputError(
                f"the stimulus lasts from {self.start_s:g} to {self.stop_s:g} s, which does not cover the wanted "
                f"{start_s:g} to {stop_s:g} s."
            )
        return dataclasses.replace(self, values=self.values[first:last], start_s=start_s)


def from_spikes(
    spike_times_s: Sequence[Sequence[np.ndarray]],
    *,
    start_s: float,
    stop_s: float,
    name: str,
    unit_ids: Sequence[str] | None = None,
    stimuli: Mapping[str, Stimulus] | None = None,
    protocol: Protocol | None = None,
) -> xr.DataTree:
    """A recording of spike times.

    Args:
        spike_times_s: for each trial, for each unit, an increasing array of seconds in [start_s, stop_s).
        start_s: start of every trial, s.
        stop_s: end of every trial, s.
        name: what the recording is called.
        unit_ids: a name for each unit; "0", "1", ... otherwise.
        stimuli: streams by name.
        protocol: how it was measured; everything unreported otherwise.

    Raises:
        InputError: trials with different numbers of units, or times outside the trial or not increasing.
    """
    n_units = len(spike_times_s[0]) if len(spike_times_s) else 0
    if not n_units or any(len(trial) != n_units for trial in spike_times_s):
        raise InputError(f"{name}: every trial needs the same number of units, one or more.")
    pieces = [
        (np.asarray(times, np.float64), trial, unit)
        for trial, units in enumerate(spike_times_s)
        for unit, times in enumerate(units)
    ]
    lengths = [len(times) for times, _, _ in pieces]
    spikes = xr.Dataset(
        {
            "spike_time": ("spike", np.concatenate([times for times, _, _ in pieces])),
            "trial_index": ("spike", np.repeat(np.array([trial for _, trial, _ in pieces], np.int32), lengths)),
            "unit_index": ("spike", np.repeat(np.array([unit for _, _, unit in pieces], np.int32), lengths)),
            "trial_start": ("trial", np.full(len(spike_times_s), float(start_s))),
            "trial_stop": ("trial", np.full(len(spike_times_s), float(stop_s))),
        },
        coords={"unit": ("unit", np.array(unit_ids or [str(unit) for unit in range(n_units)], dtype=object))},
    )
    return _assemble("spikes", spikes, name, stimuli, protocol)


def from_counts(
    counts: np.ndarray,
    bin_s: float,
    *,
    name: str,
    start_s: float = 0.0,
    unit_ids: Sequence[str] | None = None,
    stimuli: Mapping[str, Stimulus] | None = None,
    protocol: Protocol | None = None,
) -> xr.DataTree:
    """A recording of counts (trial, time, unit) in bins of `bin_s` seconds, the first of which starts at `start_s`."""
    counts = np.asarray(counts)
    if counts.ndim != 3:
        raise InputError(f"{name}: counts have the shape {counts.shape}; wanted (trial, time, unit).")
    units = np.array(unit_ids or [str(unit) for unit in range(counts.shape[2])], dtype=object)
    time = start_s + bin_s * np.arange(counts.shape[1])
    dataset = xr.Dataset({"count": (("trial", "time", "unit"), counts)}, coords={"time": time, "unit": units})
    dataset.attrs["bin_s"] = float(bin_s)
    return _assemble("counts", dataset, name, stimuli, protocol)


def from_voltage(
    voltage_mv: np.ndarray,
    sampling_hz: float,
    *,
    name: str,
    current_na: np.ndarray | None = None,
    stimuli: Mapping[str, Stimulus] | None = None,
    protocol: Protocol | None = None,
) -> xr.DataTree:
    """A recording of sweeps: voltage (sweep, time) in mV and, where it is known, the injected current in nA."""
    voltage_mv = np.asarray(voltage_mv)
    shapes = [voltage_mv.shape] + ([] if current_na is None else [np.asarray(current_na).shape])
    if voltage_mv.ndim != 2 or len(set(shapes)) != 1:
        raise InputError(
            f"{name}: voltage and current have the shapes {shapes}; wanted (sweep, time), the same for both."
        )
    variables = {"voltage": (("sweep", "time"), voltage_mv)}
    if current_na is not None:
        variables["current"] = (("sweep", "time"), np.asarray(current_na))
    time = np.arange(voltage_mv.shape[1]) / sampling_hz
    return _assemble("voltage", xr.Dataset(variables, coords={"time": time}), name, stimuli, protocol)


def _assemble(
    signal: str, dataset: xr.Dataset, name: str, stimuli: Mapping[str, Stimulus] | None, protocol: Protocol | None
) -> xr.DataTree:
    for variable, unit in _UNITS[signal].items():
        if variable in dataset.variables:
            dataset[variable].attrs["units"] = unit
    groups = {"/" + signal: dataset}
    groups["/protocol"] = xr.Dataset(attrs=(protocol or Protocol()).to_attributes())
    for stream, stimulus in (stimuli or {}).items():
        groups[f"/stimulus/{stream}"] = _stimulus_dataset(stimulus)
    tree = xr.DataTree.from_dict(groups, name=None)
    tree.attrs = {"schema_version": SCHEMA_VERSION, "name": name, "provenance": []}
    validate(tree)
    return tree


def _stimulus_dataset(stimulus: Stimulus) -> xr.Dataset:
    values = np.asarray(stimulus.values)
    time = stimulus.start_s + np.arange(len(values)) / stimulus.sampling_hz
    dims = ("time", *(f"feature_{axis}" for axis in range(1, values.ndim)))
    dataset = xr.Dataset({"value": (dims, values)}, coords={"time": time}, attrs={"sampling_hz": stimulus.sampling_hz})
    dataset["value"].attrs["units"] = stimulus.unit
    dataset["time"].attrs["units"] = "s"
    return dataset


def protocol_of(tree: xr.DataTree) -> Protocol:
    """The protocol that a recording carries."""
    return Protocol.from_attributes({str(name): fields for name, fields in tree["protocol"].attrs.items()})


def with_protocol(tree: xr.DataTree, protocol: Protocol) -> xr.DataTree:
    """A copy of the recording with another protocol."""
    changed = tree.copy()
    changed["protocol"] = xr.DataTree(xr.Dataset(attrs=protocol.to_attributes()))
    return changed


def stimulus_of(tree: xr.DataTree, stream: str) -> Stimulus:
    """The stimulus stream of that name.

    Raises:
        InputError: the recording has no such stream; the sentence lists those it has.
    """
    streams = tree.children["stimulus"].children if "stimulus" in tree.children else {}
    if stream not in streams:
        has = ", ".join(streams) or "none"
        raise InputError(f"{tree.attrs.get('name')}: no stimulus stream {stream!r}; the recording has: {has}.")
    group = streams[stream].to_dataset()
    return Stimulus(
        group["value"].values,
        float(group.attrs["sampling_hz"]),
        group["value"].attrs["units"],
        float(group["time"].values[0]),
    )


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


def validate(tree: xr.DataTree) -> None:
    """Check a recording against the schema.

    Raises:
        InputError: with every fault that was found, not only the first.
    """
    faults = list(_faults(tree))
    if faults:
        raise InputError(f"{tree.attrs.get('name', 'recording')}: {len(faults)} fault(s): " + "; ".join(faults) + ".")


def _faults(tree: xr.DataTree):
    version = tree.attrs.get("schema_version")
    if version != SCHEMA_VERSION:
        yield f"schema_version is {version!r}, wanted {SCHEMA_VERSION!r}"
    if "protocol" not in tree.children:
        yield "there is no /protocol"
    signals = [signal for signal in SIGNALS if signal in tree.children]
    if not signals:
        yield f"there is no signal; wanted one or more of {', '.join('/' + signal for signal in SIGNALS)}"
    for signal in signals:
        dataset = tree[signal].to_dataset()
        for variable, unit in _UNITS[signal].items():
            if variable not in dataset.variables:
                if variable != "current":
                    yield f"/{signal} has no {variable}"
            elif dataset[variable].attrs.get("units") != unit:
                yield f"/{signal}/{variable} has the units {dataset[variable].attrs.get('units')!r}, wanted {unit!r}"
    if "spikes" in signals and "spike_time" in tree["spikes"].variables:
        yield from _spike_faults(tree["spikes"].to_dataset())
    for stream, node in (tree.children["stimulus"].children if "stimulus" in tree.children else {}).items():
        group = node.to_dataset()
        if "value" not in group.variables or "units" not in group["value"].attrs:
            yield f"/stimulus/{stream} has no value with units"
        elif not np.isfinite(group["value"].values).all():
            yield f"/stimulus/{stream} has values that are not finite"


def _spike_faults(spikes: xr.Dataset):
    times, trials, units = (spikes[name].values for name in ("spike_time", "trial_index", "unit_index"))
    if not np.isfinite(times).all():
        yield "/spikes/spike_time has values that are not finite"
        return
    same_train = (np.diff(trials) == 0) & (np.diff(units) == 0)
    backwards = np.flatnonzero(same_train & (np.diff(times) <= 0))
    if backwards.size:
        at = int(backwards[0])
        yield f"spike times do not increase: {times[at]:g} s is followed by {times[at + 1]:g} s (spike {at + 1})"
    outside = (times < spikes["trial_start"].values[trials]) | (times >= spikes["trial_stop"].values[trials])
    if outside.any():
        yield f"{int(outside.sum())} spike(s) lie outside their trial, the first at {times[outside][0]:g} s"


def write(tree: xr.DataTree, path: str | Path) -> Path:
    """Store a recording as zarr v3, all of it or nothing: it is written beside `path` and then renamed.

    Raises:
        InputError: the recording is not valid, or `path` exists.
    """
    path = Path(path)
    validate(tree)
    if path.exists():
        raise InputError(f"{path}: exists already; give another name, or remove it first.")
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        tree.to_zarr(scratch / "store", zarr_format=3, consolidated=False)
        (scratch / "store").rename(path)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return path


def open(path: str | Path) -> xr.DataTree:
    """Open a stored recording; signals are read when they are used.

    Raises:
        InputError: there is no recording at `path`, or it is not valid.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such recording; give the folder that `twin ingest` or `twin data get` wrote.")
    try:
        tree = xr.open_datatree(path, engine="zarr", consolidated=False)
    except Exception as error:
        raise InputError(f"{path}: is not a recording in zarr v3 ({error}).") from error
    validate(tree)
    return tree
