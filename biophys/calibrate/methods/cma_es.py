"""Evolution of the search distribution's covariance, from several starts at once."""

import dataclasses

import numpy as np

from biophys.calibrate.methods.method import Ending, Search, worst_for_nan
from biophys.calibrate.space import Space
from twin.errors import InputError, NeurotwinError


@dataclasses.dataclass(frozen=True)
class Evolution:
    """CMA-ES (Hansen 2016, arXiv:1604.00772) by the package `cma`.

    All restarts advance together, each with a population of its own, and are simulated in one batch. The first starts
    at the start, the others anywhere within the bounds. One that has converged is started anew while budget is left.

    Attributes:
        restarts: searches side by side.
        population: parameter sets of each; None for 4 + 3 ln(free), at least 16.
        step: first standard deviation, where 1 is from low to high.
    """

    restarts: int = 4
    population: int | None = None
    step: float = 0.2

    gradient = False

    def __post_init__(self) -> None:
        if self.restarts < 1 or (self.population is not None and self.population < 4) or not 0 < self.step <= 1:
            raise InputError(
                f"Evolution has {self.restarts} restarts of {self.population} sets and the step {self.step:g}; wanted "
                "1 restart or more, 4 sets or more, and a step between 0 and 1."
            )

    def _population(self, space: Space) -> int:
        return self.population or max(16, 4 + int(3 * np.log(len(space.free))))

    def size(self, space: Space) -> int:
        """Parameter sets of all restarts together."""
        return self.restarts * self._population(space)

    def search(self, space: Space, seed: int, budget: int) -> Search:
        """See `Method`."""
        population = self._population(space)
        starts = [_strategy(space.start, self, population, seed, 0)]
        starts += [_strategy(None, self, population, seed, k, len(space.free)) for k in range(1, self.restarts)]
        strategies, begun, converged, used = starts, self.restarts, 0, 0
        while used + self.restarts * population <= budget:
            asked = [np.array(one.ask()) for one in strategies]
            scores = worst_for_nan((yield np.concatenate(asked)))
            used += self.restarts * population
            for number, (one, positions) in enumerate(zip(strategies, asked, strict=True)):
                losses = scores.loss[number * population : (number + 1) * population]
                one.tell(list(positions), losses.tolist())
                if one.stop():
                    converged += 1
                    strategies[number] = _strategy(None, self, population, seed, begun, len(space.free))
                    begun += 1
        spent = f"{used} of {budget} simulations were used"
        if converged:
            return Ending(True, f"{converged} of {begun} searches converged; {spent}")
        return Ending(False, f"the budget ended first; {spent}")


def _strategy(start: np.ndarray | None, method: Evolution, population: int, seed: int, number: int, n_free: int = 0):
    try:
        import cma
    except ImportError:
        raise NeurotwinError("Evolution needs the package cma: pip install 'neurotwin[calibrate]'.") from None
    random = np.random.default_rng([seed, number])
    if start is None:
        start = random.uniform(0.1, 0.9, n_free)
    options = {
        "popsize": population,
        "bounds": [0, 1],
        "verbose": -9,
        "verb_log": 0,
        # its own random numbers, and no others: several strategies and other libraries share numpy's global ones
        "seed": np.nan,
        "randn": lambda *shape: random.standard_normal(shape),
    }
    if len(start) == 1:
        raise InputError("CMA-ES needs two free quantities or more; use DifferentialEvolution for one.")
    return cma.CMAEvolutionStrategy(list(start), method.step, options)
