"""Differential evolution: new sets from differences of old ones."""

import dataclasses

import numpy as np
from scipy.stats import qmc

from biophys.calibrate.methods.method import Ending, Search, worst_for_nan
from biophys.calibrate.space import Space
from twin.errors import InputError


@dataclasses.dataclass(frozen=True)
class DifferentialEvolution:
    """DE/current-to-best/1/bin (Storn & Price 1997, J Global Optim 11:341), with the two factors drawn anew each time.

    trial = x + F (best - x) + F (a - b), mixed with x by binomial crossover; F is uniform in [0.4, 0.9] and the
    crossover rate in [0.5, 1] (dither: Das & Suganthan 2011, IEEE Trans Evol Comput 15:4, section III). What leaves the
    bounds is reflected.

    Attributes:
        population: parameter sets; None for ten for each free quantity, at least 32.
        tolerance: the search has converged when all sets are within this of the bounds' width of each other.
    """

    population: int | None = None
    tolerance: float = 1e-3

    gradient = False

    def __post_init__(self) -> None:
        if self.population is not None and self.population < 4:
            raise InputError(f"DifferentialEvolution has a population of {self.population}; it needs 4 or more.")

    def size(self, space: Space) -> int:
        """The population."""
        return self.population or max(32, 10 * len(space.free))

    def search(self, space: Space, seed: int, budget: int) -> Search:
        """See `Method`."""
        n, d = self.size(space), len(space.free)
        random = np.random.default_rng(seed)
        spread = qmc.Sobol(d, rng=random).random(1 << (n - 1).bit_length())
        positions = np.concatenate([space.start[None], spread])[:n]
        scores = worst_for_nan((yield positions))
        losses, used = scores.loss, n
        while used + n <= budget:
            trial = self._trial(positions, losses, random)
            scores = worst_for_nan((yield trial))
            used += n
            better = scores.loss <= losses
            positions, losses = np.where(better[:, None], trial, positions), np.where(better, scores.loss, losses)
            if np.ptp(positions, axis=0).max() < self.tolerance:
                return Ending(
                    True, f"the population shrank to {self.tolerance:g} of the bounds; {used} of {budget} used"
                )
        width = np.ptp(positions, axis=0).max()
        return Ending(False, f"the budget ended while the population was still {width:.2g} of the bounds wide")

    @staticmethod
    def _trial(positions: np.ndarray, losses: np.ndarray, random: np.random.Generator) -> np.ndarray:
        n, d = positions.shape
        a, b = random.integers(0, n, (2, n))
        factor, rate = random.uniform(0.4, 0.9, (n, 1)), random.uniform(0.5, 1.0, (n, 1))
        best = positions[np.argmin(losses)]
        mutant = positions + factor * (best - positions) + factor * (positions[a] - positions[b])
        crossed = random.uniform(size=(n, d)) < rate
        crossed[np.arange(n), random.integers(0, d, n)] = True
        mutant = np.abs(np.where(crossed, mutant, positions))
        return np.clip(np.where(mutant > 1, 2 - mutant, mutant), 0.0, 1.0)
