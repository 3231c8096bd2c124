"""The stimuli of challenge A and their repeats, and which of them have spike times that repeat."""

import dataclasses
from pathlib import Path

import numpy as np

from biophys.calibrate import Target, target_of
from experiments.qsnmc.settings import Settings
from experiments.spike_fits.trains import Repeats, intrinsic
from twin import recording
from twin.datasets import qsnmc2007
from twin.errors import InputError

SPIKE_MV = -10.0
LEAST_RELIABILITY = 0.25  # of spike times, above which they are compared


@dataclasses.dataclass(frozen=True, eq=False)
class Stimuli:
    """Currents and spikes of one folder.

    Attributes:
        repeats: every repeat of every stimulus a sweep.
        of_sweep: which stimulus each sweep had.
        merged: the mean current of each stimulus, with the trains of all its repeats.
    """

    repeats: Target
    of_sweep: tuple[str, ...]
    merged: Target

    @property
    def names(self) -> tuple[str, ...]:
        """Of the stimuli."""
        return self.merged.sweeps

    def real(self, name: str) -> Repeats:
        """The recorded spikes of a stimulus."""
        assert self.merged.spike_times_s is not None
        trains = self.merged.spike_times_s[self.names.index(name)]
        return Repeats.cut(trains, 0.0, self.merged.duration_s)

    def reliability(self, name: str) -> float:
        """Mean coincidence factor of the repeats among themselves."""
        return intrinsic(self.real(name), 0).value

    def is_testable(self, name: str) -> bool:
        """Whether spike times repeat."""
        return self.reliability(name) > LEAST_RELIABILITY

    def current_na(self, name: str, dt_s: float) -> np.ndarray:
        """Mean current of a stimulus on the models' step."""
        target = self.merged.part([name])
        return target.at_step(dt_s).current_na[0]

    def to_fit(self, names: tuple[str, ...], settings: Settings) -> Target:
        """Mean currents and all trains of some stimuli, of which the first part is compared."""
        return self.merged.part(names, stop_s=min(settings.fitted_s, self.merged.duration_s))

    def to_force(self, names: tuple[str, ...], settings: Settings) -> Target:
        """Single repeats of some stimuli, whose spikes are forced on a model."""
        sweeps = []
        for name in names:
            own = [
                sweep for sweep, stimulus in zip(self.repeats.sweeps, self.of_sweep, strict=True) if stimulus == name
            ]
            sweeps += own[: settings.escape_repeats]
        return self.repeats.part(sweeps, stop_s=min(settings.fitted_s, self.repeats.duration_s))


def load(folder: Path) -> Stimuli:
    """Read challenge A.

    Raises:
        InputError: it is not in the folder, has a single stimulus, or a stimulus without repeats.
    """
    found = [name for name in qsnmc2007.load(folder) if "challengeA" in name]
    if len(found) != 1:
        raise InputError(f"{folder}: has {len(found)} recordings of challenge A; wanted one, challengeA.npz.")
    tree = qsnmc2007.load(folder)[found[0]]()
    target = target_of(tree, spike_threshold_mv=SPIKE_MV)
    (sweeps,) = recording.sweep_sets(tree).values()
    names = tuple(str(one) for one in sweeps["stimulus"].values)
    short = [name for name in dict.fromkeys(names) if names.count(name) < 2]
    if short:
        raise InputError(f"{folder}: stimulus {', '.join(short)} has no repeats; reliability needs two or more.")
    merged = target.merged(names)
    return Stimuli(target, names, merged)


def refuse_shared(data: Stimuli, test: Stimuli) -> None:
    """A stimulus of the test folder must not be among the fitted ones.

    Raises:
        InputError: one is.
    """
    shared = sorted(set(data.names) & set(test.names))
    if shared:
        raise InputError(
            f"{test.merged.name}: stimulus {', '.join(shared)} is in --data as well; give others, or leave out --test."
        )
