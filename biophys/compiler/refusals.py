"""What cannot be compiled: the reason, and the way out."""

import operator
from collections.abc import Sequence
from typing import Any

from brian2 import (
    Clock,
    EventMonitor,
    Network,
    NetworkOperation,
    NeuronGroup,
    PoissonGroup,
    PoissonInput,
    PopulationRateMonitor,
    SpatialNeuron,
    SpikeGeneratorGroup,
    StateMonitor,
    Subgroup,
    Synapses,
)
from brian2.devices.device import RuntimeDevice, get_device
from brian2.groups import neurongroup
from brian2.groups.group import CodeRunner
from brian2.spatialneuron.spatialneuron import SpatialStateUpdater, SpatialSubgroup
from brian2.synapses import synapses

from twin.errors import InputError, UnsupportedError

GROUPS = (NeuronGroup, SpatialNeuron, PoissonGroup, SpikeGeneratorGroup, Synapses)
RUNNERS = (
    *(neurongroup.StateUpdater, neurongroup.SubexpressionUpdater, neurongroup.Thresholder, neurongroup.Resetter),
    *(synapses.StateUpdater, synapses.SummedVariableUpdater, synapses.SynapticPathway),
    *(SpatialStateUpdater, SpikeGeneratorGroup, PoissonInput, CodeRunner),
)
OBSERVERS = (EventMonitor, StateMonitor, PopulationRateMonitor)
PARTS = (Subgroup, SpatialSubgroup)  # views of a group, with nothing of their own to do


def require_compilable(network: Any) -> list[Any]:
    """The objects of a network that a program consists of, in Brian2's order of execution.

    Monitors observe and change nothing: they are left out. So is what is not `active`, but for the groups, whose
    variables others may use.

    Raises:
        InputError: no network, no group in it, two objects of one name, or a device that does not run in Python.
        UnsupportedError: an object that is not compiled; the message has the reason and the way out.
    """
    if not isinstance(network, Network):
        raise InputError(
            f"Wanted a brian2.Network to compile, got a {type(network).__name__}; use Network(group, ...)."
        )
    if not isinstance(get_device(), RuntimeDevice):
        raise InputError("The values of the network are not in memory; call set_device('runtime') before building it.")
    # what the user put in first, so that a message names it rather than a part of it
    placed: list[Any] = sorted(network.objects, key=operator.attrgetter("name"))
    ordered: list[Any] = network.sorted_objects
    for thing in (*placed, *ordered):
        _refuse(thing)
    things = [thing for thing in ordered if isinstance(thing, (*GROUPS, *RUNNERS)) and not isinstance(thing, OBSERVERS)]
    if not any(isinstance(thing, GROUPS) for thing in things):
        raise InputError(f"Network '{network.name}' has no group of neurons to compile.")
    _require_distinct_names(things)
    return [thing for thing in things if thing.active or isinstance(thing, GROUPS)]


def _refuse(thing: Any) -> None:
    if isinstance(thing, NetworkOperation):
        raise UnsupportedError(
            f"network_operation '{thing.name}': Python called at every step cannot be compiled; write it as equations"
            " or `run_regularly`, or declare a parameter in the target's equations, list it in `inputs`, and supply its"
            " values at every step."
        )
    known = type(thing) in RUNNERS or isinstance(thing, (*GROUPS, *OBSERVERS, *PARTS))
    if not known:
        raise UnsupportedError(
            f"{type(thing).__name__} '{thing.name}': objects of this kind are not compiled; take it out of the network."
        )
    if type(getattr(thing, "clock", None)) is not Clock:
        raise UnsupportedError(
            f"'{thing.name}' runs at given times ({type(thing.clock).__name__}), which is not compiled; give it a fixed"
            " dt, or divide the run at those times."
        )


def _require_distinct_names(things: Sequence[Any]) -> None:
    names = [thing.name for thing in things]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"The network has several objects named '{twice[0]}'; give each its own name.")
