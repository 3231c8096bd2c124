"""Layer normalisation, in float32 whatever the arithmetic around it."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

EPSILON = 1e-6


class Norm(nnx.Module):
    """Features of each window with mean 0 and variance 1, then a learned scale and shift (Ba et al. 2016, 1607.06450).

    Args:
        width: features.
        dtype: of the result.
    """

    def __init__(self, width: int, dtype: Any) -> None:
        self.scale = nnx.Param(jnp.ones((width,), jnp.float32))
        self.shift = nnx.Param(jnp.zeros((width,), jnp.float32))
        self.dtype = dtype

    def __call__(self, features: Float[Array, "item time width"]) -> Float[Array, "item time width"]:
        """Normalise over the last axis."""
        wide = features.astype(jnp.float32)
        apart = wide - wide.mean(axis=-1, keepdims=True)
        unit = apart * jax.lax.rsqrt(jnp.square(apart).mean(axis=-1, keepdims=True) + EPSILON)
        return (unit * self.scale[...][None, None] + self.shift[...][None, None]).astype(self.dtype)
