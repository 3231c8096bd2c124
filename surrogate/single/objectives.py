"""What training minimises and what it is judged by."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from surrogate.heads import Poisson


def negative_log_likelihood(log_count: Float[Array, " time"], counts: Float[Array, " time"]) -> Float[Array, ""]:
    """Poisson loss in nats per spike, so that its size does not depend on the window."""
    return -jnp.sum(Poisson.log_prob(log_count[..., None], counts)) / jnp.maximum(jnp.sum(counts), 1.0)


def bits_per_spike(log_count: Float[Array, " time"], counts: Float[Array, " time"]) -> Float[Array, ""]:
    """Gain over the mean rate of the same counts, given the recorded past, bits per spike."""
    mean = jnp.log(jnp.mean(counts))
    gain = negative_log_likelihood(jnp.full_like(log_count, mean), counts) - negative_log_likelihood(log_count, counts)
    return gain / jnp.log(2.0).astype(gain.dtype)
