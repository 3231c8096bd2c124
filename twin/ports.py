"""The two roles of a twin, and the words between them.

A surrogate and a circuit never meet: each declares its ports, and `twin.coupling` wires them. Both are pure functions
of pytrees, one coupling window at a time, so that a coupled rollout is one `jax.lax.scan`.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias, runtime_checkable

State: TypeAlias = Any  # a pytree of arrays that only its owner looks into
Arrays: TypeAlias = Mapping[str, Any]  # port name -> array
Exchange: TypeAlias = Callable[[int, Arrays | None], Arrays]  # (window number, last readout) -> input


@dataclasses.dataclass(frozen=True)
class Port:
    """A named array that crosses between surrogate and circuit.

    Attributes:
        name: its name.
        unit: its unit ("nA", "1", ...); the wire that joins two ports says how one becomes the other.
        size: length of the array that crosses in one window.
    """

    name: str
    unit: str
    size: int


@dataclasses.dataclass(frozen=True)
class Handles:
    """Which parameter of a circuit an intervention takes hold of.

    Attributes:
        channels: channel name ("na") -> name of its maximal conductance among the parameters.
        temperature: name of the temperature parameter, degC.
        current: name of the parameter that adds a constant current.
        current_scale: value of that parameter for 1 nA.
    """

    channels: Mapping[str, str]
    temperature: str | None = None
    current: str | None = None
    current_scale: float = 1.0


@runtime_checkable
class Circuit(Protocol):
    """The mechanism: neurons whose every parameter has a name and a unit."""

    @property
    def window_s(self) -> float:
        """Length of a coupling window, s."""

    @property
    def dt_s(self) -> float:
        """Time step, s; a window is a whole number of them."""

    @property
    def drive_ports(self) -> tuple[Port, ...]:
        """What drives it."""

    @property
    def readout_ports(self) -> tuple[Port, ...]:
        """What it gives, the spike count of each neuron first."""

    @property
    def handles(self) -> Handles:
        """What interventions take hold of."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Its parameters by name."""

    def init(self, key: Any, params: Arrays) -> State:
        """The state before the first window."""

    def advance(self, state: State, drive: Arrays, params: Arrays, key: Any) -> tuple[State, Arrays]:
        """One window: the new state, and the readout, in which "spikes" is (step, neuron) truth values."""

    def referee(self, n_windows: int, exchange: Exchange, params: Arrays, key_of: Callable[[int], Any]) -> Arrays:
        """The same windows run by Brian2 itself, with `key_of(window)`; the readouts of all windows, stacked."""


@runtime_checkable
class Surrogate(Protocol):
    """The predictor: from stimulus and past spikes to what drives the circuit."""

    @property
    def window_s(self) -> float:
        """Length of a coupling window, s."""

    @property
    def stimulus_ports(self) -> tuple[Port, ...]:
        """The stimulus streams that it takes."""

    @property
    def drive_ports(self) -> tuple[Port, ...]:
        """What it drives a circuit with."""

    @property
    def readout_ports(self) -> tuple[Port, ...]:
        """What it wants to see of the circuit."""

    def init(self, key: Any) -> State:
        """The state before the first window."""

    def advance(self, state: State, readout: Arrays, stimulus: Arrays, key: Any) -> tuple[State, Arrays]:
        """One window: the new state, and the drive for the window that `stimulus` belongs to."""
