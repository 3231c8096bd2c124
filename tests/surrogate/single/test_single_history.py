"""Spike history: the recursion equals the sum that it stands for."""

import jax.numpy as jnp
import numpy as np

from surrogate.single.history import SpikeHistory

WINDOW_S, TAU_S = 0.001, (0.002, 0.01)


def test_traces_are_the_convolution_with_exponentials():
    """Each window sees the exponentially weighted counts of the windows before it, computed here term by term."""
    history = SpikeHistory(TAU_S, WINDOW_S)
    counts = np.random.default_rng(0).poisson(0.3, 40).astype(np.float32)
    traces = np.asarray(history.traces(jnp.asarray(counts)))
    for column, tau in enumerate(TAU_S):
        decay = np.exp(-WINDOW_S / tau)
        for window in (0, 1, 17, 39):
            past = sum(decay ** (window - 1 - before) * counts[before] for before in range(window))
            np.testing.assert_allclose(traces[window, column], (1 - decay) * past / (WINDOW_S * 100.0), rtol=1e-5)


def test_a_steady_train_has_the_trace_of_its_rate():
    """One spike every window of 1 ms is 1000 Hz, ten times the scale, whatever the time constant."""
    history = SpikeHistory(TAU_S, WINDOW_S)
    traces = history.traces(jnp.ones((500,), jnp.float32))
    np.testing.assert_allclose(traces[-1], 10.0, rtol=1e-4)
