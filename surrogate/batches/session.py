"""A recording as a surrogate sees it: trials of windows, with a response, streams, and how it was measured."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xarray as xr

from surrogate.batches.signals import Sampled, Spikes, signal_of
from surrogate.batches.streams import WindowedStream, stream_in
from surrogate.config import Data
from twin import recording
from twin.errors import InputError
from twin.protocol import BY_SWEEP, Value
from twin.split import Segment


@dataclasses.dataclass(frozen=True)
class Windows:
    """Consecutive windows of one trial.

    Attributes:
        response: (window, unit), float32.
        streams: (window, ...) by (role, name); a stream that the recording lacks is absent.
    """

    response: np.ndarray
    streams: dict[tuple[str, str], np.ndarray]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return self.response.nbytes + sum(values.nbytes for values in self.streams.values())

    def between(self, start: int, stop: int) -> "Windows":
        """The windows [start, stop) of these."""
        return Windows(self.response[start:stop], {name: one[start:stop] for name, one in self.streams.items()})

    def followed_by(self, other: "Windows") -> "Windows":
        """These windows and then others of the same recording."""
        streams = {name: np.concatenate([one, other.streams[name]]) for name, one in self.streams.items()}
        return Windows(np.concatenate([self.response, other.response]), streams)


class Session:
    """One recording.

    Args:
        tree: the recording, opened and not read.
        data: which signal, streams and covariates, and the length of a window.
        digest: hash of what the recording is; see `open_session`.

    Raises:
        InputError: it lacks the signal, is empty, or has bins that do not fit the window.
    """

    def __init__(self, tree: xr.DataTree, data: Data, digest: str = "") -> None:
        self.name, self.digest, self.window_s = str(tree.attrs["name"]), digest, data.window_s
        self.signal: Sampled | Spikes = signal_of(tree, data.signal, data.window_s)
        self.unit_ids, self.n_windows, self.starts_s = (
            self.signal.unit_ids,
            self.signal.n_windows,
            self.signal.starts_s,
        )
        self.places = self.signal.places
        protocol = recording.protocol_of(tree)
        self.covariates = {name: protocol[name].value if name in protocol else None for name in data.covariates}
        self.covariates = {name: None if value == BY_SWEEP else value for name, value in self.covariates.items()}
        subject = protocol[data.subject].value if data.subject in protocol else None
        self.subject = self.name if subject is None else str(subject)
        wanted = [("stimulus", name) for name in (*data.streams, *([data.video] if data.video else []))]
        wanted += [("behaviour", name) for name in data.behaviour]
        found = {key: stream_in(tree, *key, self.starts_s) for key in wanted}
        self.streams: dict[tuple[str, str], WindowedStream] = {
            key: one for key, one in found.items() if one is not None
        }

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.unit_ids)

    def covariate(self, name: str) -> Value:
        """A covariate's value, None where nobody reported it."""
        return self.covariates[name]

    def spans(self) -> tuple[Segment, ...]:
        """Every trial from its first window to its last."""
        return tuple(Segment(trial, 0, int(n)) for trial, n in enumerate(self.n_windows) if n)

    def read(self, trial: int, start: int, stop: int) -> Windows:
        """The windows [start, stop) of a trial, from the store.

        Raises:
            InputError: a value is not finite, or a stream does not cover the windows.
        """
        response = self.signal.read(trial, start, stop)
        if not np.isfinite(response).all():
            window, unit = (int(one[0]) for one in np.nonzero(~np.isfinite(response)))
            raise InputError(
                f"{self.name}: unit {self.unit_ids[unit]!r} is not finite in trial {trial} at "
                f"{self.starts_s[trial] + (start + window) * self.window_s:g} s; leave that trial or unit out, or fill "
                "the gap before the recording is made."
            )
        streams = {}
        for key, stream in self.streams.items():
            values = stream.read(trial, float(self.starts_s[trial]), start, stop, self.window_s)
            if values.dtype.kind in "iufb":
                values = values.astype(np.float32)
                if not np.isfinite(values).all():
                    raise InputError(
                        f"{stream.where} has values that are not finite in trial {trial}; fill them first."
                    )
            streams[key] = values
        return Windows(response, streams)

    def pieces(self, segments: tuple[Segment, ...], length: int) -> Iterator[Windows]:
        """All windows of these segments, at most `length` at a time."""
        for segment in segments:
            for start in range(segment.start, segment.stop, length):
                yield self.read(segment.trial, start, min(start + length, segment.stop))


def open_session(path: str | Path, data: Data) -> Session:
    """A stored recording as a session.

    Its digest is the hash of the store's root, which lists every file of the recording with its size.

    Raises:
        InputError: as `twin.recording.open` and `Session`.
    """
    tree = recording.open(path)
    root = (Path(path) / "zarr.json").read_bytes()
    return Session(tree, data, hashlib.sha256(root).hexdigest())


def session_of(tree: xr.DataTree, data: Data) -> Session:
    """A recording in memory as a session; its digest is of its name, units and length alone."""
    session = Session(tree, data)
    told = json.dumps([session.name, session.unit_ids, session.n_windows.tolist()])
    session.digest = hashlib.sha256(told.encode()).hexdigest()
    return session
