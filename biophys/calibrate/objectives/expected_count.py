"""Expected counts in windows and what they cost: a loss for stochastic trials of one neuron."""

import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

# Share of the rate that is spread evenly: a model that is silent where the cell fired would otherwise be
# infinitely wrong.
FLOOR = 0.05


def gaussian(deviation_windows: float) -> np.ndarray:
    """A smoothing kernel of unit sum that reaches four standard deviations to either side."""
    reach = int(np.ceil(4 * deviation_windows))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation_windows) ** 2)
    return kernel / kernel.sum()


def expected_count(
    spikes: Bool[Array, "trial window step neuron"], deviation_windows: float, floor: float = FLOOR
) -> Float[Array, " window"]:
    """Expected spike count in each window, estimated from simulated trials of one neuron.

    The mean over trials is smoothed with a Gaussian and mixed with its own mean, so that it is positive everywhere.

    Args:
        spikes: truth values.
        deviation_windows: standard deviation of the smoothing, in windows.
        floor: share of the mean in the mixture.
    """
    counts = spikes[..., 0].any(axis=2).mean(axis=0, dtype=jnp.float32)
    smooth = jnp.convolve(counts, jnp.asarray(gaussian(deviation_windows), jnp.float32), mode="same")
    return (1 - floor) * smooth + floor * smooth.mean() + jnp.float32(1e-6)


def rate_loss(expected: Float[Array, " window"], counts: Float[Array, " window"]) -> Float[Array, ""]:
    """Poisson loss of recorded counts under expected counts, relative to their mean rate, bits per spike.

    0 is the loss of a constant at the recorded mean rate; -1 is one bit per spike better.
    """
    mean = counts.mean()
    gain = jnp.sum(counts * jnp.log(expected / mean)) - jnp.sum(expected - mean)
    return -gain / (counts.sum() * math.log(2.0))


def count_loss(expected: Float[Array, " window"], counts: Float[Array, " window"]) -> Float[Array, ""]:
    """Squared logarithm of simulated over recorded spike number: 0 where they agree, 0.0091 for 10 % too many.

    The Poisson loss alone forgives a wrong number of spikes for a slightly better timing of some.
    """
    return jnp.square(jnp.log(expected.sum() / counts.sum()))
