"""A causal encoder of a one-dimensional waveform, such as a sound level or a current.

A sensory transduction that is fast compared with what it encodes passes the stimulus on, one latency late. That is the
direct path, one weight. What it leaves out is learned: the last windows are projected on raised cosines whose width
grows with the lag (Pillow et al. 2008, Nature 454:995, Methods), and a small network makes one number of them. The
learned path alone is held insensitive to what the training stimulus does not contain.
"""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from surrogate.single.config import SurrogateConfig


def raised_cosines(n_lags: int, n_filters: int, stretch: float = 4.0) -> np.ndarray:
    """A basis of raised cosines over the logarithm of the lag, columns of unit sum.

    Args:
        n_lags: number of lags; row 0 is lag 0.
        n_filters: number of basis functions.
        stretch: lags below it are spaced linearly, above it logarithmically.

    Returns:
        (lag, filter), float32.
    """
    position = np.log(np.arange(n_lags) + stretch)
    centres = np.linspace(position[0], position[round(0.7 * n_lags)], n_filters)
    phase = (position[:, None] - centres) * np.pi / 2 / (centres[1] - centres[0])
    basis = 0.5 * (1 + np.cos(np.clip(phase, -np.pi, np.pi)))
    return (basis / basis.sum(axis=0)).astype(np.float32)


class Constant(nnx.Variable):
    """A fixed array of the model: stored with it, never trained."""


class WaveformEncoder(nnx.Module):
    """Past waveform -> one number: direct path plus a learned one with a linear part and one hidden layer.

    Args:
        config: memory and sizes.
        mean: of the training stimulus.
        standard_deviation: of the training stimulus.
        latency_windows: of the direct path.
        rngs: randomness of the initial weights.
    """

    def __init__(
        self,
        config: SurrogateConfig,
        mean: float,
        standard_deviation: float,
        latency_windows: int,
        rngs: nnx.Rngs,
    ) -> None:
        self.latency_windows = latency_windows
        self.direct = nnx.Param(jnp.float32(0.0))
        self.basis = Constant(jnp.asarray(raised_cosines(config.n_lags, config.n_filters)))
        self.mean = Constant(jnp.float32(mean))
        self.scale = Constant(jnp.float32(standard_deviation))
        self.linear = nnx.Linear(config.n_filters, 1, rngs=rngs)
        self.hidden = nnx.Linear(config.n_filters, config.n_hidden, rngs=rngs)
        self.out = nnx.Linear(config.n_hidden, 1, use_bias=False, rngs=rngs)

    def normalised(self, past: Float[Array, "*batch lag"]) -> Float[Array, "*batch lag"]:
        """The past in standard deviations of the training stimulus, by lag: the present first."""
        return ((past - self.mean[...]) / self.scale[...])[..., ::-1]

    def sensitivity(self, past: Float[Array, "time lag"]) -> Float[Array, " time"]:
        """Variance that white noise on the stimulus, of the stimulus's own variance, would add to the learned path.

        To first order it is the squared length of the gradient with respect to the normalised past.
        """
        slopes = jax.nn.sigmoid(self.hidden(self.normalised(past) @ self.basis[...]))  # of softplus
        through_hidden = self.hidden.kernel[...] * self.out.kernel[...].T
        gradient = self.linear.kernel[...].T + slopes @ through_hidden.T
        return jnp.square(gradient @ self.basis[...].T).sum(axis=-1)

    def __call__(self, past: Float[Array, "*batch lag"]) -> Float[Array, "*batch"]:
        """Encode windows of the past, the latest last."""
        by_lag = self.normalised(past)
        features = by_lag @ self.basis[...]
        direct = self.direct[...] * by_lag[..., self.latency_windows]
        return direct + (self.linear(features) + self.out(jax.nn.softplus(self.hidden(features))))[..., 0]
