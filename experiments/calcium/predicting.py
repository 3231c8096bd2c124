"""Predictions at the frames: from grid to frames, and correlation by segment, cell and data set."""

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from experiments.calcium.cells import Segment
from experiments.calcium.corpus import Corpus
from experiments.calcium.grid import STEP_S, WARM_UP
from surrogate.heads.calcium import Kinetics, response

Trace = Float[np.ndarray, " frame"]


@jax.jit
def _responses(theta: Float[Array, "parameter piece"], spikes: Float[Array, "step piece"]):
    return response(Kinetics(*theta), spikes, STEP_S)[WARM_UP:]


def predict(corpus: Corpus, kinetics: Float[np.ndarray, "cell parameter"], spikes: Array | None = None) -> list[Trace]:
    """The response of each segment at its frames, without scale and baseline; of other spikes on the grid if given."""
    rows = kinetics[corpus.cell[corpus.grid.segment]].T
    traces = _responses(jnp.asarray(rows, jnp.float32), corpus.grid.spikes if spikes is None else spikes)
    return at_frames(corpus, traces)


def at_frames(corpus: Corpus, traces: Float[Array, "step piece"]) -> list[Trace]:
    """Pieces joined, and read between steps."""
    steps = np.asarray(traces)
    joined = [steps[:, corpus.grid.segment == number].T.reshape(-1) for number in range(len(corpus.segments))]
    return [
        np.interp(one.times_s, np.arange(len(trace)) * STEP_S, trace)
        for one, trace in zip(corpus.segments, joined, strict=True)
    ]


def shuffled(corpus: Corpus) -> Array:
    """The spikes of every piece, moved by half of it: the same train, at the wrong time."""
    return jnp.roll(corpus.grid.spikes, len(corpus.grid.spikes) // 2, axis=0)


def part(segment: Segment, late: bool) -> slice:
    """The frames that are scored: all of them, or those in the second half of the cell's."""
    return slice(segment.half if late else 0, None)


def correlation(value: Trace, predicted: Trace) -> float:
    """Pearson's r; 0 for a prediction that does not move."""
    value, predicted = value - value.mean(), predicted - predicted.mean()
    power = float((value**2).sum() * (predicted**2).sum())
    return float((value * predicted).sum() / np.sqrt(power)) if power > 1e-18 else 0.0


def by_cell(corpus: Corpus, predicted: Sequence[Trace], late: bool) -> dict[str, float]:
    """Correlation of each cell: frame-weighted mean over its segments of enough frames and spikes."""
    each: dict[str, list[tuple[float, int]]] = {}
    for segment, trace in zip(corpus.segments, predicted, strict=True):
        frames = part(segment, late)
        if segment.is_scored(frames):
            r = correlation(segment.dff[frames], trace[frames])
            each.setdefault(segment.cell, []).append((r, len(segment.dff[frames])))
    return {cell: float(np.average([r for r, _ in one], weights=[n for _, n in one])) for cell, one in each.items()}


def by_data_set(cells: Mapping[str, float]) -> dict[str, np.ndarray]:
    """The cells' values of each data set."""
    out: dict[str, list[float]] = {}
    for cell, value in cells.items():
        out.setdefault(cell.rsplit(" ", 1)[0], []).append(value)
    return {name: np.array(values) for name, values in out.items()}
