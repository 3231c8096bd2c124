"""The validity envelope: what training saw, and what of a query lies outside it.

A query outside is answered, and the answer says so: every output carries a list of `Outside`.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np

from surrogate.batches import Session
from surrogate.survey import PIECE, PIECES, Moments
from surrogate.vocabulary import CovariateFacts, StreamFacts, Vocabulary, levels_of

SHIFT = 3.0  # standard deviations of training by which a stream's mean may differ
SPREAD = 3.0  # factor by which its deviation may
BEYOND = 0.01  # share of the windows that may lie outside the range
RATE = 2.0  # factor by which the largest response may exceed training's


@dataclasses.dataclass(frozen=True)
class Outside:
    """One way in which a query differs from everything in training.

    Attributes:
        what: a covariate, a stream, the response, or the horizon.
        found: in the query.
        support: in training.
    """

    what: str
    found: str
    support: str

    def __str__(self) -> str:
        return f"{self.what}: {self.found}, training had {self.support}"


def outside(session: Session, vocabulary: Vocabulary, horizon: int | None = None) -> tuple[Outside, ...]:
    """Where a session lies outside the training support.

    Args:
        session: the query; of a long one evenly spaced pieces are looked at.
        vocabulary: what training saw.
        horizon: windows that are to be generated without a recorded one in between.
    """
    found = [one for facts in vocabulary.covariates for one in _covariate(session, facts)]
    streams, response = _looked_at(session)
    for facts in (*vocabulary.streams, *([vocabulary.video] if vocabulary.video else [])):
        name, values = f"{facts.role} stream {facts.name!r}", streams.get((facts.role, facts.name))
        if values is None:
            found.append(Outside(name, "absent", "it"))
        elif facts.levels is not None:
            new = [one for one in levels_of(values.reshape(-1).tolist()) if one not in facts.levels]
            if new:
                found.append(Outside(name, f"the level {', '.join(new[:5])}", ", ".join(facts.levels[:12])))
        else:
            found += _stream(name, facts, values)
    highest = max(one.high for one in vocabulary.sessions)
    if response.n and response.high.max() > RATE * highest:
        found.append(Outside("response", f"up to {response.high.max():g} in a window", f"up to {highest:g}"))
    longest = max(one.trial_windows for one in vocabulary.sessions)
    if horizon is not None and horizon > longest:
        span = [n * vocabulary.window_s for n in (horizon, longest)]
        found.append(Outside("horizon", f"{span[0]:g} s generated in one go", f"stretches of up to {span[1]:g} s"))
    if session.subject not in vocabulary.subjects:
        found.append(Outside("subject", session.subject, ", ".join(vocabulary.subjects[:8])))
    return tuple(found)


def _looked_at(session: Session) -> tuple[dict[tuple[str, str], np.ndarray], Moments]:
    starts = [(one.trial, k, min(k + PIECE, one.stop)) for one in session.spans() for k in range(0, one.stop, PIECE)]
    response, columns = Moments(), {key: [] for key in session.streams}  # type: ignore[var-annotated]
    for trial, start, stop in starts[:: max(1, -(-len(starts) // PIECES))]:
        windows = session.read(trial, start, stop)
        response.add(windows.response)
        for key, values in windows.streams.items():
            # Of a video the mean and range of each frame are enough.
            small = values.reshape(len(values), -1)
            if small.dtype.kind == "f" and small.shape[1] > 512:
                small = np.stack([small.min(1), small.mean(1), small.max(1)], axis=1)
            columns[key].append(small)
    return {key: np.concatenate(values) for key, values in columns.items()}, response


def _covariate(session: Session, facts: CovariateFacts) -> Iterator[Outside]:
    value = session.covariate(facts.name)
    if value is None:
        return  # `unknown` is a value that training has shown the model
    if facts.levels is not None:
        new = [one for one in levels_of([value]) if one not in facts.levels]
        if new:
            yield Outside(f"covariate {facts.name}", new[0], ", ".join(facts.levels[:12]) or "none reported")
    elif isinstance(value, str | bool) or not facts.low <= float(value) <= facts.high:
        yield Outside(f"covariate {facts.name}", str(value), f"{facts.low:g} to {facts.high:g}")


def _stream(name: str, facts: StreamFacts, values: np.ndarray) -> Iterator[Outside]:
    low, high, mean, deviation = (np.array(one) for one in (facts.low, facts.high, facts.mean, facts.deviation))
    scale = np.maximum(deviation, 1e-6)
    share = float(((values < low - 1e-6 * scale) | (values > high + 1e-6 * scale)).any(axis=1).mean())
    if share > BEYOND:
        span = f"{values.min():g} to {values.max():g}"
        yield Outside(name, f"{span}, {100 * share:.0f} % of the windows beyond", f"{low.min():g} to {high.max():g}")
    if values.shape[1] != len(mean):
        return  # a video's frames are summarised, and only their range is compared
    shift = np.abs(values.mean(axis=0) - mean) / scale
    if (shift > SHIFT).any():
        yield Outside(name, f"its mean {shift.max():.1f} deviations away", f"a mean of {mean[shift.argmax()]:g}")
    factor = values.std(axis=0) / scale
    if (factor > SPREAD).any():
        yield Outside(name, f"{factor.max():.1f} times the spread", f"a deviation of {deviation[factor.argmax()]:g}")
