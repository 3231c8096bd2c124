"""How the time of a run divides among the objects of a network."""

import time
from collections.abc import Mapping
from typing import Any

import jax
from jax import Array

from biophys.compiler.program import KEY, Operation, Program
from biophys.compiler.scope import DRAWS, STEP, World

_REPEATS = 20


def shares(program: Program, state: Mapping[str, Array], constant: Mapping[str, Array]) -> dict[str, float]:
    """The part of a step that each operation takes, by name.

    In the program itself operations are fused and cannot be told apart; here each is compiled and timed alone.
    """
    world: dict[str, Any] = {**constant, **state}
    if program.is_random:
        world[DRAWS] = jax.random.fold_in(world[KEY], world[STEP])
    seconds = {operation.name: _fastest(operation, world) for operation in program.operations}
    total = sum(seconds.values())
    return {name: each / total for name, each in seconds.items()}


def _fastest(operation: Operation, world: World) -> float:
    apply = jax.jit(operation.apply)
    jax.block_until_ready(apply(world))
    times = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        jax.block_until_ready(apply(world))
        times.append(time.perf_counter() - began)
    return min(times)
