"""Real numbers with a spread that the model predicts as well."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from surrogate.heads.bound import bent

HALF_LOG_TWO_PI = 0.5 * float(np.log(2.0 * np.pi))


class Gaussian:
    """A normal distribution with mean raw[..., 0] and standard deviation exp(raw[..., 1])."""

    name = "gaussian"
    n_parameters, n_features, discrete = 2, 1, False
    n_drives = 1

    @staticmethod
    def log_prob(raw: Float[Array, "*n 2"], value: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """Logarithm of the density."""
        mean, log_deviation = raw[..., 0], raw[..., 1]
        return -0.5 * jnp.square((value - mean) * jnp.exp(-log_deviation)) - log_deviation - HALF_LOG_TWO_PI

    @staticmethod
    def mean(raw: Float[Array, "*n 2"]) -> Float[Array, "*n"]:
        """The mean."""
        return raw[..., 0]

    @staticmethod
    def sample(raw: Float[Array, "*n 2"], key: Any) -> Float[Array, "*n"]:
        """A draw."""
        return raw[..., 0] + jnp.exp(raw[..., 1]) * jax.random.normal(key, raw.shape[:-1], raw.dtype)

    @staticmethod
    def bounded(raw: Float[Array, "*n 2"], largest: Float[Array, "*n"]) -> Float[Array, "*n 2"]:
        """The mean stays within the largest value and one deviation more, on both sides."""
        mean = raw[..., :1]
        bounded = jnp.sign(mean) * bent(jnp.abs(mean), largest[..., None])
        return jnp.concatenate([bounded, raw[..., 1:]], axis=-1)

    @staticmethod
    def features(value: Float[Array, "*n"]) -> Float[Array, "*n 1"]:
        """The value itself."""
        return value[..., None]

    @staticmethod
    def start(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
        """Standardised values: mean 0 and deviation 1."""
        del deviation
        return np.zeros((len(mean), 2))
