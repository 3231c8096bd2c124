"""Each response from all that is recorded before it: teacher-forced, autoregressive where the past is an input."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from surrogate.batches.batch import Batch
from surrogate.config import Inputs
from surrogate.model import Foundation, Shown


def needs_hiding(inputs: Inputs) -> bool:
    """Whether the pooled tokens would show a unit what it is asked for, so that some units are hidden from them."""
    return inputs.others and (inputs.tokens_until >= 0 or not inputs.own_past)


def negative_log_likelihood(
    model: Foundation, raw: Float[Array, "item time unit parameter"], batch: Batch, counted: Array | None = None
) -> Float[Array, ""]:
    """Mean over scored responses, nats for each; `counted` (item, time, unit) leaves some out."""
    weight = (batch.valid & batch.scored[..., None]).astype(jnp.float32)
    if counted is not None:
        weight = weight * counted
    losses = -model.head.log_prob(raw, batch.response.astype(jnp.float32))
    return jnp.sum(jnp.where(weight > 0, losses, jnp.zeros_like(losses)) * weight) / jnp.maximum(weight.sum(), 1.0)


def supervised(model: Foundation, batch: Batch, key: Any, hidden_share: float) -> Float[Array, ""]:
    """The loss; with units hidden from the tokens, those alone are counted."""
    hide_key, pass_key = jax.random.split(key)
    if not needs_hiding(model.inputs) or model.tokens is None:
        return negative_log_likelihood(model, model(batch, key=pass_key), batch)
    hidden = jax.random.bernoulli(hide_key, hidden_share, batch.unit.shape)[:, None].astype(jnp.float32)
    hidden = jnp.broadcast_to(hidden, batch.response.shape)
    raw = model(batch, Shown(tokens=1.0 - hidden), key=pass_key)
    return negative_log_likelihood(model, raw, batch, hidden)
