"""A Brian2 network, object by object in its order of execution, as one program."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from brian2 import Network, NeuronGroup
from brian2.groups.neurongroup import Resetter, StateUpdater, SubexpressionUpdater, Thresholder

from biophys.compiler.arguments import require_precision
from biophys.compiler.events import build_resetter, build_subexpression_updater, build_thresholder
from biophys.compiler.integrators import build_state_updater
from biophys.compiler.names import GroupReader
from biophys.compiler.program import STEP, Operation, Program
from biophys.compiler.refusals import require_compilable
from biophys.compiler.scope import Scope, Variable
from twin.errors import InputError

BUILDERS: dict[type, Callable[[Any, GroupReader], Operation]] = {
    StateUpdater: build_state_updater,
    SubexpressionUpdater: build_subexpression_updater,
    Thresholder: build_thresholder,
    Resetter: build_resetter,
}


def compile_network(
    network: Any,
    namespace: Mapping[str, Any] | None = None,
    *,
    dtype: Any = np.float64,
    inputs: Sequence[str] = (),
) -> Program:
    """Compiles a Brian2 network to a pure JAX program, and leaves the Brian2 objects as they are.

    Values are taken when it is called: parameters and states from the groups, the step counter from the network's time.
    The methods, thresholds, resets and refractoriness are Brian2's, and so is the order of operations within a step. A
    refractory period that is a quantity is fixed; give it as a string (`refractory="t_ref"`) to have it a parameter.
    Monitors in the network are Brian2's own observers, with no effect on the program: what to record is an argument
    of `Program.run`.

    Args:
        network: a `brian2.Network` of NeuronGroups.
        namespace: external names in the equations; never taken from the caller's frame.
        dtype: numpy.float64 (JAX's 64-bit mode must be on) or numpy.float32.
        inputs: names "group.variable" of parameters that the caller will supply at every step.

    Raises:
        InputError: Brian2's own checks object to a group, an input is no parameter, or the dtype cannot be had.
        UnsupportedError: the network has something that is not compiled; the message says what, why, and the way out.
    """
    kept = np.dtype(dtype)
    if kept not in (np.float32, np.float64):
        raise InputError(f"Wanted dtype float32 or float64, got {kept}.")
    require_precision(kept)
    things = require_compilable(network)
    external = dict(namespace or {})
    readers = {thing.name: GroupReader(thing, external, kept) for thing in things if isinstance(thing, NeuronGroup)}
    runners = [thing for thing in things if not isinstance(thing, NeuronGroup)]
    operations = tuple(BUILDERS[type(runner)](runner, readers[runner.group.name]) for runner in runners)
    scopes = {name: reader.scope for name, reader in readers.items()}
    states, parameters, supplied = _sort_variables(scopes.values(), operations, tuple(inputs))
    dt_s = float(things[0].clock.dt_)
    step = dataclasses.replace(STEP, value=np.asarray(round(network.t_ / dt_s), np.int32))
    return Program(
        dt_s=dt_s,
        dtype=kept,
        states={**states, step.key: step},
        parameters=parameters,
        inputs=supplied,
        scopes=scopes,
        operations=operations,
        n_before_start=sum(_is_before_start(runner, network) for runner in runners),
    )


def _sort_variables(
    scopes: Iterable[Scope], operations: Sequence[Operation], inputs: Sequence[str]
) -> tuple[dict[str, Variable], dict[str, Variable], dict[str, Variable]]:
    """States, parameters and inputs. A parameter that an operation writes is a state."""
    variables = {variable.key: variable for scope in scopes for variable in scope.variables.values()}
    written = {key for operation in operations for key in operation.writes}
    states = {key: variable for key, variable in variables.items() if variable.role == "state" or key in written}
    free = [key for key, variable in variables.items() if variable.role == "parameter" and key not in states]
    for key in inputs:
        if key not in free:
            raise InputError(
                f"'{key}' cannot be an input: wanted \"group.parameter\", declared in the equations and written by"
                f" nothing; there are {', '.join(free) or 'none'}."
            )
    supplied = {key: variables[key] for key in inputs}
    taken = states.keys() | supplied.keys()
    return states, {key: variable for key, variable in variables.items() if key not in taken}, supplied


def _is_before_start(runner: Any, network: Network) -> bool:
    """Whether an object runs before the slot "start", in which a `StateMonitor` looks."""
    slot = runner.when.removeprefix("before_").removeprefix("after_")
    early = runner.when.startswith("before_")
    schedule = network.schedule
    return schedule.index(slot) < schedule.index("start") or (slot == "start" and early)
