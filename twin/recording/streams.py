"""Streams: what was shown, what the animal did, and what was done to the preparation, in one form."""

import dataclasses
from typing import Any

import numpy as np
import xarray as xr

from twin.errors import InputError
from twin.recording.time_axis import time_axis

LEADING = (("time",), ("trial", "time"), ("trial",), ())


@dataclasses.dataclass(frozen=True)
class Stream:
    """A stimulus, a behaviour or an intervention.

    Attributes:
        values: numbers or texts with the dimensions `leading`, then any features: (time, ...) for one run through the
            whole recording, (trial, time, ...) for each trial apart, (trial, ...) for one value a trial, or () for
            one value altogether.
        sampling_hz: of the time axis; None where there is none.
        unit: of the values, "1" where there is none.
        start_s: time of the first sample.
        leading: the first dimensions, one of the four above.
        attributes: further plain facts: what an intervention acts on, the carrier of a sound.

    Raises:
        InputError: dimensions that are none of the four, or a time axis without sampling rate or the other way round.
    """

    values: Any
    sampling_hz: float | None
    unit: str
    start_s: float = 0.0
    leading: tuple[str, ...] = ("time",)
    attributes: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.leading not in LEADING or np.ndim(self.values) < len(self.leading):
            raise InputError(
                f"a stream has {np.ndim(self.values)} dimension(s) and the leading ones {self.leading}; wanted one of "
                f"{', '.join(str(one) for one in LEADING)} and as many dimensions or more."
            )
        if ("time" in self.leading) != (self.sampling_hz is not None) or not (
            self.sampling_hz is None or self.sampling_hz > 0
        ):
            raise InputError(
                f"a stream with the dimensions {self.leading} has the sampling rate {self.sampling_hz}; a stream in "
                "time has a positive one in Hz, another has None."
            )

    @property
    def stop_s(self) -> float:
        """The end of the last sample, s."""
        return self.start_s + np.shape(self.values)[self._time] / self.rate_hz

    @property
    def _time(self) -> int:
        return self.leading.index("time")

    @property
    def rate_hz(self) -> float:
        """Samples a second of a stream in time.

        Raises:
            InputError: it has no time.
        """
        if self.sampling_hz is None:
            raise InputError("a stream of one value a trial has no time.")
        return self.sampling_hz

    def between(self, start_s: float, stop_s: float) -> "Stream":
        """The samples in [start_s, stop_s); the time of the result goes on counting from the recording's start.

        Raises:
            InputError: the stream does not cover that, or has no time.
        """
        first, last = (int(round((edge - self.start_s) * self.rate_hz)) for edge in (start_s, stop_s))
        if first < 0 or last > np.shape(self.values)[self._time] or first >= last:
            raise InputError(
                f"the stream lasts from {self.start_s:g} to {self.stop_s:g} s, which does not cover the wanted "
                f"{start_s:g} to {stop_s:g} s."
            )
        part = self.values[(slice(None),) * self._time + (slice(first, last),)]
        return dataclasses.replace(self, values=part, start_s=start_s)

    def to_dataset(self) -> xr.Dataset:
        """As a recording keeps it."""
        values = self.values if hasattr(self.values, "chunks") else np.asarray(self.values)
        dims = (*self.leading, *(f"feature_{axis}" for axis in range(1, values.ndim - len(self.leading) + 1)))
        dataset = xr.Dataset({"value": (dims, values)}, attrs={**self.attributes, "leading": list(self.leading)})
        dataset["value"].attrs["units"] = self.unit
        if self.sampling_hz is None:
            return dataset
        dataset.attrs |= {"sampling_hz": float(self.sampling_hz), "start_s": float(self.start_s)}
        return dataset.assign_coords(time_axis(dataset.sizes["time"], self.sampling_hz, self.start_s))

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset) -> "Stream":
        """The inverse of `to_dataset`; the values are read."""
        attributes = {str(name): value for name, value in dataset.attrs.items()}
        leading, rate = tuple(attributes.pop("leading")), attributes.pop("sampling_hz", None)
        start_s = float(attributes.pop("start_s", 0.0))
        return cls(dataset["value"].values, rate, dataset["value"].attrs["units"], start_s, leading, attributes)
