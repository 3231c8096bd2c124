"""Levenberg-Marquardt on second moments: kinetics that many cells share, and those of each cell under a prior.

Scale and baseline are no parameters: a cell's scale is solved for (variable projection, Golub and Pereyra 1973, with
Kaufman's 1975 derivative), and moments are centred by segment. What is minimised is the unexplained share 1 - r^2.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from experiments.calcium.corpus import Corpus
from experiments.calcium.moments import by_cell, moments
from experiments.calcium.predicting import Trace, predict
from experiments.calcium.settings import Settings

LARGEST_STEP, LEAST_LOSS, LEAST_VARIANCE = 0.7, 0.02, 0.02
# parameter of `Kinetics`: mean and deviation before any data, and the range a fit stays in
BROAD = {
    "log_rise_s": (np.log(0.04), 0.7, -5.0, 0.0),
    "log_decay_s": (np.log(0.7), 0.5, -2.5, 1.6),
    "log_cooperativity": (0.2, 0.4, -1.0, 1.6),
    "log_saturation": (-6.0, 2.0, -12.0, 3.0),
    "slow_share": (0.7, 0.7, -1.5, 4.0),
    "log_slow_s": (np.log(3.0), 0.5, -0.7, 2.5),
}
LOW, HIGH = np.array(list(BROAD.values()))[:, 2:].T


@dataclasses.dataclass(frozen=True)
class Local:
    """The unexplained share of each cell near where it was evaluated.

    Attributes:
        loss: (cell,) 1 - r^2 over all segments with one scale; 1 for a response that never moves.
        slope: (cell, parameter) half its derivative.
        curvature: (cell, parameter, parameter) half its Gauss-Newton matrix.
    """

    loss: Float[np.ndarray, " cell"]
    slope: Float[np.ndarray, "cell parameter"]
    curvature: Float[np.ndarray, "cell parameter parameter"]


def local(moments: Float[np.ndarray, "cell a b"]) -> Local:
    """From moments of (dF/F, response, derivatives of the response)."""
    total = np.maximum(moments[:, 0, 0], 1e-12)
    power = np.maximum(moments[:, 1, 1], 1e-12)
    scale = np.maximum(moments[:, 0, 1], 0.0) / power
    loss = 1.0 - scale * moments[:, 0, 1] / total
    with_response = moments[:, 2:, 1] / power[:, None]
    against = moments[:, 2:, 0] - with_response * moments[:, 0, 1][:, None]
    own = moments[:, 2:, 2:] - power[:, None, None] * with_response[:, :, None] * with_response[:, None, :]
    slope = -scale[:, None] * against / total[:, None]
    return Local(loss, slope, scale[:, None, None] ** 2 * own / total[:, None, None])


def damped(curvature: np.ndarray, slope: np.ndarray, damping: np.ndarray) -> np.ndarray:
    """The step that minimises the local quadratic, shortened to the largest that is trusted."""
    n = curvature.shape[-1]
    lifted = curvature + (damping[..., None, None] * np.eye(n)) * (
        np.einsum("...ii->...i", curvature).mean(-1)[..., None, None] + 1e-9
    )
    step = -np.linalg.solve(lifted, slope[..., None])[..., 0]
    longest = np.abs(step).max(-1, keepdims=True)
    return step * np.minimum(1.0, LARGEST_STEP / np.maximum(longest, 1e-12))


@dataclasses.dataclass(frozen=True, eq=False)
class Prior:
    """What is believed of each cell's kinetics before its fluorescence is seen.

    Attributes:
        mean: (cell, parameter).
        precision: (cell, parameter, parameter).
    """

    mean: Float[np.ndarray, "cell parameter"]
    precision: Float[np.ndarray, "cell parameter parameter"]


def broad(n_cells: int) -> Prior:
    """Before any data: a calcium decay of .7 s, slight cooperativity, hardly any saturation."""
    precision = np.diag(1.0 / np.array(list(BROAD.values()))[:, 1] ** 2)
    mean = np.array(list(BROAD.values()))[:, 0]
    return Prior(np.tile(mean, (n_cells, 1)), np.tile(precision, (n_cells, 1, 1)))


def adapt(corpus: Corpus, prior: Prior, settings: Settings, early: bool) -> Float[np.ndarray, "cell parameter"]:
    """The most probable kinetics of each cell, from all of its frames or its first half."""
    weight = corpus.grid.early if early else corpus.grid.frames
    n_independent = independent_values(corpus, predict(corpus, prior.mean), early)
    trial, damping = prior.mean, np.full(len(prior.mean), 1e-2)
    best: list[np.ndarray] = []
    for _ in range(settings.fit_steps):
        sums = moments(trial[corpus.cell], corpus.grid, weight, len(corpus.segments))
        near, away = local(by_cell(sums, corpus.cell, len(trial))), trial - prior.mean
        cost = 0.5 * n_independent * np.log(np.maximum(near.loss, LEAST_LOSS))
        cost += 0.5 * np.einsum("ci,cij,cj->c", away, prior.precision, away)
        counts = n_independent / np.maximum(near.loss, LEAST_LOSS)
        slope = counts[:, None] * near.slope + np.einsum("cij,cj->ci", prior.precision, away)
        now = [cost, trial, slope, counts[:, None, None] * near.curvature + prior.precision]
        if best:
            better = now[0] < best[0]
            damping = np.where(better, np.maximum(damping / 4.0, 1e-4), damping * 6.0)
            now = [np.where(_like(better, new), new, old) for new, old in zip(now, best, strict=True)]
        best = now
        trial = np.clip(best[1] + damped(best[3], best[2], damping), LOW, HIGH)
    return best[1]


def independent_values(corpus: Corpus, traces: Sequence[Trace], early: bool) -> Float[np.ndarray, " cell"]:
    """How many independent values the residual of each cell holds: what its data weigh against the prior.

    Seconds are averaged, and n seconds of autocorrelation rho count as n (1 - rho) / (1 + rho) (Bartlett 1935, J. R.
    Stat. Soc. 98); 100 s with rho = .5 are 33. Without it a slow drift passes for much evidence.
    """
    sums = np.zeros((3, len(corpus.cells)))  # lagged products, squares, seconds
    for segment, trace, cell in zip(corpus.segments, traces, corpus.cell, strict=True):
        stop = segment.half if early else len(segment.dff)
        if stop < 2:
            continue
        second = segment.times_s[:stop].astype(int)
        away = segment.dff[:stop] - segment.dff[:stop].mean()
        moved = trace[:stop] - trace[:stop].mean()
        away -= moved * max(float((moved * away).sum()), 0.0) / max(float((moved**2).sum()), 1e-12)
        mean = np.bincount(second, away) / np.maximum(np.bincount(second), 1)
        sums[:, cell] += [(mean[1:] * mean[:-1]).sum(), (mean**2).sum(), segment.times_s[stop - 1]]
    rho = np.clip(sums[0] / np.maximum(sums[1], 1e-12), 0.0, 0.99)
    return np.asarray(sums[2] * (1.0 - rho) / (1.0 + rho))


def _like(flags: np.ndarray, array: np.ndarray) -> np.ndarray:
    return flags.reshape(-1, *(1,) * (array.ndim - 1))


def taught(
    kinetics: Float[np.ndarray, "cell parameter"], corpus: Corpus, others: np.ndarray, facts: np.ndarray, ridge: float
) -> Prior:
    """What the cells of some data sets teach about cells of others: a ridge regression on what the protocol says.

    A data set weighs as the square root of its number of cells: neither each cell nor each set the same.

    Args:
        kinetics: of every cell of the corpus.
        corpus: with the teaching cells.
        others: (cell,) which of them teach.
        facts: (new cell, fact) of the cells that are to be predicted.
        ridge: shrinks all but the constant.
    """
    weight = _weights(corpus, others)
    seen, n = corpus.facts * weight[:, None], corpus.facts.shape[1]
    penalty = ridge * weight.sum() / max(int(others.sum()), 1) * np.diag([1e-6] + [1.0] * (n - 1))
    effects = np.linalg.solve(seen.T @ corpus.facts + penalty, seen.T @ kinetics)
    error = kinetics - corpus.facts @ effects
    spread = (error * weight[:, None]).T @ error / weight.sum() + LEAST_VARIANCE * np.eye(kinetics.shape[1])
    mean = np.clip(facts @ effects, LOW, HIGH)
    return Prior(mean, np.tile(np.linalg.inv(spread), (len(mean), 1, 1)))


def average(kinetics: Float[np.ndarray, "cell parameter"], corpus: Corpus, others: np.ndarray) -> np.ndarray:
    """(parameter,) mean of the teaching cells, whatever the protocol says of them."""
    return np.clip(np.average(kinetics, axis=0, weights=_weights(corpus, others)), LOW, HIGH)


def _weights(corpus: Corpus, others: np.ndarray) -> np.ndarray:
    names, sizes = np.unique(corpus.data_set, return_counts=True)
    size = dict(zip(names, sizes, strict=True))
    return np.array([float(size[name]) ** -0.5 for name in corpus.data_set]) * others
