"""Cells of a data set under current steps: which sweeps can be used, and which amplitudes are held out."""

import dataclasses
from pathlib import Path

import numpy as np
import xarray as xr

from biophys.calibrate import Target, target_of
from experiments.calibration.steps import CurrentStep, find_steps
from twin.datasets import ALL
from twin.errors import InputError

SETS = ("ferguson2015_ca1", "bluepyefe", "allen_celltypes_10")
SPIKE_THRESHOLD_MV = -20.0
REST_MV = (-95.0, -35.0)  # a baseline outside is none of a membrane: the offset of the amplifier was not recorded
BLOCK_MV = -22.0  # a median within the step above this is depolarisation block, in which crossings are no spikes
LEAST_CURRENT_NA = 0.1
LEAST_RESISTANCE = 0.1  # of the largest that the cell's sweeps show: a current with less was not injected
SAME_REST_MV = 10.0  # a baseline farther from the median of the cell's is another state of it
ONSET_S = 0.002  # a spike this soon after a hyperpolarising onset is a transient
SAME_NA = 0.003  # amplitudes nearer than this are repeats
BEFORE_S = 0.05
STEP_S = 2e-4  # of the models
MOST_FITTED = 8


@dataclasses.dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        name: of the recording.
        target: usable sweeps.
        steps: of each.
        amplitude: number of the amplitude of each sweep; repeats share one.
        held_out: amplitudes that are only scored.
        dropped: sweep -> why it was not used.
    """

    name: str
    target: Target
    steps: tuple[CurrentStep, ...]
    amplitude: np.ndarray
    held_out: tuple[int, ...]
    dropped: dict[str, str]

    def rows(self, held_out: bool) -> list[int]:
        """The sweeps that are scored, or fitted; of these at most eight, spread over the amplitudes."""
        is_held = np.isin(self.amplitude, self.held_out)
        if held_out:
            return np.flatnonzero(is_held).tolist()
        rest = np.flatnonzero(~is_held)
        rest = rest[np.argsort(self.amplitude[rest], kind="stable")]
        return sorted(rest[np.unique(np.linspace(0, len(rest) - 1, MOST_FITTED).round().astype(int))].tolist())

    def part(self, rows: list[int]) -> tuple[Target, tuple[CurrentStep, ...]]:
        """Some sweeps from 50 ms before the step to its end at the models' step, and where the step is in them.

        The current is the step alone: measured ones hold transients at the spikes, which are no currents.
        """
        step, whole = self.steps[0], self.target
        coarser = max(int(STEP_S / whole.dt_s + 1e-6), 1)
        onset, end = (round(edge / whole.dt_s) for edge in (step.start_s, step.stop_s))
        before = min(round(BEFORE_S / whole.dt_s), onset) // coarser * coarser
        first, last = onset - before, onset + (min(end, whole.n_steps) - onset) // coarser * coarser
        current = np.zeros((len(rows), last - first))
        current[:, before:] = np.array([self.steps[row].height_na for row in rows])[:, None]
        voltage, trains = whole.voltage_mv, whole.spike_times_s
        assert voltage is not None and trains is not None  # `cell_of` reads both
        cut = dataclasses.replace(
            whole,
            current_na=current,
            voltage_mv=voltage[rows, first:last],
            spike_times_s=tuple((trains[row][0] - first * whole.dt_s,) for row in rows),
            sweeps=tuple(whole.sweeps[row] for row in rows),
            scored_s=(0.0, (last - first) * whole.dt_s),
        )
        edges = {"start_s": before * whole.dt_s, "stop_s": (last - first) * whole.dt_s}
        steps = tuple(dataclasses.replace(self.steps[row], **edges) for row in rows)
        return cut.at_step(coarser * whole.dt_s), steps


def detect(folder: Path) -> str:
    """Which set a folder holds, by its files.

    Raises:
        InputError: none of `SETS`.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: does not exist, or is no folder; give the folder of one of {', '.join(SETS)}.")
    if any(folder.glob("cell_*_sweep_*.npz")):
        return "allen_celltypes_10"
    if any(folder.glob("*.ibw")):
        return "bluepyefe"
    if any(folder.glob("*PYR*.abf")) or any(folder.glob("FergusonEtAl2015_*.nwb")):
        return "ferguson2015_ca1"
    raise InputError(
        f"{folder}: holds no cell_ID_sweep_N.npz, no .ibw and no PYR*.abf; give the folder of one of {', '.join(SETS)}."
    )


