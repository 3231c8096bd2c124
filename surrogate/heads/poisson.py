"""Counts whose variance is their mean."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln
from jaxtyping import Array, Float

from surrogate.heads.bound import bent


class Poisson:
    """Counts with expected value exp(raw[..., 0])."""

    name = "poisson"
    n_parameters, n_features, discrete = 1, 1, True
    n_drives = 1

    @staticmethod
    def log_prob(raw: Float[Array, "*n 1"], value: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """Logarithm of the probability of a count, the factorial included."""
        log_mean = raw[..., 0]
        return value * log_mean - jnp.exp(log_mean) - gammaln(value + 1.0)

    @staticmethod
    def mean(raw: Float[Array, "*n 1"]) -> Float[Array, "*n"]:
        """Expected count."""
        return jnp.exp(raw[..., 0])

    @staticmethod
    def sample(raw: Float[Array, "*n 1"], key: Any) -> Float[Array, "*n"]:
        """A draw of the count."""
        return jax.random.poisson(key, jnp.exp(raw[..., 0])).astype(raw.dtype)

    @staticmethod
    def bounded(raw: Float[Array, "*n 1"], largest: Float[Array, "*n"]) -> Float[Array, "*n 1"]:
        """The mean stays below e times the largest count."""
        return bent(raw, jnp.log(largest)[..., None])

    @staticmethod
    def features(value: Float[Array, "*n"]) -> Float[Array, "*n 1"]:
        """log(1 + count), which keeps a burst from drowning everything else."""
        return jnp.log1p(value)[..., None]

    @staticmethod
    def start(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
        """The logarithm of the mean count; of one spike in 10 000 windows for a silent unit."""
        del deviation
        return np.log(np.maximum(mean, 1e-4))[:, None]
