"""Where the names of one group's equations find their arrays.

A `Scope` is fixed at compile time: it knows which name is a constant, an array of the world, a table or a
subexpression. An `Environment` is a scope at one moment: it looks a name up once and keeps what it found, so that
equations share their subexpressions, and `bind` forgets only what depends on the names that change.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import jax.numpy as jnp
import numpy as np
from jax import Array

from biophys.compiler.expressions import Expression
from biophys.compiler.functions import function_table, sample_table

Role: TypeAlias = Literal["state", "parameter", "external", "table"]
World: TypeAlias = Mapping[str, Array]  # "group.name" -> its array at this moment, and "step"


@dataclasses.dataclass(frozen=True)
class Variable:
    """An array of the world.

    Attributes:
        key: its name there, "group.name".
        unit: of its numbers (SI); "1" where there is none.
        value: at compile time; it also fixes shape and dtype.
        role: a "state" or a "parameter" of the equations, an "external" constant, or the "table" of a `TimedArray`.
    """

    key: str
    unit: str
    value: np.ndarray
    role: Role

    def fit(self, value: Any) -> Array:
        """A value with this variable's shape and dtype."""
        return jnp.broadcast_to(jnp.asarray(value, self.value.dtype), self.value.shape)


@dataclasses.dataclass
class Scope:
    """The names of one group. Filled while the network is read, and left alone afterwards.

    Attributes:
        group: its name.
        n: number of neurons.
        dt_s: the step, seconds.
        dtype: of every number.
        variables: arrays of the world, by name in the equations.
        constants: folded in: units, mathematical constants, `N`, `dt`.
        derived: names that follow from the step counter: `t`, `i`, `lastspike`.
        periods_s: time between entries of each table.
        subexpressions: by name.
        guarded: variables that are not written while their neuron is refractory.
    """

    group: str
    n: int
    dt_s: float
    dtype: np.dtype
    variables: dict[str, Variable] = dataclasses.field(default_factory=dict)
    constants: dict[str, Any] = dataclasses.field(default_factory=dict)
    derived: dict[str, Callable[["Environment"], Array]] = dataclasses.field(default_factory=dict)
    periods_s: dict[str, float] = dataclasses.field(default_factory=dict)
    subexpressions: dict[str, Expression] = dataclasses.field(default_factory=dict)
    guarded: set[str] = dataclasses.field(default_factory=set)

    def at(self, world: World) -> "Environment":
        """The environment of this moment."""
        return Environment(self, world, {})

    def knows(self, name: str) -> bool:
        """Whether a name means something here, functions aside."""
        return any(name in names for names in (self.constants, self.variables, self.derived, self.subexpressions))

    def reach(self, name: str) -> frozenset[str]:
        """A name and all that it stands for, through subexpressions."""
        if name not in self.subexpressions:
            return frozenset({name})
        return frozenset({name}).union(*(self.reach(other) for other in self.subexpressions[name].names))

    def look_up(self, name: str, environment: "Environment") -> Any:
        """The value of a name.

        Raises:
            KeyError: the name is none of this scope's; it may be a function.
        """
        if name in self.constants:
            return self.constants[name]
        if name in self.derived:
            return self.derived[name](environment)
        if name in self.subexpressions:
            return self.subexpressions[name](environment)
        value = environment.world[self.variables[name].key]
        if name in self.periods_s:
            return functools.partial(sample_table, value, self.periods_s[name], self.dt_s)
        return value.astype(self.dtype) if jnp.issubdtype(value.dtype, jnp.integer) else value


class Environment:
    """Names and their values at one moment; what `Expression` is evaluated on.

    Args:
        scope: what the names mean.
        world: the arrays.
        known: values of some names; the others are looked up when asked for.
    """

    def __init__(self, scope: Scope, world: World, known: Mapping[str, Any]):
        self.scope = scope
        self.world = world
        self.functions = function_table(scope.dtype)
        self._known = dict(known)

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            self._known[name] = self.scope.look_up(name, self)
        return self._known[name]

    def bind(self, values: Mapping[str, Any]) -> "Environment":
        """The same moment with other values for some names; whatever does not depend on them is shared."""
        kept = {name: value for name, value in self._known.items() if values.keys().isdisjoint(self.scope.reach(name))}
        return Environment(self.scope, self.world, {**kept, **values})

    def settle(self, expression: Expression, changing: str) -> None:
        """Evaluates the parts of an expression that do not depend on one name, for `bind` to share."""
        for name in expression.names & self.scope.subexpressions.keys():
            if changing in self.scope.reach(name):
                self.settle(self.scope.subexpressions[name], changing)
            else:
                self[name]
