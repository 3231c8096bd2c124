"""Make recordings from arrays. Arrays may be dask arrays, which are read only when they are written or looked at."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from twin.errors import InputError
from twin.protocol import Protocol
from twin.recording.schema import SCHEMA_VERSION, SIGNALS, STREAM_ROLES, VARIABLES
from twin.recording.streams import Stream
from twin.recording.time_axis import time_axis
from twin.recording.validation import validate

Columns = Mapping[str, tuple[Any, str]]  # name -> one value for each row, and their unit


@dataclasses.dataclass(frozen=True)
class Sweeps:
    """Sweeps of one kind: the same clamp, length and sampling.

    Attributes:
        sampling_hz: of both arrays.
        voltage_mv: (sweep, time), measured in current clamp, commanded in voltage clamp; None where it is not known.
        current_na: (sweep, time), injected in current clamp, measured in voltage clamp; None where it is not known.
        clamp: "current", "zero" or "voltage".
        start_s: time of the first sample of each sweep.
        ids: a name for each sweep; "0", "1", ... otherwise.
        columns: what is known of each sweep apart: name -> (values, unit), such as its start within the session.
    """

    sampling_hz: float
    voltage_mv: Any = None
    current_na: Any = None
    clamp: str = "current"
    start_s: float = 0.0
    ids: Sequence[str] | None = None
    columns: Columns = dataclasses.field(default_factory=dict)

    def to_dataset(self, name: str) -> xr.Dataset:
        """As a recording keeps them."""
        arrays = {"voltage": self.voltage_mv, "current": self.current_na}
        given = {key: as_array(array) for key, array in arrays.items() if array is not None}
        shapes = {array.shape for array in given.values()}
        if len(shapes) != 1 or len(next(iter(shapes))) != 2:
            raise InputError(
                f"{name}: voltage and current have the shapes {[array.shape for array in given.values()]}; wanted "
                "(sweep, time), the same for both."
            )
        n_sweeps, n_samples = shapes.pop()
        _require_rate(name, self.sampling_hz)
        dataset = xr.Dataset(
            {key: (("sweep", "time"), array) for key, array in given.items()},
            coords=_ids(name, "sweep", self.ids, n_sweeps),
            attrs={"clamp": self.clamp, "sampling_hz": float(self.sampling_hz), "start_s": float(self.start_s)},
        ).assign_coords(time_axis(n_samples, self.sampling_hz, self.start_s))
        return dataset.assign(_columns(name, "sweep", self.columns, n_sweeps))


@dataclasses.dataclass(frozen=True)
class UnitTable:
    """The units of a population: a name for each, and columns such as {"x": (values, "um")}."""

    ids: Sequence[str]
    columns: Columns = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class _Surroundings:
    """What every recording may have beside its signal."""

    name: str
    trials: Columns | None
    stimuli: Mapping[str, Stream] | None
    behaviour: Mapping[str, Stream] | None
    interventions: Mapping[str, Stream] | None
    protocol: Protocol | None


def from_spikes(
    spike_times_s: Sequence[Sequence[np.ndarray]],
    *,
    start_s: float | Sequence[float],
    stop_s: float | Sequence[float],
    name: str,
    unit_ids: Sequence[str] | UnitTable | None = None,
    trials: Columns | None = None,
    stimuli: Mapping[str, Stream] | None = None,
    behaviour: Mapping[str, Stream] | None = None,
    interventions: Mapping[str, Stream] | None = None,
    protocol: Protocol | None = None,
) -> xr.DataTree:
    """A recording of spike times.

    Args:
        spike_times_s: for each trial, for each unit, an increasing array of seconds in [start_s, stop_s).
        start_s: start of every trial, s, or of each.
        stop_s: end of every trial, s, or of each.
        name: what the recording is called.
        unit_ids: a name for each unit, or a `UnitTable`; "0", "1", ... otherwise.
        trials: what differs from trial to trial: name -> (values, unit).
        stimuli: streams by name.
        behaviour: streams by name.
        interventions: streams by name.
        protocol: how it was measured; everything unreported otherwise.

    Raises:
        InputError: trials with different numbers of units, times outside the trial or not increasing, names of units
            that are not unique.
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
    bounds = (np.broadcast_to(np.asarray(edge, np.float64), len(spike_times_s)).copy() for edge in (start_s, stop_s))
    spikes = xr.Dataset(
        {
            "spike_time": ("spike", np.concatenate([times for times, _, _ in pieces])),
            "trial_index": ("spike", np.repeat(np.array([trial for _, trial, _ in pieces], np.int32), lengths)),
            "unit_index": ("spike", np.repeat(np.array([unit for _, _, unit in pieces], np.int32), lengths)),
            **{edge: ("trial", values) for edge, values in zip(("trial_start", "trial_stop"), bounds, strict=True)},
        },
        coords=_units(name, unit_ids, n_units),
    )
    around = _Surroundings(name, trials, stimuli, behaviour, interventions, protocol)
    return _assemble({"/spikes": spikes}, around)


