"""The compiled program: its agreement with Brian2, its speed, its gradient, and what its exponentials allow."""

import dataclasses
import functools
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.networks import EXPONENTIALS
from benchmarks.parts import Part
from biophys import Program, compile_network
from biophys.compiler.exponential import exp


@dataclasses.dataclass(frozen=True)
class Timing:
    """How long an engine takes.

    Attributes:
        engine: its name.
        build_s: what comes before the first step, and only once.
        run_s: the best of several runs.
        spikes: how many there were.
    """

    engine: str
    build_s: float
    run_s: float
    spikes: int


class Disagreement(Exception):
    """Two engines give different results, so that no speed of theirs is comparable."""


def require_agreement(part: Part, frozen: dict[str, np.ndarray]) -> str:
    """Compares the float64 program with Brian2: the spikes of every cell, and the states at the end.

    Args:
        part: with its sizes.
        frozen: what Brian2 gave: steps and neurons of the spikes, and states by name.

    Returns:
        What was found equal, in words.

    Raises:
        Disagreement: it was not.
    """
    network = part.network(frozen=True)
    program = compile_network(network, {}, dtype=np.float64)
    state, seen = program.run(part.chunk_s, key=_key(program), record=(part.event,))
    steps, neurons = np.nonzero(np.asarray(seen[part.event]))
    ours = set(zip(steps.tolist(), neurons.tolist(), strict=True))
    theirs = set(zip(frozen["steps"].tolist(), frozen["neurons"].tolist(), strict=True))
    if ours != theirs:
        first = min(ours ^ theirs)
        raise Disagreement(f"{len(ours ^ theirs)} of {len(theirs)} spikes differ, the first in step {first[0]}")
    worst = max(_distance(np.asarray(state[key]), frozen[key]) for key in part.states)
    if not worst < 1e-6:
        raise Disagreement(
            f"the spikes are equal, but {', '.join(part.states)} differ by up to {worst:.1g} of their range"
        )
    window = f"{1e3 * part.chunk_s:g} ms"
    return f"{len(theirs)} spikes of {window} equal in time and cell, states within {worst:.1g} of their range"


def _distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.max(np.abs(ours - theirs)) / max(np.ptp(theirs), np.finfo(float).tiny))


def _key(program: Program) -> Any:
    return jax.random.key(1) if program.is_random else None


def time_compiled(part: Part, dtype: type, repeats: int) -> Timing:
    """The compiled program, run in stretches so that a raster of spikes stays small."""
    network = part.network()
    started = time.perf_counter()
    program = compile_network(network, {}, dtype=dtype)
    start, n_chunks = program.init(_key(program)), round(part.seconds / part.chunk_s)

    def stretch(state: Any) -> tuple[Any, int]:
        state, seen = program.run(part.chunk_s, state=state, record=(part.event,))
        return state, int(jnp.sum(seen[part.event], dtype=jnp.int32))

    stretch(start)
    first_s, times = time.perf_counter() - started, []
    for _ in range(repeats):
        started, state, spikes = time.perf_counter(), start, 0
        for _ in range(n_chunks):
            state, more = stretch(state)
            spikes += more
        times.append(time.perf_counter() - started)
    name = f"compiled, {np.dtype(dtype).name}"
    return Timing(name, first_s - min(times) / n_chunks, min(times), spikes)


def best(function: Callable[[], Any], repeats: int) -> float:
    """Seconds of the fastest call, after one that compiles."""
    times = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        jax.block_until_ready(function())
        times.append(time.perf_counter() - started)
    return min(times[1:])


def time_gradient(part: Part, dtype: type, repeats: int) -> tuple[float, float]:
    """How many times a loss its value with gradient takes, without checkpoints and with; the loss is the mean voltage.

    Raises:
        Disagreement: the gradient is not the slope between two values of the loss.
    """
    program = compile_network(part.network(frozen=True), {}, dtype=dtype)
    names = ("cells.g_na", "cells.g_kd", "cells.gl")
    at = {name: jnp.asarray(program.defaults[name]) for name in names}

    def loss(params: Any, checkpoint: bool = False) -> Any:
        return jnp.mean(program.run(part.chunk_s, params, record=("cells.v",), checkpoint=checkpoint)[1]["cells.v"])

    forward, backward = jax.jit(loss), jax.jit(jax.value_and_grad(loss))
    sparing = jax.jit(jax.value_and_grad(functools.partial(loss, checkpoint=True)))
    if dtype is np.float64:
        _require_slope(forward, backward(at)[1], at)
    forward_s, backward_s, sparing_s = (best(functools.partial(f, at), repeats) for f in (forward, backward, sparing))
    return backward_s / forward_s, sparing_s / forward_s


def _require_slope(loss: Callable[[Any], Any], gradient: dict[str, Any], at: dict[str, Any]) -> None:
    for name, slope in gradient.items():
        h = 1e-6 * at[name]
        finite = (loss({**at, name: at[name] + h}) - loss({**at, name: at[name] - h})) / (2 * h)
        if not abs(finite - slope) < 1e-3 * abs(slope):
            raise Disagreement(f"the gradient by {name} is {slope:.6g}, and finite differences give {finite:.6g}")


def exponential_limit(part: Part, dtype: type, repeats: int) -> float:
    """Seconds in which the run could be done if its exponentials, by the faster of two, were all that it computes."""
    x = jnp.linspace(0.1, 1.0, EXPONENTIALS * part.neurons, dtype=dtype)

    def loop(function: Callable[[Any], Any]) -> Callable[[], Any]:
        run = jax.jit(lambda x: jax.lax.fori_loop(0, part.n_steps, lambda _, x: function(-x), x))
        return lambda: run(x)

    return min(best(loop(function), repeats) for function in (jnp.exp, exp))


def time_batch(part: Part, dtype: type, batch: int, repeats: int) -> Timing:
    """One vmap over the sodium conductance."""
    started = time.perf_counter()
    program = compile_network(part.network(frozen=True), {}, dtype=dtype)
    spread = np.linspace(0.9, 1.1, batch) if batch > 1 else np.ones(1)
    values = jnp.asarray(program.defaults["cells.g_na"] * spread, dtype)

    @jax.jit
    @jax.vmap
    def spikes(conductance: Any) -> Any:
        seen = program.run(part.seconds, {"cells.g_na": conductance}, record=(part.event,))[1]
        return jnp.sum(seen[part.event], dtype=jnp.int32)

    count = int(jnp.sum(spikes(values)))
    first_s, run_s = time.perf_counter() - started, best(lambda: spikes(values), repeats)
    return Timing(f"compiled, {np.dtype(dtype).name}", first_s - run_s, run_s, count)
