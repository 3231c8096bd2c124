"""What units did before an item starts: traces of all earlier windows, so that short items have a long memory.

Traces at every `STRIDE` windows of a trial are worked out once and kept; from there it is a stride at most to an item.
"""

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float

from surrogate.batches.cache import Cache
from surrogate.traces import decays

STRIDE = 64
PIECE = 64 * STRIDE  # windows that are looked at together

Read = Callable[[int, int, int, int], Float[np.ndarray, "window unit feature"]]


class Carried:
    """Traces before any window of any trial.

    Args:
        read: features of the responses in the windows [start, stop) of a trial: read(session, trial, start, stop).
        taus: time constants, windows.
        budget: bytes for what is kept.
    """

    def __init__(self, read: Read, taus: tuple[float, ...], budget: int) -> None:
        self._read, self._decay = read, decays(taus)
        self._kept: Cache[np.ndarray] = Cache(budget, lambda value: value.nbytes)

    def before(
        self, session: int, trial: int, start: int, n_windows: int, units: np.ndarray
    ) -> Float[np.ndarray, "unit trace"]:
        """Traces before the window `start` of a trial of `n_windows`, feature by feature all time constants."""
        kept = self._kept.get((session, trial), lambda: self._every_stride(session, trial, n_windows))
        first = start // STRIDE * STRIDE
        state = kept[start // STRIDE][units]
        if start > first:
            state = self._after(state, self._read(session, trial, first, start)[:, units])
        return state.reshape(len(units), -1).astype(np.float32)

    def _every_stride(self, session: int, trial: int, n_windows: int) -> Float[np.ndarray, "stride unit feature tau"]:
        states: list[np.ndarray] = []
        for features in self._strides(session, trial, n_windows):
            state = states[-1] if states else np.zeros((*features.shape[1:], len(self._decay)), np.float32)
            states += [state, self._after(state, features)] if not states else [self._after(state, features)]
        return np.stack(states)

    def _strides(self, session: int, trial: int, n_windows: int) -> Iterator[np.ndarray]:
        for start in range(0, n_windows, PIECE):
            piece = self._read(session, trial, start, min(start + PIECE, n_windows))
            yield from (piece[at : at + STRIDE] for at in range(0, len(piece), STRIDE))

    def _after(self, state: np.ndarray, features: np.ndarray) -> Float[np.ndarray, "unit feature tau"]:
        """The state after these windows: as `surrogate.traces.advanced`, many windows at once."""
        ago = np.arange(len(features))[::-1, None]
        weight = ((1.0 - self._decay) * self._decay**ago).astype(np.float32)
        new = np.tensordot(features, weight, axes=(0, 0))
        return (state * self._decay ** len(features) + new).astype(np.float32)
