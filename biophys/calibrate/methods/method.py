"""What a search is: it proposes positions, is told their losses, and says at the end why it stopped.

A search is a generator and has no other input than what it is told, so a job that was killed is resumed by telling it
again what was evaluated before: the result is the same to the bit.
"""

import dataclasses
from collections.abc import Generator
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np

from biophys.calibrate.evaluator import Scores
from biophys.calibrate.space import Space


@dataclasses.dataclass(frozen=True)
class Ending:
    """Why a search stopped.

    Attributes:
        converged: whether it found nothing better by its own rule, rather than used up the budget.
        reason: in words.
    """

    converged: bool
    reason: str


# yields positions (n, free) in the unit cube and is sent their scores
Search: TypeAlias = Generator[np.ndarray, Scores, Ending]


@runtime_checkable
class Method(Protocol):
    """A way to search."""

    @property
    def gradient(self) -> bool:
        """Whether it wants slopes."""

    def size(self, space: Space) -> int:
        """Parameter sets that it evaluates at a time."""

    def search(self, space: Space, seed: int, budget: int) -> Search:
        """A new search.

        Args:
            space: what is free.
            seed: of its random numbers.
            budget: simulations that it may use.
        """


def worst_for_nan(scores: Scores) -> Scores:
    """Scores in which a loss that is no number is worse than the worst, so that a search can rank it."""
    finite = np.isfinite(scores.loss)
    span = np.ptp(scores.loss[finite]) if finite.any() else 1.0
    worst = (scores.loss[finite].max() if finite.any() else 0.0) + max(span, 1.0)
    gradient = scores.gradient
    if gradient is not None:
        gradient = np.where(np.isfinite(gradient) & finite[:, None], gradient, 0.0)
    return Scores(np.where(finite, scores.loss, worst), scores.terms, gradient)
