"""Run the model on its own output, and match the statistics of what it generates to those that were recorded.

A model that is trained on recorded pasts alone may collapse when it has only its own. Here the second part of each
item is generated, and moments over items and windows are compared. Draws pass gradients straight through to the mean
(Bengio et al. 2013, arXiv 1308.3432), and none where they are fed back: through a hundred windows of feedback they grow
without bound, and the noise of them drowns what the likelihood teaches.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from surrogate.batches.batch import Batch
from surrogate.model import Foundation

LAGS = (1, 2, 4, 8, 16, 32)  # windows
SMALLEST = 1e-3  # of a variance that another one is compared with


def free_running(model: Foundation, batch: Batch, key: Any, windows: int) -> Float[Array, ""]:
    """Squared distance of the generated from the recorded moments, each over the size of the recorded one."""
    windows = min(windows, batch.response.shape[1] // 2)
    generated = generate(model, batch, key, windows)
    weight = batch.valid[:, -windows:].astype(jnp.float32)
    recorded = batch.response[:, -windows:].astype(jnp.float32)
    distances = []
    for real, made in zip(moments(recorded, weight), moments(generated, weight), strict=True):
        scale = jnp.mean(jnp.square(real.mean(axis=0))) + SMALLEST
        distances.append(jnp.mean(squared_mean(made - real)) / scale)
    return jnp.mean(jnp.stack(distances))


def generate(model: Foundation, batch: Batch, key: Any, windows: int) -> Float[Array, "item time unit"]:
    """The last `windows` windows drawn by the model, after the recorded ones before them."""
    n = batch.response.shape[1]
    encoded = model.encode(batch, model.inputs)

    def window(state: Any, index: Any) -> tuple[Any, Any]:
        raw, state = model.step(encoded.window(index), state, model.inputs)
        mean = model.head.mean(raw[:, 0])
        drawn = model.head.sample(raw[:, 0], jax.random.fold_in(key, index))
        drawn = mean + jax.lax.stop_gradient(drawn - mean)
        given = jax.lax.dynamic_index_in_dim(batch.response, index, axis=1, keepdims=False)
        response = jnp.where(index < n - windows, given.astype(jnp.float32), drawn)
        there = jax.lax.dynamic_index_in_dim(batch.valid, index, axis=1, keepdims=False)
        response = jnp.where(there, response, jnp.zeros_like(response))
        return model.noted(state, jax.lax.stop_gradient(response)), response

    _, responses = jax.lax.scan(jax.checkpoint(window), model.begin(batch), jnp.arange(n, dtype=jnp.int32))
    return jnp.moveaxis(responses[-windows:], 0, 1)


def squared_mean(apart: Float[Array, "item *n"]) -> Float[Array, "*n"]:
    """The square of what the items are on average, without bias: the product of the means of two halves of them.

    The square of one mean would hold its sampling variance too, and would teach a model to vary too little: with 8
    items of mean 0 and variance 1 it is 1/8 on average. This is 0 on average, and may be below.
    """
    return apart[0::2].mean(axis=0) * apart[1::2].mean(axis=0)


def moments(response: Float[Array, "item time unit"], weight: Float[Array, "item time unit"]) -> tuple[Array, ...]:
    """Of every item: each unit's mean, deviation and covariance with the population, and the population's over lags."""
    count = jnp.maximum(weight.sum(axis=1), 1.0)
    mean = (response * weight).sum(axis=1) / count
    apart = (response - mean[:, None]) * weight
    deviation = jnp.sqrt(jnp.square(apart).sum(axis=1) / count + SMALLEST)
    size = jnp.maximum(weight.sum(axis=2), 1.0)
    population = (response * weight).sum(axis=2) / size
    around = population - population.mean(axis=1, keepdims=True)
    shared = (apart * around[:, :, None]).sum(axis=1) / count
    lags = (lag for lag in (0, *LAGS) if lag < response.shape[1])
    lagged = [jnp.mean(around[:, lag:] * around[:, : around.shape[1] - lag], axis=1) for lag in lags]
    return mean, deviation, shared, jnp.stack(lagged, -1)
