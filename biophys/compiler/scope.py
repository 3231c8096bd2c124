"""Where the names of one group's equations find their arrays.

A `Scope` is fixed at compile time: it knows which name is a constant, a field of the world, a function or a
subexpression. An `Environment` is a scope at one moment, for all elements of the group or for some of them: it looks a
name up once and keeps what it found, so that equations share their subexpressions; `bind` and `store` forget only what
depends on the names that change.
"""

import dataclasses
import itertools
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from biophys.compiler.expressions import Expression
from biophys.compiler.functions import function_table

Role: TypeAlias = Literal["state", "parameter", "external", "table", "structure"]
World: TypeAlias = Mapping[str, Array]  # "group.name" -> its array at this moment, and STEP and DRAWS

STEP = "step"  # the clock of the world: how many steps have passed
DRAWS = "draws"  # the random key of this step
OWN = "_idx"  # the index of what has one value for each element of the group
_NOWHERE = np.iinfo(np.int32).max  # an index that no array has: what is written there is dropped


@dataclasses.dataclass(frozen=True)
class Variable:
    """An array of the world.

    Attributes:
        key: its name there, "group.name".
        unit: of its numbers (SI); "1" where there is none.
        value: at compile time; it also fixes shape and dtype.
        role: a "state" or a "parameter" of the model, an "external" constant, the "table" of a `TimedArray`, or the
            "structure" of the network: which element is which, and what is connected.
    """

    key: str
    unit: str
    value: np.ndarray
    role: Role

    def fit(self, value: Any) -> Array:
        """A value with this variable's shape and dtype."""
        return jnp.broadcast_to(jnp.asarray(value, self.value.dtype), self.value.shape)


@dataclasses.dataclass(frozen=True)
class Field:
    """A name that stands for an array of the world.

    Attributes:
        key: of the array.
        index: None for a value that all share, OWN for one value an element, else the name of the field that says
            which entry of the array each element has: the neuron after a synapse, what a linked variable is linked to.
    """

    key: str
    index: str | None


@dataclasses.dataclass(frozen=True)
class Derived:
    """A name that is computed: the time, the time of the last spike.

    Attributes:
        value: on an environment.
        keys: of the arrays that it is computed from.
    """

    value: Callable[["Environment"], Any]
    keys: frozenset[str] = frozenset({STEP})


@dataclasses.dataclass
class Scope:
    """The names of one group, or of one object with names beyond its group's.

    Filled while the network is read, and left alone afterwards.

    Attributes:
        name: of the object whose names these are.
        n: number of elements: neurons, synapses, compartments.
        dt_s: its step, seconds.
        every: the same in steps of the program.
        dtype: of every number.
        fields: names of arrays.
        constants: folded in: units, mathematical constants, `dt`.
        derived: names that are computed.
        functions: names that are called, given the environment.
        subexpressions: by name.
        guards: for variables that are not written while their neuron is refractory, what says so.
    """

    name: str
    n: int
    dt_s: float
    every: int
    dtype: np.dtype
    fields: dict[str, Field] = dataclasses.field(default_factory=dict)
    constants: dict[str, Any] = dataclasses.field(default_factory=dict)
    derived: dict[str, Derived] = dataclasses.field(default_factory=dict)
    functions: dict[str, Callable[["Environment"], Callable[..., Any]]] = dataclasses.field(default_factory=dict)
    subexpressions: dict[str, Expression] = dataclasses.field(default_factory=dict)
    guards: dict[str, Field] = dataclasses.field(default_factory=dict)

    def at(self, world: World, mask: Array | None = None) -> "Environment":
        """The environment of this moment; what is stored in it is written where the mask is true."""
        return Environment(self, world, mask=mask)

    @property
    def facts(self) -> tuple[Any, ...]:
        """All that it says, in comparable words, but for how names are computed."""
        texts = {name: expression.text for name, expression in self.subexpressions.items()}
        computed = (sorted(self.derived), sorted(self.functions))
        named = (_sorted(self.fields), _sorted(self.constants), _sorted(texts))
        return self.name, self.n, self.dt_s, self.every, named, computed, _sorted(self.guards)

    def knows(self, name: str) -> bool:
        """Whether a name means something here, standard functions aside."""
        tables = (self.constants, self.fields, self.derived, self.functions, self.subexpressions)
        return any(name in table for table in tables)

    def reach(self, name: str) -> frozenset[str]:
        """A name, and the names and arrays that it stands for, through subexpressions and indices."""
        if name in self.subexpressions:
            return frozenset({name}).union(*(self.reach(other) for other in self.subexpressions[name].names))
        if name in self.derived:
            return frozenset({name}) | self.derived[name].keys
        if name in self.fields:
            field = self.fields[name]
            through = self.reach(field.index) if field.index not in (None, OWN) else frozenset()
            return frozenset({name, field.key}) | through
        return frozenset({name})

    def look_up(self, name: str, environment: "Environment") -> Any:
        """The value of a name.

        Raises:
            KeyError: the name is none of this scope's; it may be a standard function.
        """
        if name in self.constants:
            return self.constants[name]
        if name in self.derived:
            return self.derived[name].value(environment)
        if name in self.functions:
            return self.functions[name](environment)
        if name in self.subexpressions:
            return self.subexpressions[name](environment)
        value = environment.gather(self.fields[name])
        return value.astype(self.dtype) if jnp.issubdtype(value.dtype, jnp.integer) else value


