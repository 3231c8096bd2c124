"""How JAX compiles the loops over time."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import jax

P = ParamSpec("P")
R = TypeVar("R")

# Eight doubles or sixteen floats at a time where the processor has such registers: LLVM by itself takes half of them.
# A function of one's own that calls `Program.run` gets the same with jax.jit(function, compiler_options=CPU_OPTIONS).
CPU_OPTIONS = {"xla_cpu_prefer_vector_width": 512}
# Handing the parts of a small array to several threads takes longer than computing them.
SMALL_CPU_OPTIONS = {**CPU_OPTIONS, "xla_disable_hlo_passes": "cpu-parallel-task-assigner"}
_SMALL = 2048  # elements of the largest array


def compiled(*static: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """`jax.jit`, with the options for a CPU where they can be given: not inside another jit, grad or vmap.

    Args:
        static: names of the arguments that are part of the program.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        plain = jax.jit(function, static_argnames=static)
        tuned = jax.jit(function, static_argnames=static, compiler_options=CPU_OPTIONS)
        small = jax.jit(function, static_argnames=static, compiler_options=SMALL_CPU_OPTIONS)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            arrays = [leaf for leaf in jax.tree.leaves((args, kwargs)) if isinstance(leaf, jax.Array)]
            if jax.default_backend() != "cpu" or any(isinstance(array, jax.core.Tracer) for array in arrays):
                return plain(*args, **kwargs)
            is_small = max((array.size for array in arrays), default=0) <= _SMALL
            return (small if is_small else tuned)(*args, **kwargs)

        return call

    return decorate
