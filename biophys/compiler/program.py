"""The compiled network: a pure step and a pure run over pytrees of state, parameters and inputs."""

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from biophys.compiler.arguments import (
    fitted,
    fitted_tape,
    require_each_once,
    require_key,
    require_precision,
    require_resolved_time,
    require_within,
    whole_steps,
)
from biophys.compiler.compilation import compiled
from biophys.compiler.scope import DRAWS, STEP, Scope, Variable, World
from twin.errors import InputError

Arrays: TypeAlias = dict[str, Array]
KEY = "key"  # of the state: the random key that every step's own key comes from


@dataclasses.dataclass(frozen=True)
class Operation:
    """One thing that happens in a step: a pure function from the world to what it changes.

    Attributes:
        name: of the Brian2 object that it stands for.
        apply: the function.
        writes: keys of the variables that it may change.
        raises: the event that it detects, if it detects one.
        every: steps of the program from one time to the next.
        is_random: whether it draws random numbers.
    """

    name: str
    apply: Callable[[World], dict[str, Any]]
    writes: tuple[str, ...]
    raises: str | None = None
    every: int = 1
    is_random: bool = False

    def apply_when_due(self, world: World) -> dict[str, Any]:
        """What it changes in this step; an event lasts only for the step in which it is detected."""
        if self.every == 1:
            return self.apply(world)
        rest = {key: jnp.zeros_like(world[key]) if key == self.raises else world[key] for key in self.writes}
        due = world[STEP] % jnp.int32(self.every) == 0
        return jax.lax.cond(due, lambda: {key: self.apply(world)[key] for key in self.writes}, lambda: rest)


