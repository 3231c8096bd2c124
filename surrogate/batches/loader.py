"""Batches of many sessions in a few fixed shapes; a batch depends on the seed and the step alone.

A session goes into the bucket of the next power of two of its number of units and, where its stretches are shorter
than `length`, of their length, so that a training step compiles once for each bucket and not for each session.

Memory: `cache_mb` of what was read, the piece that is being read (1/16 of that, and `signals.PIECE` spikes), and the
batches in flight (two of them); it does not grow with the corpus.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from surrogate.batches.batch import Batch
from surrogate.batches.items import Item, Items
from surrogate.batches.session import Session
from surrogate.config import Config
from surrogate.vocabulary import Vocabulary
from twin.errors import InputError
from twin.split import Parts, Segment


@dataclasses.dataclass(frozen=True)
class Bucket:
    """A shape and what has it.

    Attributes:
        length: windows.
        units: units.
        stretches: (session, segment) of the training part.
    """

    length: int
    units: int
    stretches: tuple[tuple[int, Segment], ...]

    @property
    def windows(self) -> np.ndarray:
        """Windows of each stretch."""
        return np.array([segment.stop - segment.start for _, segment in self.stretches])


def power_of_two(n: int) -> int:
    """The smallest power of two that is at least `n`: 5 gives 8."""
    return 1 << max(n - 1, 0).bit_length()


class Loader:
    """Batches of the training part by step, and of any part in order.

    Args:
        sessions: open recordings.
        parts: which windows of each are for what.
        vocabulary: what turns them into numbers.
        config: of the surrogate.

    Raises:
        InputError: as `Items`.
    """

    def __init__(
        self, sessions: Sequence[Session], parts: Sequence[Parts], vocabulary: Vocabulary, config: Config
    ) -> None:
        self.items = Items(sessions, vocabulary, config)
        # A trace holds the windows before its own, so the one that holds window t + k stands at t + k + 1.
        self._ahead = config.inputs.others_until + 1 if config.inputs.others else 0
        self.parts, self.config = tuple(parts), config
        self.buckets = self._buckets("train")
        weights = np.array([bucket.windows.sum() for bucket in self.buckets], np.float64)
        self._weights = weights / weights.sum()

    def _buckets(self, part: str) -> tuple[Bucket, ...]:
        found: dict[tuple[int, int], list[tuple[int, Segment]]] = {}
        for number, (session, parts) in enumerate(zip(self.items.sessions, self.parts, strict=True)):
            for segment in getattr(parts, part):
                context = 0 if part == "train" else min(segment.start, self.config.data.burn_in)
                shape = self._shape(session, segment.stop - segment.start + context)
                found.setdefault(shape, []).append((number, segment))
        return tuple(Bucket(*shape, tuple(stretches)) for shape, stretches in sorted(found.items()))

    def _shape(self, session: Session, windows: int) -> tuple[int, int]:
        data = self.config.data
        length = min(data.length, power_of_two(windows))
        return length, power_of_two(
            int(np.clip(session.n_units, min(data.fewest_units, data.max_units), data.max_units))
        )

    def batch(self, step: int, rows: slice = slice(None)) -> Batch:
        """The batch of a step, or some of its items: a pure function of the configuration's seed and the step."""
        if not self.buckets:
            raise InputError("there is no window to train on; give recordings, or a smaller share to set apart.")
        random = np.random.default_rng((self.config.seed, step))
        bucket = self.buckets[random.choice(len(self.buckets), p=self._weights)]
        share = bucket.windows / bucket.windows.sum()
        items = [self._drawn(bucket, share, random) for _ in range(self.config.training.batch)]
        return self.items.batch(items[rows], bucket.length, bucket.units)

    def _drawn(self, bucket: Bucket, share: np.ndarray, random: np.random.Generator) -> Item:
        session, segment = bucket.stretches[random.choice(len(share), p=share)]
        length = min(bucket.length, segment.stop - segment.start)
        start = int(random.integers(segment.start, segment.stop - length + 1))
        units = _some(self.items.sessions[session].n_units, bucket.units, random)
        item = self._item(session, segment, start, start + length, units)
        model = self.config.model
        # Nothing is drawn where nothing is asked for, so that batches of other configurations stay as they were.
        if model.average_subject:
            item = dataclasses.replace(item, as_average=bool(random.random() < model.average_subject))
        if model.stream_dropout:
            streams = self.items.vocabulary.streams
            left_out = random.random(len(streams)) < model.stream_dropout
            hidden = frozenset((one.role, one.name) for one, out in zip(streams, left_out, strict=True) if out)
            item = dataclasses.replace(item, hidden=hidden)
        return item

    def _item(self, session: int, segment: Segment, start: int, stop: int, units: np.ndarray) -> Item:
        # What went before the start of a trial is no missing context: there was nothing.
        scored_from = start if start == 0 else min(start + self.config.data.burn_in, stop)
        # What follows a window has to be there too, where a prediction may look ahead; a segment sees no other's.
        scored_to = stop if stop == segment.stop else stop - self._ahead
        return Item(session, segment.trial, start, stop, scored_from, scored_to, units)

    def tiles(self, part: str, items_at_once: int | None = None) -> Iterator[tuple[Batch, tuple[Item, ...]]]:
        """All windows of a part, each scored once, in batches of fixed shape.

        The last batch of a bucket is filled up with items that score nothing. Context is taken from before a
        segment, whichever part that belongs to: a prediction may look at the past.
        """
        at_once = items_at_once or self.config.training.batch
        for bucket in self._buckets(part):
            items = [item for stretch in bucket.stretches for item in self._tiled(bucket, *stretch)]
            for first in range(0, len(items), at_once):
                chosen = items[first : first + at_once]
                silent = dataclasses.replace(chosen[0], scored_from=chosen[0].stop)
                filled = chosen + [silent] * (at_once - len(chosen))
                yield self.items.batch(filled, bucket.length, bucket.units), tuple(chosen)

    def _tiled(self, bucket: Bucket, session: int, segment: Segment) -> Iterator[Item]:
        n_units, burn_in = self.items.sessions[session].n_units, self.config.data.burn_in
        groups = np.array_split(np.arange(n_units), -(-n_units // bucket.units))
        scored = segment.start
        while scored < segment.stop:
            start = max(scored - burn_in, 0)
            stop = min(start + bucket.length, segment.stop)
            scored_to = stop if stop == segment.stop else stop - self._ahead
            for units in groups:
                yield Item(session, segment.trial, start, stop, scored, scored_to, units)
            scored = scored_to


def _some(n: int, most: int, random: np.random.Generator) -> np.ndarray:
    return np.arange(n) if n <= most else np.sort(random.choice(n, most, replace=False))