def from_counts(
    counts: Any,
    bin_s: float,
    *,
    name: str,
    start_s: float = 0.0,
    unit_ids: Sequence[str] | UnitTable | None = None,
    trials: Columns | None = None,
    stimuli: Mapping[str, Stream] | None = None,
    behaviour: Mapping[str, Stream] | None = None,
    interventions: Mapping[str, Stream] | None = None,
    protocol: Protocol | None = None,
) -> xr.DataTree:
    """A recording of counts (trial, time, unit) in bins of `bin_s` seconds, the first of which starts at `start_s`.

    The other arguments are those of `from_spikes`.
    """
    counts = as_array(counts)
    if counts.ndim != 3:
        raise InputError(f"{name}: counts have the shape {counts.shape}; wanted (trial, time, unit).")
    if not bin_s > 0:
        raise InputError(f"{name}: the bins last {bin_s} s; wanted a positive number.")
    dataset = xr.Dataset(
        {"count": (("trial", "time", "unit"), counts)},
        coords=_units(name, unit_ids, counts.shape[2]),
        attrs={"bin_s": float(bin_s), "sampling_hz": 1.0 / bin_s, "start_s": float(start_s)},
    ).assign_coords(time_axis(counts.shape[1], 1.0 / bin_s, start_s))
    around = _Surroundings(name, trials, stimuli, behaviour, interventions, protocol)
    return _assemble({"/counts": dataset}, around)


def from_fluorescence(
    fluorescence: Any,
    *,
    name: str,
    unit: str,
    sampling_hz: float | None = None,
    times_s: np.ndarray | None = None,
    start_s: float = 0.0,
    unit_ids: Sequence[str] | UnitTable | None = None,
    trials: Columns | None = None,
    stimuli: Mapping[str, Stream] | None = None,
    behaviour: Mapping[str, Stream] | None = None,
    interventions: Mapping[str, Stream] | None = None,
    protocol: Protocol | None = None,
) -> xr.DataTree:
    """A recording of fluorescence (trial, time, unit), in `unit` ("dF/F", "%", "1" for arbitrary units).

    Args:
        fluorescence: the array.
        name: what the recording is called.
        unit: of the values.
        sampling_hz: frames a second of a regular axis, which starts at `start_s`.
        times_s: time of every frame, where the axis is not regular; it replaces `sampling_hz`.
        start_s: time of the first frame.
        unit_ids: and all that follows: as `from_spikes`.

    Raises:
        InputError: neither or both of `sampling_hz` and `times_s`, or shapes that do not fit.
    """
    fluorescence = as_array(fluorescence)
    if fluorescence.ndim != 3:
        raise InputError(f"{name}: fluorescence has the shape {fluorescence.shape}; wanted (trial, time, unit).")
    if (sampling_hz is None) == (times_s is None):
        raise InputError(f"{name}: give either sampling_hz or times_s.")
    n_frames = fluorescence.shape[1]
    dataset = xr.Dataset(
        {"fluorescence": (("trial", "time", "unit"), fluorescence, {"units": unit})},
        coords=_units(name, unit_ids, fluorescence.shape[2]),
    )
    if sampling_hz is None:
        times = np.asarray(times_s, np.float64)
        if times.shape != (n_frames,):
            raise InputError(f"{name}: {n_frames} frames have times of the shape {times.shape}.")
        dataset = dataset.assign_coords(time=("time", times, {"units": "s"}))
    else:
        _require_rate(name, sampling_hz)
        dataset.attrs = {"sampling_hz": float(sampling_hz), "start_s": float(start_s)}
        dataset = dataset.assign_coords(time_axis(n_frames, sampling_hz, start_s))
    around = _Surroundings(name, trials, stimuli, behaviour, interventions, protocol)
    return _assemble({"/fluorescence": dataset}, around)


def from_voltage(
    voltage_mv: Any,
    sampling_hz: float,
    *,
    name: str,
    current_na: Any = None,
    clamp: str = "current",
    start_s: float = 0.0,
    sweep_ids: Sequence[str] | None = None,
    sweeps: Columns | None = None,
    stimuli: Mapping[str, Stream] | None = None,
    behaviour: Mapping[str, Stream] | None = None,
    interventions: Mapping[str, Stream] | None = None,
    protocol: Protocol | None = None,
) -> xr.DataTree:
    """A recording of sweeps: voltage (sweep, time) in mV and, where it is known, the current in nA.

    Args:
        voltage_mv: measured in current clamp, commanded in voltage clamp.
        sampling_hz: of both.
        name: what the recording is called.
        current_na: injected in current clamp, measured in voltage clamp.
        clamp: "current", "zero" or "voltage", see `twin.recording.schema`.
        start_s: time of the first sample of each sweep.
        sweep_ids: a name for each sweep.
        sweeps: what is known of each sweep apart: name -> (values, unit).
        stimuli: and all that follows: as `from_spikes`.
    """
    kind = Sweeps(sampling_hz, voltage_mv, current_na, clamp, start_s, sweep_ids, sweeps or {})
    around = _Surroundings(name, None, stimuli, behaviour, interventions, protocol)
    return _assemble({"/voltage": kind.to_dataset(name)}, around)


