"""The one owner of train, validation and held-out data."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from twin import recording
from twin.errors import InputError


@dataclasses.dataclass(frozen=True)
class TimeSplit:
    """A recording in time: fit on [start_s, validation_s), choose on [validation_s, stop_s)."""

    start_s: float
    validation_s: float
    stop_s: float

    @property
    def train(self) -> tuple[float, float]:
        """Start and end of the part to fit, s."""
        return self.start_s, self.validation_s

    @property
    def validation(self) -> tuple[float, float]:
        """Start and end of the part to choose on, s."""
        return self.validation_s, self.stop_s


def last_seconds(tree: xr.DataTree, validation_s: float) -> TimeSplit:
    """The last `validation_s` seconds of a recording are for validation: 10 s with 2 s gives [0, 8) and [8, 10)."""
    start_s, stop_s = recording.span(tree)
    if not 0 < validation_s < stop_s - start_s:
        raise InputError(
            f"{tree.attrs['name']}: lasts {stop_s - start_s:g} s, of which {validation_s:g} s cannot be set apart for "
            "validation and leave something to fit."
        )
    return TimeSplit(start_s, stop_s - validation_s, stop_s)


class HeldOut:
    """A recording whose stimulus and protocol are open and whose response is read by the judge alone.

    Every look at the response is written down in `accesses`, with its reason, and goes into the report.
    """

    def __init__(self, path: Path) -> None:
        self._tree = recording.open(path)
        self.name = str(self._tree.attrs["name"])
        self.accesses: list[str] = []

    def stimulus(self, stream: str) -> recording.Stream:
        """The stimulus, which a model needs in order to predict."""
        return recording.stimulus_of(self._tree, stream)

    @property
    def span(self) -> tuple[float, float]:
        """Start and end of the recording, s."""
        return recording.span(self._tree)

    def response(self, reason: str) -> list:
        """The spike times, one array a trial, s; `reason` is written down."""
        self.accesses.append(reason)
        return recording.spike_times(self._tree)


@dataclasses.dataclass(frozen=True)
class Segment:
    """The windows [start, stop) of one trial."""

    trial: int
    start: int
    stop: int


@dataclasses.dataclass(frozen=True)
class Parts:
    """A recording in train, validation and test, as windows of trials.

    Attributes:
        train: to fit.
        validation: to choose on.
        test: to score once.
    """

    train: tuple[Segment, ...]
    validation: tuple[Segment, ...] = ()
    test: tuple[Segment, ...] = ()

    def to_json(self) -> dict[str, list[list[int]]]:
        """As lists of [trial, start, stop]."""
        return {
            part.name: [[one.trial, one.start, one.stop] for one in getattr(self, part.name)]
            for part in dataclasses.fields(self)
        }


def by_trial(n_windows: Sequence[int], validation: float, test: float, seed: int) -> Parts:
    """Whole trials drawn into the three parts: of 10 trials with 0.1 and 0.2, one and two, whatever their order.

    Raises:
        InputError: a part that was asked for would be empty.
    """
    order = np.random.default_rng(seed).permutation(len(n_windows))
    n_validation, n_test = (math.ceil(share * len(n_windows)) for share in (validation, test))
    if len(n_windows) <= n_validation + n_test:
        raise InputError(
            f"{len(n_windows)} trials cannot give {n_validation} for validation and {n_test} for testing and leave one "
            "to fit; split by time instead."
        )
    chosen = [
        sorted(order[:n_test]),
        sorted(order[n_test : n_test + n_validation]),
        sorted(order[n_test + n_validation :]),
    ]
    test_part, validation_part, train = (
        tuple(Segment(int(trial), 0, int(n_windows[trial])) for trial in trials) for trials in chosen
    )
    return Parts(train, validation_part, test_part)


def by_time(n_windows: Sequence[int], validation: float, test: float) -> Parts:
    """The end of every trial set apart: of 100 windows with 0.1 and 0.2, [0, 70), [70, 80) and [80, 100).

    Raises:
        InputError: no trial is long enough for a part that was asked for.
    """
    found: dict[str, list[Segment]] = {"train": [], "validation": [], "test": []}
    for trial, n in enumerate(n_windows):
        edges = [0, n - round(n * test) - round(n * validation), n - round(n * test), n]
        for name, start, stop in zip(found, edges[:-1], edges[1:], strict=True):
            if stop > start:
                found[name].append(Segment(trial, int(start), int(stop)))
    for name, share in (("train", 1.0), ("validation", validation), ("test", test)):
        if share and not found[name]:
            raise InputError(
                f"trials of {max(n_windows, default=0)} windows leave none for {name}; record longer ones."
            )
    return Parts(**{name: tuple(segments) for name, segments in found.items()})
