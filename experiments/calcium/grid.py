"""The grid on which models run while they are fitted: every segment in pieces of one length, side by side."""

import dataclasses
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from experiments.calcium.cells import Segment

STEP_S = 0.025
PIECE, WARM_UP = 2400, 600  # steps of a piece that count, and before it


@dataclasses.dataclass(frozen=True, eq=False)
class Grid:
    """Pieces of segments.

    Attributes:
        spikes: (step, piece) spikes near each step.
        dff: (step, piece) mean of the frames near each step; 0 where there is none.
        frames: (step, piece) how many frames; 0 in the warm-up.
        early: (step, piece) of these, in the first half of the cell's frames.
        segment: (piece,) index into the segments.
    """

    spikes: Float[Array, "step piece"]
    dff: Float[Array, "step piece"]
    frames: Float[Array, "step piece"]
    early: Float[Array, "step piece"]
    segment: Int[np.ndarray, " piece"]


def on_grid(segment: Segment) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Spikes, summed dF/F, frames and early frames of each step, which is centred on its time."""
    n = int(np.ceil(segment.times_s[-1] / STEP_S)) + 2
    at = np.round(segment.times_s / STEP_S).astype(int)
    frames = np.bincount(at, minlength=n).astype(float)
    dff = np.bincount(at, weights=segment.dff - segment.dff.mean(), minlength=n)
    early = np.bincount(at[: segment.half], minlength=n).astype(float)
    return spikes_on_grid(segment, n), dff, frames, early


def spikes_on_grid(segment: Segment, n: int) -> np.ndarray:
    """Spikes of each of n steps: shared between the two steps beside each by its distance."""
    where = np.clip(segment.spikes_s / STEP_S, 0, n - 1.001)
    low = np.floor(where).astype(int)
    share = where - low
    return np.bincount(low, 1 - share, n) + np.bincount(low + 1, share, n)


def cut(segments: Sequence[Segment]) -> Grid:
    """Every segment in pieces."""
    columns: list[tuple[np.ndarray, ...]] = []
    owner = []
    for index, segment in enumerate(segments):
        arrays = on_grid(segment)
        for start in range(0, len(arrays[0]), PIECE):
            first, last = start - WARM_UP, min(start + PIECE, len(arrays[0]))
            column = np.zeros((4, PIECE + WARM_UP))
            lead = max(first, 0)
            column[:, lead - first : last - first] = [one[lead:last] for one in arrays]
            column[1:, :WARM_UP] = 0.0
            columns.append(tuple(column))
            owner.append(index)
    spikes, dff, frames, early = (np.stack(one, axis=1).astype(np.float32) for one in zip(*columns, strict=True))
    mean = dff / np.maximum(frames, 1)
    return Grid(jnp.asarray(spikes), jnp.asarray(mean), jnp.asarray(frames), jnp.asarray(early), np.array(owner))