@dataclasses.dataclass(frozen=True)
class Derivation:
    """Arrays of the structure that follow from parameters: the order in which spikes arrive follows from the delays.

    Attributes:
        inputs: keys of the parameters.
        outputs: keys of the arrays; the program has them for the default parameters.
        derive: the function, from the world to the arrays.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    derive: Callable[[World], dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Probe:
    """Looks at the world within a step.

    Attributes:
        position: how many operations come before it.
        read: what it sees.
    """

    position: int
    read: Callable[[World], Arrays]


@dataclasses.dataclass(frozen=True, eq=False)
class Program:
    """A Brian2 network as a pure JAX program. All numbers are SI floats; names are "group.variable".

    It can be jitted, vmapped over parameters, inputs, keys and state, and differentiated through the states (an event
    has no derivative, unless the network was compiled with one). `step` and `run` are jitted, and new values never
    compile again; new shapes do.

    Attributes:
        dt_s: the step, seconds; the largest of which every clock's is a multiple.
        dtype: of every number, float32 or float64.
        states: every state variable; its `value` is Brian2's at compile time.
        parameters: what may be given as `params`: the groups' parameters that nothing writes, weights and delays of
            synapses, the external constants in the equations, and the values of each `TimedArray`.
        inputs: the variables that the caller supplies at every step.
        structure: what is connected to what; fixed.
        scopes: what the names in each group's equations mean.
        operations: what happens in a step, in Brian2's order.
        derivations: what follows from parameters.
        limits: the largest values of some parameters, for which there is room.
        n_before_start: how many operations come before the slot "start", in which values are recorded.
        is_random: whether anything draws random numbers.
    """

    dt_s: float
    dtype: np.dtype
    states: Mapping[str, Variable]
    parameters: Mapping[str, Variable]
    inputs: Mapping[str, Variable]
    structure: Mapping[str, Variable]
    scopes: Mapping[str, Scope]
    operations: tuple[Operation, ...]
    derivations: tuple[Derivation, ...]
    limits: Mapping[str, float]
    n_before_start: int
    is_random: bool

    @property
    def state_names(self) -> tuple[str, ...]:
        """Keys of the state."""
        return tuple(self.states)

    @property
    def event_names(self) -> tuple[str, ...]:
        """Keys of the events: "cell.spike"."""
        return tuple(operation.raises for operation in self.operations if operation.raises is not None)

    @property
    def units(self) -> dict[str, str]:
        """SI unit of every state, parameter and input; "1" for a pure number."""
        return {key: variable.unit for key, variable in self._variables.items()}

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every state, parameter and input: (n,), or () for a shared or external one."""
        return {key: variable.value.shape for key, variable in self._variables.items()}

    @property
    def defaults(self) -> dict[str, np.ndarray]:
        """Brian2's values of the parameters at compile time, SI."""
        return {key: variable.value.copy() for key, variable in self.parameters.items()}

    @property
    def _variables(self) -> dict[str, Variable]:
        return {**self.states, **self.parameters, **self.inputs}

    @functools.cached_property
    def _fixed(self) -> Arrays:
        with jax.ensure_compile_time_eval():
            return {key: jnp.asarray(variable.value) for key, variable in self.structure.items()}

    def init(self, key: Any = None, params: Mapping[str, Any] | None = None) -> Arrays:
        """The state at compile time.

        Args:
            key: from `jax.random.key`, for a network that draws random numbers; each step derives its own from it and
                from the number of the step, so that equal keys mean equal noise, however the run is divided.
            params: values of states ("cell.v") replace Brian2's, so that initial values can be fitted like parameters;
                values of parameters are accepted and have no effect on the state.

        Raises:
            InputError: an unknown name or a wrong shape, a network that draws random numbers without a key, or a
                float64 program while JAX's 64-bit mode is off.
        """
        require_precision(self.dtype)
        given = fitted(params or {}, {**self.states, **self.parameters}, "params")
        state = {name: given.get(name, variable.fit(variable.value)) for name, variable in self.states.items()}
        if self.is_random:
            state[KEY] = require_key(key)
        return state

    def step(
        self,
        state: Mapping[str, Any],
        params: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        key: Any = None,
    ) -> tuple[Arrays, Arrays]:
        """One step of the network.

        Args:
            state: of `init` or of the step before.
            params: any of `defaults`; those not given keep their default. Initial values among them are for `init`.
            inputs: every input, (n,) or a scalar.
            key: to go on with, in place of the state's.

        Returns:
            The state after the step, and the events in it: "cell.spike" -> Bool[n].

        Raises:
            InputError: a name is unknown or missing, or a shape is wrong.
        """
        require_each_once(self.inputs, inputs or {}, {})
        return _step(self, self._fitted_state(state, key), self.constants(params, inputs))

    def run(
        self,
        duration: Any,
        params: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        key: Any = None,
        *,
        state: Mapping[str, Any] | None = None,
        tapes: Mapping[str, Any] | None = None,
        record: Sequence[str] = (),
        checkpoint: bool = False,
    ) -> tuple[Arrays, Arrays]:
        """A stretch of time, as one `lax.scan`.

        Args:
            duration: seconds, or a Brian2 quantity of time; a whole number of steps.
            params: any of `defaults`; those not given keep their default. Initial values among them ("cell.v") replace
                Brian2's if no state is given.
            inputs: inputs that stay constant, (n,) or scalars.
            key: from `jax.random.key`, for a network that draws random numbers; see `init`.
            state: to go on from: of `init` or of a run before; by default `init(key, params)`. Its counter "step" is
                Brian2's clock.
            tapes: inputs with one value for each step: (n_steps, n), or (n_steps,) for the same value in all neurons.
                Every input is in exactly one of `inputs` and `tapes`.
            record: variables and subexpressions ("cell.v", "cell.I_Na") and events ("cell.spike") to return.
            checkpoint: keep one state in every sqrt(n_steps) for the backward pass of a gradient and compute the
                others again: memory about the square root, time about one more forward run.

        Returns:
            The state after the last step; and what was recorded, [n_steps, n], by Brian2's convention for a
            `StateMonitor`: row k is the value at the start of step k, so that row 0 is the initial state, and an
            event in row k is the crossing that row k + 1 shows.

        Raises:
            InputError: a name is unknown, missing or given twice, a shape is wrong, the duration is no whole number of
                steps, or there are more steps than a float32 program can look up in a `TimedArray`.
        """
        n_steps = whole_steps(duration, self.dt_s)
        for name in record:
            self._require_recordable(name)
        tables = [name for name, variable in self.parameters.items() if variable.role == "table"]
        require_resolved_time(self.dtype, n_steps, tables)
        require_each_once(self.inputs, inputs or {}, tapes or {})
        steps = {name: fitted_tape(name, tape, self.inputs[name], n_steps) for name, tape in (tapes or {}).items()}
        start = self.init(key, params) if state is None else self._fitted_state(state, key)
        return _run(self, n_steps, tuple(record), checkpoint, start, self.constants(params, inputs), steps)

    def constants(self, params: Mapping[str, Any] | None = None, inputs: Mapping[str, Any] | None = None) -> Arrays:
        """All that stays the same from step to step: parameters, structure, and inputs that are constant."""
        require_precision(self.dtype)
        given = fitted(params or {}, {**self.states, **self.parameters}, "params")
        known = {name: given.get(name, variable.fit(variable.value)) for name, variable in self.parameters.items()}
        require_within(given, self.limits)
        known |= self._fixed | fitted(inputs or {}, self.inputs, "inputs")
        for derivation in self.derivations:
            if not given.keys().isdisjoint(derivation.inputs):
                known |= derivation.derive(known)
        return known

    def _fitted_state(self, state: Mapping[str, Any], key: Any) -> Arrays:
        missing = self.states.keys() - state.keys()
        if missing:
            raise InputError(f"The state lacks '{min(missing)}'; pass the state that `init` or a run before returned.")
        arrays = {name: value for name, value in state.items() if name != KEY}
        kept = fitted(arrays, self.states, "state")
        if self.is_random:
            kept[KEY] = require_key(state.get(KEY) if key is None else key)
        return kept

    def _require_recordable(self, name: str) -> None:
        if name in self.event_names:
            return
        group, _, variable = name.partition(".")
        scope = self.scopes.get(group)
        recordable = {*scope.fields, *scope.subexpressions} if scope else set()
        if variable not in recordable:
            events = [event for event in self.event_names if event.startswith(f"{group}.")]
            among = ", ".join(sorted(recordable) + events) if scope else ", ".join(sorted(self.scopes))
            raise InputError(f"Cannot record '{name}': wanted \"group.variable\", one of {among}.")

    def probes(self, record: Sequence[str]) -> tuple[Probe, ...]:
        """What looks at the recorded variables at the start of a step, and at events at its end."""
        events = [name for name in record if name in self.event_names]
        values = [name for name in record if name not in events]
        at_start = Probe(self.n_before_start, lambda world: {name: self._observed(world, name) for name in values})
        at_end = Probe(len(self.operations), lambda world: {name: world[name] for name in events})
        return at_start, at_end

    def advance(self, world: World, probes: Sequence[Probe] = ()) -> tuple[Arrays, Arrays]:
        """One step on a world that has everything: the next state, and what the probes saw."""
        now = dict(world)
        if self.is_random:
            now[DRAWS] = jax.random.fold_in(now[KEY], now[STEP])
        seen: Arrays = {}
        for position in range(len(self.operations) + 1):
            for probe in probes:
                if probe.position == position:
                    seen |= probe.read(now)
            if position < len(self.operations):
                changes = self.operations[position].apply_when_due(now)
                now |= {name: value for name, value in changes.items() if name not in self.inputs}
        state = {name: now[name] for name in self.states}
        state[STEP] = now[STEP] + jnp.int32(1)
        if self.is_random:
            state[KEY] = now[KEY]
        return state, seen

    def _observed(self, world: World, name: str) -> Array:
        group, _, variable = name.partition(".")
        scope = self.scopes[group]
        return jnp.broadcast_to(jnp.asarray(scope.at(world)[variable]), (scope.n,))


