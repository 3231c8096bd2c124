"""Brian2's monitors: what each looks at within a step, and how what it saw becomes its recorded values."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from brian2 import EventMonitor, PopulationRateMonitor, StateMonitor
from jax import Array

from biophys.compiler.events import declare_event
from biophys.compiler.names import Reader
from biophys.compiler.scope import Environment, World

Seen = dict[str, np.ndarray]  # what was read, by name; one row for each step at which the monitor looks


@dataclasses.dataclass(frozen=True)
class Observer:
    """A monitor in a compiled network.

    Attributes:
        monitor: Brian2's own.
        position: how many operations of the program come before it.
        every: steps of the program from one time that it looks to the next.
        read: what it looks at, by name.
        write: appends what was seen at some times (in steps of its clock) to the monitor.
    """

    monitor: Any
    position: int
    every: int
    read: Callable[[World], dict[str, Array]]
    write: Callable[[Seen, np.ndarray], None]


def observer(monitor: Any, position: int, reader: Reader) -> Observer:
    """A monitor as an observer.

    Args:
        monitor: a StateMonitor, an EventMonitor or SpikeMonitor, or a PopulationRateMonitor.
        position: how many operations of the program come before it.
        reader: of the monitor's names.
    """
    kind = next(kind for kind in _KINDS if isinstance(monitor, kind))
    read, write = _KINDS[kind](monitor, reader)
    return Observer(monitor, position, reader.scope.every, read, write)


def _append(variable: Any, values: np.ndarray) -> None:
    """Fills the end of a monitor's array, which was made longer before."""
    if len(values):
        variable.get_value()[-len(values) :] = values


def _states(monitor: StateMonitor, reader: Reader) -> tuple[Any, Any]:
    scope, n = reader.scope, monitor.n_indices
    scope.n = len(monitor.source)
    which = None if monitor.record_all else reader.layout.place(monitor.variables["_indices"])
    sources = {name: reader.expression(f"_source_{name}") for name in monitor.record_variables}

    def read(world: World) -> dict[str, Array]:
        env = Environment(scope, world, elements=None if which is None else world[which])
        return {name: jnp.broadcast_to(jnp.asarray(source(env)), (n,)) for name, source in sources.items()}

    def write(seen: Seen, ticks: np.ndarray) -> None:
        monitor.resize(int(np.asarray(monitor.variables["N"].get_value()).item()) + len(ticks))
        _append(monitor.variables["t"], ticks * scope.dt_s)
        for name, variable in monitor.recorded_variables.items():
            _append(variable, seen[name])

    return read, write


def _source(monitor: Any) -> tuple[int, int, int]:
    """First and last element of the part of a group that is observed, and the size of the group."""
    source = monitor.source
    whole = getattr(source, "source", source)
    return int(getattr(source, "start", 0)), int(getattr(source, "stop", len(source))), len(whole)


def _events(monitor: EventMonitor, reader: Reader) -> tuple[Any, Any]:
    start, stop, reader.scope.n = _source(monitor)
    scope, key = reader.scope, declare_event(reader.layout, monitor.source, monitor.event)
    others = sorted(monitor.record_variables - {"i", "t"})
    sources = {name: reader.expression(f"_source_{name}") for name in others}

    def read(world: World) -> dict[str, Array]:
        env = scope.at(world)
        values = {name: jnp.broadcast_to(jnp.asarray(source(env)), (scope.n,)) for name, source in sources.items()}
        return {"events": world[key][start:stop], **{name: value[start:stop] for name, value in values.items()}}

    def write(seen: Seen, ticks: np.ndarray) -> None:
        when, who = np.nonzero(seen["events"])
        size = monitor.variables["N"]
        total = int(np.asarray(size.get_value()).item()) + len(when)
        monitor.resize(total)
        size.set_value(total)
        found = {"i": who, "t": ticks[when] * scope.dt_s, **{name: seen[name][when, who] for name in others}}
        for name in monitor.record_variables:
            _append(monitor.variables[name], found[name])
        monitor.variables["count"].get_value()[:] += seen["events"].sum(axis=0, dtype=np.int32)

    return read, write


def _rates(monitor: PopulationRateMonitor, reader: Reader) -> tuple[Any, Any]:
    start, stop, _ = _source(monitor)
    scope, key = reader.scope, declare_event(reader.layout, monitor.source, "spike")

    def read(world: World) -> dict[str, Array]:
        return {"spikes": jnp.sum(world[key][start:stop], dtype=jnp.int32)}

    def write(seen: Seen, ticks: np.ndarray) -> None:
        size = monitor.variables["N"]
        total = int(np.asarray(size.get_value()).item()) + len(ticks)
        monitor.resize(total)
        size.set_value(total)
        _append(monitor.variables["t"], ticks * scope.dt_s)
        _append(monitor.variables["rate"], seen["spikes"] / scope.dt_s / (stop - start))

    return read, write


_KINDS: dict[type, Callable[[Any, Reader], tuple[Any, Any]]] = {
    StateMonitor: _states,
    EventMonitor: _events,
    PopulationRateMonitor: _rates,
}
