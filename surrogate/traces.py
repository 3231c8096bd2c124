"""Traces of past responses: exponentials of several time constants, all windows at once or one after another."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Features = Float[Array, "item time unit feature"]
Traces = Float[Array, "item unit trace"]


def decays(taus: tuple[float, ...]) -> np.ndarray:
    """What is left of a trace after one window, for each time constant in windows."""
    return np.exp(-1.0 / np.array(taus))


def traces(features: Features, taus: tuple[float, ...], start: Traces) -> Float[Array, "item time unit trace"]:
    """What each window sees of the windows before it.

    A trace follows y <- d * y + (1 - d) * x with d of `decays`, so that of a steady x it is x. All windows at once it
    is one product with a lower triangular matrix, much faster than a loop.

    Args:
        features: of the responses.
        taus: time constants, windows.
        start: traces before the first window, feature by feature all taus.
    """
    n_items, n, n_units, n_features = features.shape
    decay = decays(taus)
    ahead = np.arange(n)[:, None] - np.arange(n)[None] - 1
    kernel = np.where(ahead >= 0, (1 - decay)[:, None, None] * decay[:, None, None] ** np.maximum(ahead, 0), 0.0)
    new = jnp.einsum("kts,isuf->itufk", jnp.asarray(kernel, features.dtype), features)
    left = jnp.asarray(decay[None] ** np.arange(n)[:, None], features.dtype)
    old = start.reshape(n_items, 1, n_units, n_features, len(taus)) * left[None, :, None, None]
    return (new + old).reshape(n_items, n, n_units, n_features * len(taus))


def advanced(before: Traces, feature: Float[Array, "item unit feature"], taus: tuple[float, ...]) -> Traces:
    """Traces after one more window."""
    decay = jnp.asarray(decays(taus), feature.dtype)[None, None, None]
    split = before.reshape(*feature.shape, len(taus))
    return (split * decay + feature[..., None] * (jnp.ones_like(decay) - decay)).reshape(before.shape)


def logarithms(past: Features) -> Features:
    """log(1 + 100 y) of traces, which tells a rate of one in a hundred windows from none; mirrored below 0."""
    scale = jnp.asarray(100.0, past.dtype)
    return jnp.sign(past) * jnp.log1p(scale * jnp.abs(past))
