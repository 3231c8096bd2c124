"""What a caller hands to a program, checked and fitted to the variables that it is for."""

from collections.abc import Collection, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
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
