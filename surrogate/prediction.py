"""Likelihood parameters of recorded responses, each predicted without having been seen."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from surrogate.batches import Batch
from surrogate.config import Inputs
from surrogate.model import Foundation, Shown
from surrogate.objectives import needs_hiding
from surrogate.taps import Taps


def predicted(
    model: Foundation, batch: Batch, hidden_share: float, inputs: Inputs | None = None, taps: Taps | None = None
) -> Float[Array, "item time unit parameter"]:
    """As the model's call; where the pooled tokens would show a unit itself, its units are predicted in turns.

    In turn k, units k, k + turns, ... are hidden from the tokens, and their prediction is taken.
    """
    inputs = inputs or model.inputs
    if not needs_hiding(inputs) or model.tokens is None:
        return model(batch, taps=taps, inputs=inputs)
    turns = max(2, round(1.0 / hidden_share))
    raw = jnp.zeros((*batch.response.shape, model.head.n_parameters), jnp.float32)
    for turn in range(turns):
        hidden = np.arange(batch.unit.shape[1]) % turns == turn
        mask = jnp.broadcast_to(jnp.asarray(hidden, jnp.float32)[None, None], batch.response.shape)
        own = model(batch, Shown(tokens=1.0 - mask), taps=taps, inputs=inputs)
        raw = jnp.where(hidden[None, None, :, None], own, raw)
    return raw
