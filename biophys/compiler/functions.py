"""Brian2's standard functions on JAX arrays.

Numbers are floats of one dtype throughout, also where Brian2 has integers: whole numbers are exact in floats up to
2^24 (float32) and 2^53 (float64), and one dtype keeps strict promotion happy.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float

STANDARD = (
    *("cos", "sin", "tan", "cosh", "sinh", "tanh", "arccos", "arcsin", "arctan"),
    *("exp", "log", "log10", "expm1", "log1p", "sqrt", "ceil", "floor", "abs", "sign", "clip"),
)
PIECEWISE_CONSTANT = frozenset({"int", "floor", "ceil", "sign", "timestep"})

_SERIES_RADIUS = 0.5
_SERIES_TERMS = {4: 9, 8: 14}  # bytes of a float -> terms until the next one is below its rounding


@jax.custom_jvp
def exprel(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """(exp(x) - 1) / x, which is 1 at x = 0, with a finite and correct derivative (1/2) there.

    A series within 0.5 of zero, the quotient outside. Each branch sees only arguments at which it is regular, so that
    no NaN of the branch not taken reaches a derivative. The derivative has its own rule, (exp(x) - exprel(x)) / x and
    its series, so that a backward pass keeps one number for each evaluation and not every partial sum.
    """
    near, small, large = _parts(x)
    terms = _SERIES_TERMS[x.dtype.itemsize]
    return jnp.where(near, _series(small, [1.0 / math.factorial(k + 1) for k in range(terms)]), _quotient(large))


@exprel.defjvp
def _exprel_jvp(primals: tuple[Any], tangents: tuple[Any]) -> tuple[Array, Array]:
    x, direction = jnp.asarray(primals[0]), tangents[0]
    near, small, large = _parts(x)
    terms = _SERIES_TERMS[x.dtype.itemsize]
    series = _series(small, [(k + 1) / math.factorial(k + 2) for k in range(terms)])
    slope = jnp.where(near, series, (jnp.exp(large) - _quotient(large)) / large)
    return exprel(x), slope * direction


def _parts(x: Array) -> tuple[Array, Array, Array]:
    """Where x is near zero; x there, 0 elsewhere; x elsewhere, 1 there."""
    near = jnp.abs(x) < _SERIES_RADIUS
    return near, jnp.where(near, x, 0.0), jnp.where(near, 1.0, x)


def _quotient(x: Array) -> Array:
    return (jnp.exp(x) - 1.0) / x


def _series(x: Array, coefficients: Sequence[float]) -> Array:
    total = jnp.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + coefficient
    return total


def timestep(t: Float[Array, "..."], dt: Float[Array, "..."]) -> Float[Array, "..."]:
    """Whole steps in a time, by Brian2's rule: a thousandth of a step of slack, then truncation."""
    return jnp.trunc(t / dt + 1e-3)


@functools.cache
def function_table(dtype: np.dtype) -> dict[str, Any]:
    """Every function that an expression may call, by its name in Brian2.

    Args:
        dtype: of all numbers; Python scalars among the arguments are converted to it.
    """

    def on_arrays(function: Callable[..., Array]) -> Callable[..., Array]:
        return lambda *args: function(*(a if isinstance(a, jax.Array) else jnp.asarray(a, dtype) for a in args))

    def whole(x: Array) -> Array:
        return x.astype(dtype) if x.dtype == bool else jnp.trunc(x)

    table = {name: on_arrays(getattr(jnp, name)) for name in STANDARD}
    table |= {"exprel": on_arrays(exprel), "timestep": on_arrays(timestep), "int": on_arrays(whole)}
    return {"__builtins__": {}, "logical_not": jnp.logical_not, **table}


def sample_table(
    values: Float[Array, "..."], period_s: float, dt_s: float, t: Array, column: Array | int | None = None
) -> Float[Array, "..."]:
    """A `TimedArray` at time t, by Brian2's rule.

    Time is rounded to a fraction of the table's period that is at most an eighth of the simulation's step, so that a
    time on the grid never falls into the entry before; outside the table its first or last entry holds.

    Args:
        values: the table, (time,) or (time, column).
        period_s: time between entries, seconds.
        dt_s: step of the simulation, seconds.
        t: time, seconds; a scalar or one for each neuron.
        column: for a table with columns; a column that does not exist gives NaN.
    """
    upsampling = max(2 ** math.ceil(math.log2(8.0 * period_s / dt_s)), 1)
    entry = jnp.trunc(jnp.round(t / (period_s / upsampling)) / upsampling)
    entry = jnp.clip(entry, 0, values.shape[0] - 1).astype(jnp.int32)
    if column is None:
        return values[entry]
    return values.at[entry, jnp.asarray(column).astype(jnp.int32)].get(mode="fill", fill_value=jnp.nan)


def as_truth(x: Array | bool, n: int) -> Bool[Array, " n"]:
    """A condition as one truth value for each of n neurons."""
    return jnp.broadcast_to(jnp.asarray(x, bool), (n,))
