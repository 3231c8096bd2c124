"""What past spikes do: exponential traces, which a rollout carries along at the cost of one product each."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from surrogate.single.waveform import Constant


class SpikeHistory(nnx.Module):
    """A weighted sum of exponential traces of the spike count.

    A trace of time constant tau follows y <- y * exp(-window/tau) + (1 - exp(-window/tau)) * rate, with the rate in
    units of `rate_scale_hz`, so that a trace of a steady train is its rate, whatever tau.
    """

    rate_scale_hz = 100.0

    def __init__(self, tau_s: tuple[float, ...], window_s: float) -> None:
        self.decay = Constant(jnp.asarray(np.exp(-window_s / np.array(tau_s)), jnp.float32))
        self.count_scale = Constant(jnp.float32(1.0 / (window_s * self.rate_scale_hz)))
        self.weights = nnx.Param(jnp.zeros((len(tau_s),), jnp.float32))

    def start(self) -> Float[Array, " tau"]:
        """Traces of a cell that has been silent."""
        return jnp.zeros_like(self.decay[...])

    def advance(self, traces: Float[Array, " tau"], count: Float[Array, ""]) -> Float[Array, " tau"]:
        """Traces after a window with that spike count."""
        decay = self.decay[...]
        return traces * decay + (1.0 - decay) * count * self.count_scale[...]

    def traces(self, counts: Float[Array, " time"]) -> Float[Array, "time tau"]:
        """Traces that each window sees: those of the windows before it."""

        def window(traces, count):
            return self.advance(traces, count), traces

        return jax.lax.scan(window, self.start(), counts)[1]

    def __call__(self, traces: Float[Array, "*batch tau"]) -> Float[Array, "*batch"]:
        """The sum that enters the logarithm of the rate."""
        return traces @ self.weights[...]
