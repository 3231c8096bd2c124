"""Each half alone: what stands in for the other half, so that both are judged through the very same loop.

`PassThrough` is the surrogate that learned nothing: the stimulus itself drives the circuit.
`PoissonEmitter` is the circuit that has no mechanism: spikes are drawn from the surrogate's rate.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from twin.errors import UnsupportedError
from twin.ports import Arrays, Exchange, Handles, Port, State


@dataclasses.dataclass(frozen=True)
class PassThrough:
    """Drives a circuit with its stimulus, `latency_windows` late.

    Attributes:
        window_s: length of a coupling window, s.
        stimulus: the port that the stimulus comes in by.
        latency_windows: how many windows the stimulus needs to reach the cell; 0 or more.
        resting: the stimulus before the recording starts, in the port's unit.
    """

    window_s: float
    stimulus: Port
    latency_windows: int = 0
    resting: float = 0.0

    @property
    def stimulus_ports(self) -> tuple[Port, ...]:
        return (self.stimulus,)

    @property
    def drive_ports(self) -> tuple[Port, ...]:
        return (self.stimulus,)

    readout_ports: tuple[Port, ...] = ()

    def init(self, key: Any) -> State:
        del key
        return jnp.full((self.latency_windows, self.stimulus.size), self.resting, jnp.float32)

    def advance(self, state: State, readout: Arrays, stimulus: Arrays, key: Any) -> tuple[State, Arrays]:
        del readout, key
        line = jnp.concatenate([state, stimulus[self.stimulus.name][None]])
        return line[1:], {self.stimulus.name: line[0]}


@dataclasses.dataclass(frozen=True)
class PoissonEmitter:
    """Spikes from a rate: a window holds a spike with probability 1 - exp(-exp(log_count)).

    Its input "log_count" is the logarithm of the expected count in a window. A window holds one spike at most.
    """

    window_s: float
    n_units: int = 1

    drive_ports: tuple[Port, ...] = dataclasses.field(init=False)
    readout_ports: tuple[Port, ...] = dataclasses.field(init=False)
    handles: Handles = dataclasses.field(default=Handles(channels={}), init=False)
    parameters: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "drive_ports", (Port("log_count", "1", self.n_units),))
        object.__setattr__(self, "readout_ports", (Port("spike_count", "1", self.n_units),))

    @property
    def dt_s(self) -> float:
        return self.window_s

    def init(self, key: Any, params: Arrays) -> State:
        del key, params
        return ()

    def advance(self, state: State, drive: Arrays, params: Arrays, key: Any) -> tuple[State, Arrays]:
        del params
        log_count = jnp.broadcast_to(drive["log_count"], (self.n_units,))
        silent = jnp.exp(-jnp.exp(jnp.minimum(log_count, 10.0)))
        spikes = jax.random.uniform(key, (self.n_units,), log_count.dtype) > silent
        return state, {"spikes": spikes[None], "spike_count": spikes.astype(jnp.float32)}

    def referee(self, n_windows: int, exchange: Exchange, params: Arrays, key_of: Callable[[int], Any]) -> Arrays:
        raise UnsupportedError("the surrogate alone has no Brian2 equations: run it with engine='jax'.")
