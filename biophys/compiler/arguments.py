"""What a caller hands to a program, checked and fitted to the variables that it is for."""

import math
from collections.abc import Collection, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from brian2 import Quantity, second
from jax import Array

from biophys.compiler.scope import Variable
from twin.errors import InputError

# a time is looked up in sixteenths of a step (see `sample_table`), and float32 counts them to within a half up to here
FLOAT32_STEPS = 2**19


def require_precision(dtype: np.dtype) -> None:
    """Checks that JAX keeps numbers of this dtype as they are.

    Raises:
        InputError: it would round float64 to float32.
    """
    if jax.dtypes.canonicalize_dtype(dtype) != dtype:
        raise InputError(
            f"A program of dtype {dtype} needs JAX's 64-bit mode, which is off: call"
            " jax.config.update('jax_enable_x64', True) before anything else, or compile with dtype=numpy.float32."
        )


def require_resolved_time(dtype: np.dtype, n_steps: int, tables: Collection[str]) -> None:
    """Checks that numbers of this dtype tell the times of so many steps apart, as looking up a table needs.

    Raises:
        InputError: a table would be read up to a step too early, towards the end of a float32 run.
    """
    if tables and dtype == np.float32 and n_steps > FLOAT32_STEPS:
        raise InputError(
            f"{n_steps} steps with the TimedArray '{min(tables)}' are too many for float32, which tells times apart for"
            f" {FLOAT32_STEPS} steps; compile with dtype=numpy.float64, or use an input with a tape in its place."
        )


def require_key(key: Any) -> Array:
    """Checks that a network that draws random numbers has a key.

    Raises:
        InputError: there is none, or it is no key.
    """
    if key is None or not jax.dtypes.issubdtype(getattr(key, "dtype", None), jax.dtypes.prng_key):
        found = "none" if key is None else f"a {type(key).__name__}"
        raise InputError(f"The network draws random numbers and wants a key, and got {found}: key=jax.random.key(0).")
    return key


def whole_steps(duration: Any, dt_s: float) -> int:
    """The number of steps in a stretch of time.

    Args:
        duration: seconds, or a Brian2 quantity of time.
        dt_s: the step.

    Raises:
        InputError: no time, negative, or no whole number of steps.
    """
    duration_s = seconds(duration, "duration")
    steps = duration_s / dt_s
    if not (0 <= steps < math.inf and abs(steps - round(steps)) < 1e-4):
        raise InputError(f"A duration of {duration_s:g} s is no whole number of steps of {dt_s:g} s.")
    return round(steps)


def seconds(time: Any, what: str) -> float:
    """A time in seconds, given so or as a Brian2 quantity.

    Raises:
        InputError: a quantity of something else.
    """
    if isinstance(time, Quantity) and time.dim is not second.dim:
        raise InputError(f"Wanted a {what} in seconds, got {time}.")
    return float(time)


def require_within(values: Mapping[str, Array], limits: Mapping[str, float]) -> None:
    """Checks that parameters fit the room that was made for them, as far as their values are known already.

    Raises:
        InputError: one is too large, or negative.
    """
    for key in values.keys() & limits.keys():
        if isinstance(values[key], jax.core.Tracer):
            continue
        low, high = float(jnp.min(values[key])), float(jnp.max(values[key]))
        if low < 0 or high > limits[key]:
            raise InputError(
                f"'{key}' in params has values from {low:g} to {high:g} s; wanted 0 to {limits[key]:g} s, for which the"
                " program has room: compile with a larger `longest_delay`."
            )


def require_each_once(wanted: Mapping[str, Variable], inputs: Mapping[str, Any], tapes: Mapping[str, Any]) -> None:
    """Checks that every input is given, either as a constant or as a tape.

    Raises:
        InputError: one is missing, given twice, or unknown.
    """
    for key in wanted:
        if (key in inputs) == (key in tapes):
            found = "both" if key in inputs else "neither"
            raise InputError(f"The input '{key}' was given in {found} of `inputs` and `tapes`; give it in one of them.")
    for key in tapes:
        if key not in wanted:
            raise InputError(f"Unknown name '{key}' in tapes; known are {', '.join(sorted(wanted)) or 'none'}.")


def fitted(values: Mapping[str, Any], known: Mapping[str, Variable], what: str) -> dict[str, Array]:
    """Values with the shapes and dtypes of the variables that they are for; a scalar stands for all neurons.

    Raises:
        InputError: an unknown name or a wrong shape.
    """
    for key, value in values.items():
        if key not in known:
            raise InputError(f"Unknown name '{key}' in {what}; known are {', '.join(sorted(known)) or 'none'}.")
        wanted = known[key].value.shape
        if jnp.shape(value) not in ((), wanted):
            raise InputError(f"'{key}' in {what} has shape {jnp.shape(value)}; wanted {wanted} or a scalar.")
    return {key: known[key].fit(value) for key, value in values.items()}


def fitted_tape(key: str, tape: Any, variable: Variable, n_steps: int) -> Array:
    """The values of an input at every step.

    Args:
        key: its name.
        tape: (n_steps, n), or (n_steps,) for the same value in all neurons.
        variable: that it is for.
        n_steps: how many are wanted.

    Raises:
        InputError: a wrong shape.
    """
    shape = variable.value.shape
    if jnp.shape(tape) not in ((n_steps,), (n_steps, *shape)):
        found, wanted = jnp.shape(tape), (n_steps, *shape)
        raise InputError(f"The tape of '{key}' has shape {found}; wanted {wanted}, or {(n_steps,)} for all alike.")
    return jnp.asarray(tape, variable.value.dtype)
