"""Shared dynamics as gated recurrent layers, each added to what it is given."""

from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from surrogate.core.norm import Norm

State: TypeAlias = tuple[Float[Array, "item width"], ...]


class RecurrentLayer(nnx.Module):
    """A gated recurrent unit (Cho et al. 2014, arXiv 1406.1078), its input products taken for all windows at once."""

    def __init__(self, width: int, dtype: Any, rngs: nnx.Rngs) -> None:
        self.norm = Norm(width, dtype)
        self.into = nnx.Linear(width, 3 * width, dtype=dtype, rngs=rngs)
        start = nnx.initializers.orthogonal()
        self.gates = nnx.Linear(width, 2 * width, use_bias=False, kernel_init=start, dtype=dtype, rngs=rngs)
        self.candidate = nnx.Linear(width, width, use_bias=False, kernel_init=start, dtype=dtype, rngs=rngs)
        self.out = nnx.Linear(width, width, dtype=dtype, rngs=rngs)
        self.width, self.dtype = width, dtype

    def advance(
        self, state: Float[Array, "item width"], given: Float[Array, "item three_widths"]
    ) -> Float[Array, "item width"]:
        """The state after one window whose input products are `given`."""
        keep, reset = jnp.split(jax.nn.sigmoid(given[:, : 2 * self.width] + self.gates(state)), 2, axis=-1)
        new = jnp.tanh(given[:, 2 * self.width :] + self.candidate(reset * state))
        return keep * state + (jnp.ones_like(keep) - keep) * new

    def __call__(
        self, drive: Float[Array, "item time width"], state: Float[Array, "item width"]
    ) -> tuple[Float[Array, "item time width"], Float[Array, "item width"]]:
        """What goes on to the next layer, and the state after the last window."""
        given = jnp.moveaxis(self.into(self.norm(drive)), 1, 0)

        def window(state: Any, given: Any) -> tuple[Any, Any]:
            state = self.advance(state, given)
            return state, state

        last, states = jax.lax.scan(window, state, given)
        return drive + self.out(jnp.moveaxis(states, 0, 1)), last


class RecurrentCore(nnx.Module):
    """Recurrent layers one after another.

    Args:
        width: features.
        layers: how many.
        dtype: of the arithmetic.
        rngs: randomness of the initial weights.
    """

    def __init__(self, width: int, layers: int, dtype: Any, rngs: nnx.Rngs) -> None:
        self.layers = nnx.List([RecurrentLayer(width, dtype, rngs) for _ in range(layers)])
        self.width, self.dtype = width, dtype

    def start(self, n_items: int) -> State:
        """Before the first window."""
        return tuple(jnp.zeros((n_items, self.width), self.dtype) for _ in self.layers)

    def __call__(
        self, drive: Float[Array, "item time width"], state: State
    ) -> tuple[Float[Array, "item time width"], State]:
        """Features of each window from it and those before, and the state after the last one."""
        after = []
        for layer, own in zip(self.layers, state, strict=True):
            drive, own = layer(drive, own)
            after.append(own)
        return drive, tuple(after)
