"""Stepwise models above `value ~ neuron type`: terms come and go one at a time while the BIC falls."""

import dataclasses

import numpy as np

from experiments.neuroelectro.additive import Measured, Model, within_types
from experiments.neuroelectro.coding import OFFERED, SQUARES


@dataclasses.dataclass(frozen=True, eq=False)
class Chosen:
    """What the search ended at; `model.effects` belong to `terms` in this order."""

    terms: tuple[str, ...]
    model: Model


def stepwise(
    data: Measured,
    *,
    start: tuple[str, ...] = (),
    squares: bool = False,
    weights: np.ndarray | None = None,
) -> Chosen:
    """Add or remove the one term that lowers the BIC most, until none does.

    The neuron type always stays in (the lower bound of the authors); a square is offered once its own term is in.

    Args:
        data: rows with a value.
        start: terms to start from; the authors start from all of them (`coding.OFFERED`).
        squares: offer squares of log age and temperature too ("pure quadratic", the authors' bound for thresholds).
        weights: of each row; all 1 by default.
    """
    offered = (*OFFERED, *SQUARES) if squares else OFFERED
    columns = data.coding.columns(offered)
    within = within_types(data, data.conditions(offered), weights)

    def fitted(terms: tuple[str, ...]) -> Chosen:
        """In the order of `terms`, as `Coding.encode` gives them."""
        return Chosen(terms, within.fit([at for term in terms for at, one in enumerate(columns) if one[0] == term]))

    best = fitted(start)
    while True:
        challenger = min((fitted(terms) for terms in _neighbours(best.terms, offered)), key=_rank)
        if _rank(challenger) >= _rank(best):
            return best
        best = challenger


def _rank(one: Chosen) -> tuple[float, int]:
    """The BIC, and of two equal ones the fewer terms: a term that adds no column beside others goes."""
    return round(one.model.bic, 6), len(one.terms)


def _neighbours(terms: tuple[str, ...], offered: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The sets of terms that are one step away."""
    may_enter = [term for term in offered if term not in terms and (term not in SQUARES or SQUARES[term] in terms)]
    must_stay = {SQUARES[term] for term in terms if term in SQUARES}
    entered = [(*terms, term) for term in may_enter]
    left = [tuple(other for other in terms if other != term) for term in terms if term not in must_stay]
    return entered + left
