"""Likelihood heads against SciPy and against their own samples."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from surrogate.heads import Poisson
from surrogate.objectives import bits_per_spike, negative_log_likelihood


def test_poisson_log_probability_is_scipys():
    """Counts 0 to 6 under a mean of 2.5."""
    counts = jnp.arange(7, dtype=jnp.float64)
    log_count = jnp.full_like(counts, np.log(2.5))
    np.testing.assert_allclose(Poisson.log_prob(log_count, counts), stats.poisson.logpmf(np.arange(7), 2.5), rtol=1e-9)


def test_poisson_samples_have_the_stated_mean():
    """20 000 draws with a mean of 0.7, to four standard errors."""
    log_count = jnp.full((20_000,), np.log(0.7), jnp.float32)
    drawn = Poisson.sample(log_count, jax.random.key(0))
    assert abs(float(drawn.mean()) - 0.7) < 4 * np.sqrt(0.7 / 20_000)
    np.testing.assert_allclose(Poisson.mean(log_count), 0.7, rtol=1e-5)


def test_bits_per_spike_of_a_two_level_rate():
    """Half the time at twice the mean rate, half silent but for epsilon: one bit per spike."""
    counts = jnp.tile(jnp.array([1.0, 0.0]), 500)
    log_count = jnp.log(jnp.tile(jnp.array([1.0, 1e-12]), 500))
    np.testing.assert_allclose(bits_per_spike(log_count, counts), 1.0, atol=1e-6)
    assert float(negative_log_likelihood(log_count, counts)) < float(negative_log_likelihood(log_count + 0.5, counts))
