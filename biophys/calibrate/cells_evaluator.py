"""A generation of many cells as one batch: the cells are an axis of the program, divided over all devices."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from biophys.calibrate import hosts
from biophys.calibrate.evaluator import LARGEST_BATCH, Scores, cores, in_threads, losses_of, require_slopes
from biophys.calibrate.plan import Plan
from biophys.calibrate.problem import Problem
from biophys.compiler.compilation import SMALL_CPU_OPTIONS
from twin.errors import InputError

# Parameter sets of all cells at a time on an accelerator, whose memory holds a state and a few sums for each.
LARGEST_ON_ACCELERATOR = 1 << 16


class CellsEvaluator:
    """Evaluates a generation of each of many cells: compiled once, in batches of a fixed number of cells.

    Args:
        problems: of one plan, with targets of one shape.
        size: parameter sets of a cell in a generation.
        gradient: whether slopes are wanted.

    Raises:
        InputError: targets differ in shape.
    """

    def __init__(self, problems: Sequence[Problem], size: int, gradient: bool = False) -> None:
        plan = problems[0].plan
        if gradient:
            require_slopes(problems[0])
        self._plan, self._gradient = plan, gradient
        self._tapes = _stacked(problems)
        self._devices = jax.local_devices()
        is_cpu = self._devices[0].platform == "cpu"
        self._workers = cores() if is_cpu and len(self._devices) == 1 else 1
        largest = LARGEST_BATCH if is_cpu else LARGEST_ON_ACCELERATOR
        shares = max(len(self._devices), self._workers) * jax.process_count()
        self.batch = max(1, min(largest // size, -(-len(problems) // shares))) * len(self._devices)
        self._call = _compiled(plan, gradient, tuple(self._devices))
        self._is_compiled = False

    def __call__(self, cells: Sequence[int], positions: Sequence[np.ndarray], keys: Sequence[Any]) -> list[Scores]:
        """Scores of some cells: for each its number, positions (n, free) and key; all with the same n."""
        numbers, asked = np.asarray(cells), np.stack(positions).astype(self._plan.dtype)
        every = jnp.stack(list(keys))

        def evaluate(rows: np.ndarray) -> list[np.ndarray]:
            filled = np.concatenate([rows, np.repeat(rows[-1:], -len(rows) % self.batch)])
            batches = list(filled.reshape(-1, self.batch))
            parts = in_threads(one_batch, batches, self._workers, self._is_compiled)
            self._is_compiled = True
            return [np.concatenate([part[k] for part in parts])[: len(rows)] for k in range(3)]

        def one_batch(rows: np.ndarray) -> list[np.ndarray]:
            tapes = jax.tree.map(lambda tape: tape[numbers[rows]], self._tapes)
            return [np.asarray(one, np.float64) for one in self._call(asked[rows], tapes, every[rows])]

        found = hosts.divided(evaluate, len(numbers))
        return [
            Scores(loss, terms, slope if self._gradient else None) for loss, terms, slope in zip(*found, strict=True)
        ]


def _stacked(problems: Sequence[Problem]) -> Any:
    """The tapes of all cells, one more axis in front."""
    first = jax.tree.map(jnp.shape, problems[0].tapes)
    for problem in problems:
        if jax.tree.map(jnp.shape, problem.tapes) != first:
            raise InputError(
                f"{problem.target.name}: its sweeps, samples or spike trains are not as many as those of "
                f"{problems[0].target.name}; cells of one batch have one shape."
            )
    return jax.tree.map(lambda *tapes: jnp.stack(tapes), *[problem.tapes for problem in problems])


@functools.lru_cache(maxsize=32)
def _compiled(plan: Plan, gradient: bool, devices: tuple[Any, ...]) -> Callable[..., Any]:
    function: Callable[..., Any] = jax.vmap(losses_of(plan, gradient))
    if len(devices) > 1:
        mesh, cells = Mesh(np.array(devices), ("cells",)), PartitionSpec("cells")
        function = jax.shard_map(function, mesh=mesh, in_specs=(cells, cells, cells), out_specs=cells, check_vma=False)
    return jax.jit(function, compiler_options=SMALL_CPU_OPTIONS if devices[0].platform == "cpu" else None)
