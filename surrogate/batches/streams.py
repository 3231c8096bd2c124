"""Streams in windows, read from a store piece by piece: averaged where they are faster than a window, else held."""

import dataclasses

import numpy as np
import xarray as xr

from twin.errors import InputError
from twin.recording import stream_names

ROUNDING = 1e-6


@dataclasses.dataclass(frozen=True)
class WindowedStream:
    """A stream of a recording that can be read in windows.

    Attributes:
        where: recording, role and name, for errors.
        value: the stored array.
        leading: its first dimensions.
        start_s: time of the first sample.
        sampling_hz: samples a second; None where the stream has no time.
        own_clock: whether each trial's samples start with the trial, not at `start_s`.
    """

    where: str
    value: xr.DataArray
    leading: tuple[str, ...]
    start_s: float
    sampling_hz: float | None
    own_clock: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample."""
        return tuple(self.value.shape[len(self.leading) :])

    @property
    def unit(self) -> str:
        """Of the values."""
        return str(self.value.attrs["units"])

    def read(self, trial: int, trial_start_s: float, start: int, stop: int, window_s: float) -> np.ndarray:
        """The windows [start, stop) of a trial: (window, ...), of the stream's own type where it holds names.

        Raises:
            InputError: the stream ends before, or starts after them.
        """
        chosen = self.value.isel(trial=trial) if "trial" in self.leading else self.value
        if self.sampling_hz is None:
            return np.repeat(np.asarray(chosen.values)[None], stop - start, axis=0)
        origin = trial_start_s if self.own_clock else self.start_s
        edges = (trial_start_s - origin + np.arange(start, stop + 1) * window_s) * self.sampling_hz
        first = np.ceil(edges - ROUNDING).astype(np.int64)
        held = np.floor(edges[:-1] + ROUNDING).astype(np.int64)
        n = chosen.sizes["time"]
        # The last window may reach into the last sample, which then lasts until its end.
        if held[0] < 0 or held[-1] > n:
            raise InputError(
                f"{self.where} lasts from {origin:g} to {origin + n / self.sampling_hz:g} s, which does not cover the "
                f"window at {trial_start_s + (start if held[0] < 0 else stop - 1) * window_s:g} s; give the whole "
                "stream, or a shorter recording."
            )
        held, first = np.minimum(held, n - 1), np.minimum(first, n)
        part = np.asarray(chosen.isel(time=slice(int(held[0]), int(max(first[-1], held[-1] + 1)))).values)
        return _averaged(part, first - held[0], held - held[0])


def _averaged(part: np.ndarray, edges: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Means of the samples between the edges; where there are none, or they are names, the held sample."""
    lengths = np.diff(edges)
    if part.dtype.kind not in "iufb" or (lengths <= 1).all():
        return part[np.where(lengths > 0, edges[:-1], held)] if (lengths > 0).any() else part[held]
    sums = np.concatenate([np.zeros_like(part[:1], np.float64), np.cumsum(part, axis=0, dtype=np.float64)])
    total = sums[edges[1:]] - sums[edges[:-1]]
    shape = (-1,) + (1,) * (part.ndim - 1)
    mean = total / np.maximum(lengths, 1).reshape(shape)
    return np.where((lengths > 0).reshape(shape), mean, part[held])


def stream_in(tree: xr.DataTree, role: str, name: str, trial_starts_s: np.ndarray) -> WindowedStream | None:
    """The stream of that role and name, or None where the recording has none."""
    if name not in stream_names(tree, role):
        return None
    dataset = tree[role].children[name].to_dataset()
    leading, rate = tuple(dataset.attrs["leading"]), dataset.attrs.get("sampling_hz")
    own_clock = "trial" in leading and len(np.unique(trial_starts_s)) > 1
    start_s = float(dataset.attrs.get("start_s", 0.0))
    where = f"{tree.attrs['name']}: the {role} stream {name!r}"
    return WindowedStream(where, dataset["value"], leading, start_s, rate, own_clock)
