"""One pass over the training part: means, deviations, ranges and levels of everything that a surrogate is shown.

A recording is looked at in pieces; of a long one evenly spaced pieces are looked at, which is stated in `PIECES`.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from surrogate.batches.session import Session
from surrogate.config import Config
from surrogate.vocabulary import CovariateFacts, SessionFacts, StreamFacts, Vocabulary, levels_of
from twin.errors import InputError
from twin.split import Parts, Segment

PIECES = 64  # of each recording, at most
PIECE = 1024  # windows


class Moments:
    """Count, mean, variance and range of columns, piece by piece (Chan et al. 1983, Am Stat 37:242)."""

    def __init__(self) -> None:
        self.n = 0

    def add(self, rows: np.ndarray) -> None:
        """Take in (row, column) values."""
        rows = rows.astype(np.float64)
        mean, spread = rows.mean(axis=0), rows.var(axis=0) * len(rows)
        if not self.n:
            self.n, self.mean, self.spread = len(rows), mean, spread
            self.low, self.high = rows.min(axis=0), rows.max(axis=0)
            return
        total, apart = self.n + len(rows), mean - self.mean
        self.spread = self.spread + spread + apart**2 * self.n * len(rows) / total
        self.mean, self.n = self.mean + apart * len(rows) / total, total
        self.low, self.high = np.minimum(self.low, rows.min(axis=0)), np.maximum(self.high, rows.max(axis=0))

    @property
    def deviation(self) -> np.ndarray:
        """Standard deviation of each column."""
        return np.sqrt(self.spread / self.n)


@dataclasses.dataclass
class _Found:
    moments: Moments
    levels: set[str]
    shape: tuple[int, ...]
    unit: str


def survey(sessions: Sequence[Session], parts: Sequence[Parts], config: Config) -> Vocabulary:
    """What training will see of these sessions.

    Raises:
        InputError: no session, two of the same name, or a stream whose samples differ in shape between them.
    """
    if not sessions:
        raise InputError("there is no recording to train on; give one or more in data.recordings.")
    names = [one.name for one in sessions]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"two recordings are called {twice!r}; a surrogate knows its sessions by name, so rename one.")
    streams: dict[tuple[str, str], _Found] = {}
    facts: list[SessionFacts] = []
    means: list[float] = []
    deviations: list[float] = []
    lows: list[float] = []
    highs: list[float] = []
    for session, part in zip(sessions, parts, strict=True):
        response = _look(session, part.train, streams, config.data.levels)
        total = sum(one.stop - one.start for one in part.train)
        facts.append(
            SessionFacts(
                session.name, session.subject, session.digest, session.signal.kind, session.unit_ids, len(means),
                int(session.n_windows.max()), float(response.low.min()), float(response.high.max()), total,
            )
        )  # fmt: skip
        means += response.mean.tolist()
        deviations += response.deviation.tolist()
        lows += response.low.tolist()
        highs += response.high.tolist()
    wanted = [("stimulus", name) for name in config.data.streams] + [
        ("behaviour", name) for name in config.data.behaviour
    ]
    for role, name in wanted:
        if (role, name) not in streams:
            raise InputError(f"no recording has the {role} stream {name!r}; take it out of the configuration.")
    known = {key: _stream_facts(key, found) for key, found in streams.items()}
    video = known.get(("stimulus", config.data.video)) if config.data.video else None
    return Vocabulary(
        window_s=config.data.window_s,
        clock_windows=max(one.trial_windows for one in facts),
        sessions=tuple(facts),
        subjects=tuple(dict.fromkeys(one.subject for one in sessions)),
        streams=tuple(known[key] for key in wanted),
        video=video and _one_scale(video),
        covariates=tuple(_covariate_facts(name, sessions) for name in config.data.covariates),
        unit_mean=tuple(means),
        unit_deviation=tuple(deviations),
        unit_low=tuple(lows),
        unit_high=tuple(highs),
    )


def _look(session: Session, segments: tuple[Segment, ...], streams: dict, levels: tuple[str, ...]) -> Moments:
    if not segments:
        raise InputError(f"{session.name}: its training part is empty; give it at least one trial or stretch of time.")
    starts = [(one, start) for one in segments for start in range(one.start, one.stop, PIECE)]
    every = max(1, -(-len(starts) // PIECES))
    response = Moments()
    for segment, start in starts[::every]:
        windows = session.read(segment.trial, start, min(start + PIECE, segment.stop))
        response.add(windows.response)
        for key, values in windows.streams.items():
            found = streams.setdefault(key, _Found(Moments(), set(), values.shape[1:], session.streams[key].unit))
            if found.shape != values.shape[1:]:
                raise InputError(
                    f"{session.streams[key].where} has samples of the shape {values.shape[1:]}, another recording of "
                    f"{found.shape}; bring them to one size before training."
                )
            if key[1] in levels or values.dtype.kind not in "iufb":
                found.levels.update(levels_of(values.reshape(-1).tolist()))
            else:
                found.moments.add(values.reshape(len(values), -1))
    return response


def _stream_facts(key: tuple[str, str], found: _Found) -> StreamFacts:
    if found.levels:
        return StreamFacts(key[1], key[0], found.unit, found.shape, tuple(sorted(found.levels)), (), (), (), ())
    one = found.moments
    columns = (tuple(column.tolist()) for column in (one.mean, one.deviation, one.low, one.high))
    return StreamFacts(key[1], key[0], found.unit, found.shape, None, *columns)


def _one_scale(video: StreamFacts) -> StreamFacts:
    """A video has one mean and deviation for all of its pixels."""
    if len(video.shape) not in (2, 3):
        raise InputError(
            f"the video {video.name!r} has frames of the shape {video.shape}; wanted (height, width[, 3])."
        )
    mean = np.array(video.mean)
    deviation = float(np.sqrt((np.square(video.deviation) + np.square(mean - mean.mean())).mean()))
    return dataclasses.replace(
        video, mean=(float(mean.mean()),), deviation=(deviation,), low=(min(video.low),), high=(max(video.high),)
    )


def _covariate_facts(name: str, sessions: Sequence[Session]) -> CovariateFacts:
    values = [one.covariate(name) for one in sessions if one.covariate(name) is not None]
    if not values or any(isinstance(one, str | bool) for one in values):
        return CovariateFacts(name, levels_of(values))
    numbers = np.array(values, np.float64)
    deviation = float(numbers.std()) or 1.0
    return CovariateFacts(name, None, float(numbers.mean()), deviation, float(numbers.min()), float(numbers.max()))