class Environment:
    """Names and their values at one moment; what `Expression` is evaluated on.

    Args:
        scope: what the names mean.
        world: the arrays.
        elements: which elements of the group are looked at; all of them if None. An element that does not exist reads
            as some other and is never written.
        mask: where a value that is stored is written: Bool or, for gradients through events, Float[elements].
        known: values of some names; the others are looked up when asked for.
        calls: numbers the calls of random functions.
        shared: whether the value asked for is one for all elements.
    """

    def __init__(
        self,
        scope: Scope,
        world: World,
        *,
        elements: Array | None = None,
        mask: Array | None = None,
        known: Mapping[str, Any] | None = None,
        calls: Iterator[int] | None = None,
        shared: bool = False,
    ):
        self.scope = scope
        self.shared = shared
        self.world = world
        self.elements = elements
        self.mask = mask
        self.functions = function_table(scope.dtype)
        self._known = dict(known or {})
        self._calls = itertools.count() if calls is None else calls

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            self._known[name] = self.scope.look_up(name, self)
        return self._known[name]

    @property
    def size(self) -> int:
        """How many elements are looked at."""
        return self.scope.n if self.elements is None else self.elements.shape[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a random draw."""
        return () if self.shared else (self.size,)

    def for_all(self) -> "Environment":
        """The same moment, for a value that all elements share."""
        return Environment(
            self.scope,
            self.world,
            elements=self.elements,
            mask=self.mask,
            known=self._known,
            calls=self._calls,
            shared=True,
        )

    def gather(self, field: Field) -> Array:
        """The entries of an array that these elements have; the array itself if they have it whole."""
        array = self.world[field.key]
        which = self.entries(field)
        return array if which is None else array.at[which].get(mode="clip", wrap_negative_indices=False)

    def entries(self, field: Field) -> Array | None:
        """Which entries of its array these elements have; None for the array as it is."""
        if field.index is None:
            return None
        if field.index == OWN:
            return self.elements
        found = f"entries by {field.index}"
        if found not in self._known:
            self._known[found] = self.gather(self.scope.fields[field.index])
        return self._known[found]

    def draw_key(self) -> Array:
        """A random key of its own for each call in a step, each object and each block of elements."""
        call = zlib.crc32(f"{self.scope.name}:{next(self._calls)}".encode())
        key = jax.random.fold_in(self.world[DRAWS], np.uint32(call))
        return key if self.elements is None else jax.random.fold_in(key, self.elements[0])

    def bind(self, values: Mapping[str, Any]) -> "Environment":
        """The same moment with other values for some names; whatever does not depend on them is shared."""
        return self._changed(self.world, values.keys(), values)

    def store(self, name: str, value: Any, op: str = "=") -> "Environment":
        """The environment after writing to a variable.

        Args:
            name: of a field.
            value: one for each element, or one for all.
            op: "=", or "+=", "-=", "*=", "/=" for entries that several elements may have in common.
        """
        field = self.scope.fields[name]
        old = self.world[field.key]
        allowed = self._allowed(name)
        which = self.entries(field)
        if which is None:
            new = jnp.broadcast_to(cast(value, old.dtype), old.shape)
            new = new if allowed is None else blend(allowed, new, old)
        elif field.index == OWN:
            value = jnp.broadcast_to(cast(value, old.dtype), (self.size,))
            kept = value if allowed is None else blend(allowed, value, self.gather(field))
            new = old.at[which].set(kept, mode="drop", wrap_negative_indices=False)
        else:
            new = _scattered(old, which, jnp.broadcast_to(cast(value, old.dtype), (self.size,)), op, allowed)
        after = self._changed({**self.world, field.key: new}, {field.key}, {})
        if self.elements is not None and field.index == OWN and jnp.issubdtype(old.dtype, jnp.floating):
            guard = self._guard(name)  # read back without a second gather
            after._known[name] = value if guard is None else jnp.where(guard, value, self[name])
        return after

    def _changed(self, world: World, changing: Any, values: Mapping[str, Any]) -> "Environment":
        known = {
            name: value
            for name, value in self._known.items()
            if self.scope.reach(name.removeprefix("entries by ")).isdisjoint(changing)
        }
        return Environment(
            self.scope,
            world,
            elements=self.elements,
            mask=self.mask,
            known={**known, **values},
            calls=self._calls,
        )

    def _guard(self, name: str) -> Array | None:
        return self.gather(self.scope.guards[name]) if name in self.scope.guards else None

    def _allowed(self, name: str) -> Array | None:
        guard = self._guard(name)
        if guard is None or self.mask is None:
            return self.mask if guard is None else guard
        return self.mask & guard if self.mask.dtype == bool else jnp.where(guard, self.mask, 0)

    def settle(self, expression: Expression, changing: str) -> None:
        """Evaluates the parts of an expression that do not depend on one name, for `bind` to share."""
        for name in expression.names & self.scope.subexpressions.keys():
            if changing in self.scope.reach(name):
                self.settle(self.scope.subexpressions[name], changing)
            else:
                self[name]


def _sorted(table: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted(table.items(), key=lambda item: item[0])


def cast(value: Any, dtype: Any) -> Array:
    """A value in the dtype of the variable that takes it; a fraction is cut off where that is an integer."""
    return jnp.asarray(value).astype(dtype) if isinstance(value, jax.Array) else jnp.asarray(value, dtype)


def ticks_at(world: World, every: int) -> Array:
    """How often a clock has ticked, whose step is so many steps of the program.

    Between two of its ticks Brian2's clocks are ahead: they show the time of the next one.
    """
    return world[STEP] if every == 1 else (world[STEP] + jnp.int32(every - 1)) // jnp.int32(every)


def is_true(mask: Array) -> Array:
    """A mask as truth values."""
    return mask if mask.dtype == bool else mask > 0.5


def blend(mask: Array, new: Array, old: Array) -> Array:
    """The new value where the mask is true.

    A mask of numbers carries a derivative: that of `old + mask (new - old)`, whose value it is for 0 and 1.
    """
    chosen = jnp.where(is_true(mask), new, old)
    if mask.dtype == bool or not jnp.issubdtype(chosen.dtype, jnp.floating):
        return chosen
    return chosen + (mask - jax.lax.stop_gradient(mask)) * jax.lax.stop_gradient(new - old)


def _scattered(old: Array, which: Array, value: Array, op: str, allowed: Array | None) -> Array:
    """An array after a write to some of its entries, which may repeat.

    Of a mask with a derivative, what is added up takes it over: a spike that nearly came would have added its share.
    """
    if allowed is not None and allowed.dtype != bool and op in ("+=", "-="):
        value, allowed = allowed.astype(value.dtype) * value, None
    if allowed is not None:
        which = jnp.where(is_true(allowed), which, _NOWHERE)
    entries = old.at[which]
    how: Any = {"mode": "drop", "wrap_negative_indices": False}
    match op:
        case "=":
            return entries.set(value, **how)
        case "+=":
            return entries.add(value, **how)
        case "-=":
            return entries.add(-value, **how)
        case "*=":
            return entries.multiply(value, **how)
    return entries.divide(value, **how)
