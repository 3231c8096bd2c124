"""The one owner of train, validation and held-out data."""

import dataclasses
from pathlib import Path

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
