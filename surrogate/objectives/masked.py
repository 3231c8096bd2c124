"""Hide some responses from every path, and predict those: units, stretches of time, or whole populations."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from surrogate.batches.batch import Batch
from surrogate.model import Foundation, Shown
from surrogate.objectives.supervised import negative_log_likelihood

UNITS, TIME, POPULATION = range(3)


def hidden_responses(batch: Batch, share: float, key: Any) -> Float[Array, "item time unit"]:
    """1 where a response is hidden; for each item one of three kinds is drawn.

    Units: each with the chance `share`. Time: one stretch of that share. Population: everything, so that stimulus,
    behaviour and protocol are all there is.
    """
    n_items, n, n_units = batch.response.shape
    kind_key, unit_key, time_key = jax.random.split(key, 3)
    kind = jax.random.randint(kind_key, (n_items, 1, 1), 0, 3)
    units = jax.random.bernoulli(unit_key, share, (n_items, 1, n_units))
    length = max(1, round(share * n))
    first = jax.random.randint(time_key, (n_items, 1, 1), 0, n - length + 1)
    window: Int[Array, "1 time 1"] = jnp.arange(n, dtype=first.dtype)[None, :, None]
    stretch = (window >= first) & (window < first + length)
    hidden = jnp.where(kind == UNITS, units, jnp.where(kind == TIME, stretch, jnp.ones((1, 1, 1), bool)))
    return jnp.broadcast_to(hidden, batch.response.shape).astype(jnp.float32)


def masked(model: Foundation, batch: Batch, key: Any, hidden_share: float) -> Float[Array, ""]:
    """The loss on what was hidden."""
    hide_key, pass_key = jax.random.split(key)
    hidden = hidden_responses(batch, hidden_share, hide_key)
    seen = 1.0 - hidden
    raw = model(batch, Shown(seen, seen, seen), key=pass_key)
    return negative_log_likelihood(model, raw, batch, hidden)
