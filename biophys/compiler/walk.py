"""A Brian2 network, object by object in its order of execution, as one program."""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from brian2 import Network, PoissonGroup, PoissonInput, SpikeGeneratorGroup
from brian2.groups import neurongroup
from brian2.groups.group import CodeRunner
from brian2.spatialneuron.spatialneuron import SpatialStateUpdater
from brian2.synapses import synapses

from biophys.compiler.arguments import require_precision, seconds
from biophys.compiler.clocks import common_step, first_step
from biophys.compiler.events import build_block, build_resetter, build_thresholder
from biophys.compiler.integrators import build_state_updater
from biophys.compiler.layout import Layout
from biophys.compiler.monitors import Observer, observer
from biophys.compiler.names import Reader, brian2_objections
from biophys.compiler.program import Operation, Program
from biophys.compiler.refusals import GROUPS, OBSERVERS, require_compilable
from biophys.compiler.scope import STEP, Variable
from biophys.compiler.sources import build_generator
from biophys.compiler.spatial import build_cable
from biophys.compiler.spike_gradients import SpikeGradient
from biophys.compiler.synapses import build_pathway, build_sum
from twin.errors import InputError

BUILDERS: dict[type, Callable[[Any, Reader], Operation]] = {
    neurongroup.StateUpdater: build_state_updater,
    neurongroup.SubexpressionUpdater: build_block,
    neurongroup.Thresholder: build_thresholder,
    neurongroup.Resetter: build_resetter,
    synapses.StateUpdater: build_state_updater,
    synapses.SummedVariableUpdater: build_sum,
    synapses.SynapticPathway: build_pathway,
    SpatialStateUpdater: build_cable,
    SpikeGeneratorGroup: build_generator,
    PoissonInput: build_block,
    CodeRunner: build_block,  # of run_regularly
}


def compile_network(
    network: Any,
    namespace: Mapping[str, Any] | None = None,
    *,
    dtype: Any = np.float64,
    inputs: Sequence[str] = (),
    spike_gradient: SpikeGradient | Mapping[str, SpikeGradient] | None = None,
    longest_delay: Any = 0.0,
) -> Program:
    """Compiles a Brian2 network to a pure JAX program, and leaves the Brian2 objects as they are.

    Values are taken when it is called: parameters and states from the groups, the step counter from the network's time.
    The methods, thresholds, resets, refractoriness, synapses and clocks are Brian2's, and so is the order of operations
    within a step. A refractory period that is a quantity is fixed; give it as a string (`refractory="t_ref"`) to have
    it a parameter. Monitors in the network are Brian2's own observers, with no effect on the program: what to record
    is an argument of `Program.run`.

    Args:
        network: a `brian2.Network`.
        namespace: external names in the equations; never taken from the caller's frame.
        dtype: numpy.float64 (JAX's 64-bit mode must be on) or numpy.float32.
        inputs: names "group.variable" of parameters, states and `TimedArray`s that the caller will supply at every
            step. A state among them is held at the value supplied, like a voltage under clamp.
        spike_gradient: the derivative of events, for gradients through spikes: a function from `spike_gradients`, for
            all events, or one for each event that is to have one, by key ("cell.spike"). Such events are numbers, 0 and
            1, in place of truth values. Without it an event has no derivative.
        longest_delay: seconds, or a quantity of time: the longest delay of a synapse that will be given as a parameter,
            where that is longer than Brian2's, or where Brian2's are all the same and the new ones will not be.

    Raises:
        InputError: Brian2's own checks object to a group, an input is no variable, or the dtype cannot be had.
        UnsupportedError: the network has something that is not compiled; the message says what, why, and the way out.
    """
    kept = np.dtype(dtype)
    if kept not in (np.float32, np.float64):
        raise InputError(f"Wanted dtype float32 or float64, got {kept}.")
    require_precision(kept)
    things = require_compilable(network)
    layout = Layout(kept, inputs, spike_gradient, seconds(longest_delay, "longest_delay"), float(network.t_))
    return Walk(network, things, dict(namespace or {}), layout).program()