def read(folder: Path) -> tuple[str, list[Cell], dict[str, str]]:
    """The set, its cells, and the recordings that were left out with the reason.

    Raises:
        InputError: no such set, or no cell that can be used.
    """
    name = detect(folder)
    cells, left_out = [], {}
    for label, load in ALL[name].recordings(folder).items():
        found = cell_of(label, load())
        if isinstance(found, str):
            left_out[label] = found
        else:
            cells.append(found)
    if not cells:
        reasons = "; ".join(f"{label}: {reason}" for label, reason in left_out.items())
        raise InputError(f"{folder}: none of its {len(left_out)} recordings can be used ({reasons}).")
    return name, cells, left_out


def cell_of(name: str, tree: xr.DataTree) -> Cell | str:
    """A cell, or why there is none."""
    whole = target_of(tree, spike_threshold_mv=SPIKE_THRESHOLD_MV)
    steps = find_steps(whole.current_na, whole.dt_s)
    if steps is None:
        return "its currents are no steps"
    dropped = _faults(whole, steps)
    kept = [row for row, label in enumerate(whole.sweeps) if label not in dropped]
    if not kept:
        return f"all sweeps were dropped ({next(iter(dropped.values()))})"
    chosen = tuple(steps[row] for row in kept)
    target = _from_holding(whole.part([whole.sweeps[row] for row in kept]), chosen)
    amplitude = _groups(np.array([step.height_na for step in chosen]))
    spiking = np.array([len(train[0]) > 0 for train in target.spike_times_s or ()])
    held_out = _held_out(amplitude, spiking)
    cell = Cell(name, target, chosen, amplitude, held_out, dropped)
    if not spiking[cell.rows(held_out=False)].any():
        return "no sweep to be fitted has spikes"
    return cell


def _faults(target: Target, steps: tuple[CurrentStep, ...]) -> dict[str, str]:
    """Sweep -> why it is no response of this cell to its step; by what is measured, whatever a model says."""
    assert target.voltage_mv is not None and target.spike_times_s is not None  # `target_of` was told to read them
    times = target.dt_s * np.arange(target.n_steps)
    before, within = times < steps[0].start_s, (times > steps[0].start_s) & (times < steps[0].stop_s)
    base, inside = (np.median(target.voltage_mv[:, some], axis=1) for some in (before, within))
    is_membrane = (base > REST_MV[0]) & (base < REST_MV[1])
    usual = float(np.median(base[is_membrane])) if is_membrane.any() else 0.0
    height = np.array([step.height_na for step in steps])
    silent = np.array([len(train[0]) == 0 for train in target.spike_times_s]) & (np.abs(height) > LEAST_CURRENT_NA)
    mohm = np.abs(inside - base) / np.maximum(np.abs(height), LEAST_CURRENT_NA)
    known = mohm[silent & is_membrane]
    found = {}
    for row, label in enumerate(target.sweeps):
        early = target.spike_times_s[row][0] - steps[row].start_s
        if not is_membrane[row]:
            found[label] = f"a baseline of {base[row]:.0f} mV is none of a membrane"
        elif abs(base[row] - usual) > SAME_REST_MV:
            found[label] = f"a baseline of {base[row]:.0f} mV, where the cell's is {usual:.0f} mV"
        elif inside[row] > BLOCK_MV:
            found[label] = f"a median of {inside[row]:.0f} mV within the step is depolarisation block"
        elif height[row] < 0 and (np.abs(early) < ONSET_S).any():
            found[label] = f"a transient at the onset of {height[row]:.2g} nA passes for a spike"
        elif silent[row] and mohm[row] < LEAST_RESISTANCE * known.max():
            found[label] = f"no response to {height[row]:.2g} nA"
    return found


def _from_holding(target: Target, steps: tuple[CurrentStep, ...]) -> Target:
    """Currents counted from what flowed before the step: measured ones have offsets that drift and are no currents."""
    holding = np.array([step.holding_na for step in steps])
    return dataclasses.replace(target, current_na=target.current_na - holding[:, None])


def _groups(heights_na: np.ndarray) -> np.ndarray:
    """The rank of each amplitude; those that are almost equal share one."""
    order = np.argsort(heights_na, kind="stable")
    rank = np.zeros(len(heights_na), int)
    rank[order] = np.concatenate([[0], np.cumsum(np.diff(heights_na[order]) > SAME_NA)])
    return rank


def _held_out(amplitude: np.ndarray, spiking: np.ndarray) -> tuple[int, ...]:
    """Every third amplitude from the second on, counted among those with spikes and among those without."""
    held: list[int] = []
    for some in (spiking, ~spiking):
        held += np.unique(amplitude[some])[1::3].tolist()
    # a repeat may spike where another is silent: the amplitude counts as one
    return tuple(sorted(set(held))) if set(amplitude.tolist()) - set(held) else ()
