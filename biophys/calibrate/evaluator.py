"""Populations of any size on all devices or cores that there are: compiled once, in batches of one size."""

import concurrent.futures
import functools
import os
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from biophys.calibrate import hosts
from biophys.calibrate.objectives.objective import named
from biophys.calibrate.plan import Plan
from biophys.calibrate.problem import Problem
from biophys.compiler.compilation import SMALL_CPU_OPTIONS
from twin.errors import InputError, UnsupportedError

# Below this a batch takes as long as half of it, so that a second worker gains nothing; above the other the arrays of
# a step leave the cache.
SMALLEST_BATCH, LARGEST_BATCH = 64, 1024
# Up to so many free quantities derivatives are cheaper to carry along than to compute backwards.
MOST_FORWARD = 32


class Scores(NamedTuple):
    """What a population scored.

    Attributes:
        loss: (n,); NaN for a parameter set whose simulation or loss is not finite.
        terms: (n, term), each in its objective's unit.
        gradient: (n, free) slope of the loss by position; None where it was not asked for.
    """

    loss: np.ndarray
    terms: np.ndarray
    gradient: np.ndarray | None


class Evaluator:
    """Evaluates populations of a problem of one size: compiled once, on all devices or cores there are.

    Args:
        problem: what to evaluate.
        size: parameter sets at a time.
        gradient: whether slopes are wanted.
    """

    def __init__(self, problem: Problem, size: int, gradient: bool = False) -> None:
        if gradient:
            require_slopes(problem)
        self.problem, self.gradient = problem, gradient
        self._devices = jax.local_devices()
        is_cpu = self._devices[0].platform == "cpu"
        self._workers = cores() if is_cpu and len(self._devices) == 1 else 1
        shares = max(len(self._devices), self._workers)
        wanted = -(-size // (shares * jax.process_count()))
        if len(self._devices) == 1:
            wanted = min(max(wanted, SMALLEST_BATCH), size)
        self.batch = min(wanted, LARGEST_BATCH) if is_cpu else wanted
        self._call = _compiled(problem.plan, gradient, tuple(self._devices))

    def __call__(self, positions: np.ndarray, key: Any) -> Scores:
        """Scores of positions (n, free); any n, in batches of the compiled size, the last filled up."""
        loss, terms, gradient = hosts.divided(lambda rows: self._evaluate(positions[rows], key), len(positions))
        return Scores(loss, terms, gradient if self.gradient else None)

    def _evaluate(self, positions: np.ndarray, key: Any) -> list[np.ndarray]:
        rows, n = self.batch * len(self._devices), len(positions)
        filled = np.concatenate([positions, np.repeat(positions[-1:], -n % rows, axis=0)]).astype(
            self.problem.plan.dtype
        )
        batches = [filled[first : first + rows] for first in range(0, len(filled), rows)]
        tapes = self.problem.tapes

        def evaluate(batch: np.ndarray) -> list[np.ndarray]:
            return [np.asarray(one, np.float64) for one in self._call(batch, tapes, key)]

        parts = in_threads(evaluate, batches, self._workers, self._is_compiled)
        self._is_compiled = True
        return [np.concatenate([part[k] for part in parts])[:n] for k in range(3)]

    _is_compiled = False


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_threads(evaluate: Callable[[Any], Any], batches: list[Any], workers: int, is_compiled: bool) -> list[Any]:
    """Every batch evaluated, several at a time; the first alone where it has to compile."""
    if workers == 1 or len(batches) == 1:
        return [evaluate(batch) for batch in batches]
    first = [] if is_compiled else [evaluate(batches[0])]
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return first + list(pool.map(evaluate, batches[len(first) :]))


def losses_of(plan: Plan, gradient: bool) -> Callable[[Any, Any, Any], Any]:
    """Losses, terms and slopes of a batch, as a pure function of positions, tapes and key."""

    def losses(positions: Any, tapes: Any, key: Any) -> Any:
        if not gradient:
            loss, terms = plan.losses(positions, tapes, key)
            return loss, terms, jnp.zeros_like(loss)
        if len(plan.space.free) > MOST_FORWARD:
            return _backward(plan, positions, tapes, key)
        return _forward(plan, positions, tapes, key)

    return losses


@functools.lru_cache(maxsize=32)
def _compiled(plan: Plan, gradient: bool, devices: tuple[Any, ...]) -> Callable[..., Any]:
    """The losses of a batch; kept, so that the next cell with the same plan and shapes compiles nothing."""
    losses = function = losses_of(plan, gradient)
    if len(devices) > 1:
        mesh, rows, whole = Mesh(np.array(devices), ("population",)), PartitionSpec("population"), PartitionSpec()
        function = jax.shard_map(losses, mesh=mesh, in_specs=(rows, whole, whole), out_specs=rows, check_vma=False)
    return jax.jit(function, compiler_options=SMALL_CPU_OPTIONS if devices[0].platform == "cpu" else None)


def _forward(plan: Plan, positions: Any, tapes: Any, key: Any) -> tuple[Any, Any, Any]:
    """Losses and slopes, with the derivatives carried along: no memory, and one more row of cells for each quantity."""

    def along(direction: Any) -> Any:
        directions = jnp.broadcast_to(direction, positions.shape)
        return jax.jvp(lambda one: plan.losses(one, tapes, key), (positions,), (directions,))

    directions = jnp.eye(positions.shape[1], dtype=positions.dtype)
    # a set's loss depends on its own position alone, so one direction for all sets gives the slope of each
    (loss, terms), (slopes, _) = jax.vmap(along, out_axes=(None, -1))(directions)
    return loss, terms, slopes


def _backward(plan: Plan, positions: Any, tapes: Any, key: Any) -> tuple[Any, Any, Any]:
    """The same by the chain rule from the end, which costs the same for any number of quantities, and memory."""

    def total(positions: Any) -> Any:
        loss, terms = plan.losses(positions, tapes, key, checkpoint=True)
        return loss.sum(), (loss, terms)

    slopes, (loss, terms) = jax.grad(total, has_aux=True)(positions)
    return loss, terms, slopes


def require_slopes(problem: Problem) -> None:
    rough = [named(one) for one in problem.plan.terms if one.slope == "none"]
    if rough:
        raise UnsupportedError(
            f"{', '.join(rough)} has no useful derivative; use Evolution or DifferentialEvolution, or an objective "
            "that has one: TraceError, PointProcess, VanRossum."
        )
    through = [named(one) for one in problem.plan.terms if one.slope == "through spikes"]
    if through and problem.plan.spike_width_mv is None:
        raise InputError(
            f"{', '.join(through)} has a derivative only through spikes; give them one by Gradient(spike_width_mv=1.0)."
        )
