"""A model as its fixed structure and a flat dictionary of arrays, split once: the form that steps and files take."""

import dataclasses
from typing import Any

import jax
from flax import nnx

from surrogate.model import Foundation
from surrogate.units import UnitParam

Weights = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Structure:
    """All of a model but its arrays.

    Attributes:
        graph: Flax's own description.
        tree: how the arrays are arranged.
        names: of the arrays in that order, such as "core/layers/0/gates/kernel".
        owned: names of those that belong to single units or animals; see `surrogate.units.UnitParam`.
    """

    graph: Any
    tree: Any
    names: tuple[str, ...]
    owned: frozenset[str]

    def merge(self, weights: Weights) -> Foundation:
        """The model with these arrays."""
        return nnx.merge(self.graph, jax.tree.unflatten(self.tree, [weights[name] for name in self.names]))


def split(model: Foundation) -> tuple[Structure, Weights]:
    """A model's structure and arrays."""
    graph, state = nnx.split(model)
    variables = nnx.to_flat_state(state)
    names = ["/".join(map(str, path)) for path, _ in variables]
    leaves, tree = jax.tree.flatten(state)
    owned = frozenset(name for name, (_, one) in zip(names, variables, strict=True) if isinstance(one, UnitParam))
    return Structure(graph, tree, tuple(names), owned), dict(zip(names, leaves, strict=True))
