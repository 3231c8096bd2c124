"""What the single-unit surrogate is judged by."""

import jax.numpy as jnp
import numpy as np

from surrogate.single.objectives import bits_per_spike, negative_log_likelihood


def test_bits_per_spike_of_a_two_level_rate():
    """Half the time at twice the mean rate, half silent but for epsilon: one bit per spike."""
    counts = jnp.tile(jnp.array([1.0, 0.0]), 500)
    log_count = jnp.log(jnp.tile(jnp.array([1.0, 1e-12]), 500))
    np.testing.assert_allclose(bits_per_spike(log_count, counts), 1.0, atol=1e-6)
    assert float(negative_log_likelihood(log_count, counts)) < float(negative_log_likelihood(log_count + 0.5, counts))