@compiled("program")
def _step(program: Program, state: Arrays, constant: Arrays) -> tuple[Arrays, Arrays]:
    after, events = program.advance(
        {**constant, **state, **_inputs(program, constant)}, program.probes(program.event_names)
    )
    return after, events


def _inputs(program: Program, constant: Arrays) -> Arrays:
    """Constant inputs, which come before a state of the same name."""
    return {name: constant[name] for name in program.inputs if name in constant}


@compiled("program", "n_steps", "record", "checkpoint")
def _run(
    program: Program,
    n_steps: int,
    record: tuple[str, ...],
    checkpoint: bool,
    state: Arrays,
    constant: Arrays,
    tapes: Arrays,
) -> tuple[Arrays, Arrays]:
    probes = program.probes(record)
    held = _inputs(program, constant)

    def body(state: Arrays, tape: Arrays) -> tuple[Arrays, Arrays]:
        given = {name: program.inputs[name].fit(value) for name, value in tape.items()}
        return program.advance({**constant, **state, **held, **given}, probes)

    # a backward pass computes a step again from its state: that is faster than to store and fetch all that is within
    step = jax.checkpoint(body, prevent_cse=False)
    return _checkpointed_scan(step, state, tapes, n_steps) if checkpoint else jax.lax.scan(step, state, tapes, n_steps)


def _checkpointed_scan(
    body: Callable[[Arrays, Arrays], tuple[Arrays, Arrays]], state: Arrays, tapes: Arrays, n_steps: int
) -> tuple[Arrays, Arrays]:
    """A scan of scans: the backward pass keeps the state at the start of each inner scan, and repeats it."""
    inner = _segment(n_steps)
    outer = n_steps // inner
    whole = outer * inner
    folded = {name: tape[:whole].reshape(outer, inner, *tape.shape[1:]) for name, tape in tapes.items()}

    @jax.checkpoint
    def segment(state: Arrays, tape: Arrays) -> tuple[Arrays, Arrays]:
        return jax.lax.scan(body, state, tape, inner)

    state, seen = jax.lax.scan(segment, state, folded, outer)
    unfolded = {name: value.reshape(whole, *value.shape[2:]) for name, value in seen.items()}
    if whole == n_steps:
        return state, unfolded
    rest = {name: tape[whole:] for name, tape in tapes.items()}
    state, last = jax.lax.scan(body, state, rest, n_steps - whole)
    return state, {name: jnp.concatenate([value, last[name]]) for name, value in unfolded.items()}


def _segment(n_steps: int) -> int:
    """About the root of n_steps; a divisor where one is near, because a remainder is compiled a second time."""
    root = max(math.isqrt(n_steps), 1)
    near = [length for length in range(root // 3 + 1, 3 * root + 1) if n_steps % length == 0]
    return min(near, key=lambda length: abs(length - root), default=root)
