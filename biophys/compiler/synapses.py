"""Synapses: what a spike does when it arrives, and sums over the synapses of a neuron.

Only the synapses whose spike arrives in a step are looked at, block by block, so that a step costs what its spikes
cost. For derivatives the same statements are run for all synapses at once, with a mask: a loop of unknown length has no
backward pass. A network with a derivative for spikes is always run that way, since a spike that nearly came counts too.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from biophys.compiler.blocks import Block, read_block
from biophys.compiler.clocks import ticks_until
from biophys.compiler.delivery import (
    Connections,
    Queue,
    connect,
    due_in,
    for_each_due,
    push,
    queue_from_raster,
    raster_of,
)
from biophys.compiler.events import declare_event
from biophys.compiler.layout import STEP_COUNTED, Layout
from biophys.compiler.names import Reader, brian2_objections
from biophys.compiler.program import Derivation, Operation
from biophys.compiler.queues import SpikeHistory
from biophys.compiler.scope import DRAWS, OWN, STEP, Environment, Role, Scope, Variable, World, ticks_at
from twin.errors import UnsupportedError

LAST_UPDATE = STEP_COUNTED["lastupdate"]
Changes = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Pathway:
    """What a pathway's spikes do, and where its arrays are in the world.

    Attributes:
        name: of the Brian2 object; its own arrays are "name.delay", "name.waiting", ...
        scope: of its statements.
        block: the statements.
        event: key of the event that it listens to.
        source: key of the element before each synapse (or after it, for what happens on a postsynaptic spike).
        n_source: number of elements that can have the event.
        dt_s: its step: that of the source's clock.
        every: the same in steps of the program.
        longest: the longest delay that it has room for, steps.
        is_soft: whether the event has a derivative.
    """

    name: str
    scope: Scope
    block: Block
    event: str
    source: str
    n_source: int
    dt_s: float
    every: int
    longest: int
    is_soft: bool

    @property
    def writes(self) -> tuple[str, ...]:
        """Keys of what the statements change."""
        updated = (self.scope.fields[LAST_UPDATE].key,) if LAST_UPDATE in self.scope.fields else ()
        return tuple(dict.fromkeys((*self.block.writes, *updated)))

    @property
    def reads(self) -> frozenset[str]:
        """Keys of all that the statements depend on."""
        names = {name for line in self.block.statements for name in (line.target, *line.expression.names)}
        names |= {LAST_UPDATE} & self.scope.fields.keys()
        guards = [self.scope.guards[name] for name in names if name in self.scope.guards]
        reached = frozenset().union(*(self.scope.reach(name) for name in names))
        through = [self.scope.reach(one.index) for one in guards if one.index not in (None, OWN)]
        return reached.union({one.key for one in guards}, *through, {STEP, DRAWS})

    def tick(self, world: World) -> Array:
        """The steps of its clock."""
        return ticks_at(world, self.every)

    def apply(self, env: Environment) -> Changes:
        """What the statements change; synapses remember when that was."""
        for line in self.block.statements:
            env = line.run(env)
        if LAST_UPDATE in self.scope.fields:
            env = env.store(LAST_UPDATE, ticks_at(env.world, self.scope.every))
        return {key: env.world[key] for key in self.writes}

    def apply_where_due(self, world: World, raster: Array) -> Changes:
        """The statements for all synapses at once, with a mask.

        Args:
            world: of this moment.
            raster: the spikes of the source, [age, element], from this step back to the longest delay ago.
        """
        age = jnp.round(world[f"{self.name}.delay"] / self.dt_s).astype(jnp.int32)
        return self.apply(self.scope.at(world, mask=due_in(raster, world[self.source], age)))


def build_pathway(pathway: Any, reader: Reader) -> Operation:
    """What happens at synapses whose spike arrives in this step.

    Raises:
        InputError: Brian2 objects to the statements.
        UnsupportedError: the result would depend on the order of the synapses, or spikes are under way that Brian2
            keeps to itself.
    """
    group, layout, name = reader.group, reader.layout, pathway.name
    with brian2_objections(group.name):
        pathway.update_abstract_code(run_namespace=reader.namespace)
    delay = layout.place(pathway.variables["delay"], f"{name}.delay")
    block = read_block(reader, _without_bookkeeping(pathway), f"The code of the pathway '{pathway.objname}'")
    if group.event_driven is not None:
        reader.learn("lastupdate", group.variables["lastupdate"])
    if reader.scope.n == 0 or not block.statements:
        return Operation(name, lambda world: {}, writes=())
    event, dt_s = declare_event(layout, pathway.source, pathway.event), float(pathway.clock.dt_)
    steps = np.round(layout.variables[delay].value / dt_s).astype(np.int32)
    built = Pathway(
        name=name,
        scope=reader.scope,
        block=block,
        event=event,
        source=layout.place(pathway.synapse_sources),
        n_source=len(layout.variables[event].value),
        dt_s=dt_s,
        every=round(dt_s / reader.base_dt_s),
        longest=max(int(steps.max()), layout.longest_delay(dt_s)),
        is_soft=layout.gradient_of(event) is not None,
    )
    layout.marks.append((name, built.longest, built.is_soft))
    history = _history(pathway, built)
    if built.is_soft:
        return _masked(built, layout, history, reader.is_random)
    return _listed(built, layout, history, steps, pathway, reader.is_random)


def _without_bookkeeping(pathway: Any) -> str:
    """The statements but for `lastupdate = t`, which is kept in whole steps."""
    lines = pathway.abstract_code.split("\n")
    return "\n".join(line for line in lines if line.replace(" ", "") != "lastupdate=t")


def _history(pathway: Any, built: Pathway) -> np.ndarray:
    """The latest spikes of the source at compile time, Bool[age, element], from the step before backwards."""
    raster = np.zeros((built.longest + 1, built.n_source), bool)
    queue = pathway.queue
    if isinstance(queue, SpikeHistory):
        kept = np.zeros((0, built.n_source), bool) if queue.raster is None else queue.raster[: len(raster)]
        raster[: len(kept)] = kept
    elif queue is not None and _has_spikes(queue):
        raise UnsupportedError(
            f"'{pathway.name}' has spikes under way from a run by Brian2, which cannot be taken over; compile the"
            " network before that run, or run with set_device('jax')."
        )
    return raster


def _has_spikes(queue: Any) -> bool:
    state = queue._full_state()
    return state is not None and bool(np.size(state[1]))


def _masked(built: Pathway, layout: Layout, history: np.ndarray, is_random: bool) -> Operation:
    """All synapses in every step, with a mask that carries the derivative of the spikes."""
    key = layout.add(Variable(f"{built.name}.history", "1", history.astype(layout.dtype), "state"))

    def deliver(world: World) -> Changes:
        raster = jnp.concatenate([world[built.event][None], world[key]])
        return {key: raster[:-1], **built.apply_where_due(world, raster)}

    return Operation(built.name, deliver, writes=(key, *built.writes), is_random=is_random)


def _listed(
    built: Pathway, layout: Layout, history: np.ndarray, steps: np.ndarray, pathway: Any, is_random: bool
) -> Operation:
    """Only the synapses whose spike arrives, block by block."""
    waiting = queue_from_raster(history, ticks_until(layout.now_s, built.dt_s) - 1)
    queue_keys = _add_all(layout, f"{built.name}.waiting", waiting, "state")
    plan_keys = _declare_connections(built, layout, steps)
    if isinstance(pathway.queue, SpikeHistory):
        layout.histories.append(_keeper(pathway.queue, built, queue_keys))

    def due(reads: Changes, queue: Queue, plan: Connections) -> Changes:
        """Has a loop of unknown length: nothing in it is differentiated."""

        def body(changes: Changes, synapses: Array, valid: Array) -> Changes:
            return built.apply(Environment(built.scope, {**reads, **changes}, elements=synapses, mask=valid))

        written = {key: reads[key] for key in built.writes}
        return for_each_due(queue, plan, built.tick(reads), body, written)

    arrive = jax.custom_jvp(due)

    @arrive.defjvp
    def _(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Changes, Changes]:
        if is_random:
            raise UnsupportedError(
                f"'{built.name}' draws random numbers for each spike that arrives, which has no derivative; draw them"
                " in the equations of the neurons, or compile with a `spike_gradient`."
            )
        (reads, queue, plan), (direction, _, _) = primals, tangents
        raster = raster_of(queue, built.tick(reads))
        slope = jax.jvp(lambda world: built.apply_where_due(world, raster), (reads,), (direction,))[1]
        return arrive(reads, queue, plan), slope

    def deliver(world: World) -> Changes:
        queue = push(Queue(*(world[key] for key in queue_keys)), world[built.event], built.tick(world))
        reads = {key: world[key] for key in sorted(needed) if key in world}
        changes = arrive(reads, queue, Connections(*(world[key] for key in plan_keys)))
        return {**dict(zip(queue_keys, queue, strict=True)), **changes}

    needed = built.reads | {*built.writes, built.source, f"{built.name}.delay"}
    return Operation(built.name, deliver, writes=(*queue_keys, *built.writes), is_random=is_random)


def _add_all(layout: Layout, name: str, arrays: Queue | Connections, role: Role) -> tuple[str, ...]:
    """Enters each part of a tuple of arrays, and gives their keys."""
    parts = arrays._asdict().items()
    return tuple(layout.add(Variable(f"{name}_{part}", "1", np.asarray(value), role)) for part, value in parts)


def _declare_connections(built: Pathway, layout: Layout, steps: np.ndarray) -> tuple[str, ...]:
    """The order in which synapses are found, which follows from the delays if these are given as parameters."""
    source, delay = layout.variables[built.source].value, f"{built.name}.delay"
    equal = steps.ndim == 0 or (bool((steps == steps[0]).all()) and not layout.longest_delay(built.dt_s))
    if equal and steps.ndim:  # no room is made for delays that differ: they are part of the structure
        layout.variables[delay] = dataclasses.replace(layout.variables[delay], role="structure")
    plan = connect(source, steps if not equal else int(steps.reshape(-1)[0]), built.n_source, built.longest + 1)
    keys = _add_all(layout, f"{built.name}.plan", plan, "structure")

    def derive(world: World) -> Changes:
        age = jnp.round(world[delay] / built.dt_s).astype(jnp.int32)
        return dict(zip(keys, connect(source, age, built.n_source, built.longest + 1), strict=True))

    if steps.ndim == 0 or not equal:
        layout.derivations.append(Derivation((delay,), keys, derive))
        layout.limits[delay] = (built.longest + 0.5) * built.dt_s
    return keys


def _keeper(history: SpikeHistory, built: Pathway, keys: Sequence[str]) -> Callable[[Mapping[str, Any], float], None]:
    def keep(values: Mapping[str, Any], end_s: float) -> None:
        queue = Queue(*(jnp.asarray(values[key]) for key in keys))
        history.raster = np.asarray(raster_of(queue, round(end_s / built.dt_s) - 1))
        history.dt_s = built.dt_s

    return keep


def build_sum(updater: Any, reader: Reader) -> Operation:
    """A variable of the neurons that is the sum of an expression over their synapses.

    Raises:
        InputError: Brian2 objects to the expression.
    """
    scope, layout, facts = reader.scope, reader.layout, updater.template_kwds
    expression = reader.expression(updater.expression.code)
    target, index = layout.place(updater.target_var), layout.place(facts["_index_var"])
    size = layout.variables[target].value.shape[0]
    start, stop = facts["_target_start"], facts["_target_stop"]
    stop = size if stop < 0 else stop

    def update(world: World) -> dict[str, Any]:
        values = jnp.broadcast_to(jnp.asarray(expression(scope.at(world)), scope.dtype), (scope.n,))
        total = jnp.zeros(size, scope.dtype).at[world[index]].add(values, mode="drop", wrap_negative_indices=False)
        whole = total if (start, stop) == (0, size) else world[target].at[start:stop].set(total[start:stop])
        return {target: whole.astype(world[target].dtype)}

    return Operation(updater.name, update, writes=(target,), is_random=reader.is_random)
