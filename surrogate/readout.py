"""From features to a unit's response: a place on the maps, weights on the core, and a decoder that all units share."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

WIDTH = 0.15  # of a receptive field at the start, in halves of the image


def at_places(
    maps: Float[Array, "item time height width channel"],
    place: Float[Array, "item unit 2"],
    extent: Float[Array, "item unit 1"],
) -> Float[Array, "item time unit channel"]:
    """The maps under each unit's receptive field, a Gaussian of unit sum.

    Position and features of a unit are apart (Klindt et al. 2017, arXiv 1711.02653); the Gaussian has a gradient
    with respect to the position even where the maps are locally flat.

    Args:
        maps: feature maps.
        place: x and y of the centre, -1 to 1 from the middle of the first to that of the last pixel.
        extent: logarithm of the standard deviation over `WIDTH`.
    """
    n_items, n, height, width, channels = maps.shape
    spread = jnp.exp(extent) * jnp.asarray(WIDTH, extent.dtype)

    def weights(size: int, centre: Float[Array, "item unit 1"]) -> Float[Array, "item unit pixel"]:
        axis = jnp.asarray(np.linspace(-1.0, 1.0, size), centre.dtype)[None, None]
        return jax.nn.softmax(-0.5 * jnp.square((axis - centre) / spread), axis=-1)

    down, across = weights(height, place[..., 1:]), weights(width, place[..., :1])
    masks = (down[..., :, None] * across[..., None, :]).reshape(*down.shape[:2], -1)
    flat = maps.reshape(n_items, n, height * width, channels)
    return jnp.einsum("iup,itpc->ituc", masks.astype(maps.dtype), flat)


class SharedDecoder(nnx.Module):
    """Core, embedding and what a unit sees by itself -> hidden features -> parameters of its likelihood.

    Args:
        sizes: features of the core, of the embedding, and of what each unit sees by itself.
        hidden: hidden features.
        n_parameters: of the likelihood.
        layers: further hidden layers.
        dtype: of the arithmetic.
        rngs: randomness of the initial weights.
    """

    def __init__(
        self, sizes: tuple[int, int, int], hidden: int, n_parameters: int, layers: int, dtype: Any, rngs: nnx.Rngs
    ) -> None:
        core, embedding, own = sizes
        self.from_core = nnx.Linear(core, hidden, dtype=dtype, rngs=rngs)
        self.from_embedding = nnx.Linear(embedding, hidden, use_bias=False, dtype=dtype, rngs=rngs)
        self.from_own = nnx.Linear(own, hidden, use_bias=False, dtype=dtype, rngs=rngs)
        self.gain = nnx.Linear(embedding, hidden, dtype=dtype, rngs=rngs)
        self.deeper = nnx.List([nnx.Linear(hidden, hidden, dtype=dtype, rngs=rngs) for _ in range(layers)])
        # From zero, so that training starts from each unit's mean.
        zeros = nnx.initializers.zeros_init()
        self.out = nnx.Linear(hidden, n_parameters, kernel_init=zeros, dtype=dtype, rngs=rngs)

    def hidden(
        self,
        core: Float[Array, "item time width"],
        embedding: Float[Array, "item unit embedding"],
        own: Float[Array, "item time unit own"],
    ) -> Float[Array, "item time unit hidden"]:
        """Hidden features: what a unit is like shifts and scales what it takes from the core."""
        gain = (1.0 + self.gain(embedding)).astype(core.dtype)[:, None]
        driven = self.from_core(core)[:, :, None] * gain
        hidden = jax.nn.gelu(driven + self.from_embedding(embedding)[:, None] + self.from_own(own))
        for layer in self.deeper:
            hidden = jax.nn.gelu(layer(hidden))
        return hidden
