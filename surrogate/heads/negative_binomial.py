"""Counts that vary more than a Poisson process: variance = mean + mean^2 / size."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln
from jaxtyping import Array, Float

from surrogate.heads.bound import bent

# Beyond it the distribution is Poisson's to a thousandth, and the difference of two logarithms of gamma functions is
# lost in rounding.
LARGEST_LOG_SIZE = 5.7


class NegativeBinomial:
    """Counts with mean exp(raw[..., 0]) and size exp(raw[..., 1]) (Hilbe 2011, Negative Binomial Regression, NB2).

    A mean of 4 and a size of 2 give the variance 4 + 16 / 2 = 12; with a large size it is a Poisson distribution.
    """

    name = "negative_binomial"
    n_parameters, n_features, discrete = 2, 1, True
    n_drives = 1

    @staticmethod
    def log_prob(raw: Float[Array, "*n 2"], value: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """Logarithm of the probability of a count."""
        log_mean, log_size = raw[..., 0], raw[..., 1]
        size, log_total = jnp.exp(log_size), jnp.logaddexp(log_mean, log_size)
        ways = gammaln(value + size) - gammaln(size) - gammaln(value + 1.0)
        return ways + size * (log_size - log_total) + value * (log_mean - log_total)

    @staticmethod
    def mean(raw: Float[Array, "*n 2"]) -> Float[Array, "*n"]:
        """Expected count."""
        return jnp.exp(raw[..., 0])

    @staticmethod
    def sample(raw: Float[Array, "*n 2"], key: Any) -> Float[Array, "*n"]:
        """A draw: a Poisson count whose mean is itself gamma-distributed."""
        gain_key, count_key = jax.random.split(key)
        size = jnp.exp(raw[..., 1])
        mean = jnp.exp(raw[..., 0]) * jax.random.gamma(gain_key, size, dtype=raw.dtype) / size
        return jax.random.poisson(count_key, mean).astype(raw.dtype)

    @staticmethod
    def bounded(raw: Float[Array, "*n 2"], largest: Float[Array, "*n"]) -> Float[Array, "*n 2"]:
        """The mean stays below e times the largest count, the logarithm of the size within 6.7 of zero."""
        mean, size = raw[..., :1], raw[..., 1:]
        bounded = jnp.sign(size) * bent(jnp.abs(size), jnp.full_like(size, LARGEST_LOG_SIZE))
        return jnp.concatenate([bent(mean, jnp.log(largest)[..., None]), bounded], axis=-1)

    @staticmethod
    def features(value: Float[Array, "*n"]) -> Float[Array, "*n 1"]:
        """log(1 + count)."""
        return jnp.log1p(value)[..., None]

    @staticmethod
    def start(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
        """Mean and size of each unit by moments; the size is kept between 0.1 and 100."""
        mean = np.maximum(mean, 1e-4)
        size = np.clip(mean**2 / np.maximum(deviation**2 - mean, 1e-6), 0.1, 100.0)
        return np.log(np.stack([mean, size], axis=-1))
