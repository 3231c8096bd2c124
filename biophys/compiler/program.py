"""The compiled network: a pure step and a pure run over pytrees of state, parameters and inputs."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from biophys.compiler.arguments import fitted, fitted_tape, require_each_once, require_precision, require_resolved_time
from biophys.compiler.scope import Scope, Variable, World
from twin.errors import InputError

Arrays: TypeAlias = dict[str, Array]

STEP = Variable("step", "1", np.asarray(0, np.int32), "state")


@dataclasses.dataclass(frozen=True)
class Operation:
    """One thing that happens in a step: a pure function from the world to what it changes.

    Attributes:
        name: of the Brian2 object that it stands for.
        apply: the function.
        writes: keys of the variables that it may change.
        raises: the event that it detects, if it detects one.
    """

    name: str
    apply: Callable[[World], dict[str, Any]]
    writes: tuple[str, ...]
    raises: str | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Program:
    """A Brian2 network as a pure JAX program. All numbers are SI floats; names are "group.variable".

    It can be jitted, vmapped over parameters, inputs and state, and differentiated through the states (an event has no
    derivative). `step` and `run` are jitted, and new values never compile again; new shapes do.

    Attributes:
        dt_s: the step, seconds.
        dtype: of every number, float32 or float64.
        states: every state variable; its `value` is Brian2's at compile time.
        parameters: what may be given as `params`: the groups' parameters that nothing writes, the external constants in
            their equations, and the values of each `TimedArray`.
        inputs: the parameters that the caller supplies at every step.
        scopes: what the names in each group's equations mean.
        operations: what happens in a step, in Brian2's order.
        n_before_start: how many of them come before the slot "start", in which values are recorded.
    """

    dt_s: float
    dtype: np.dtype
    states: Mapping[str, Variable]
    parameters: Mapping[str, Variable]
    inputs: Mapping[str, Variable]
    scopes: Mapping[str, Scope]
    operations: tuple[Operation, ...]
    n_before_start: int

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

    def init(self, params: Mapping[str, Any] | None = None) -> dict[str, Array]:
        """The state at compile time.

        Args:
            params: values of states ("cell.v") replace Brian2's, so that initial values can be fitted like parameters;
                values of parameters are accepted and have no effect on the state.

        Raises:
            InputError: an unknown name or a wrong shape, or a float64 program while JAX's 64-bit mode is off.
        """
        require_precision(self.dtype)
        given = fitted(params or {}, {**self.states, **self.parameters}, "params")
        return {key: given.get(key, variable.fit(variable.value)) for key, variable in self.states.items()}

    def step(
        self,
        state: Mapping[str, Any],
        params: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """One step of the network.

        Args:
            state: of `init` or of the step before.
            params: any of `defaults`; those not given keep their default. Initial values among them are for `init`.
            inputs: every input, (n,) or a scalar.

        Returns:
            The state after the step, and the events in it: "cell.spike" -> Bool[n].

        Raises:
            InputError: a name is unknown or missing, or a shape is wrong.
        """
        require_each_once(self.inputs, inputs or {}, {})
        return _step(self, self._fitted_state(state), self._constants(params, inputs))

    def run(
        self,
        n_steps: int,
        state: Mapping[str, Any],
        params: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        tapes: Mapping[str, Any] | None = None,
        record: Sequence[str] = (),
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """Several steps, as one `lax.scan`.

        Args:
            n_steps: how many.
            state: of `init` or of a run before; its counter "step" is Brian2's clock.
            params: any of `defaults`; those not given keep their default. Initial values among them are for `init`.
            inputs: inputs that stay constant, (n,) or scalars.
            tapes: inputs with one value for each step: (n_steps, n), or (n_steps,) for the same value in all neurons.
                Every input is in exactly one of `inputs` and `tapes`.
            record: variables and subexpressions ("cell.v", "cell.I_Na") to return.

        Returns:
            The state after the last step; the events of each step, "cell.spike" -> Bool[step, n]; and what was
            recorded, Float[step, n], by Brian2's convention for a `StateMonitor`: row k is the value at the start of
            step k, so that row 0 is the initial state and a spike in row k is the crossing that row k + 1 shows.

        Raises:
            InputError: a name is unknown, missing or given twice, a shape is wrong, or there are more steps than a
                float32 program can look up in a `TimedArray`.
        """
        for key in record:
            self._require_recordable(key)
        tables = [key for key, variable in self.parameters.items() if variable.role == "table"]
        require_resolved_time(self.dtype, n_steps, tables)
        require_each_once(self.inputs, inputs or {}, tapes or {})
        steps = {key: fitted_tape(key, tape, self.inputs[key], n_steps) for key, tape in (tapes or {}).items()}
        return _run(self, n_steps, tuple(record), self._fitted_state(state), self._constants(params, inputs), steps)

    def _constants(self, params: Mapping[str, Any] | None, inputs: Mapping[str, Any] | None) -> dict[str, Array]:
        """All that stays the same from step to step."""
        require_precision(self.dtype)
        given = fitted(params or {}, {**self.states, **self.parameters}, "params")
        known = {key: given.get(key, variable.fit(variable.value)) for key, variable in self.parameters.items()}
        return known | fitted(inputs or {}, self.inputs, "inputs")

    def _fitted_state(self, state: Mapping[str, Any]) -> dict[str, Array]:
        missing = self.states.keys() - state.keys()
        if missing:
            raise InputError(f"The state lacks '{min(missing)}'; pass the state that `init` or a run before returned.")
        return fitted(state, self.states, "state")

    def _require_recordable(self, key: str) -> None:
        group, _, name = key.partition(".")
        scope = self.scopes.get(group)
        recordable = {*scope.variables, *scope.subexpressions} - set(scope.periods_s) if scope else set()
        if name not in recordable:
            among = ", ".join(sorted(recordable)) if scope else ", ".join(sorted(self.scopes))
            raise InputError(f"Cannot record '{key}': wanted \"group.variable\", one of {among}.")

    def advance(
        self, world: World, record: Sequence[str]
    ) -> tuple[dict[str, Array], dict[str, Array], dict[str, Array]]:
        """One step on a world that has everything: the next state, the events, the values at the start of the step."""
        now = dict(world)
        for operation in self.operations[: self.n_before_start]:
            now |= operation.apply(now)
        recorded = {key: self._observed(now, key) for key in record}
        for operation in self.operations[self.n_before_start :]:
            now |= operation.apply(now)
        state = {key: now[key] for key in self.states}
        state["step"] = now["step"] + jnp.int32(1)
        return state, {key: now[key] for key in self.event_names}, recorded

    def _observed(self, world: World, key: str) -> Array:
        group, _, name = key.partition(".")
        scope = self.scopes[group]
        return jnp.broadcast_to(jnp.asarray(scope.at(world)[name]), (scope.n,))


@functools.partial(jax.jit, static_argnames="program")
def _step(
    program: Program, state: dict[str, Array], constant: dict[str, Array]
) -> tuple[dict[str, Array], dict[str, Array]]:
    after, events, _ = program.advance({**constant, **state}, ())
    return after, events


@functools.partial(jax.jit, static_argnames=("program", "n_steps", "record"))
def _run(
    program: Program,
    n_steps: int,
    record: tuple[str, ...],
    state: dict[str, Array],
    constant: dict[str, Array],
    tapes: dict[str, Array],
) -> tuple[dict[str, Array], dict[str, Array]]:
    def body(state: dict[str, Array], tape: dict[str, Array]) -> tuple[dict[str, Array], dict[str, Array]]:
        after, events, recorded = program.advance({**constant, **tape, **state}, record)
        return after, {**events, **recorded}

    return jax.lax.scan(body, state, tapes, length=n_steps)
