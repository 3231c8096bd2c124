"""The mice: activity, behaviour, directions, and which trials are fitted and which are scored."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from experiments.v1_transfer.settings import Settings
from twin import recording
from twin.datasets import park_v1acc
from twin.errors import InputError
from twin.split import Parts, Segment

WINDOW_S = 0.0625  # 16 Hz: lags of readouts and time constants of the network are in these windows
TOLERANCE_S = 1e-3
VALIDATION_SHARE = 0.1  # of the trials that a network is fitted to, those on which it is stopped


@dataclasses.dataclass(frozen=True, eq=False)
class Mouse:
    """One recording.

    Attributes:
        name: of the mouse.
        group: "control" or "gat3_ko".
        tree: the recording.
        activity: (trial, time, neuron), as recorded.
        behaviour: (trial, time) by name.
        direction: (trial), degrees.
        time_s: (time), from the start of the grating.
        fitted: numbers of the trials that may be fitted.
        quarter: of them, those of the quarter of the data.
        scored: numbers of the trials that are scored.
    """

    name: str
    group: str
    tree: xr.DataTree
    activity: np.ndarray
    behaviour: dict[str, np.ndarray]
    direction: np.ndarray
    time_s: np.ndarray
    fitted: np.ndarray
    quarter: np.ndarray
    scored: np.ndarray

    @property
    def n_neurons(self) -> int:
        """Neurons of the field of view."""
        return self.activity.shape[-1]

    def standardised(self, trials: np.ndarray) -> np.ndarray:
        """Activity of all trials in units of what each neuron does in `trials`: mean 0, deviation 1 there."""
        seen = self.activity[trials]
        deviation = seen.std(axis=(0, 1))
        return (self.activity - seen.mean(axis=(0, 1))) / np.where(deviation > 0, deviation, 1.0)

    def as_recorded(self, values: np.ndarray, trials: np.ndarray) -> np.ndarray:
        """The inverse of `standardised`."""
        seen = self.activity[trials]
        deviation = seen.std(axis=(0, 1))
        return values * np.where(deviation > 0, deviation, 1.0) + seen.mean(axis=(0, 1))

    def parts(self, trials: np.ndarray, seed: int) -> Parts:
        """These trials for a network: most to fit, `VALIDATION_SHARE` of them to stop on."""
        order = np.random.default_rng(seed).permutation(trials)
        n_validation = max(1, round(VALIDATION_SHARE * len(order)))
        n = len(self.time_s)
        train, validation = (
            tuple(Segment(int(trial), 0, n) for trial in sorted(chosen))
            for chosen in (order[n_validation:], order[:n_validation])
        )
        return Parts(train, validation)


def load(folder: Path, settings: Settings) -> list[Mouse]:
    """The mice of a folder, by name.

    Raises:
        InputError: the folder has no mouse, or one with too few trials of a direction.
    """
    recordings = park_v1acc.load(folder)
    return [_mouse(recordings[name](), settings) for name in sorted(recordings)]


def refuse_other_times(mice: Sequence[Mouse]) -> None:
    """Refuse mice whose trials are not alike in time, and steps that are not `WINDOW_S`.

    Raises:
        InputError: which mouse, and how its trials differ.
    """
    first = mice[0].time_s
    for mouse in mice:
        step = mouse.time_s[1] - mouse.time_s[0]
        told = f"{mouse.name}: has {len(mouse.time_s)} windows of {step:.4g} s from {mouse.time_s[0]:.4g} s on"
        if abs(step - WINDOW_S) > TOLERANCE_S:
            raise InputError(f"{told}; wanted windows of {WINDOW_S} s: resample it.")
        if len(mouse.time_s) != len(first) or abs(mouse.time_s[0] - first[0]) > TOLERANCE_S:
            raise InputError(
                f"{told}, {mice[0].name} has {len(first)} from {first[0]:.4g} s on; cut the trials of all mice alike."
            )


def refuse_shared(data: list[Mouse], test: list[Mouse]) -> None:
    """Refuse a mouse that is in both folders.

    Raises:
        InputError: which.
    """
    shared = {one.name for one in data} & {one.name for one in test}
    if shared:
        raise InputError(f"--data and --test both have {', '.join(sorted(shared))}; a mouse is fitted or left out.")


def _mouse(tree: xr.DataTree, settings: Settings) -> Mouse:
    name = str(tree.attrs["name"])
    fluorescence = tree["fluorescence"].to_dataset()
    activity = np.asarray(fluorescence["fluorescence"].values, np.float64)
    behaviour = {
        key: np.asarray(recording.stream_of(tree, "behaviour", key).values, np.float64) for key in ("pupil", "speed")
    }
    direction = np.asarray(recording.stimulus_of(tree, "direction").values, np.float64)
    fitted, quarter, scored = split(direction, settings, name)
    knocked_out = bool(np.asarray(recording.stream_of(tree, "interventions", "gat3_knock_out").values).item())
    group = "gat3_ko" if knocked_out else "control"
    time_s = np.asarray(fluorescence["time"].values, np.float64)
    return Mouse(name, group, tree, activity, behaviour, direction, time_s, fitted, quarter, scored)


def split(direction: np.ndarray, settings: Settings, name: str = "") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Trials to fit, a quarter of them, and trials to score.

    For each direction in rising order one generator of seed 0 permutes its trials; the last `test_trials` are scored,
    the others fitted, and the first `quarter_trials` are the quarter.

    Raises:
        InputError: a direction has too few trials.
    """
    random = np.random.default_rng(0)
    fitted: list[int] = []
    quarter: list[int] = []
    scored: list[int] = []
    for angle in np.unique(direction):
        trials = random.permutation(np.flatnonzero(direction == angle))
        if len(trials) <= settings.test_trials + settings.quarter_trials:
            raise InputError(
                f"{name}: has {len(trials)} trials of {angle:g} degrees; wanted more than "
                f"{settings.test_trials + settings.quarter_trials}, to fit some and score {settings.test_trials}."
            )
        fitted.extend(trials[: -settings.test_trials])
        quarter.extend(trials[: settings.quarter_trials])
        scored.extend(trials[-settings.test_trials :])
    return np.sort(fitted), np.sort(quarter), np.sort(scored)
