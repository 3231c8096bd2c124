"""Units of electrical circuits, converted once, and the checks that electrode corrections share.

In millivolts, nanoamperes and megaohms Ohm's law needs no factor: 1 MOhm carrying 1 nA drops 1 mV. Capacitances are in
pF and times in ms, and both products below need one thousandth.
"""

from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from twin.errors import InputError

Numbers: TypeAlias = Any
"""A float, a numpy array or a JAX array; what goes in comes out."""

MS_PER_MOHM_PF = 1e-3
NA_PER_PF_MV_PER_MS = 1e-3


def time_constant_ms(resistance_mohm: Numbers, capacitance_pf: Numbers) -> Numbers:
    """The time constant of a resistance and a capacitance, ms: 10 MOhm and 33 pF give 0.33 ms."""
    return MS_PER_MOHM_PF * resistance_mohm * capacitance_pf


def capacitive_current_na(capacitance_pf: Numbers, slope_mv_per_ms: Numbers) -> Numbers:
    """The current that charges a capacitance, nA: 100 pF rising by 1 mV/ms takes 0.1 nA."""
    return NA_PER_PF_MV_PER_MS * capacitance_pf * slope_mv_per_ms


def concrete(value: Numbers) -> np.ndarray | None:
    """The numbers in `value`, or None while JAX traces it and there are none to look at."""
    return None if isinstance(value, jax.core.Tracer) else np.asarray(value)


def array_module(*values: Numbers) -> Any:
    """`jax.numpy` if one of the values is a JAX array, `numpy` otherwise."""
    return jnp if any(isinstance(value, jax.Array) for value in values) else np


def require_not_negative(name: str, value: Numbers, unit: str) -> None:
    """Refuse a negative or undefined number.

    Raises:
        InputError: a value is negative or not a number. Values that JAX traces are not looked at.
    """
    numbers = concrete(value)
    if numbers is not None and not np.all(numbers >= 0):
        raise InputError(f"The {name} is {value} {unit}; zero or a positive number was wanted.")


def require_positive(name: str, value: Numbers, unit: str) -> None:
    """Refuse a number that is not above zero.

    Raises:
        InputError: a value is zero, negative or not a number. Values that JAX traces are not looked at.
    """
    numbers = concrete(value)
    if numbers is not None and not np.all(numbers > 0):
        raise InputError(f"The {name} is {value} {unit}; a positive number was wanted.")


def require_percent(name: str, value: Numbers) -> None:
    """Refuse a share outside 0 to 100 %.

    Raises:
        InputError: a value is below 0, above 100 or not a number. Values that JAX traces are not looked at.
    """
    numbers = concrete(value)
    if numbers is not None and not np.all((numbers >= 0) & (numbers <= 100)):
        raise InputError(f"The {name} is {value} %; a share between 0 and 100 % was wanted.")
