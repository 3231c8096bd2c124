"""Values that are nothing most of the time and otherwise positive and skewed, as deconvolved calcium is."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln
from jaxtyping import Array, Float

from surrogate.heads.bound import bent

SMALLEST = 1e-6


class ZeroInflatedGamma:
    """Zero with probability 1 - q, otherwise gamma-distributed (Wei et al. 2020, PLoS Comput Biol 16:e1008198).

    q = sigmoid(raw[..., 0]), shape = exp(raw[..., 1]), scale = exp(raw[..., 2]). Values up to zero count as zero; of a
    positive one the density is given.
    """

    name = "zero_inflated_gamma"
    n_parameters, n_features, discrete = 3, 2, True
    n_drives = 1

    @staticmethod
    def log_prob(raw: Float[Array, "*n 3"], value: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """Logarithm of the probability of zero, or of the density of a positive value."""
        shape, log_scale = jnp.exp(raw[..., 1]), raw[..., 2]
        positive = value > 0.0
        size = jnp.where(positive, value, 1.0)  # keeps the gradient finite where the branch is not taken
        gamma = (shape - 1.0) * jnp.log(size) - size * jnp.exp(-log_scale) - gammaln(shape) - shape * log_scale
        return jnp.where(positive, jax.nn.log_sigmoid(raw[..., 0]) + gamma, jax.nn.log_sigmoid(-raw[..., 0]))

    @staticmethod
    def mean(raw: Float[Array, "*n 3"]) -> Float[Array, "*n"]:
        """q * shape * scale."""
        return jax.nn.sigmoid(raw[..., 0]) * jnp.exp(raw[..., 1] + raw[..., 2])

    @staticmethod
    def sample(raw: Float[Array, "*n 3"], key: Any) -> Float[Array, "*n"]:
        """A draw."""
        zero_key, gamma_key = jax.random.split(key)
        drawn = jax.random.gamma(gamma_key, jnp.exp(raw[..., 1]), dtype=raw.dtype) * jnp.exp(raw[..., 2])
        present = jax.random.bernoulli(zero_key, jax.nn.sigmoid(raw[..., 0]))
        return jnp.where(present, jnp.maximum(drawn, SMALLEST), 0.0).astype(raw.dtype)

    @staticmethod
    def bounded(raw: Float[Array, "*n 3"], largest: Float[Array, "*n"]) -> Float[Array, "*n 3"]:
        """The mean of positive values stays below e times the largest one."""
        shape, scale = raw[..., 1], raw[..., 2]
        bounded = bent(shape + scale, jnp.log(largest)) - shape
        return jnp.stack([raw[..., 0], shape, bounded], axis=-1)

    @staticmethod
    def features(value: Float[Array, "*n"]) -> Float[Array, "*n 2"]:
        """Whether there was anything, and log(1 + value)."""
        positive = jnp.maximum(value, 0.0)
        return jnp.stack([(positive > 0.0).astype(value.dtype), jnp.log1p(positive)], axis=-1)

    @staticmethod
    def start(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
        """Half of the values positive, exponentially distributed, with the unit's mean."""
        del deviation
        scale = np.log(np.maximum(2.0 * mean, 1e-4))
        return np.stack([np.zeros_like(scale), np.zeros_like(scale), scale], axis=-1)
