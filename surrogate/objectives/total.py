"""The weighted sum that training minimises."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from surrogate.batches.batch import Batch
from surrogate.config import Objective
from surrogate.model import Foundation
from surrogate.objectives.free_running import free_running
from surrogate.objectives.masked import masked
from surrogate.objectives.supervised import supervised


def total(model: Foundation, batch: Batch, key: Any, objective: Objective) -> Float[Array, ""]:
    """The objectives whose weight is not zero, each with its own randomness."""
    keys, loss = jax.random.split(key, 3), jnp.float32(0.0)
    if objective.supervised:
        loss = loss + objective.supervised * supervised(model, batch, keys[0], objective.hidden_share)
    if objective.masked:
        loss = loss + objective.masked * masked(model, batch, keys[1], objective.hidden_share)
    if objective.free_running:
        loss = loss + objective.free_running * free_running(model, batch, keys[2], objective.free_windows)
    return loss
