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


def compiled(*static: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """`jax.jit`, with the options for a CPU where they can be given: not inside another jit, grad or vmap.

    Args:
        static: names of the arguments that are part of the program.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        plain = jax.jit(function, static_argnames=static)
        tuned = jax.jit(function, static_argnames=static, compiler_options=CPU_OPTIONS)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            traced = any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((args, kwargs)))
            return (plain if traced or jax.default_backend() != "cpu" else tuned)(*args, **kwargs)

        return call

    return decorate
