"""From windows of a session to one item of a batch: encoded, padded, with its mask."""

import dataclasses
from collections.abc import Sequence
from functools import partial

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from surrogate.batches.batch import Batch
from surrogate.batches.cache import Cache
from surrogate.batches.carried import Carried
from surrogate.batches.session import Session, Windows
from surrogate.config import Config
from surrogate.heads import Head, head_named
from surrogate.vocabulary import AVERAGE, StreamFacts, Vocabulary
from twin.errors import InputError

FEATURE_PIECE = 16384  # responses whose features are computed together
BLOCKS_IN_CACHE = 16  # a block is small enough that the cache holds at least so many


@dataclasses.dataclass(frozen=True)
class Item:
    """Where an item comes from.

    Attributes:
        session: number of the session.
        trial: of its trial.
        start: first window.
        stop: end of the windows.
        scored_from: first window that is scored.
        scored_to: end of the windows that are scored; those after it lend what is to come.
        units: the units of the session that it holds, in order.
        as_average: whether it is shown as the average subject's.
        hidden: streams (role, name) that are shown as absent.
    """

    session: int
    trial: int
    start: int
    stop: int
    scored_from: int
    scored_to: int
    units: np.ndarray
    as_average: bool = False
    hidden: frozenset[tuple[str, str]] = frozenset()


