"""Profile likelihood: what each value of one quantity costs when all others do their best."""

import dataclasses
from collections.abc import Sequence

import jax
import numpy as np
from jaxtyping import Float
from scipy.stats import norm

from biophys.calibrate.curvature import Curvature
from biophys.calibrate.evaluator import Evaluator
from biophys.calibrate.problem import Problem


@dataclasses.dataclass(frozen=True)
class Profile:
    """The lowest loss that is possible at each value of one quantity (Raue et al. 2009, Bioinformatics 25:1923).

    Attributes:
        name: of the quantity.
        values: in its unit.
        rise: nats above the minimum; 1.35 bounds the 90 % interval (half of chi-square with one degree of freedom).
    """

    name: str
    values: Float[np.ndarray, " point"]
    rise: Float[np.ndarray, " point"]

    def interval(self, level: float = 0.9) -> tuple[float, float]:
        """Where the rise crosses its bound, between points; the ends of the profile where it does not."""
        bound = 0.5 * norm.ppf(0.5 + level / 2) ** 2
        inside = np.flatnonzero(self.rise <= bound)
        first, last = int(inside[0]), int(inside[-1])
        return self._crossing(first, first - 1, bound), self._crossing(last, last + 1, bound)

    def _crossing(self, within: int, beyond: int, bound: float) -> float:
        if not 0 <= beyond < len(self.values):
            return float(self.values[within])
        share = (bound - self.rise[within]) / (self.rise[beyond] - self.rise[within])
        return float(self.values[within] + share * (self.values[beyond] - self.values[within]))


def profiles(
    problem: Problem, found: Curvature, names: Sequence[str] | None = None, n_points: int = 4, n_steps: int = 12
) -> tuple[Profile, ...]:
    """Profile likelihoods, followed outwards from the mode, all quantities and both directions in one batch.

    Args:
        problem: as for `curvature`.
        found: the mode; its curvature scales the steps.
        names: quantities; all if not given.
        n_points: on either side, to three deviations, within the bounds.
        n_steps: descent steps of the other quantities at each point.
    """
    posterior, space = problem.posterior(), found.space
    chosen = tuple(space.names if names is None else names)
    held = np.repeat([space.names.index(name) for name in chosen], 2)
    rows, sides = np.arange(len(held)), np.tile([-1.0, 1.0], len(chosen))
    free = np.ones((len(held), len(space.free)))
    free[rows, held] = 0.0
    # within what is free, a Newton step with the curvature of the mode
    inverses = np.stack([np.linalg.pinv(found.information * np.outer(row, row), hermitian=True) for row in free])
    deviations = np.sqrt(np.diag(found.covariance))[held]
    evaluator = Evaluator(posterior, len(held), gradient=True)
    here, before = np.tile(found.mode, (len(held), 1)), np.tile(found.mode, (len(held), 1))
    # the first step follows the ridge of the normal approximation, later ones go on as the last one went
    ridge = found.covariance[held] / np.diag(found.covariance)[held][:, None]
    points, losses = [here], [np.full(len(held), found.loss)]
    for number in range(1, n_points + 1):
        goal = np.clip(found.mode[held] + sides * deviations * 3 * number / n_points, 0, 1)
        step = goal - here[rows, held]
        last = (here - before)[rows, held]
        course = np.where(np.abs(last)[:, None] > 0, (here - before) / np.where(last == 0, 1, last)[:, None], ridge)
        start = np.clip(here + step[:, None] * course, 0, 1)
        start[rows, held] = goal
        before = here
        here, loss = _descended(evaluator, start, inverses, n_steps)
        points.append(here)
        losses.append(loss)
    lowest = min(found.loss, float(np.min(losses)))
    return tuple(
        _joined(name, 2 * k, space, held, np.array(points), np.array(losses) - lowest) for k, name in enumerate(chosen)
    )


def _descended(
    evaluator: Evaluator, start: np.ndarray, inverses: np.ndarray, n_steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Newton steps with a fixed inverse curvature, shorter after each that does not go down."""
    key, positions = jax.random.key(0), start
    kept, slopes = start, np.zeros_like(start)
    best, share = np.full(len(start), np.inf), np.ones(len(start))
    for _ in range(n_steps):
        scores = evaluator(positions, key)
        assert scores.gradient is not None  # the evaluator was made to give it
        better = np.where(np.isfinite(scores.loss), scores.loss, np.inf) < best
        kept, slopes = np.where(better[:, None], positions, kept), np.where(better[:, None], scores.gradient, slopes)
        best = np.where(better, scores.loss, best)
        share = np.where(better, np.minimum(1.5 * share, 1.0), 0.4 * share)
        positions = np.clip(kept - share[:, None] * np.einsum("pij,pj->pi", inverses, slopes), 0, 1)
    return kept, best


def _joined(name: str, first: int, space, held: np.ndarray, points: np.ndarray, rises: np.ndarray) -> Profile:
    """Both sides of one profile from low to high; what was cut off by a bound is there once."""
    index = held[first]
    places = np.concatenate([points[::-1, first, index], points[1:, first + 1, index]])
    rise = np.concatenate([rises[::-1, first], rises[1:, first + 1]])
    places, once = np.unique(places, return_index=True)
    return Profile(name, np.asarray(space.free[index].from_unit(places)), rise[once])
