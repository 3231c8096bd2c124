"""Shared dynamics as a causal transformer that looks a fixed number of windows back.

Distance lowers the attention by a slope that differs between heads (Press et al. 2022, arXiv 2108.12409), so that
there is no position to run out of: a rollout may be longer than anything in training.
"""

from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Bool, Float

from surrogate.core.norm import Norm

# Keys and values of the last windows, and which of them there are.
Cache: TypeAlias = tuple[Float[Array, "item past width"], Float[Array, "item past width"], Bool[Array, "item past"]]
State: TypeAlias = tuple[Cache, ...]
MASKED = -1e9


class TransformerLayer(nnx.Module):
    """Attention over the last `windows` windows, then two dense layers; both are added to what they are given."""

    def __init__(self, width: int, heads: int, windows: int, dtype: Any, rngs: nnx.Rngs) -> None:
        self.heads, self.windows, self.width, self.dtype = heads, windows, width, dtype
        self.norms = nnx.List([Norm(width, dtype) for _ in range(2)])
        self.projected = nnx.Linear(width, 3 * width, dtype=dtype, rngs=rngs)
        self.out = nnx.Linear(width, width, dtype=dtype, rngs=rngs)
        self.wide = nnx.Linear(width, 4 * width, dtype=dtype, rngs=rngs)
        self.narrow = nnx.Linear(4 * width, width, dtype=dtype, rngs=rngs)

    def __call__(
        self, drive: Float[Array, "item time width"], cache: Cache
    ) -> tuple[Float[Array, "item time width"], Cache]:
        """What goes on to the next layer, and the cache after the last window."""
        n_items, n, _ = drive.shape
        query, key, value = jnp.split(self.projected(self.norms[0](drive)), 3, axis=-1)
        keys, values = jnp.concatenate([cache[0], key], 1), jnp.concatenate([cache[1], value], 1)
        there = jnp.concatenate([cache[2], jnp.ones((n_items, n), bool)], 1)
        attended = self._attend(query, keys, values, there)
        drive = drive + self.out(attended)
        drive = drive + self.narrow(jax.nn.gelu(self.wide(self.norms[1](drive))))
        kept = self.windows - 1
        return drive, (keys[:, n:][:, -kept:], values[:, n:][:, -kept:], there[:, n:][:, -kept:])

    def _attend(self, query: Array, keys: Array, values: Array, there: Array) -> Array:
        n_items, n, width = query.shape
        split = [one.reshape(n_items, -1, self.heads, width // self.heads) for one in (query, keys, values)]
        scores = jnp.einsum("iqhd,ikhd->ihqk", split[0], split[1]).astype(jnp.float32)
        # The keys before the query's own ones are those of the cache.
        distance = (np.arange(n)[:, None] + keys.shape[1] - n) - np.arange(keys.shape[1])[None]
        slopes = 2.0 ** (-8.0 * np.arange(1, self.heads + 1) / self.heads)
        bias = np.where((distance >= 0) & (distance < self.windows), -slopes[:, None, None] * distance, MASKED)
        scores = scores * np.float32((width // self.heads) ** -0.5) + jnp.asarray(bias, jnp.float32)[None]
        scores = jnp.where(there[:, None, None, :], scores, jnp.float32(MASKED))
        weights = jax.nn.softmax(scores, axis=-1).astype(self.dtype)
        return jnp.einsum("ihqk,ikhd->iqhd", weights, split[2]).reshape(n_items, n, width)


class TransformerCore(nnx.Module):
    """Transformer layers one after another.

    Args:
        width: features.
        layers: how many.
        heads: of the attention; they divide the width.
        windows: how far back each layer looks, the present window included.
        dtype: of the arithmetic.
        rngs: randomness of the initial weights.
    """

    def __init__(self, width: int, layers: int, heads: int, windows: int, dtype: Any, rngs: nnx.Rngs) -> None:
        self.layers = nnx.List([TransformerLayer(width, heads, windows, dtype, rngs) for _ in range(layers)])
        self.width, self.windows, self.dtype = width, windows, dtype

    def start(self, n_items: int) -> State:
        """Before the first window: nothing to look back at."""
        empty = jnp.zeros((n_items, self.windows - 1, self.width), self.dtype)
        return tuple((empty, empty, jnp.zeros((n_items, self.windows - 1), bool)) for _ in self.layers)

    def __call__(
        self, drive: Float[Array, "item time width"], state: State
    ) -> tuple[Float[Array, "item time width"], State]:
        """Features of each window from it and those before, and the state after the last one."""
        after = []
        for layer, cache in zip(self.layers, state, strict=True):
            drive, cache = layer(drive, cache)
            after.append(cache)
        return drive, tuple(after)
