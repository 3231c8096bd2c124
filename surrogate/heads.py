"""Likelihoods of a response: each with `log_prob`, `mean` and `sample`."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.special import gammaln
from jaxtyping import Array, Float


class Poisson:
    """Counts with expected value exp(log_count)."""

    @staticmethod
    def log_prob(log_count: Float[Array, "*n"], count: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """Logarithm of the probability of `count`, the factorial included."""
        return count * log_count - jnp.exp(log_count) - gammaln(count + 1.0)

    @staticmethod
    def mean(log_count: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """Expected count."""
        return jnp.exp(log_count)

    @staticmethod
    def sample(log_count: Float[Array, "*n"], key: Any) -> Float[Array, "*n"]:
        """A draw of the count."""
        return jax.random.poisson(key, jnp.exp(log_count)).astype(log_count.dtype)
