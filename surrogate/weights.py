"""A model as its fixed structure and a flat dictionary of arrays, split once: the form that steps and files take."""

import dataclasses
from typing import Any

import jax
from flax import nnx

from surrogate.config import Config
from surrogate.model import Foundation
from surrogate.units import UnitParam
from surrogate.vocabulary import Vocabulary

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


def structure_of(config: Config, vocabulary: Vocabulary) -> Structure:
    """The structure of a configuration's model; no weight is computed."""
    return split(nnx.eval_shape(lambda: Foundation(config, vocabulary, nnx.Rngs(0))))[0]


def fresh_weights(config: Config, vocabulary: Vocabulary) -> tuple[Structure, Weights]:
    """The structure of a configuration's model and the weights that training starts from."""

    def drawn() -> Weights:
        return split(Foundation(config, vocabulary, nnx.Rngs(config.seed)))[1]

    # It runs once, so to compile it fast matters more than to run it fast.
    quick = jax.jit(drawn, compiler_options={"xla_backend_optimization_level": 0})
    return structure_of(config, vocabulary), quick()


def split(model: Foundation) -> tuple[Structure, Weights]:
    """A model's structure and arrays."""
    graph, state = nnx.split(model)
    variables = nnx.to_flat_state(state)
    names = ["/".join(map(str, path)) for path, _ in variables]
    leaves, tree = jax.tree.flatten(state)
    owned = frozenset(name for name, (_, one) in zip(names, variables, strict=True) if isinstance(one, UnitParam))
    return Structure(graph, tree, tuple(names), owned), dict(zip(names, leaves, strict=True))
