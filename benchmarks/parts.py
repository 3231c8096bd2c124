"""What is timed: each network with its sizes, and a cell with dendrites."""

import dataclasses
import functools
from collections.abc import Callable

import brian2
from brian2 import Network, cm, mV, nA, ohm, second, um

from benchmarks.networks import DENSITIES, GATES, POTENTIALS, cobahh, cuba, delays, deliveries, hodgkin_huxley, stdp


@dataclasses.dataclass(frozen=True)
class Part:
    """A network and how it is timed.

    Attributes:
        name: in the table of parts.
        build: makes it, from the number of neurons and of targets of each; `frozen` leaves out all noise of the run.
        neurons: how many.
        targets: of each neuron.
        seconds: of simulated time.
        step_s: of the integration.
        states: that are compared after the frozen run, beside the spikes.
        event: that is counted.
        tolerance: of the number of spikes, as a fraction; a twentieth for a network in chaos.
    """

    name: str
    build: Callable[[int, int, bool], Network]
    neurons: int
    targets: int
    seconds: float
    step_s: float
    states: tuple[str, ...]
    event: str = "cells.spike"
    tolerance: float = 0.05

    def network(self, frozen: bool = False) -> Network:
        """A new one, with its step as Brian2's default."""
        brian2.defaultclock.dt = self.step_s * second
        return self.build(self.neurons, self.targets, frozen)

    @property
    def n_steps(self) -> int:
        """Of the whole run."""
        return round(self.seconds / self.step_s)

    @property
    def chunk_s(self) -> float:
        """The run is divided into stretches of at most 100 ms, the first of which is compared spike by spike."""
        return min(self.seconds, 0.1)

    def resized(self, neurons: int | None, targets: int | None, seconds: float | None) -> "Part":
        """The same with other sizes where they are given."""
        part = dataclasses.replace(
            self,
            neurons=self.neurons if neurons is None else neurons,
            targets=self.targets if targets is None else targets,
            seconds=self.seconds if seconds is None else seconds,
        )
        if abs(part.seconds / part.chunk_s - round(part.seconds / part.chunk_s)) > 1e-6:
            raise SystemExit(f"--seconds {part.seconds:g}: give at most 0.1, or a whole number of tenths of a second")
        return part


def cable(neurons: int, targets: int, frozen: bool) -> Network:
    """One cell of `neurons` compartments, in sections of four that fork in two, active throughout."""
    del targets, frozen
    sections = [brian2.Cylinder(n=4, diameter=2 * um, length=100 * um) for _ in range(neurons // 4)]
    for k, section in enumerate(sections[1:], start=1):
        setattr(sections[(k - 1) // 2], "left" if k % 2 else "right", section)
    equations = """
    Im = gl*(El-v) - g_na*(m*m*m)*h*(v-ENa) - g_kd*(n*n*n*n)*(v-EK) : amp/meter**2
    I : amp (point current)
    """
    constants = {name: value for name, value in DENSITIES.items() if name != "Cm"} | POTENTIALS | {"El": -65 * mV}
    cells = brian2.SpatialNeuron(
        sections[0],
        equations + GATES,
        threshold="v > -20*mV",
        refractory="v > -20*mV",
        method="exponential_euler",
        Cm=DENSITIES["Cm"],
        Ri=100 * ohm * cm,
        namespace=constants,
        name="cells",
    )
    cells.v = -65 * mV
    cells.I[0] = 1 * nA
    return Network(cells, brian2.SpikeMonitor(cells, name="spikes"))


_SYNAPTIC = ("cells.v", "cells.ge", "cells.gi")
_ALL = (
    Part("cobahh", cobahh, 4000, 80, 1.0, 5e-5, _SYNAPTIC),
    Part("hh", hodgkin_huxley, 1000, 0, 0.1, 5e-5, ("cells.v",), tolerance=0.005),
    Part("cuba", cuba, 4000, 80, 1.0, 1e-4, _SYNAPTIC),
    Part("stdp", stdp, 1, 1000, 1.0, 1e-4, ("cells.v", "synapses.w"), "inputs.spike"),
    Part("delays", delays, 5000, 1000, 0.1, 1e-4, ("cells.V",)),
    Part("deliveries", functools.partial(deliveries, rate_hz=10.0), 4000, 100, 0.5, 1e-4, ("cells.g",)),
    Part("quiet", functools.partial(deliveries, rate_hz=1.0), 4000, 100, 0.5, 1e-4, ("cells.g",)),
    Part("cable", cable, 868, 0, 0.02, 2.5e-5, ("cells.v",), tolerance=0.005),
)
PARTS = {part.name: part for part in _ALL}
