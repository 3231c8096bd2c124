"""One search on its way: what it asks for next, what it was told, and how it ended."""

import dataclasses
from pathlib import Path
from typing import Any

import jax
import numpy as np

from biophys.calibrate.evaluator import Scores
from biophys.calibrate.journal import Journal, fingerprint_of
from biophys.calibrate.methods.method import Ending, Method
from biophys.calibrate.problem import Problem
from twin.errors import InputError, NeurotwinError

_PATIENCE = 3  # generations without any finite loss after which a search has failed


@dataclasses.dataclass(frozen=True)
class History:
    """All that was evaluated, in order.

    Attributes:
        positions: (simulation, free) in the unit cube.
        loss: (simulation,); NaN for a parameter set without a finite one.
        terms: (simulation, term).
        generation: (simulation,) number of the generation.
        ending: why it ended.
        wall_s: how long this process worked on it.
        resumed: simulations that an earlier process did.
    """

    positions: np.ndarray
    loss: np.ndarray
    terms: np.ndarray
    generation: np.ndarray
    ending: Ending
    wall_s: float
    resumed: int

    @property
    def nan_sets(self) -> int:
        """Parameter sets whose simulation or loss was not finite."""
        return int(np.sum(~np.isfinite(self.loss)))


class Course:
    """A search that is told scores until it ends; it begins by telling it what is written down already.

    Args:
        problem: what is made small.
        method: how.
        budget: simulations.
        key: of the job.
        folder: where generations are written down; None for nowhere.

    Attributes:
        asked: (n, free) positions to be evaluated next; None when the search has ended.

    Raises:
        InputError: the budget is smaller than one generation, or the folder holds another job.
    """

    def __init__(self, problem: Problem, method: Method, budget: int, key: Any, folder: Path | None) -> None:
        size = method.size(problem.plan.space)
        if budget < size:
            raise InputError(
                f"the budget is {budget} simulations and one generation takes {size}; give at least that many."
            )
        self.problem, self.budget, self.best = problem, budget, float("inf")
        self._folder, self._key, self._journal = (
            folder,
            key,
            Journal(folder, fingerprint_of(problem, method, budget, key)),
        )
        seed = int(jax.random.randint(key, (), 1, 2**31 - 1, np.int32))
        self._search = method.search(problem.plan.space, seed, budget)
        self._done: list[tuple[np.ndarray, Scores]] = []
        self._ending: Ending | None = None
        self.asked: np.ndarray | None = next(self._search)
        self._resumed = 0
        while self.asked is not None and (stored := self._journal.recorded(len(self._done))) is not None:
            positions, scores = stored
            if not np.array_equal(positions, self.asked):
                raise InputError(
                    f"{folder}: generation {len(self._done)} was evaluated at other positions than the search asks for "
                    "now, as after a change of versions; remove the folder to begin anew."
                )
            self._resumed += len(positions)
            self._follow(scores)

    @property
    def key(self) -> Any:
        """Of the generation that is asked for."""
        return jax.random.fold_in(self._key, len(self._done))

    @property
    def share(self) -> float:
        """Of the budget that is used."""
        return min(sum(len(one) for one, _ in self._done) / self.budget, 1.0)

    def tell(self, scores: Scores) -> None:
        """The scores of what was asked for.

        Raises:
            NeurotwinError: no parameter set of the first generations had a finite loss.
        """
        assert self.asked is not None
        self._journal.record(len(self._done), self.asked, scores)
        self._follow(scores)

    def _follow(self, scores: Scores) -> None:
        assert self.asked is not None
        self._done.append((self.asked, scores))
        finite = scores.loss[np.isfinite(scores.loss)]
        self.best = min(self.best, float(finite.min())) if finite.size else self.best
        if not np.isfinite(self.best) and len(self._done) == _PATIENCE:
            plan, used = self.problem.plan, sum(len(one) for one, _ in self._done)
            raise NeurotwinError(
                f"calibration of {plan.model.name}: none of {used} parameter sets gave a finite loss; narrow "
                f"the bounds of {', '.join(plan.space.names)}, or shorten the step."
            )
        try:
            self.asked = self._search.send(scores)
        except StopIteration as stop:
            self.asked, self._ending = None, stop.value

    def history(self, wall_s: float) -> History:
        """All that was evaluated; the search has ended."""
        assert self._ending is not None
        return History(
            positions=np.concatenate([one for one, _ in self._done]),
            loss=np.concatenate([scores.loss for _, scores in self._done]),
            terms=np.concatenate([scores.terms for _, scores in self._done]),
            generation=np.repeat(np.arange(len(self._done)), [len(one) for one, _ in self._done]),
            ending=self._ending,
            wall_s=wall_s,
            resumed=self._resumed,
        )
