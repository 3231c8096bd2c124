"""The model: the logarithm of the expected count is what the stimulus says plus what past spikes say."""

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from surrogate.single.config import SurrogateConfig
from surrogate.single.history import SpikeHistory
from surrogate.single.waveform import WaveformEncoder


class Components(dict):
    """Named summands of the logarithm of the expected count in a window: stimulus, fast_history, slow_history."""

    def total(self) -> Float[Array, "*batch"]:
        """The logarithm of the expected count in a window."""
        return self["stimulus"] + self["fast_history"] + self["slow_history"]


class StimulusHistoryModel(nnx.Module):
    """A point process driven by a waveform and by its own past.

    Args:
        config: sizes and time constants.
        mean: of the training stimulus, for normalisation.
        standard_deviation: of the training stimulus.
        mean_count: of the training response, spikes a window; the untrained model predicts it.
        latency_windows: windows that a stimulus needs to evoke a spike.
        rngs: randomness of the initial weights.
    """

    def __init__(
        self,
        config: SurrogateConfig,
        mean: float,
        standard_deviation: float,
        mean_count: float,
        latency_windows: int,
        rngs: nnx.Rngs,
    ) -> None:
        self.encoder = WaveformEncoder(config, mean, standard_deviation, latency_windows, rngs)
        self.fast = SpikeHistory(config.fast_tau_s, config.window_s)
        self.slow = SpikeHistory(config.slow_tau_s, config.window_s)
        self.baseline = nnx.Param(jnp.float32(jnp.log(mean_count)))

    def __call__(
        self,
        past: Float[Array, "*batch lag"],
        fast: Float[Array, "*batch fast_tau"],
        slow: Float[Array, "*batch slow_tau"],
    ) -> Components:
        """The summands for windows whose stimulus past and spike traces are given."""
        stimulus = self.encoder(past) + self.baseline[...]
        return Components(stimulus=stimulus, fast_history=self.fast(fast), slow_history=self.slow(slow))
