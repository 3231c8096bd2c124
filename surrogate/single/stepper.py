"""The trained surrogate in the role that a twin couples: explicit state, one window at a time."""

from pathlib import Path
from typing import Any

import jax.numpy as jnp
from flax import nnx

from surrogate.single.config import SurrogateConfig
from surrogate.single.model import StimulusHistoryModel
from twin.ports import Arrays, Port, State

PARTS = ("stimulus", "slow_history", "fast_history")


class PointProcessSurrogate:
    """A point-process surrogate of one unit.

    Its drive is given in parts, all summands of the logarithm of the expected count in a window: "stimulus",
    "slow_history" (adaptation over seconds) and "fast_history" (refractoriness), so that a circuit that has its own
    refractoriness is not given it twice.

    Args:
        model: the trained module.
        config: what it was made with.
        stimulus: the port that the stimulus comes in by.
        resting: the stimulus that is taken to have been there before the start.
    """

    def __init__(self, model: StimulusHistoryModel, config: SurrogateConfig, stimulus: Port, resting: float) -> None:
        self.config, self.resting = config, resting
        self.window_s = config.window_s
        self.stimulus_ports = (stimulus,)
        self.readout_ports = (Port("spike_count", "1", 1),)
        self.drive_ports = tuple(Port(name, "1", 1) for name in PARTS)
        self._graph, self._weights = nnx.split(model)

    @classmethod
    def from_checkpoint(cls, path: str | Path) -> "PointProcessSurrogate":
        """Read a surrogate from a folder that `surrogate.single.checkpoint.save` wrote.

        Raises:
            InputError: there is no checkpoint at `path`, or one of another format.
        """
        from surrogate.single import checkpoint  # it builds surrogates, so it imports this module

        return checkpoint.load(path)

    @property
    def model(self) -> StimulusHistoryModel:
        """The Flax module."""
        return nnx.merge(self._graph, self._weights)

    def init(self, key: Any) -> State:
        """Stimulus past and spike traces of a cell at rest."""
        del key
        model = self.model
        past = jnp.full((self.config.n_lags,), self.resting, jnp.float32)
        return past, model.fast.start(), model.slow.start()

    def advance(self, state: State, readout: Arrays, stimulus: Arrays, key: Any) -> tuple[State, Arrays]:
        """Take in the last window's spike count and this window's stimulus; give the drive of this window."""
        del key
        model = self.model
        past, fast, slow = state
        count = readout["spike_count"][0].astype(jnp.float32)
        fast, slow = model.fast.advance(fast, count), model.slow.advance(slow, count)
        past = jnp.concatenate([past[1:], stimulus[self.stimulus_ports[0].name]])
        parts = model(past, fast, slow)
        return (past, fast, slow), {name: parts[name][None] for name in PARTS}
