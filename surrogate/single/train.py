"""Training: split the module once, then a pure jitted step; the best weights on the validation part are kept."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import xarray as xr
from flax import nnx

from surrogate.single.config import SurrogateConfig
from surrogate.single.model import StimulusHistoryModel
from surrogate.single.objectives import bits_per_spike, negative_log_likelihood
from surrogate.single.responses import Responses, latency_windows, responses
from surrogate.single.stepper import PointProcessSurrogate
from twin.ports import Port
from twin.split import TimeSplit


@dataclasses.dataclass(frozen=True)
class Fit:
    """A trained surrogate and how it got there.

    Attributes:
        surrogate: in the role that a twin couples.
        steps: step numbers of the looks at the validation part.
        train_bits: bits per spike given the recorded past, on the training part, at those steps.
        validation_bits: the same on the validation part.
    """

    surrogate: PointProcessSurrogate
    steps: np.ndarray
    train_bits: np.ndarray
    validation_bits: np.ndarray

    @property
    def best(self) -> int:
        """Index of the look whose weights were kept."""
        return int(np.argmax(self.validation_bits))


def fit(
    tree: xr.DataTree,
    stimulus: Port,
    split: TimeSplit,
    config: SurrogateConfig,
    *,
    seed: int,
    progress: Callable[[float], None] = lambda share: None,
) -> Fit:
    """Train a surrogate on the training part of a recording of one unit.

    Args:
        tree: the recording.
        stimulus: name and unit of the stream that it is driven by.
        split: training and validation part; nothing of the latter is fitted, it stops the training.
        config: architecture and training.
        seed: of the initial weights.
        progress: told the share of the work that is done.

    Raises:
        InputError: as `surrogate.single.responses.responses`.
    """
    data = responses(tree, stimulus, config)
    edges = [round((edge - split.start_s) / config.window_s) for edge in (*split.train, split.stop_s)]
    part = data.between(edges[0], edges[1])
    mean, deviation = float(part.past[:, -1].mean()), float(part.past[:, -1].std())
    latency = latency_windows(part)
    model = StimulusHistoryModel(config, mean, deviation, float(part.counts.mean()), latency, nnx.Rngs(seed))
    best, history = _optimise(model, data, edges, config, progress)
    steps, train_bits, validation_bits = (np.array(column) for column in zip(*history, strict=True))
    surrogate = PointProcessSurrogate(best, config, stimulus, resting=float(data.past[0, -1]))
    return Fit(surrogate, steps, train_bits, validation_bits)


def _optimise(model: StimulusHistoryModel, data: Responses, edges: list[int], config: SurrogateConfig, progress):
    graph, params, constants = nnx.split(model, nnx.Param, ...)  # type: ignore[misc]  # a tuple of unstated length
    past, counts = jnp.asarray(data.past), jnp.asarray(data.counts)
    fast, slow = model.fast.traces(counts), model.slow.traces(counts)

    def log_count(params: Any, start: int, stop: int):
        part = slice(start, stop)
        return nnx.merge(graph, params, constants)(past[part], fast[part], slow[part]).total()

    def loss(params: Any):
        part = slice(edges[0], edges[1])
        sensitivity = nnx.merge(graph, params, constants).encoder.sensitivity(past[part])
        fitted = negative_log_likelihood(log_count(params, edges[0], edges[1]), counts[part])
        return fitted + 0.5 * config.stimulus_noise**2 * jnp.mean(sensitivity)

    schedule = optax.cosine_decay_schedule(config.learning_rate, config.n_steps, alpha=0.05)
    optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(schedule, weight_decay=config.weight_decay))

    @jax.jit
    def advance(params: Any, state: Any):
        def step(carry, _):
            params, state = carry
            gradient = jax.grad(loss)(params)
            with jax.numpy_dtype_promotion("standard"):  # optax mixes its int32 step count with floats
                updates, state = optimiser.update(gradient, state, params)
            return (optax.apply_updates(params, updates), state), None

        (params, state), _ = jax.lax.scan(step, (params, state), None, length=config.check_every)
        bits = [
            bits_per_spike(log_count(params, start, stop), counts[start:stop])
            for start, stop in zip(edges[:-1], edges[1:], strict=True)
        ]
        return params, state, bits

    state = optimiser.init(params)
    best, waited = params, 0
    history: list[tuple[int, float, float]] = []
    for step in range(config.check_every, config.n_steps + 1, config.check_every):
        params, state, bits = advance(params, state)
        train_bits, validation_bits = (float(value) for value in bits)
        improved = not history or validation_bits > max(row[2] for row in history)
        history.append((step, train_bits, validation_bits))
        best, waited = (params, 0) if improved else (best, waited + 1)
        progress(step / config.n_steps)
        if waited >= config.patience:
            break
    return nnx.merge(graph, best, constants), history
