"""Feature streams of any modality: a causal filter bank, once linear and once through a non-linearity."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float


class StreamEncoder(nnx.Module):
    """Features of each window and of the `memory` - 1 before it -> `width` numbers.

    Args:
        n_features: of the streams; with none it gives zeros.
        width: of the result.
        memory: windows that it sees.
        dtype: of the arithmetic.
        rngs: randomness of the initial weights.
    """

    def __init__(self, n_features: int, width: int, memory: int, dtype: Any, rngs: nnx.Rngs) -> None:
        self.width, self.dtype, self.n_features = width, dtype, n_features
        if n_features:
            self.filters = nnx.Conv(n_features, 2 * width, (memory,), padding="CAUSAL", dtype=dtype, rngs=rngs)
            self.mix = nnx.Linear(width, width, dtype=dtype, rngs=rngs)

    def __call__(self, features: Float[Array, "item time feature"]) -> Float[Array, "item time width"]:
        """Encode each window from itself and its past."""
        if not self.n_features:
            return jnp.zeros((*features.shape[:2], self.width), self.dtype)
        linear, hidden = jnp.split(self.filters(features.astype(self.dtype)), 2, axis=-1)
        return linear + self.mix(jax.nn.gelu(hidden))
