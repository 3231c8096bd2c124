"""A causal encoder of a one-dimensional waveform, such as a sound level or a current.

The last windows are projected on raised cosines whose width grows with the lag (Pillow et al. 2008, Nature 454:995,
Methods), and a small network with one hidden layer makes one number of them.
"""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from surrogate.config import SurrogateConfig


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
    """Past waveform -> one number, linear part plus one hidden layer."""

    def __init__(self, config: SurrogateConfig, mean: float, standard_deviation: float, rngs: nnx.Rngs) -> None:
        self.basis = Constant(jnp.asarray(raised_cosines(config.n_lags, config.n_filters)))
        self.mean = Constant(jnp.float32(mean))
        self.scale = Constant(jnp.float32(standard_deviation))
        self.linear = nnx.Linear(config.n_filters, 1, rngs=rngs)
        self.hidden = nnx.Linear(config.n_filters, config.n_hidden, rngs=rngs)
        self.out = nnx.Linear(config.n_hidden, 1, use_bias=False, rngs=rngs)

    def __call__(self, past: Float[Array, "*batch lag"]) -> Float[Array, "*batch"]:
        """Encode windows of the past, the latest last."""
        normalised = (past - self.mean[...]) / self.scale[...]
        features = normalised[..., ::-1] @ self.basis[...]
        return (self.linear(features) + self.out(jax.nn.softplus(self.hidden(features))))[..., 0]
