"""Spike trains and predictions as the judge takes them: checked once, then plain sorted arrays of seconds."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from twin.errors import InputError

# A spike that lies on the edge of a bin, up to the rounding of floating point, belongs to the bin that the edge opens.
_EDGE_TOLERANCE_BINS = 1e-6


@dataclass(frozen=True, eq=False)
class SpikeTrains:
    """The spikes of one unit in one or more trials, all seen over the same stretch of time.

    Attributes:
        trials: one array per trial, spike times in seconds, sorted, each in [start_s, stop_s).
        start_s: when the stretch opens, seconds.
        stop_s: when it closes, seconds.

    Raises:
        InputError: a stretch of no length, no trial, or a trial that is not a sorted finite 1-D array inside it.
    """

    trials: tuple[np.ndarray, ...]
    start_s: float
    stop_s: float

    def __post_init__(self) -> None:
        check_stretch(self.start_s, self.stop_s)
        if not self.trials:
            raise InputError("The spike trains hold no trial; give at least one array, which may be empty.")
        checked = tuple(
            check_train(trial, self.start_s, self.stop_s, name=f"trial {i}") for i, trial in enumerate(self.trials)
        )
        object.__setattr__(self, "trials", checked)

    @property
    def duration_s(self) -> float:
        """Length of the stretch, seconds."""
        return self.stop_s - self.start_s

    def between(self, start_s: float, stop_s: float) -> "SpikeTrains":
        """The same trials, cut to [start_s, stop_s).

        Raises:
            InputError: the new stretch reaches outside of this one, where nothing was recorded.
        """
        tolerance = 1e-9 * max(1.0, abs(self.stop_s))
        if start_s < self.start_s - tolerance or stop_s > self.stop_s + tolerance:
            raise InputError(
                f"The spike trains cover [{self.start_s:g}, {self.stop_s:g}) s, but [{start_s:g}, {stop_s:g}) s "
                "was asked for; choose a stretch inside."
            )
        return SpikeTrains(tuple(t[(t >= start_s) & (t < stop_s)] for t in self.trials), start_s, stop_s)


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says about one stretch: spikes that it generates and the rate that it expects.

    Attributes:
        trials: generated spike trains, free running.
        rate_hz: expected rate given the stimulus alone, one value per bin over the stretch of `trials`, Hz, above zero.
    """

    trials: SpikeTrains
    rate_hz: Float[np.ndarray, " bin"]


def check_stretch(start_s: float, stop_s: float) -> None:
    """Refuse a stretch of time that is not finite or has no length."""
    if not (np.isfinite(start_s) and np.isfinite(stop_s) and start_s < stop_s):
        raise InputError(f"The stretch [{start_s}, {stop_s}) s has no length; give start_s < stop_s, both finite.")


def check_train(times_s: np.ndarray, start_s: float, stop_s: float, *, name: str = "spike train") -> np.ndarray:
    """A read-only float64 copy of one train.

    Args:
        times_s: spike times, seconds.
        start_s: earliest allowed time, seconds.
        stop_s: first time that is no longer allowed, seconds.
        name: what the error message calls this train.

    Raises:
        InputError: not one-dimensional, not finite, not sorted, or outside [start_s, stop_s).
    """
    train = np.array(times_s, dtype=np.float64)
    train.flags.writeable = False
    if train.ndim != 1:
        raise InputError(f"{name} has shape {train.shape}; a train is a one-dimensional array of seconds.")
    if not np.all(np.isfinite(train)):
        raise InputError(f"{name} holds a time that is NaN or infinite; remove it before judging.")
    if np.any(np.diff(train) < 0):
        raise InputError(f"{name} is not sorted; pass np.sort(times).")
    if train.size and not (start_s <= train[0] and train[-1] < stop_s):
        raise InputError(
            f"{name} spans {train[0]:g} to {train[-1]:g} s, outside [{start_s:g}, {stop_s:g}) s; "
            "times are seconds: convert milliseconds, or widen the stretch."
        )
    return train


def bin_index(times_s: np.ndarray, start_s: float, bin_s: float, n_bins: int) -> Int[np.ndarray, " spike"]:
    """Which of `n_bins` bins of width `bin_s` each time falls in, from `start_s`; an edge belongs to the bin it opens.

    A time before the first bin has a negative index, one after the last an index of `n_bins` or more.
    """
    position = (times_s - start_s) / bin_s
    index = np.floor(position + _EDGE_TOLERANCE_BINS).astype(np.int64)
    # Just before the closing edge there is no bin to be opened.
    return np.where((index == n_bins) & (position < n_bins), n_bins - 1, index)


def bin_counts(times_s: np.ndarray, start_s: float, bin_s: float, n_bins: int) -> Int[np.ndarray, " bin"]:
    """Spikes in each of `n_bins` bins of width `bin_s`; spikes before or after them are not counted."""
    index = bin_index(times_s, start_s, bin_s, n_bins)
    return np.bincount(index[(index >= 0) & (index < n_bins)], minlength=n_bins)


def whole_multiple(length_s: float, part_s: float, *, length: str, part: str) -> int:
    """How many times `part_s` fits in `length_s`.

    Raises:
        InputError: it does not fit a whole number of times, up to rounding.
    """
    if part_s <= 0:
        raise InputError(f"{part} is {part_s:g} s; give a width above zero.")
    n = round(length_s / part_s)
    if n < 1 or abs(n * part_s - length_s) > 1e-6 * part_s * max(n, 1):
        raise InputError(
            f"{length} ({length_s:g} s) is not a whole number of {part} ({part_s:g} s); "
            f"cut it to {max(1, int(length_s / part_s)) * part_s:g} s or choose another width."
        )
    return n
