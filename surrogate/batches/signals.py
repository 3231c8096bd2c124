"""Responses in windows, read from a store piece by piece: counts, spike times or fluorescence."""

import dataclasses
from typing import Protocol, runtime_checkable

import numpy as np
import xarray as xr
from jaxtyping import Float, Int

from twin.errors import InputError

PIECE = 1_000_000  # spikes that are in memory at a time
ROUNDING = 1e-6  # of a sample, so that an edge that is a whole number of samples falls on it


@runtime_checkable
class Signal(Protocol):
    """What can be read in windows.

    Attributes:
        kind: "counts", "spikes" or "fluorescence".
        starts_s: start of each trial, s.
        n_windows: whole windows of each trial.
        unit_ids: name of each unit.
    """

    kind: str
    starts_s: Float[np.ndarray, " trial"]
    n_windows: Int[np.ndarray, " trial"]
    unit_ids: tuple[str, ...]

    def read(self, trial: int, start: int, stop: int) -> Float[np.ndarray, "window unit"]:
        """The response in the windows [start, stop) of a trial, float32."""


@dataclasses.dataclass(frozen=True)
class Sampled:
    """Counts, which are summed within a window, or fluorescence, which is averaged.

    Attributes:
        kind: "counts" or "fluorescence".
        values: (trial, time, unit), in memory or not.
        edges: first sample of each window, and the end of the last one.
        starts_s: start of each trial, s.
        unit_ids: name of each unit.
        places: x and y of each unit, where the recording says so.
    """

    kind: str
    values: xr.DataArray
    edges: Int[np.ndarray, " edge"]
    starts_s: Float[np.ndarray, " trial"]
    unit_ids: tuple[str, ...]
    places: Float[np.ndarray, "unit 2"] | None = None

    @property
    def n_windows(self) -> Int[np.ndarray, " trial"]:
        """Every trial has the same number."""
        return np.full(len(self.starts_s), len(self.edges) - 1)

    def read(self, trial: int, start: int, stop: int) -> Float[np.ndarray, "window unit"]:
        """As `Signal.read`."""
        edges = self.edges[start : stop + 1]
        part = self.values.isel(trial=trial, time=slice(int(edges[0]), int(edges[-1]))).values.astype(np.float32)
        total = np.add.reduceat(part, edges[:-1] - edges[0], axis=0)
        return total if self.kind == "counts" else total / np.diff(edges)[:, None].astype(np.float32)


@dataclasses.dataclass(frozen=True)
class Spikes:
    """Spike times, which are counted; of one trial `PIECE` spikes are in memory at a time.

    Attributes:
        spikes: the group `/spikes`.
        window_s: length of a window, s.
        bounds: first spike of each trial, and the end of the last one.
        starts_s: start of each trial, s.
        n_windows: whole windows of each trial.
        unit_ids: name of each unit.
        places: x and y of each unit, where the recording says so.
    """

    spikes: xr.Dataset
    window_s: float
    bounds: Int[np.ndarray, " bound"]
    starts_s: Float[np.ndarray, " trial"]
    n_windows: Int[np.ndarray, " trial"]
    unit_ids: tuple[str, ...]
    kind: str = "spikes"
    places: Float[np.ndarray, "unit 2"] | None = None

    def read(self, trial: int, start: int, stop: int) -> Float[np.ndarray, "window unit"]:
        """As `Signal.read`."""
        n_units, counts = len(self.unit_ids), np.zeros((stop - start) * len(self.unit_ids), np.int64)
        for first in range(int(self.bounds[trial]), int(self.bounds[trial + 1]), PIECE):
            piece = self.spikes.isel(spike=slice(first, min(first + PIECE, int(self.bounds[trial + 1]))))
            elapsed = (piece["spike_time"].values - self.starts_s[trial]) / self.window_s
            window = np.floor(elapsed + ROUNDING).astype(np.int64) - start
            inside = (window >= 0) & (window < stop - start)
            places = window[inside] * n_units + piece["unit_index"].values[inside]
            counts += np.bincount(places, minlength=len(counts))
        return counts.reshape(stop - start, n_units).astype(np.float32)


