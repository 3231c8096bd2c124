"""The most that a response is expected to be: what keeps a model that runs on its own output from running away."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def bent(value: Float[Array, "*n"], ceiling: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """The value itself up to the ceiling; above it it bends, and never reaches the ceiling + 1.

    With a ceiling of 2, 1.5 stays 1.5 and 5 becomes 2.995. Self-excited models of counts diverge without such a bound
    when they run on their own output (Gerhard et al. 2017, PLoS Comput Biol 13:e1005390).
    """
    return jnp.where(value <= ceiling, value, ceiling + jnp.tanh(jnp.maximum(value - ceiling, 0.0)))
