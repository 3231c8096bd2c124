"""What cannot be compiled: the reason, and the way out."""

import operator
from collections.abc import Sequence
from typing import Any

from brian2 import (
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
    Synapses,
)
from brian2.devices.device import RuntimeDevice, get_device
from brian2.groups.group import CodeRunner
from brian2.groups.neurongroup import Resetter, StateUpdater, SubexpressionUpdater, Thresholder

from twin.errors import InputError, UnsupportedError

COMPILED = (NeuronGroup, StateUpdater, SubexpressionUpdater, Thresholder, Resetter)
OBSERVERS = (EventMonitor, StateMonitor, PopulationRateMonitor)
_AS_INPUT = "declare a parameter in the target's equations, list it in `inputs`, and supply its values at every step"

# kind -> (what it is called, why it is refused, the way out); the first kind that fits counts
_REFUSED: tuple[tuple[Any, str, str, str], ...] = (
    (Synapses, "Synapses", "synapses are not compiled", _AS_INPUT),
    (SpatialNeuron, "SpatialNeuron", "compartments of a morphology are not compiled", "use a NeuronGroup"),
    (PoissonGroup, "PoissonGroup", "random spikes are not compiled", _AS_INPUT),
    (PoissonInput, "PoissonInput", "random input is not compiled", _AS_INPUT),
    (SpikeGeneratorGroup, "SpikeGeneratorGroup", "given spikes are not compiled", _AS_INPUT),
    (NetworkOperation, "network_operation", "Python called at every step cannot be compiled", _AS_INPUT),
)


def require_compilable(network: Any) -> list[Any]:
    """The objects of a network that a program consists of, in Brian2's order of execution.

    Monitors observe and change nothing: they are left out. So is what is not `active`.

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
    things = [thing for thing in ordered if isinstance(thing, COMPILED)]
    if not any(isinstance(thing, NeuronGroup) for thing in things):
        raise InputError(f"Network '{network.name}' has no NeuronGroup to compile.")
    _require_distinct_names(things)
    active = [thing for thing in things if thing.active or isinstance(thing, NeuronGroup)]
    _require_one_step(active)
    _require_events_before_resets(active)
    return active


def _refuse(thing: Any) -> None:
    for kind, called, reason, way_out in _REFUSED:
        if isinstance(thing, kind):
            raise UnsupportedError(f"{called} '{thing.name}': {reason}; {way_out}.")
    if type(thing) is CodeRunner:
        raise UnsupportedError(
            f"run_regularly '{thing.name}' of '{thing.group.name}': regular operations are not compiled; {_AS_INPUT}."
        )
    if type(thing) is NeuronGroup:
        _refuse_links(thing)
    elif not isinstance(thing, (*COMPILED[1:], *OBSERVERS)):
        raise UnsupportedError(
            f"{type(thing).__name__} '{thing.name}': objects of this kind are not compiled; take it out of the network."
        )


def _refuse_links(group: NeuronGroup) -> None:
    linked = [equation.varname for equation in group.equations.values() if "linked" in equation.flags]
    if linked:
        raise UnsupportedError(
            f"NeuronGroup '{group.name}': linked variables ({', '.join(linked)}) are not compiled; put the equations"
            " of both groups into one, or make them a parameter and supply its values through `inputs`."
        )


def _require_distinct_names(things: Sequence[Any]) -> None:
    names = [thing.name for thing in things]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"The network has several objects named '{twice[0]}'; give each its own name.")


def _require_one_step(things: Sequence[Any]) -> None:
    first = things[0]
    for other in things[1:]:
        if other.clock.dt_ != first.clock.dt_:
            raise UnsupportedError(
                f"'{first.name}' runs with dt={first.clock.dt} and '{other.name}' with dt={other.clock.dt}: several"
                " steps in one program are not compiled; give all of them the same dt."
            )


def _require_events_before_resets(things: Sequence[Any]) -> None:
    seen: set[tuple[str, str]] = set()
    for thing in things:
        if isinstance(thing, Thresholder):
            seen.add((thing.group.name, thing.event))
        elif isinstance(thing, Resetter) and (thing.group.name, thing.event) not in seen:
            raise UnsupportedError(
                f"'{thing.name}' acts on the event '{thing.event}' before anything detects it in the step; schedule"
                f" the detection earlier, with set_event_schedule('{thing.event}', ...)."
            )
