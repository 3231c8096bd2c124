"""Brian2's standard functions on JAX arrays.

Numbers are floats of one dtype throughout, also where Brian2 has integers: whole numbers are exact in floats up to
2^24 (float32) and 2^53 (float64), and one dtype keeps strict promotion happy.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float

from biophys.compiler import exponential

STANDARD = (
    *("cos", "sin", "tan", "arccos", "arcsin", "arctan"),
    *("log", "log10", "log1p", "sqrt", "ceil", "floor", "abs", "sign", "clip"),
)
EXPONENTIALS = ("exp", "expm1", "exprel", "sinh", "cosh", "tanh")
PIECEWISE_CONSTANT = frozenset({"int", "floor", "ceil", "sign", "timestep"})


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
    table |= {name: on_arrays(getattr(exponential, name)) for name in EXPONENTIALS}
    table |= {"timestep": on_arrays(timestep), "int": on_arrays(whole)}
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
