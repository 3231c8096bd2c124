"""What a calibration is to reproduce: the current of each sweep and what the cell did, on one regular axis."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float, Int

from twin import recording
from twin.errors import InputError
from twin.protocol import Protocol

Trains = tuple[tuple[np.ndarray, ...], ...]  # sweep -> repeat -> spike times, s from the first sample
_CLOCK = 1e-6  # of a step: what may be missing from a whole number of steps


@dataclasses.dataclass(frozen=True)
class Target:
    """Sweeps of one length and step.

    Times count from the first sample. A spike has Brian2's time: the start of the step in which the threshold is
    crossed, so that a spike at 0.3 ms with a step of 0.1 ms is in step 3, and the reset shows in sample 4.

    Attributes:
        name: of the recording.
        dt_s: step of both arrays, s.
        current_na: (sweep, time), held from each sample to the next.
        voltage_mv: (sweep, time); NaN where there is no sample; None where it was not recorded.
        spike_times_s: for each sweep the trains of its repeats, s; None where spikes are not known.
        sweeps: a name for each.
        scored_s: start and end of what is compared; the model always runs from the first sample to that end.
        protocol: how it was measured.
    """

    name: str
    dt_s: float
    current_na: Float[np.ndarray, "sweep time"]
    voltage_mv: Float[np.ndarray, "sweep time"] | None
    spike_times_s: Trains | None
    sweeps: tuple[str, ...]
    scored_s: tuple[float, float]
    protocol: Protocol = dataclasses.field(default_factory=Protocol)

    def __post_init__(self) -> None:
        start, stop = self.scored_s
        if not 0 <= start < stop <= self.n_steps * self.dt_s * (1 + 1e-9):
            raise InputError(
                f"{self.name}: {start:g} to {stop:g} s were to be compared of sweeps of {self.duration_s:g} s."
            )

    @property
    def n_steps(self) -> int:
        """Of a sweep."""
        return self.current_na.shape[1]

    @property
    def duration_s(self) -> float:
        """Of a sweep, s."""
        return self.n_steps * self.dt_s

    @property
    def scored(self) -> Bool[np.ndarray, " time"]:
        """Which steps are compared."""
        first, last = (round(edge / self.dt_s) for edge in self.scored_s)
        steps = np.arange(self.n_steps)
        return (steps >= first) & (steps < last)

    def trains(self, what: str) -> Trains:
        """The spikes, for an objective that needs some.

        Args:
            what: needs them, for the message.

        Raises:
            InputError: they are not known, or there is none in what is compared.
        """
        start, stop = self.scored_s
        if self.spike_times_s is None:
            raise InputError(
                f"{self.name}: {what} needs spikes, and none are in the recording: give spike_threshold_mv to read "
                "them off the voltage, or a recording with spikes."
            )
        if not any(((train >= start) & (train < stop)).any() for sweep in self.spike_times_s for train in sweep):
            raise InputError(
                f"{self.name}: {what} needs spikes, and there is none between {start:g} and {stop:g} s; choose another "
                "stretch or other sweeps, lower spike_threshold_mv, or compare the voltage (TraceError)."
            )
        return self.spike_times_s

    def voltage(self, what: str) -> Float[np.ndarray, "sweep time"]:
        """The voltage, for an objective that needs it.

        Raises:
            InputError: it was not recorded, or not in what is compared.
        """
        if self.voltage_mv is None or not np.isfinite(self.voltage_mv[:, self.scored]).any():
            raise InputError(f"{self.name}: {what} needs a recorded voltage, and there is none in what is compared.")
        return self.voltage_mv

    def raster(self, repeat: int = 0) -> Bool[np.ndarray, "sweep time"]:
        """In which steps the cell spiked, of one repeat of each sweep."""
        raster = np.zeros(self.current_na.shape, bool)
        for row, sweep in zip(raster, self.spike_times_s or (), strict=False):
            steps = self.steps_of(sweep[repeat])
            row[steps[steps < self.n_steps]] = True
        return raster

    def steps_of(self, times_s: np.ndarray) -> Int[np.ndarray, " spike"]:
        """The steps that hold these times."""
        return np.floor(np.asarray(times_s, np.float64) / self.dt_s + _CLOCK).astype(np.int64)

    def part(
        self, sweeps: Sequence[str] | None = None, start_s: float | None = None, stop_s: float | None = None
    ) -> "Target":
        """Some sweeps, some stretch; what comes after the stretch is dropped.

        Raises:
            InputError: a sweep that is not there, or no such stretch.
        """
        chosen = self.sweeps if sweeps is None else tuple(sweeps)
        missing = [one for one in chosen if one not in self.sweeps]
        if missing or not chosen:
            raise InputError(
                f"{self.name}: has no sweep {', '.join(missing) or 'left'}; it has {', '.join(self.sweeps)}."
            )
        rows = [self.sweeps.index(one) for one in chosen]
        start, stop = (
            own if edge is None else edge for own, edge in zip(self.scored_s, (start_s, stop_s), strict=True)
        )
        n_steps = min(round(stop / self.dt_s), self.n_steps)
        return dataclasses.replace(
            self,
            current_na=self.current_na[rows, :n_steps],
            voltage_mv=None if self.voltage_mv is None else self.voltage_mv[rows, :n_steps],
            spike_times_s=None if self.spike_times_s is None else tuple(self.spike_times_s[row] for row in rows),
            sweeps=chosen,
            scored_s=(start, stop),
        )

    def merged(self, groups: Sequence[str]) -> "Target":
        """Sweeps with the same current as repeats of one: their mean current, all their trains, no voltage.

        Args:
            groups: for each sweep the name of the stimulus that it had.

        Raises:
            InputError: not one name for each sweep.
        """
        if len(groups) != len(self.sweeps):
            raise InputError(f"{self.name}: {len(groups)} stimuli were named for {len(self.sweeps)} sweeps.")
        names = tuple(dict.fromkeys(str(group) for group in groups))
        members = [[row for row, group in enumerate(groups) if str(group) == name] for name in names]
        trains = self.spike_times_s
        return dataclasses.replace(
            self,
            current_na=np.stack([self.current_na[rows].mean(axis=0) for rows in members]),
            voltage_mv=None,
            spike_times_s=None if trains is None else tuple(sum((trains[row] for row in rows), ()) for rows in members),
            sweeps=names,
        )

    def at_step(self, dt_s: float) -> "Target":
        """The same on another step: samples are held, or averaged (current) and picked (voltage).

        Raises:
            InputError: neither step is a whole multiple of the other.
        """
        finer, coarser = self.dt_s / dt_s, dt_s / self.dt_s
        if np.isclose(finer, 1.0, rtol=_CLOCK):
            return self
        if np.isclose(finer, round(finer), rtol=_CLOCK) and finer > 1:
            factor = round(finer)
            current = np.repeat(self.current_na, factor, axis=1)
            voltage = None
            if self.voltage_mv is not None:
                voltage = np.full(current.shape, np.nan)
                voltage[:, ::factor] = self.voltage_mv
        elif np.isclose(coarser, round(coarser), rtol=_CLOCK) and coarser > 1:
            factor = round(coarser)
            n = self.n_steps // factor * factor
            current = self.current_na[:, :n].reshape(len(self.sweeps), -1, factor).mean(axis=2)
            voltage = None if self.voltage_mv is None else self.voltage_mv[:, :n:factor]
        else:
            raise InputError(
                f"{self.name}: is sampled every {1e3 * self.dt_s:g} ms and the model was to step by {1e3 * dt_s:g} ms; "
                f"one must be a whole multiple of the other: a step of {1e3 * self.dt_s / np.ceil(finer):g} ms fits."
            )
        stop = min(self.scored_s[1], current.shape[1] * dt_s)
        return dataclasses.replace(
            self, dt_s=dt_s, current_na=current, voltage_mv=voltage, scored_s=(self.scored_s[0], stop)
        )


def target_of(
    tree: xr.DataTree, *, kind: str | None = None, spike_threshold_mv: float | None = None, scale_na: float = 1.0
) -> Target:
    """The current clamp sweeps of a recording.

    Args:
        tree: a recording with sweeps, and perhaps spikes: trial k belongs to sweep k.
        kind: name of the group of sweeps, for a recording with several.
        spike_threshold_mv: upward crossings are spikes; None takes the recording's own spikes, if it has any.
        scale_na: what one unit of the recorded current is, nA; 1 unless the file is wrong.

    Raises:
        InputError: no such sweeps, no current clamp, no current, or not as many trials as sweeps.
    """
    name, kinds = str(tree.attrs.get("name", "recording")), recording.sweep_sets(tree)
    paths = [path for path in kinds if kind is None or path.rsplit("/", 1)[-1] == kind]
    if len(paths) != 1:
        found = ", ".join(path.rsplit("/", 1)[-1] for path in kinds) or "none"
        raise InputError(f"{name}: wanted one kind of sweeps and found {found}; name one of them as kind=.")
    sweeps = kinds[paths[0]]
    if sweeps.attrs.get("clamp") != "current" or "current" not in sweeps or "voltage" not in sweeps:
        raise InputError(
            f"{name}: has sweeps of {sweeps.attrs.get('clamp')} clamp with {', '.join(map(str, sweeps.data_vars))}; "
            "wanted current clamp with voltage and current."
        )
    rate_hz = float(sweeps.attrs["sampling_hz"])
    voltage = np.asarray(sweeps["voltage"].values, np.float64)
    current = scale_na * np.asarray(sweeps["current"].values, np.float64)
    if not np.isfinite(current).all():
        raise InputError(f"{name}: the current has samples that are no numbers; cut the sweeps before them.")
    trains = _crossings(voltage, rate_hz, spike_threshold_mv)
    if spike_threshold_mv is None:
        trains = _trials(tree, name, len(current), float(sweeps.attrs["start_s"]))
    return Target(
        name=name,
        dt_s=1.0 / rate_hz,
        current_na=current,
        voltage_mv=voltage,
        spike_times_s=trains,
        sweeps=tuple(str(one) for one in sweeps["sweep"].values),
        scored_s=(0.0, current.shape[1] / rate_hz),
        protocol=recording.protocol_of(tree),
    )


def _crossings(voltage: np.ndarray, rate_hz: float, threshold_mv: float | None) -> Trains | None:
    if threshold_mv is None:
        return None
    above = voltage >= threshold_mv
    return tuple((np.flatnonzero(~row[:-1] & row[1:]) / rate_hz,) for row in above)


def _trials(tree: xr.DataTree, name: str, n_sweeps: int, start_s: float) -> Trains | None:
    if "spikes" not in tree.children:
        return None
    trains = recording.spike_times(tree)
    if len(trains) != n_sweeps:
        raise InputError(f"{name}: {len(trains)} trials of spikes do not belong to {n_sweeps} sweeps.")
    return tuple((np.asarray(train, np.float64) - start_s,) for train in trains)