def from_sweeps(
    kinds: Mapping[str, Sweeps],
    *,
    name: str,
    stimuli: Mapping[str, Stream] | None = None,
    behaviour: Mapping[str, Stream] | None = None,
    interventions: Mapping[str, Stream] | None = None,
    protocol: Protocol | None = None,
) -> xr.DataTree:
    """A recording of several kinds of sweeps, by name; a single one lies in `/voltage` itself.

    The other arguments are those of `from_spikes`.
    """
    if not kinds:
        raise InputError(f"{name}: there are no sweeps.")
    groups = {f"/voltage/{kind}": sweeps.to_dataset(name) for kind, sweeps in kinds.items()}
    if len(groups) == 1:
        groups = {"/voltage": next(iter(groups.values()))}
    return _assemble(groups, _Surroundings(name, None, stimuli, behaviour, interventions, protocol))


def join(first: xr.DataTree, *others: xr.DataTree) -> xr.DataTree:
    """One recording with the signals and streams of several of the same preparation; name and protocol of the first.

    Raises:
        InputError: two of them have the same signal or stream.
    """
    groups = {node.path: node.to_dataset(inherit=False) for node in first.subtree}
    for other in others:
        for node in other.subtree:
            if node.path in ("/", "/protocol") or not (node.has_data or node.attrs):
                continue
            if node.path in groups and groups[node.path].variables:
                raise InputError(f"{first.attrs['name']}: two recordings to join both have {node.path}.")
            groups[node.path] = node.to_dataset(inherit=False)
    tree = xr.DataTree.from_dict(groups, name=None)
    tree.attrs = dict(first.attrs)
    validate(tree)
    return tree


def as_array(values: Any) -> Any:
    """An array as it is; anything else as a numpy array."""
    return values if hasattr(values, "chunks") and hasattr(values, "shape") else np.asarray(values)


def _require_rate(name: str, sampling_hz: float) -> None:
    if not (np.isfinite(sampling_hz) and sampling_hz > 0):
        raise InputError(f"{name}: the sampling rate is {sampling_hz}; wanted a positive number of Hz.")


def _units(name: str, given: Sequence[str] | UnitTable | None, n: int) -> dict[str, Any]:
    table = given if isinstance(given, UnitTable) else UnitTable(given or [str(unit) for unit in range(n)])
    return {**_ids(name, "unit", table.ids, n), **_columns(name, "unit", table.columns, n)}


def _ids(name: str, dim: str, given: Sequence[str] | None, n: int) -> dict[str, Any]:
    ids = [str(one) for one in (range(n) if given is None else given)]
    if len(ids) != n:
        raise InputError(f"{name}: {len(ids)} names were given for {n} {dim}s.")
    return {dim: (dim, np.array(ids, dtype=object))}


def _columns(name: str, dim: str, columns: Columns, n: int) -> dict[str, Any]:
    """One value a row, as variables; texts as objects, which zarr stores whole."""
    made = {}
    for column, (values, unit) in columns.items():
        array = np.asarray(values)
        if array.shape[:1] != (n,):
            raise InputError(
                f"{name}: the column {column} has the shape {array.shape}; wanted one value for each {dim}."
            )
        if array.dtype.kind in "US":
            array = array.astype(object)
        dims = (dim, *(f"{column}_{axis}" for axis in range(1, array.ndim)))
        made[column] = (dims, array, {"units": unit})
    return made


def _assemble(groups: dict[str, xr.Dataset], around: _Surroundings) -> xr.DataTree:
    for path, dataset in groups.items():
        signal = next(signal for signal in SIGNALS if path.split("/")[1] == signal)
        for variable, (unit, _) in VARIABLES[signal].items():
            if variable in dataset.variables and unit is not None:
                dataset[variable].attrs["units"] = unit
    if around.trials:
        lengths = {len(values) for values, _ in around.trials.values()}
        groups["/trials"] = xr.Dataset(_columns(around.name, "trial", around.trials, max(lengths)))
    groups["/protocol"] = xr.Dataset(attrs=(around.protocol or Protocol()).to_attributes())
    for role, streams in zip(STREAM_ROLES, (around.stimuli, around.behaviour, around.interventions), strict=True):
        groups |= {f"/{role}/{name}": stream.to_dataset() for name, stream in (streams or {}).items()}
    tree = xr.DataTree.from_dict(groups, name=None)
    tree.attrs = {"schema_version": SCHEMA_VERSION, "name": around.name, "provenance": []}
    validate(tree)
    return tree
