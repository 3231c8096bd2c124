"""Simple models: kernels of two exponentials from a grid, and any linear kernel as a weighted sum of exponentials."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from experiments.calcium.corpus import Corpus
from experiments.calcium.grid import STEP_S, WARM_UP
from experiments.calcium.moments import by_cell, centred, moments
from experiments.calcium.settings import Settings
from surrogate.heads.calcium import Kinetics, response

NEVER, UNUSED_S, PEAK_S = -20.0, 1.0, 0.02
RIDGE = 1e-3


def kernel(rise_s: float, decay_s: float) -> np.ndarray:
    """Parameters of exp(-t / decay) - exp(-t / rise), up to scale: no cooperativity, saturation or slow share."""
    return np.array([np.log(rise_s), np.log(decay_s), 0.0, NEVER, 0.0, np.log(UNUSED_S)])


def candidates(settings: Settings) -> Float[np.ndarray, "kernel parameter"]:
    """The grid."""
    return np.array([kernel(rise, decay) for rise in settings.rises_s for decay in settings.decays_s])


def losses(corpus: Corpus, settings: Settings, early: bool) -> Float[np.ndarray, "kernel cell"]:
    """1 - r^2 of each kernel on each cell, over its segments."""
    weight = corpus.grid.early if early else corpus.grid.frames
    out = []
    for one in candidates(settings):
        every = np.tile(one, (len(corpus.segments), 1))
        sums = moments(every, corpus.grid, weight, len(corpus.segments), derivatives=False)
        each = by_cell(sums, corpus.cell, len(corpus.cells))
        with_response = np.maximum(each[:, 0, 1], 0.0) ** 2
        out.append(1.0 - with_response / np.maximum(each[:, 0, 0] * each[:, 1, 1], 1e-12))
    return np.array(out)


def best(loss: Float[np.ndarray, "kernel cell"], data_set: np.ndarray, teachers: np.ndarray) -> int:
    """The kernel with the least loss, each teaching data set weighing the same."""
    sets = sorted(set(data_set[teachers]))
    means = np.array([loss[:, teachers & (data_set == name)].mean(axis=1) for name in sets])
    return int(means.mean(axis=0).argmin())


@partial(jax.jit, static_argnames="decays")
def _basis(spikes, decays: tuple[float, ...]):
    fields = [jnp.full(spikes.shape[1:], value, spikes.dtype) for value in kernel(PEAK_S, 1.0)]
    ways = [Kinetics(*fields)._replace(log_decay_s=fields[0] * 0 + np.float32(np.log(one))) for one in decays]
    return jnp.stack([response(one, spikes, STEP_S)[WARM_UP:] for one in ways])


@dataclasses.dataclass(frozen=True, eq=False)
class Linear:
    """The traces of the basis and their moments.

    Attributes:
        traces: (decay, step, piece).
        early: (cell, a, b) moments of (dF/F, traces) over the first half of each cell, and `whole` over all.
    """

    traces: jax.Array
    early: np.ndarray
    whole: np.ndarray

    @staticmethod
    def of(corpus: Corpus, settings: Settings) -> "Linear":
        """For every cell."""
        grid = corpus.grid
        traces = _basis(grid.spikes, settings.basis_s)
        target = grid.dff[None, WARM_UP:]
        every = jnp.concatenate([jnp.ones_like(target), target, traces])
        each = []
        for weight in (grid.early, grid.frames):
            sums = np.asarray(jnp.einsum("atp,btp,tp->pab", every, every, weight[WARM_UP:]), np.float64)
            by_segment = centred(sums, grid.segment, len(corpus.segments))
            each.append(by_cell(by_segment, corpus.cell, len(corpus.cells)))
        return Linear(traces, *each)


def weights_of(sums: Float[np.ndarray, "cell a b"]) -> Float[np.ndarray, " decay"]:
    """Of the linear kernel of some cells together, each cell's variance weighing the same."""
    total = (sums / np.maximum(sums[:, :1, :1], 1e-12)).sum(axis=0)
    own = total[1:, 1:]
    return np.linalg.solve(
        own + RIDGE * np.trace(own) / len(own) * np.eye(len(own)) + 1e-9 * np.eye(len(own)), total[1:, 0]
    )
