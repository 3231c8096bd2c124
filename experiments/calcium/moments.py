"""What a fit needs of the data: second moments of the fluorescence, the response and its derivatives."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from experiments.calcium.grid import STEP_S, WARM_UP, Grid
from surrogate.heads.calcium import Kinetics, response

N = len(Kinetics._fields)


@partial(jax.jit, static_argnames="derivatives")
def _sums(theta: Float[Array, "parameter piece"], spikes, dff, weight, derivatives: bool = True):
    def run(one):
        return response(Kinetics(*one), spikes, STEP_S)[WARM_UP:]

    if derivatives:
        value, push = jax.linearize(run, theta)
        tangents = jnp.broadcast_to(jnp.eye(N, dtype=theta.dtype)[:, :, None], (N, N, theta.shape[1]))
        columns = jnp.concatenate([value[None], jax.vmap(push)(tangents)])
    else:
        columns = run(theta)[None]
    every = jnp.concatenate([jnp.ones_like(dff[None, WARM_UP:]), dff[None, WARM_UP:], columns])
    return jnp.einsum("atp,btp,tp->pab", every, every, weight[WARM_UP:])


def moments(theta: np.ndarray, grid: Grid, weight: Array, n_segments: int, derivatives: bool = True) -> np.ndarray:
    """(segment, a, b): weighted and centred within each segment; a and b are dF/F, response, its derivatives.

    Args:
        theta: (segment, parameter).
    """
    rows = jnp.asarray(theta[grid.segment].T, jnp.float32)
    pieces = np.asarray(_sums(rows, grid.spikes, grid.dff, weight, derivatives), np.float64)
    return centred(pieces, grid.segment, n_segments)


def centred(pieces: np.ndarray, segment: np.ndarray, n_segments: int) -> np.ndarray:
    """(segment, a, b) moments about each segment's means, from sums of pieces whose first entry is a constant."""
    sums = np.zeros((n_segments, *pieces.shape[1:]))
    np.add.at(sums, segment, pieces)
    first = sums[:, :1, :]
    return (sums - first * np.swapaxes(first, 1, 2) / np.maximum(sums[:, :1, :1], 1e-12))[:, 1:, 1:]


def by_cell(sums: np.ndarray, cell: np.ndarray, n_cells: int) -> np.ndarray:
    """Moments of the segments of each cell together."""
    out = np.zeros((n_cells, *sums.shape[1:]))
    np.add.at(out, cell, sums)
    return out
