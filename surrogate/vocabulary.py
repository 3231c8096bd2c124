"""What a surrogate knows by name: sessions, units, animals, streams and covariates, with their range in training.

It is what turns recordings into numbers, so it is part of the checkpoint; the validity envelope is read from it.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from twin.errors import InputError

UNKNOWN = 0  # index of a covariate's level that training never saw, or nobody reported
AVERAGE = 0  # index of the average animal
AVERAGE_SESSION = "average subject"  # name of the session whose units are the average subject's
SMALLEST = 1e-6  # a deviation below it is that of a constant, which is left unscaled


@dataclasses.dataclass(frozen=True)
class StreamFacts:
    """A stimulus or behaviour stream.

    Attributes:
        name: of the stream.
        role: "stimulus" or "behaviour".
        unit: of its values.
        shape: of one sample, () for a single number.
        levels: its levels where it holds names or codes; one feature each.
        mean: of each feature over the training part (of a video, one number).
        deviation: standard deviation.
        low: smallest value seen.
        high: largest value seen.
    """

    name: str
    role: str
    unit: str
    shape: tuple[int, ...]
    levels: tuple[str, ...] | None
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def n_features(self) -> int:
        """Features of the stream, without the flag that says whether it is there."""
        return int(np.prod(self.shape, dtype=int)) if self.levels is None else len(self.levels)

    def encode(self, values: np.ndarray) -> np.ndarray:
        """(window, feature), float32: standardised, or one flag for each level and none for a level never seen."""
        if self.levels is not None:
            found, place = np.unique(values.reshape(-1), return_inverse=True)
            names = np.array([level_name(value) for value in found])
            return (names[:, None] == np.array(self.levels)[None])[place].astype(np.float32)
        scale = np.maximum(np.array(self.deviation, np.float32), SMALLEST)
        if len(self.mean) == 1:
            return ((values - np.float32(self.mean[0])) / scale[0]).astype(np.float32)
        return ((values.reshape(len(values), -1) - np.array(self.mean, np.float32)) / scale).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class CovariateFacts:
    """A covariate of the protocol: its levels where it is a name, mean and range where it is a number."""

    name: str
    levels: tuple[str, ...] | None
    mean: float = 0.0
    deviation: float = 1.0
    low: float = 0.0
    high: float = 0.0


@dataclasses.dataclass(frozen=True)
class SessionFacts:
    """A recording that the weights know.

    Attributes:
        name: of the recording.
        subject: name of the animal.
        digest: hash of the recording.
        kind: of its signal.
        unit_ids: names of its units, which are rows `first_unit`, `first_unit` + 1, ... of the unit table.
        first_unit: see there.
        trial_windows: windows of its longest trial.
        low: smallest response of the training part.
        high: largest.
        total: windows of the training part.
    """

    name: str
    subject: str
    digest: str
    kind: str
    unit_ids: tuple[str, ...]
    first_unit: int
    trial_windows: int
    low: float
    high: float
    total: int


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """All of it.

    Attributes:
        window_s: length of a window, s.
        clock_windows: windows that the clock's bumps are spread over: the longest trial of training.
        sessions: in the order of their rows in the unit table.
        subjects: names of the animals; the index of the first is 1, that of the average animal 0.
        streams: stimulus and behaviour streams in the order of their features; no video.
        video: the video, where there is one.
        covariates: of the protocol.
        unit_mean: mean response of each unit over the training part.
        unit_deviation: its standard deviation.
        unit_low: the smallest response of each unit there.
        unit_high: the largest.
    """

    window_s: float
    clock_windows: int
    sessions: tuple[SessionFacts, ...]
    subjects: tuple[str, ...]
    streams: tuple[StreamFacts, ...]
    video: StreamFacts | None
    covariates: tuple[CovariateFacts, ...]
    unit_mean: tuple[float, ...]
    unit_deviation: tuple[float, ...]
    unit_low: tuple[float, ...]
    unit_high: tuple[float, ...]

    @property
    def n_units(self) -> int:
        """Rows of the unit table."""
        return len(self.unit_mean)

    def of_role(self, role: str) -> tuple[StreamFacts, ...]:
        """The streams of a role, without the video."""
        return tuple(one for one in self.streams if one.role == role)

    def n_features(self, role: str) -> int:
        """Features of all streams of a role, with the flag of each."""
        return sum(one.n_features + 1 for one in self.of_role(role))

    @property
    def named(self) -> tuple[CovariateFacts, ...]:
        """Covariates with levels."""
        return tuple(one for one in self.covariates if one.levels is not None)

    @property
    def measured(self) -> tuple[CovariateFacts, ...]:
        """Covariates that are numbers."""
        return tuple(one for one in self.covariates if one.levels is None)

    def subject_index(self, name: str) -> int:
        """Index of an animal; the average animal's for one that training never saw."""
        return self.subjects.index(name) + 1 if name in self.subjects else AVERAGE

    def level_index(self, covariate: CovariateFacts, value: Any) -> int:
        """Index of a level, `UNKNOWN` for one that training never saw or nobody reported."""
        name, levels = level_name(value), covariate.levels or ()
        return levels.index(name) + 1 if value is not None and name in levels else UNKNOWN

    def session(self, name: str) -> SessionFacts | None:
        """The session of that name, or None."""
        return next((one for one in self.sessions if one.name == name), None)

    @property
    def average(self) -> SessionFacts | None:
        """The average subject's session, or None where training made none."""
        return self.session(AVERAGE_SESSION)

    def with_average(self) -> "Vocabulary":
        """This vocabulary with a session of the average subject: mean moments of the others' units, and their range.

        Raises:
            InputError: the sessions have different units.
        """
        first, *others = self.sessions
        odd = next((one for one in others if one.unit_ids != first.unit_ids), None)
        if odd is not None:
            raise InputError(
                f"{odd.name}: has other units than {first.name}, so that there is no average subject; give sessions "
                "with the same units, or set model.average_subject to 0."
            )
        shape = (len(self.sessions), len(first.unit_ids))
        mean, deviation = np.reshape(self.unit_mean, shape), np.reshape(self.unit_deviation, shape)
        facts = dataclasses.replace(
            first, name=AVERAGE_SESSION, subject=AVERAGE_SESSION, digest="", first_unit=self.n_units
        )
        return dataclasses.replace(
            self,
            sessions=(*self.sessions, facts),
            unit_mean=(*self.unit_mean, *mean.mean(axis=0).tolist()),
            unit_deviation=(*self.unit_deviation, *np.sqrt(np.square(deviation).mean(axis=0)).tolist()),
            unit_low=(*self.unit_low, *np.reshape(self.unit_low, shape).min(axis=0).tolist()),
            unit_high=(*self.unit_high, *np.reshape(self.unit_high, shape).max(axis=0).tolist()),
        )

    def with_sessions(self, added: "Vocabulary") -> "Vocabulary":
        """This vocabulary with the sessions, units and animals of another, which come after its own.

        Streams and covariates stay as they are: what the added sessions have beyond them is outside the envelope.
        """
        moved = [dataclasses.replace(one, first_unit=one.first_unit + self.n_units) for one in added.sessions]
        new = tuple(one for one in added.subjects if one not in self.subjects)
        return dataclasses.replace(
            self,
            sessions=(*self.sessions, *moved),
            subjects=(*self.subjects, *new),
            unit_mean=(*self.unit_mean, *added.unit_mean),
            unit_deviation=(*self.unit_deviation, *added.unit_deviation),
            unit_low=(*self.unit_low, *added.unit_low),
            unit_high=(*self.unit_high, *added.unit_high),
        )

    def largest(self, standardised: bool) -> np.ndarray:
        """(unit) size of each unit's largest response in training, and one more; counts, or deviations off the mean."""
        low, high = np.array(self.unit_low), np.array(self.unit_high)
        if standardised:
            mean, scale = np.array(self.unit_mean), np.maximum(np.array(self.unit_deviation), SMALLEST)
            low, high = (low - mean) / scale, (high - mean) / scale
        return (np.maximum(np.abs(low), np.abs(high)) + 1.0).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """As nested plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Vocabulary":
        """The inverse of `to_json`."""

        def made(kind: type, fields: dict[str, Any]) -> Any:
            return kind(**{name: tuple(one) if isinstance(one, list) else one for name, one in fields.items()})

        parts = {
            "sessions": tuple(made(SessionFacts, one) for one in document["sessions"]),
            "streams": tuple(made(StreamFacts, one) for one in document["streams"]),
            "covariates": tuple(made(CovariateFacts, one) for one in document["covariates"]),
            "video": None if document["video"] is None else made(StreamFacts, document["video"]),
        }
        return made(cls, {**document, **parts})


def level_name(value: Any) -> str:
    """A level as text: 45.0 and 45 are the same, "45"."""
    return f"{value:g}" if isinstance(value, int | float | np.number) and not isinstance(value, bool) else str(value)


def levels_of(values: Sequence[Any]) -> tuple[str, ...]:
    """The different levels of these values, in order."""
    return tuple(sorted({level_name(value) for value in values if value is not None}))
