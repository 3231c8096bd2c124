"""Draws from the posterior, and whether there are enough of them."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from biophys.calibrate.curvature import Curvature
from biophys.calibrate.jobs import Progress, run
from biophys.calibrate.methods.nuts import Drawn, Nuts
from biophys.calibrate.problem import Problem
from twin.errors import InputError


@dataclasses.dataclass(frozen=True)
class Posterior:
    """A sample.

    Attributes:
        names: of the free quantities.
        draws: (chain, draw, free) in their units.
        r_hat: (free,) near 1 where the chains agree.
        effective: (free,) independent draws that these are worth.
        divergences: trajectories that were lost.
        converged: all wanted draws are there, r_hat is below 1.05 and none diverged.
        reason: in words.
    """

    names: tuple[str, ...]
    draws: Float[np.ndarray, "chain draw free"]
    r_hat: Float[np.ndarray, " free"]
    effective: Float[np.ndarray, " free"]
    divergences: int
    converged: bool
    reason: str

    def interval(self, level: float = 0.9) -> dict[str, tuple[float, float]]:
        """Central intervals by name."""
        edges = np.quantile(self.draws.reshape(-1, len(self.names)), [0.5 - level / 2, 0.5 + level / 2], axis=0)
        return {name: (float(edges[0, k]), float(edges[1, k])) for k, name in enumerate(self.names)}


def sample(
    problem: Problem,
    found: Curvature,
    *,
    chains: int = 16,
    warmup: int = 50,
    draws: int = 200,
    budget: int = 100_000,
    key: Any,
    folder: Path | None = None,
    progress: Progress = lambda share, best: None,
) -> Posterior:
    """Draw from the posterior by NUTS.

    Args:
        problem: with likelihoods as objectives; float64 is better.
        found: its mode and curvature, which scale the moves.
        chains: side by side.
        warmup: draws of each that are dropped.
        draws: of each that are kept.
        budget: simulations at the most.
        key: a `jax.random.key`.
        folder: as for `calibrate`: the job can be killed and goes on.
        progress: as for `calibrate`.

    Raises:
        InputError: an objective is no likelihood, or the budget is too small for four draws of each chain.
    """
    covariance = tuple(tuple(row) for row in found.covariance.tolist())
    method = Nuts(tuple(found.mode.tolist()), covariance, chains, warmup, draws)
    ending = run(problem.posterior(), method, budget, key, folder, progress).ending
    assert isinstance(ending, Drawn)  # what Nuts ends with
    if ending.draws.shape[1] < 4:
        raise InputError(
            f"{problem.target.name}: the budget of {budget} simulations gave {ending.reason}; give more, fewer chains, "
            "or narrower bounds where the data decide nothing."
        )
    values = problem.plan.space.values(ending.draws)
    by_name = np.stack([values[name] for name in problem.plan.space.names], axis=-1)
    r_hat, effective = split_r_hat(ending.draws), effective_draws(ending.draws)
    converged = ending.converged and bool((r_hat < 1.05).all()) and ending.divergences == 0
    reason = f"{ending.reason}; r_hat up to {r_hat.max():.3f}, {ending.divergences} divergences"
    return Posterior(problem.plan.space.names, by_name, r_hat, effective, ending.divergences, converged, reason)


def split_r_hat(draws: Float[np.ndarray, "chain draw free"]) -> Float[np.ndarray, " free"]:
    """Potential scale reduction of half chains (Gelman et al. 2013, Bayesian Data Analysis, section 11.4)."""
    half = draws.shape[1] // 2
    if half < 2:
        return np.full(draws.shape[2], np.inf)
    halves = np.concatenate([draws[:, :half], draws[:, half : 2 * half]])
    within = halves.var(axis=1, ddof=1).mean(axis=0)
    between = halves.mean(axis=1).var(axis=0, ddof=1)
    return np.sqrt((half - 1) / half + between / np.where(within > 0, within, 1.0))


def effective_draws(draws: Float[np.ndarray, "chain draw free"]) -> Float[np.ndarray, " free"]:
    """Effective sample size, by the initial positive sequence (Geyer 1992, Stat Sci 7:473)."""
    n_chains, n, n_free = draws.shape
    if n < 4:
        return np.zeros(n_free)
    centred = draws - draws.mean(axis=(0, 1))
    lags = np.stack([(centred[:, lag:] * centred[:, : n - lag]).sum(axis=(0, 1)) / (n_chains * n) for lag in range(n)])
    correlation = lags / np.where(lags[0] > 0, lags[0], 1.0)
    pairs = correlation[0 : n - n % 2 : 2] + correlation[1::2][: n // 2]
    positive = np.cumprod(pairs > 0, axis=0)
    return n_chains * n / np.maximum(2 * (pairs * positive).sum(axis=0) - 1, 1.0 / (n_chains * n))
