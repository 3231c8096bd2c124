"""Evolution of a population of parameter sets, all of which are simulated at once under `jax.vmap`.

The strategy is CMA-ES (Hansen 2016, arXiv:1604.00772) by the package `cma`; what is ours is the population simulation.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from biophys.calibrate.space import Free
from twin.errors import NeurotwinError


@dataclasses.dataclass(frozen=True)
class Calibration:
    """What a calibration found.

    Attributes:
        values: the centre of the last population, by name.
        spread: standard deviation of the last search distribution, by name, on the unit scale of `Free`: near 0 where
            the data pin the value down, near the first step size (0.2) where they say nothing.
        best_loss: lowest loss of each generation.
        median_loss: median loss of each generation.
        simulations: parameter sets that were simulated.
        ending: why it ended.
    """

    values: dict[str, float]
    spread: dict[str, float]
    best_loss: np.ndarray
    median_loss: np.ndarray
    simulations: int
    ending: str


def evolve(
    loss: Callable[[Mapping[str, Any], Any], Any],
    space: Sequence[Free],
    *,
    key: Any,
    population: int = 24,
    generations: int = 40,
    step: float = 0.2,
    progress: Callable[[float], None] = lambda share: None,
) -> Calibration:
    """Minimise a loss of named quantities.

    Args:
        loss: (values by name, key) -> scalar; pure, traced once, run for the whole population under `jax.vmap`. The
            key changes with every generation, so noise is not fitted.
        space: what is free.
        key: a `jax.random.key`; equal keys give equal results on one machine.
        population: parameter sets in a generation.
        generations: how many at the most.
        step: first standard deviation on the unit scale.
        progress: told the share of the work that is done.

    Raises:
        NeurotwinError: the package `cma` is missing, or every parameter set of a generation had a loss that is not
            finite.
    """
    try:
        import cma
    except ImportError:
        raise NeurotwinError(
            "calibration by evolution needs the package cma: pip install 'neurotwin[calibrate]'."
        ) from None
    seed = int(jax.random.randint(key, (), 1, 2**31 - 1, jnp.int32))
    options = {"popsize": population, "seed": seed, "bounds": [0, 1], "verbose": -9, "verb_log": 0}
    strategy = cma.CMAEvolutionStrategy([free.to_unit() for free in space], step, options)
    simulate = jax.jit(jax.vmap(loss, in_axes=(0, None)))
    best, median = [], []
    for generation in range(generations):
        positions = np.array(strategy.ask())
        losses = np.array(simulate(_by_name(space, positions), jax.random.fold_in(key, generation)), np.float64)
        finite = np.isfinite(losses)
        if not finite.any():
            raise NeurotwinError(
                f"calibration: in generation {generation} every parameter set gave a loss that is not finite; narrow "
                "the bounds of " + ", ".join(free.name for free in space) + "."
            )
        losses[~finite] = losses[finite].max() + 1.0
        strategy.tell(list(positions), losses.tolist())
        best.append(losses.min())
        median.append(float(np.median(losses)))
        progress((generation + 1) / generations)
        if strategy.stop():
            break
    ending = ", ".join(strategy.stop()) or f"the budget of {generations} generations was used"
    centre = np.clip(strategy.result.xfavorite, 0.0, 1.0)
    return Calibration(
        values={free.name: float(free.from_unit(position)) for free, position in zip(space, centre, strict=True)},
        spread=dict(zip([free.name for free in space], np.asarray(strategy.result.stds, float).tolist(), strict=True)),
        best_loss=np.array(best),
        median_loss=np.array(median),
        simulations=population * len(best),
        ending=ending,
    )


def _by_name(space: Sequence[Free], positions: np.ndarray) -> dict[str, np.ndarray]:
    return {free.name: np.asarray(free.from_unit(positions[:, index]), np.float32) for index, free in enumerate(space)}
