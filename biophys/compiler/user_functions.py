"""A JAX form for a Python function of the user's own: given by them, or found where its NumPy calls have namesakes.

A function that is called in equations works on NumPy arrays. With NumPy's functions replaced by those of the same name
in `jax.numpy` it often works on JAX arrays as it stands. Whether it does, and means the same, is tried out: a form that
does not give the same numbers is not used.
"""

import types
from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from brian2 import Quantity, numpy_
from brian2.core.functions import Function

Form: TypeAlias = Callable[..., Any]
_TRIED = np.array([0.1, 0.25, 0.5, 0.75, 0.9, 1.5, 3.0, -0.5, -2.0, 0.0])


def jax_form(function: Function, group: Any) -> Form | None:
    """A function of JAX arrays that means the same, or None.

    Args:
        function: as Brian2 knows it; a form of the user's own is registered with it under the name 'jax'.
        group: for which it is asked.
    """
    own = function.implementations._implementations.get("jax")
    if own is not None:
        return own.get_code(group)
    if not isinstance(function.pyfunc, types.FunctionType) or not function.stateless:
        return None
    form = _with_namesakes(getattr(function.pyfunc, "_orig_func", function.pyfunc))
    return form if _agree(function.pyfunc, form, len(function._arg_units)) else None


def _with_namesakes(function: types.FunctionType) -> Form:
    """The function, with NumPy's names standing for `jax.numpy`'s."""
    names = {name: _namesake(value) for name, value in function.__globals__.items()}
    cells = tuple(types.CellType(_namesake(cell.cell_contents)) for cell in function.__closure__ or ())
    return types.FunctionType(function.__code__, names, function.__name__, function.__defaults__, cells or None)


# Brian2's NumPy, whose functions check units, has the same names
_NAMESAKES = {
    id(value): getattr(jnp, name)
    for module in (numpy_, np)
    for name, value in vars(module).items()
    if callable(getattr(jnp, name, None)) and callable(value) and not isinstance(value, type)
}


def _namesake(value: Any) -> Any:
    if value is np or value is numpy_:
        return jnp
    if isinstance(value, Quantity) and value.ndim == 0:
        return float(value)
    return _NAMESAKES.get(id(value), value)


def _agree(function: Form, form: Form, n_arguments: int) -> bool:
    """Whether both give the same numbers wherever they are tried."""
    function = getattr(function, "_orig_func", function)
    tried = [np.roll(_TRIED, shift) for shift in range(n_arguments)]
    try:
        with np.errstate(all="ignore"):
            wanted = np.broadcast_to(np.asarray(function(*tried), float), _TRIED.shape)
        with jax.enable_x64(True):
            found = jax.jit(form)(*(jnp.asarray(one) for one in tried))
            found = np.broadcast_to(np.asarray(found, float), _TRIED.shape)
    except Exception:  # whatever a function that is no NumPy function does on arrays of JAX: it has no form then
        return False
    return bool(np.allclose(wanted, found, rtol=1e-12, atol=1e-300, equal_nan=True))
