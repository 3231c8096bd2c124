"""The population as input: pooled tokens for the core, and a linear coupling that leaves each unit itself out.

Any number of units goes in: the weights with which a unit is pooled come from its embedding (as the latents of a
Perceiver attend to their inputs; Jaegle et al. 2021, arXiv 2103.03206).
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float

Past = Float[Array, "item time unit trace"]


class PopulationTokens(nnx.Module):
    """Traces of all units -> what the core sees of them.

    Args:
        embedding: numbers that say what a unit is like.
        n_traces: of each unit.
        latents: pooled tokens.
        width: of the result.
        dtype: of the arithmetic.
        rngs: randomness of the initial weights.
    """

    def __init__(self, embedding: int, n_traces: int, latents: int, width: int, dtype: Any, rngs: nnx.Rngs) -> None:
        self.attention = nnx.Linear(embedding, latents, dtype=dtype, rngs=rngs)
        self.gain = nnx.Linear(embedding, latents, dtype=dtype, rngs=rngs)
        self.mix = nnx.Linear(latents * n_traces, width, dtype=dtype, rngs=rngs)

    def __call__(
        self, past: Past, embedding: Float[Array, "item unit embedding"], there: Bool[Array, "item unit"]
    ) -> Float[Array, "item time width"]:
        """Pool the units that are there."""
        scores = jnp.where(there[..., None], self.attention(embedding).astype(jnp.float32), jnp.float32(-1e9))
        weights = jax.nn.softmax(scores, axis=1).astype(past.dtype) * (1.0 + self.gain(embedding)).astype(past.dtype)
        weights = weights * there[..., None].astype(past.dtype)
        pooled = jnp.einsum("iul,itum->itlm", weights, past)
        return self.mix(pooled.reshape(*pooled.shape[:2], -1))


def coupled(
    past: Past,
    into: Float[Array, "item unit rank"],
    out_of: Float[Array, "item unit trace rank drive"],
    there: Bool[Array, "item unit"],
) -> Float[Array, "item time unit drive"]:
    """A sum over the other units: for unit i, out_of[i] . sum over j != i of into[j] * past[j], over sqrt(units)."""
    into = into * there[..., None].astype(into.dtype)
    count = jnp.maximum(there.sum(axis=1), 1).astype(past.dtype)
    into = into / jnp.sqrt(count)[:, None, None]
    total = jnp.einsum("iur,itum->itmr", into, past)
    own = jnp.einsum("iur,iumrd->iumd", into, out_of)
    return jnp.einsum("itmr,iumrd->itud", total, out_of) - jnp.einsum("itum,iumd->itud", past, own)


def others_mean(past: Past, there: Bool[Array, "item unit"]) -> Past:
    """For each unit, the mean of the other units' traces."""
    weight = there[:, None, :, None].astype(past.dtype)
    count = weight.sum(axis=2, keepdims=True)
    total = (past * weight).sum(axis=2, keepdims=True)
    return (total - past * weight) / jnp.maximum(count - weight, jnp.ones_like(weight))


def near_mean(past: Past, near: Float[Array, "item unit other"]) -> Past:
    """For each unit, the mean of its nearest units' traces."""
    return jnp.einsum("iuv,itvm->itum", near.astype(past.dtype), past)


def windows_until(features: Past, until: int, n: int) -> Float[Array, "item time unit given"]:
    """The `n` windows up to the one `until` after each, as they are; zeros where there is none."""
    lags = range(until - n + 1, until + 1)
    length, reach = features.shape[1], max((abs(lag) for lag in lags), default=0)
    padded = jnp.pad(features, ((0, 0), (reach, reach), (0, 0), (0, 0)))
    empty = jnp.zeros((*features.shape[:3], 0), features.dtype)
    return jnp.concatenate([empty, *(padded[:, reach + lag : reach + lag + length] for lag in lags)], axis=-1)


def ahead(past: Past, windows: int) -> Past:
    """Traces as they will be `windows` later: with 1 they hold the present response; zeros where there is none yet."""
    if not windows:
        return past
    return jnp.pad(past[:, windows:], ((0, 0), (0, windows), (0, 0), (0, 0)))
