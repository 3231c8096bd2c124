"""What an objective is: a loss that is computed while the model runs, step by step, for a whole population.

An objective reads the target once (`prepare`), then is a fold over time: `start`, `add` after every step, and `loss` of
what was added up. So no trace is kept, and thousands of simulations of many seconds fit in memory. A new objective is a
frozen dataclass with these four functions; equal ones compile once.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from jax import Array

from biophys.calibrate.simulation import Seen
from biophys.calibrate.target import Target
from twin.errors import InputError

Slope: TypeAlias = Literal["smooth", "through spikes", "none"]


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What an objective knows of the target.

    Attributes:
        rows: numbers for each step: name -> (sweep, time).
        facts: everything else: name -> (sweep, ...).
    """

    rows: Mapping[str, np.ndarray]
    facts: Mapping[str, np.ndarray]


@runtime_checkable
class Objective(Protocol):
    """Something to be made small."""

    @property
    def unit(self) -> str:
        """Of the loss."""

    @property
    def forced(self) -> bool:
        """Whether the model is reset where the recorded cell spiked, in place of its own threshold."""

    @property
    def slope(self) -> Slope:
        """Whether the loss has a useful derivative by the parameters: by itself, through spikes, or not at all."""

    def prepare(self, target: Target) -> Prepared:
        """What it needs of the target."""

    def start(self, facts: Mapping[str, Array], n: int, dtype: Any) -> Any:
        """Before the first step of one sweep."""

    def add(self, carry: Any, seen: Seen, row: Mapping[str, Array]) -> Any:
        """After one step."""

    def loss(self, carry: Any, facts: Mapping[str, Array]) -> Array:
        """(n,) losses of what was added up in all sweeps, whose axis comes first in both arguments."""


@runtime_checkable
class Likelihood(Objective, Protocol):
    """An objective that is, up to a constant and a scale, a negative log likelihood: for posteriors."""

    def surprise(self, carry: Any, facts: Mapping[str, Array]) -> Array:
        """(n,) negative log likelihoods, nats, up to a constant that no parameter changes."""


@dataclasses.dataclass(frozen=True)
class Term:
    """One objective of a weighted set.

    Attributes:
        objective: what.
        weight: how much one of its unit costs.
    """

    objective: Objective
    weight: float = 1.0


@dataclasses.dataclass(frozen=True)
class Weighted:
    """Several objectives: the loss is the sum of weight times loss, each weight for one unit of its objective.

    Attributes:
        terms: `Term`s.

    Example:
        `Weighted.of((Coincidence(), 1.0), (TraceError(), 0.1))`: 10 mV cost as much as the whole coincidence.
    """

    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        if not self.terms or any(not term.weight > 0 for term in self.terms):
            raise InputError("a weighted set needs one objective or more, each with a weight above 0.")

    @classmethod
    def of(cls, *pairs: tuple[Objective, float]) -> "Weighted":
        """From pairs of objective and weight."""
        return cls(tuple(Term(objective, float(weight)) for objective, weight in pairs))


def as_weighted(objective: "Objective | Weighted") -> Weighted:
    """A single objective as a set of one."""
    return objective if isinstance(objective, Weighted) else Weighted((Term(objective),))


def named(objective: Objective) -> str:
    """What messages and tables call an objective: "TraceError (mV)"."""
    return f"{type(objective).__name__} ({objective.unit})"
