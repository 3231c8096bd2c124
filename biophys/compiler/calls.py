"""Names that are called: tables over time, random numbers, and functions of the user's own.

A standard function is the same on every environment and lives in `functions`; what is here needs the environment, for
an array of the world or for a random key.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from brian2 import BinomialFunction, TimedArray
from brian2.core.functions import DEFAULT_FUNCTIONS, Function
from jax import Array
from scipy import stats

from biophys.compiler.functions import sample_table
from biophys.compiler.layout import unit_name
from biophys.compiler.scope import Environment, Variable
from biophys.compiler.user_functions import jax_form

if TYPE_CHECKING:
    from biophys.compiler.names import Reader

Call: TypeAlias = Callable[[Environment], Callable[..., Any]]


def readable(name: str, function: Function, reader: "Reader") -> Call | None:
    """How a name is called, or None if it is a standard function or has no JAX form."""
    if isinstance(function, TimedArray):
        return _table(name, function, reader)
    if isinstance(function, BinomialFunction):
        return _binomial(name, function, reader)
    if function is _STANDARD.get(name):
        reader.is_random |= name in RANDOM
        return RANDOM.get(name)
    form = jax_form(function, reader.group)
    reader.layout.marks.append((name, id(function)))
    return None if form is None else _users(form)


_STANDARD = dict(DEFAULT_FUNCTIONS)


def _uniform(env: Environment) -> Callable[..., Array]:
    return lambda: jax.random.uniform(env.draw_key(), env.shape, env.scope.dtype)


def _normal(env: Environment) -> Callable[..., Array]:
    return lambda: jax.random.normal(env.draw_key(), env.shape, env.scope.dtype)


def _poisson(env: Environment) -> Callable[..., Array]:
    def draw(mean: Any) -> Array:
        mean = jnp.broadcast_to(jnp.asarray(mean, env.scope.dtype), env.shape)
        return jax.random.poisson(env.draw_key(), mean, env.shape, np.int32).astype(env.scope.dtype)

    return draw


RANDOM: dict[str, Call] = {"rand": _uniform, "randn": _normal, "poisson": _poisson}


def _table(name: str, table: TimedArray, reader: "Reader") -> Call:
    layout, period_s = reader.layout, float(table.dt)
    key, unit, values = f"{reader.group.name}.{name}", unit_name(table.dim), np.array(table.values, layout.dtype)
    layout.marks.append((key, period_s))
    if key in layout.inputs:
        layout.add(Variable(key, unit, np.asarray(values[0]), "parameter"))
        return lambda env: lambda _, column=None: _supplied(env.world[key], column)
    layout.add(Variable(key, unit, values, "table"))
    return lambda env: lambda *args: sample_table(env.world[key], period_s, env.scope.dt_s, *args)


def _supplied(value: Array, column: Any) -> Array:
    """The value of a table that is an input, at this step."""
    if column is None:
        return value
    return value.at[jnp.asarray(column).astype(jnp.int32)].get(mode="fill", fill_value=jnp.nan)


def _binomial(name: str, function: BinomialFunction, reader: "Reader") -> Call:
    """Exact binomial counts, by looking a uniform number up in the distribution's own table."""
    reader.is_random = True
    n, p = _binomial_arguments(function)
    counts = np.arange(int(stats.binom.isf(1e-18, n, p)) + 2 if n * p > 0 else 1)
    table = stats.binom.cdf(counts, n, p)
    key = f"{reader.scope.name}.{name}"
    reader.layout.add(Variable(key, "1", table.astype(reader.layout.dtype), "structure"))

    def call(env: Environment) -> Callable[..., Array]:
        def draw() -> Array:
            table = env.world[key]
            uniform = jax.random.uniform(env.draw_key(), env.shape, table.dtype)
            return jnp.searchsorted(table, uniform, side="right").astype(env.scope.dtype)

        return draw

    return call


def _binomial_arguments(function: BinomialFunction) -> tuple[int, float]:
    """The number of trials and their probability, which Brian2 keeps only in what it generated."""
    sample = function.implementations._implementations["numpy"].get_code(None)
    values = dict(zip(sample.__code__.co_freevars, (cell.cell_contents for cell in sample.__closure__), strict=True))
    if "n" in values:
        return int(values["n"]), float(values["p"])
    mean, variance = float(values["loc"]), float(values["scale"]) ** 2
    p = 1 - variance / mean
    return round(mean / p), p


def _users(function: Callable[..., Any]) -> Call:
    def call(env: Environment) -> Callable[..., Array]:
        return lambda *args: jnp.asarray(function(*(jnp.asarray(a, env.scope.dtype) for a in args)), env.scope.dtype)

    return call