class Walk:
    """One walk through a network.

    Args:
        network: the Brian2 network.
        things: those of its objects that a program consists of, in order of execution.
        namespace: of external names.
        layout: the arrays of the program, filled on the way.
        monitors: whether to read the network's monitors too.

    Attributes:
        observers: the monitors, each at its place in the order of execution; once the program is there.
    """

    def __init__(
        self, network: Network, things: Sequence[Any], namespace: dict[str, Any], layout: Layout, monitors: bool = False
    ):
        self._monitors, self.observers = monitors, list[Observer]()
        self.network, self.things, self.namespace, self.layout = network, things, namespace, layout
        self.runners = [thing for thing in things if type(thing) in BUILDERS]
        self.dt_s = common_step([thing.clock.dt_ for thing in self.runners or things])
        self.now = first_step(self.runners or things, layout.now_s, self.dt_s)
        self._readers: list[Reader] = []

    def program(self) -> Program:
        """The program, with the arrays sorted by what they are."""
        scopes = {thing.name: self._declared(thing) for thing in self.things if isinstance(thing, GROUPS)}
        operations = tuple(self._operation(runner) for runner in self.runners)
        self.observers = self._observers() if self._monitors else []
        variables = self.layout.variables
        written = {key for operation in operations for key in operation.writes}
        states = {key: one for key, one in variables.items() if one.role == "state" or key in written}
        supplied = {key: self._supplied(key) for key in self.layout.inputs}
        free = {key: one for key, one in variables.items() if key not in states.keys() | supplied.keys()}
        return Program(
            dt_s=self.dt_s,
            dtype=self.layout.dtype,
            states={**states, STEP: Variable(STEP, "1", np.asarray(self.now, np.int32), "state")},
            parameters={key: one for key, one in free.items() if one.role != "structure"},
            inputs=supplied,
            structure={key: one for key, one in free.items() if one.role == "structure"},
            scopes=scopes,
            operations=operations,
            derivations=tuple(self.layout.derivations),
            limits=self.layout.limits,
            n_before_start=sum(precedes_start(runner, self.network) for runner in self.runners),
            is_random=any(operation.is_random for operation in operations),
        )

    def _operation(self, runner: Any) -> Operation:
        operation = BUILDERS[type(runner)](runner, self._reader(runner))
        return dataclasses.replace(operation, every=round(float(runner.clock.dt_) / self.dt_s))

    def _reader(self, runner: Any) -> Reader:
        """Reads the names of one object, in the words of its group and its own."""
        own = None if isinstance(runner, SpikeGeneratorGroup) else getattr(runner, "variables", None)
        self._readers.append(Reader(runner.group, self.namespace, self.layout, self.dt_s, extra=own, name=runner.name))
        return self._readers[-1]

    def _observers(self) -> list[Observer]:
        found, position = [], 0
        for thing in self.network.sorted_objects:
            position += thing in self.runners
            if isinstance(thing, OBSERVERS) and thing.active:
                self._readers.append(Reader(thing, self.namespace, self.layout, self.dt_s))
                found.append(observer(thing, position, self._readers[-1]))
        return found

    @property
    def fingerprint(self) -> str:
        """The same for two networks that compile to the same program, whatever their values."""
        facts = [
            (self.dt_s, self.layout.dtype, self.layout.marks),
            [(one.name, type(one), one.when, one.order, _text(one), one.clock.dt_) for one in self.runners],
            [reader.scope.facts for reader in self._readers],
            [(one.key, one.value.shape, one.value.dtype, one.role) for one in self.layout.variables.values()],
            [(one.monitor.name, one.position, one.every) for one in self.observers],
        ]
        return hashlib.sha256(repr(facts).encode()).hexdigest()

    def _declared(self, group: Any) -> Any:
        """The scope of a group in which all its variables are known, for what is recorded."""
        reader = Reader(group, self.namespace, self.layout, self.dt_s)
        if not isinstance(group, SpikeGeneratorGroup):
            with brian2_objections(group.name):
                group.before_run(self.namespace)
        equations = list(getattr(group, "equations", None) or ())
        event_driven = list(getattr(group, "event_driven", None) or ())
        for name in (*equations, *event_driven, *(("rates",) if isinstance(group, PoissonGroup) else ())):
            reader.learn(name, group.variables[name])
        return reader.scope

    def _supplied(self, key: str) -> Variable:
        found = self.layout.variables.get(key)
        if found is None or found.role == "structure" or found.value.dtype != self.layout.dtype:
            choice = [name for name, one in self.layout.variables.items() if one.value.dtype == self.layout.dtype]
            free = sorted(name for name in choice if self.layout.variables[name].role != "structure")
            raise InputError(
                f"'{key}' cannot be an input: wanted \"group.variable\", a parameter, state or TimedArray in the"
                f" equations; there are {', '.join(free) or 'none'}."
            )
        return found


def _text(runner: Any) -> tuple[Any, ...]:
    """What a runner's operation was built from, beside names and values."""
    group = runner.group
    method = getattr(runner, "method_choice", None)
    events = sorted((getattr(group, "events", None) or {}).items())
    return runner.abstract_code, repr(method), repr(getattr(group, "_refractory", None)), events


def precedes_start(runner: Any, network: Network) -> bool:
    """Whether an object runs before the slot "start", in which a `StateMonitor` looks."""
    slot = runner.when.removeprefix("before_").removeprefix("after_")
    early = runner.when.startswith("before_")
    schedule = network.schedule
    return schedule.index(slot) < schedule.index("start") or (slot == "start" and early)
