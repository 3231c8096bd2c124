"""How sharply the data pin the parameters down: the curvature of the negative log posterior at its minimum."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy.stats import norm

from biophys.calibrate.evaluator import Evaluator
from biophys.calibrate.plan import Plan
from biophys.calibrate.problem import Problem
from biophys.calibrate.space import Space
from twin.errors import InputError

# Standard deviation of an even belief from low to high, which is all that is known without data.
_EVEN_SD = 1 / np.sqrt(12)
_NEWTON_STEPS = 30


@dataclasses.dataclass(frozen=True)
class Curvature:
    """The Laplace approximation: a normal posterior with the curvature at the mode (MacKay 2003, ch. 27).

    Positions are those of the unit cube: a logarithm for quantities on a log scale.

    Attributes:
        space: what is free.
        mode: (free,) where the posterior is highest.
        loss: negative log posterior there, nats.
        information: (free, free) its second derivatives there, the observed Fisher information.
    """

    space: Space
    mode: Float[np.ndarray, " free"]
    loss: float
    information: Float[np.ndarray, "free free"]

    @property
    def spectrum(self) -> Float[np.ndarray, " free"]:
        """Eigenvalues of the information, the stiffest direction first. 12 is what the bounds alone tell."""
        return np.linalg.eigvalsh(self.information)[::-1]

    @property
    def directions(self) -> Float[np.ndarray, "free free"]:
        """A row for each eigenvalue: how much of each quantity is in its direction."""
        return np.linalg.eigh(self.information)[1].T[::-1]

    @property
    def covariance(self) -> Float[np.ndarray, "free free"]:
        """Of positions; a direction that the data do not decide is as wide as the bounds."""
        values, vectors = np.linalg.eigh(self.information)
        return vectors @ np.diag(1.0 / np.maximum(values, 1 / _EVEN_SD**2)) @ vectors.T

    @property
    def undecided(self) -> tuple[str, ...]:
        """Quantities whose deviation is more than half of what the bounds alone leave."""
        deviations = np.sqrt(np.diag(self.covariance))
        return tuple(name for name, sd in zip(self.space.names, deviations, strict=True) if sd > 0.5 * _EVEN_SD)

    def interval(self, level: float = 0.9) -> dict[str, tuple[float, float]]:
        """Central intervals by name, in the quantities' units, within the bounds."""
        reach = norm.ppf(0.5 + level / 2) * np.sqrt(np.diag(self.covariance))
        low, high = np.clip(self.mode - reach, 0, 1), np.clip(self.mode + reach, 0, 1)
        lows, highs = self.space.values(low), self.space.values(high)
        return {name: (float(lows[name]), float(highs[name])) for name in self.space.names}


def curvature(problem: Problem, position: np.ndarray) -> Curvature:
    """The mode nearest to a position, by damped Newton steps, and the curvature there.

    Args:
        problem: with likelihoods as objectives; its dtype should be float64.
        position: (free,) to begin at, as the best of a search.

    Raises:
        InputError: an objective is no likelihood, or nothing is finite there.
    """
    posterior = problem.posterior()
    evaluate, derivatives = Evaluator(posterior, 16), _derivatives(posterior)
    here = np.clip(np.asarray(position, np.float64), 1e-6, 1 - 1e-6)
    loss, slope, information = derivatives(here)
    if not (np.isfinite(loss) and np.isfinite(slope).all() and np.isfinite(information).all()):
        raise InputError(
            f"the derivatives of {problem.plan.model.name} at the best parameter set are no numbers; use "
            "dtype=numpy.float64, or intervals=False."
        )
    key = jax.random.key(0)
    for _ in range(_NEWTON_STEPS):
        steps = np.stack([-_damped(information, damping) @ slope for damping in np.logspace(-6, 4, 16)])
        trials = np.clip(here + steps, 0.0, 1.0)
        losses = evaluate(trials, key).loss
        losses = np.where(np.isfinite(losses), losses, np.inf)
        best = int(np.argmin(losses))
        if not losses[best] < loss - 1e-4:
            break
        here = trials[best]
        loss, slope, information = derivatives(here)
    return Curvature(problem.plan.space, here, float(loss), 0.5 * (information + information.T))


def _damped(information: np.ndarray, damping: float) -> np.ndarray:
    """An inverse with all eigenvalues positive: downhill, and shorter the larger the damping."""
    values, vectors = np.linalg.eigh(0.5 * (information + information.T))
    scale = max(float(np.abs(values).max()), 1e-12)
    return vectors @ np.diag(1.0 / (np.abs(values) + damping * 1e-3 * scale + 1e-9)) @ vectors.T


@functools.lru_cache(maxsize=16)
def _compiled(plan: Plan) -> Callable[..., Any]:
    """Value, slope and second derivatives at one position: all carried along with the simulation."""

    def loss(position: Any, tapes: Any, key: Any) -> tuple[Any, Any]:
        value = plan.losses(position[None], tapes, key)[0][0]
        return value, value

    def slope(position: Any, tapes: Any, key: Any) -> tuple[Any, Any]:
        first, value = jax.jacfwd(loss, has_aux=True)(position, tapes, key)
        return first, (first, value)

    return jax.jit(jax.jacfwd(slope, has_aux=True))


def _derivatives(problem: Problem) -> Callable[[np.ndarray], tuple[float, np.ndarray, np.ndarray]]:
    function, tapes, key = _compiled(problem.plan), problem.tapes, jax.random.key(0)

    def call(position: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        information, (slope, value) = function(jnp.asarray(position, problem.plan.dtype), tapes, key)
        return float(value), np.asarray(slope, np.float64), np.asarray(information, np.float64)

    return call
