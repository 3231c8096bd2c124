"""One step of training: a pure, jitted function of state and batch that compiles once for each shape of batch."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax

from surrogate.batches import Batch
from surrogate.config import Config
from surrogate.objectives import total
from surrogate.optimiser import optimiser
from surrogate.weights import Structure, Weights


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class State:
    """All that a step changes; it is saved whole, so that training resumes to the bit.

    Attributes:
        weights: by name.
        average: exponential average of the weights, which is evaluated and kept.
        optimiser: of the weights that are fitted.
        step: steps done.
    """

    weights: Weights
    average: Weights
    optimiser: Any
    step: Any


class Stepper:
    """Makes the first state and the next one.

    Args:
        structure: of the model.
        config: of the surrogate.
        fitted: names of the weights that are fitted; the others stay as they are.
        fixed_rows: of a fitted weight, how many of its first rows stay as they are.

    Attributes:
        compilations: how often the step was traced for each (time, unit) shape of batch.
    """

    def __init__(
        self,
        structure: Structure,
        config: Config,
        fitted: Collection[str] | None = None,
        fixed_rows: Mapping[str, int] | None = None,
    ) -> None:
        self.structure, self.config, self.fixed_rows = structure, config, dict(fixed_rows or {})
        self.fitted = frozenset(structure.names if fitted is None else fitted)
        self.compilations: Counter[tuple[int, ...]] = Counter()
        self._optimiser = optimiser(config.training, structure.owned)
        self.advance: Callable[[State, Batch], tuple[State, Any]] = jax.jit(self._advance, donate_argnums=0)

    def start(self, weights: Weights) -> State:
        """Before the first step."""
        copied = {name: jnp.array(value) for name, value in weights.items()}
        return State(weights, copied, self._optimiser.init(self._chosen(weights)), jnp.int32(0))

    def _chosen(self, weights: Weights) -> Weights:
        return {name: value for name, value in weights.items() if name in self.fitted}

    def _advance(self, state: State, batch: Batch) -> tuple[State, Any]:
        self.compilations[batch.response.shape[1:]] += 1
        key = jax.random.fold_in(jax.random.key(self.config.seed), state.step)

        def loss(fitted: Weights) -> Any:
            return total(self.structure.merge({**state.weights, **fitted}), batch, key, self.config.objective)

        chosen = self._chosen(state.weights)
        value, gradient = jax.value_and_grad(loss)(chosen)
        with jax.numpy_dtype_promotion("standard"):  # optax mixes its int32 step count with floats
            updates, moved = self._optimiser.update(gradient, state.optimiser, chosen)
        for name, rows in self.fixed_rows.items():
            updates[name] = updates[name].at[:rows].set(0.0)
        weights = {**state.weights, **optax.apply_updates(chosen, updates)}  # type: ignore[dict-item]
        step = state.step + jnp.int32(1)
        # The average starts short, so that the first weights do not linger in it.
        elapsed = step.astype(jnp.float32)
        decay = jnp.minimum(jnp.float32(self.config.training.ema), elapsed / (elapsed + 9.0))
        average = {
            name: (
                state.average[name] + (1.0 - decay) * (weights[name] - state.average[name])
                if name in self.fitted
                else weights[name]
            )
            for name in weights
        }
        return State(weights, average, moved, step), value