class Items:
    """Makes items of sessions.

    Args:
        sessions: open recordings.
        vocabulary: what turns them into numbers.
        config: of the surrogate.

    Raises:
        InputError: a session has units or stream shapes other than the vocabulary's.
    """

    def __init__(self, sessions: Sequence[Session], vocabulary: Vocabulary, config: Config) -> None:
        self.sessions, self.vocabulary, self.config = tuple(sessions), vocabulary, config
        self.first_unit = [first_unit_of(session, vocabulary) for session in sessions]
        for session in sessions:
            check_streams(session, vocabulary)
        self._head = head_named(config.model.head, config.model.classes)
        self._discrete = self._head.discrete
        self._largest = vocabulary.largest(not self._discrete)
        self._mean = np.array(vocabulary.unit_mean, np.float32)
        self._deviation = np.maximum(np.array(vocabulary.unit_deviation, np.float32), 1e-6)
        self._cache: Cache[Windows] = Cache(int(config.data.cache_mb * 1e6), _bytes_of)
        budget = int(config.data.cache_mb * 1e6)
        self._carried = Carried(self._features, config.model.history_taus, budget) if config.data.carried else None
        self._near = [near_weights(session, config.inputs.others_near) for session in sessions]
        self._block = [self._block_windows(session) for session in sessions]

    def _block_windows(self, session: Session) -> int:
        per_window = 4 * session.n_units
        per_window += sum(4 * int(np.prod(one.shape, dtype=int)) for one in session.streams.values())
        affordable = int(self.config.data.cache_mb * 1e6 / BLOCKS_IN_CACHE / per_window)
        return int(np.clip(affordable, 64, 8192))

    def windows(self, session: int, trial: int, start: int, stop: int) -> Windows:
        """The windows [start, stop) of a trial, through the cache."""
        one, length, found = self.sessions[session], self._block[session], []
        for block in range(start // length, (stop - 1) // length + 1):
            first, last = block * length, min((block + 1) * length, int(one.n_windows[trial]))
            whole = self._cache.get((session, trial, block), partial(one.read, trial, first, last))
            found.append(whole.between(max(start - first, 0), min(stop, last) - first))
        joined = found[0]
        for more in found[1:]:
            joined = joined.followed_by(more)
        return joined

    def batch(self, items: Sequence[Item], length: int, n_units: int) -> Batch:
        """These items in the shape (item, length, n_units)."""
        made = [self._made(one, length, n_units) for one in items]
        return Batch(**{name: np.stack([one[name] for one in made]) for name in made[0]})

    def _made(self, item: Item, length: int, n_units: int) -> dict[str, np.ndarray]:
        windows, n = self.windows(item.session, item.trial, item.start, item.stop), item.stop - item.start
        session = self.sessions[item.session]
        rows = self.first_unit[item.session] + item.units
        response = self._standard(windows.response[:, item.units], rows)
        k = len(rows)
        known = covariates(session, self.vocabulary)
        if item.as_average and self.vocabulary.average is not None:
            rows, known["subject"] = self.vocabulary.average.first_unit + item.units, np.array(AVERAGE, np.int32)
        return {
            "response": _padded(response, (length, n_units)),
            "valid": _padded(np.ones((n, k), bool), (length, n_units)),
            "scored": _scored(item, length),
            "past": _padded(self._past(item), (n_units,)),
            "near": self._nearest(item, n_units),
            "unit": _padded(rows.astype(np.int32), (n_units,)),
            "largest": np.pad(self._largest[rows], (0, n_units - k), constant_values=1.0),
            "stimulus": _padded(
                np.concatenate([self._streams(windows, "stimulus", n, item.hidden), self._clock(item)], 1), (length,)
            ),
            "behaviour": _padded(self._streams(windows, "behaviour", n, item.hidden), (length,)),
            "video": _padded(self._video(windows, n), (length,)),
            "drift": _padded(self._drift(session, item), (length,)),
            **known,
        }

    def _standard(self, response: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return response if self._discrete else (response - self._mean[rows]) / self._deviation[rows]

    def _features(self, session: int, trial: int, start: int, stop: int) -> np.ndarray:
        """Features of all units' responses in the windows [start, stop) of a trial."""
        rows = self.first_unit[session] + np.arange(self.sessions[session].n_units)
        response = self._standard(self.windows(session, trial, start, stop).response, rows)
        return features_of(self._head, response)

    def _past(self, item: Item) -> np.ndarray:
        if self._carried is None:
            return np.zeros((len(item.units), 0), np.float32)
        n_windows = int(self.sessions[item.session].n_windows[item.trial])
        return self._carried.before(item.session, item.trial, item.start, n_windows, item.units)

    def _nearest(self, item: Item, n_units: int) -> np.ndarray:
        near = self._near[item.session]
        if not near.shape[1]:
            return np.zeros((n_units, 0), np.float32)
        chosen = near[np.ix_(item.units, item.units)]
        return _padded(chosen / np.maximum(chosen.sum(axis=1, keepdims=True), 1e-6), (n_units, n_units))

    def _streams(self, windows: Windows, role: str, n: int, hidden: frozenset[tuple[str, str]]) -> np.ndarray:
        columns = [np.zeros((n, 0), np.float32)]
        for facts in self.vocabulary.of_role(role):
            values = None if (role, facts.name) in hidden else windows.streams.get((role, facts.name))
            present = values is not None
            encoded = np.zeros((n, facts.n_features), np.float32) if values is None else facts.encode(values)
            columns += [encoded.reshape(n, -1), np.full((n, 1), present, np.float32)]
        return np.concatenate(columns, axis=1)

    def _video(self, windows: Windows, n: int) -> np.ndarray:
        facts = self.vocabulary.video
        if facts is None:
            return np.zeros((n, 0, 0, 1), np.float32)
        frames = windows.streams.get(("stimulus", facts.name))
        shape = facts.shape if len(facts.shape) == 3 else (*facts.shape, 1)
        return np.zeros((n, *shape), np.float32) if frames is None else facts.encode(frames).reshape(n, *shape)

    def _clock(self, item: Item) -> np.ndarray:
        place = np.arange(item.start, item.stop) / self.vocabulary.clock_windows
        return bumps(place, self.config.data.clock_bumps)

    def _drift(self, session: Session, item: Item) -> np.ndarray:
        if len(session.n_windows) > 1:
            place = np.full(item.stop - item.start, item.trial / (len(session.n_windows) - 1))
        else:
            place = np.arange(item.start, item.stop) / max(int(session.n_windows[0]) - 1, 1)
        return bumps(place, self.config.data.trial_bumps)


def features_of(head: Head, response: np.ndarray) -> Float[np.ndarray, "window unit feature"]:
    """A head's features of any number of responses, in pieces of one shape so that they compile once."""
    flat, n = response.reshape(-1).astype(np.float32), response.size
    pieces = np.pad(flat, (0, -n % FEATURE_PIECE)).reshape(-1, FEATURE_PIECE)
    found = np.concatenate([np.asarray(head.features(jnp.asarray(piece)), np.float32) for piece in pieces])[:n]
    return found.reshape(*response.shape, head.n_features)


def near_weights(session: Session, n: int) -> np.ndarray:
    """(unit, unit): equal weights on the `n` nearest units of each and on those as near as the last, of sum 1.

    (unit, 0) for n = 0.

    Raises:
        InputError: the recording does not say where its units are.
    """
    if not n:
        return np.zeros((session.n_units, 0), np.float32)
    if session.places is None:
        raise InputError(
            f"{session.name}: does not say where its units are (`x` and `y` along `unit`), which inputs.others_near = "
            f"{n} asks for; set it to 0, or add them."
        )
    apart = np.linalg.norm(session.places[:, None] - session.places[None], axis=-1)
    np.fill_diagonal(apart, np.inf)
    reach = np.sort(apart, axis=1)[:, min(n, max(len(apart) - 1, 1)) - 1]
    near = (np.isfinite(apart) & (apart <= (1.0 + 1e-6) * reach[:, None])).astype(np.float32)
    return near / np.maximum(near.sum(axis=1, keepdims=True), 1.0)


def bumps(place: np.ndarray, n: int) -> np.ndarray:
    """(place, bump): `n` Gaussian bumps evenly spaced over 0 to 1, as wide as they are apart, float32."""
    centres = np.linspace(0.0, 1.0, n) if n > 1 else np.full(n, 0.5)
    return np.exp(-0.5 * np.square((place[:, None] - centres) * max(n - 1, 1))).astype(np.float32)


def covariates(session: Session, vocabulary: Vocabulary) -> dict[str, np.ndarray]:
    """The arrays of a batch that say how the session was measured, and on which animal."""
    named = [vocabulary.level_index(one, session.covariate(one.name)) for one in vocabulary.named]
    values = [session.covariate(one.name) for one in vocabulary.measured]
    numbers = [
        0.0 if not _is_number(value) else (float(value) - one.mean) / one.deviation  # type: ignore[arg-type]
        for one, value in zip(vocabulary.measured, values, strict=True)
    ]
    subject = vocabulary.subject_index(session.subject) if session.subject else AVERAGE
    return {
        "level": np.array(named, np.int32),
        "number": np.array(numbers, np.float32),
        "known": np.array([_is_number(value) for value in values], np.float32),
        "subject": np.array(subject, np.int32),
    }


def first_unit_of(session: Session, vocabulary: Vocabulary) -> int:
    """Row of a session's first unit in the unit table; the average subject's, where only that has such units.

    Raises:
        InputError: the vocabulary does not know the session, or knows other units of it.
    """
    facts = vocabulary.session(session.name)
    if facts is None and vocabulary.average is not None and vocabulary.average.unit_ids == session.unit_ids:
        facts = vocabulary.average
    adapt = "fit its readout first with `twin adapt CHECKPOINT REC.zarr`"
    if facts is None:
        known = ", ".join(one.name for one in vocabulary.sessions[:8])
        raise InputError(f"{session.name}: the surrogate has no readout for it, it knows {known}; {adapt}.")
    if facts.unit_ids != session.unit_ids:
        odd = sorted(set(facts.unit_ids) ^ set(session.unit_ids))[:5]
        raise InputError(
            f"{session.name}: has {session.n_units} units and the surrogate was trained on {len(facts.unit_ids)} of "
            f"that name (they differ in {', '.join(odd) or 'their order'}); {adapt}, under another name."
        )
    return facts.first_unit


def check_streams(session: Session, vocabulary: Vocabulary) -> None:
    """Refuse a stream whose samples have another shape than training's."""
    every: tuple[StreamFacts, ...] = (*vocabulary.streams, *([vocabulary.video] if vocabulary.video else []))
    for facts in every:
        stream = session.streams.get((facts.role, facts.name))
        if stream is not None and stream.shape != facts.shape:
            raise InputError(
                f"{stream.where} has samples of the shape {stream.shape}, training had {facts.shape}; bring it to that "
                "size first."
            )


def _bytes_of(windows: Windows) -> int:
    return windows.nbytes


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _scored(item: Item, length: int) -> np.ndarray:
    window = item.start + np.arange(length)
    return (window >= item.scored_from) & (window < item.scored_to)


def _padded(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Zeros added at the end of the first axes up to `shape`."""
    padded = np.zeros((*shape, *values.shape[len(shape) :]), values.dtype)
    padded[tuple(slice(n) for n in values.shape)] = values
    return padded