def signal_of(tree: xr.DataTree, kind: str, window_s: float) -> Sampled | Spikes:
    """The signal of a recording that a surrogate predicts.

    Args:
        tree: the recording.
        kind: "counts", "spikes", "fluorescence", or "auto" for the only one of them.
        window_s: length of a window, s.

    Raises:
        InputError: it has none of them, or several and "auto", no units or no whole window, or bins that do not fit.
    """
    name, has = tree.attrs["name"], [one for one in ("counts", "spikes", "fluorescence") if one in tree.children]
    if kind == "auto" and len(has) != 1 or kind not in ("auto", *has):
        raise InputError(
            f"{name}: has {' and '.join(has) or 'no counts, spikes or fluorescence'}, and the surrogate wants "
            f"{'exactly one of them' if kind == 'auto' else kind}; give a recording that has it, or set data.signal."
        )
    dataset = tree[has[0] if kind == "auto" else kind].to_dataset()
    made = _spikes(dataset, window_s) if "spike_time" in dataset else _sampled(name, dataset, window_s)
    if not made.unit_ids or not made.n_windows.sum():
        raise InputError(
            f"{name}: is empty: {len(made.unit_ids)} units and {int(made.n_windows.sum())} windows of {window_s:g} s; "
            "leave it out."
        )
    return made


def _spikes(spikes: xr.Dataset, window_s: float) -> Spikes:
    n_trials = spikes.sizes["trial"]
    per_trial = np.zeros(n_trials, np.int64)
    for first in range(0, spikes.sizes["spike"], PIECE):
        trials = spikes["trial_index"].isel(spike=slice(first, first + PIECE)).values
        per_trial += np.bincount(trials, minlength=n_trials)
    starts, stops = spikes["trial_start"].values.astype(np.float64), spikes["trial_stop"].values
    n_windows = np.floor((stops - starts) / window_s + ROUNDING).astype(np.int64)
    bounds = np.concatenate([[0], np.cumsum(per_trial)])
    names = _unit_ids(spikes, spikes.sizes["unit"])
    return Spikes(spikes, window_s, bounds, starts, n_windows, names, places=_places(spikes))


def _sampled(name: str, dataset: xr.Dataset, window_s: float) -> Sampled:
    kind = "counts" if "count" in dataset else "fluorescence"
    values = dataset["count" if kind == "counts" else "fluorescence"]
    n_trials, n_times, n_units = values.shape
    if "sampling_hz" in dataset.attrs:
        rate, start = float(dataset.attrs["sampling_hz"]), float(dataset.attrs["start_s"])
        n_windows = int(np.floor(n_times / (rate * window_s) + ROUNDING))
        edges = np.ceil(np.arange(n_windows + 1) * rate * window_s - ROUNDING).astype(np.int64)
    else:
        times = dataset["time"].values
        start, rate = float(times[0]) if n_times else 0.0, 1.0 / float(np.median(np.diff(times)))
        n_windows = int(np.floor((times[-1] + 1.0 / rate - start) / window_s + ROUNDING))
        edges = np.searchsorted(times, start + (np.arange(n_windows + 1) - ROUNDING) * window_s)
    ratio = rate * window_s
    if kind == "counts" and abs(ratio - max(1, round(ratio))) > 1e-3 or (np.diff(edges) < 1).any():
        raise InputError(
            f"{name}: its {kind} come every {1 / rate:g} s, of which a window of {window_s:g} s does not hold "
            f"{'a whole number' if kind == 'counts' else 'one each'}; set data.window_s to a multiple of {1 / rate:g}."
        )
    return Sampled(kind, values, edges, np.full(n_trials, start), _unit_ids(dataset, n_units), _places(dataset))


def _places(dataset: xr.Dataset) -> np.ndarray | None:
    """(unit, 2) where units are, if the recording says so."""
    if not {"x", "y"} <= set(dataset.coords):
        return None
    return np.stack([dataset[axis].values.astype(np.float64) for axis in ("x", "y")], axis=1)


def _unit_ids(dataset: xr.Dataset, n_units: int) -> tuple[str, ...]:
    return tuple(str(one) for one in dataset["unit"].values) if "unit" in dataset else tuple(map(str, range(n_units)))
