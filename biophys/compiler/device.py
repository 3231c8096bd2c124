"""`brian2.set_device("jax")`: an unchanged Brian2 script, with its run loop compiled.

Set-up (connecting, initial values, reading and setting variables between runs) stays Brian2's own, in NumPy. At each
`run()` the network is compiled, or found among those compiled before; its state is taken from Brian2's arrays and
written back to them, so that monitors, several runs, `store` and `restore` and interactive work between runs behave as
they do without the device. No code that Brian2 generates for a run is ever executed.
"""

import functools
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, no_type_check

import jax
import jax.numpy as jnp
import numpy as np
from brian2 import Group, Network, check_units, prefs, second
from brian2.codegen.runtime.numpy_rt import NumpyCodeObject
from brian2.core.namespace import get_local_namespace
from brian2.core.network import TextReport
from brian2.devices.device import RuntimeDevice, all_devices
from jax import Array

from biophys.compiler.compilation import compiled
from biophys.compiler.layout import Layout
from biophys.compiler.monitors import Observer, observer
from biophys.compiler.names import Reader
from biophys.compiler.profile import shares
from biophys.compiler.program import KEY, Arrays, Probe, Program
from biophys.compiler.queues import SpikeHistory
from biophys.compiler.refusals import require_compilable
from biophys.compiler.scope import STEP
from biophys.compiler.walk import Walk

RUN_TEMPLATES = frozenset(
    {
        *("stateupdate", "threshold", "reset", "synapses", "synapses_push_spikes", "summed_variable"),
        *("statemonitor", "spikemonitor", "ratemonitor", "spikegenerator", "spatialstateupdate"),
    }
)
_BUFFER_BYTES = 2**26  # of what is recorded between two transfers to Brian2's arrays
_LONGEST_CHUNK = 2**20  # steps
_SLICE_S = 0.5  # of wall-clock time between two looks at reports, at `stop()` and at Ctrl-C


class NotExecuted:
    """Stands for code that Brian2 would generate for a run, and that the compiled program replaces."""

    def __init__(self, owner: Any, name: str, template_name: str):
        self.owner, self.name, self.template_name = owner, name, template_name

    def before_run(self) -> None:
        """Nothing to prepare."""

    def after_run(self) -> None:
        """Nothing to do."""

    def run(self) -> None:
        """Called only for a monitor that records a single time step between runs.

        Raises:
            RuntimeError: for anything else.
        """
        if self.template_name != "statemonitor":
            raise RuntimeError(f"'{self.name}' belongs to the compiled program and is not run by Brian2.")
        all_devices["jax"].record_now(self.owner)

    __call__ = run


class JaxDevice(RuntimeDevice):
    """Brian2's run-time device with a compiled run loop.

    Options of `set_device("jax", ...)`: `dtype`, numpy.float64 or numpy.float32 for all numbers of the run; by default
    Brian2's preference `core.default_float_dtype`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seed_key()
        self._programs: dict[str, Looked] = {}
        self._namespace: dict[str, Any] = {}  # of the latest run

    def activate(self, build_on_run: bool = True, **kwargs: Any) -> None:
        """Called by `set_device`. Float64 needs JAX's 64-bit mode, which is switched on for the whole process."""
        super().activate(build_on_run, **kwargs)
        if self._dtype() == np.float64:
            jax.config.update("jax_enable_x64", True)

    def _dtype(self) -> np.dtype:
        return np.dtype(self.build_options.get("dtype", prefs.core.default_float_dtype))

    def code_object_class(self, codeobj_class: Any = None, fallback_pref: str = "codegen.target") -> Any:
        """NumPy where nothing else is asked for: what is left to Brian2 is not worth a compiler."""
        if codeobj_class is None and prefs[fallback_pref] == "auto":
            return NumpyCodeObject
        return super().code_object_class(codeobj_class, fallback_pref=fallback_pref)

    def code_object(
        self, owner: Any, name: str, abstract_code: Any, variables: Any, template_name: str, *args: Any, **kwargs: Any
    ) -> Any:
        """Brian2's own code object for set-up; a stand-in for what the compiled program does."""
        if template_name in RUN_TEMPLATES:
            return NotExecuted(owner, name, template_name)
        return super().code_object(owner, name, abstract_code, variables, template_name, *args, **kwargs)

    def spike_queue(self, source_start: int, source_end: int) -> SpikeHistory:
        """Where the spikes that are under way between two runs are kept."""
        return SpikeHistory()

    def seed(self, seed: int | None = None) -> None:
        """Seeds Brian2's set-up and the runs."""
        super().seed(seed)
        self._seed_key(seed)

    def _seed_key(self, seed: int | None = None) -> None:
        self._random = np.random.SeedSequence(int.from_bytes(os.urandom(8), "big") if seed is None else seed)
        self._runs = 0

    def get_random_state(self) -> dict[str, Any]:
        """For `store`."""
        return {**super().get_random_state(), "jax_runs": (self._random.entropy, self._runs)}

    def set_random_state(self, state: Mapping[str, Any]) -> None:
        """For `restore(restore_random_state=True)`."""
        super().set_random_state(state)
        entropy, self._runs = state["jax_runs"]
        self._random = np.random.SeedSequence(entropy)

    def _next_key(self) -> Array:
        """A key for each run, so that runs after one `seed()` differ from each other and repeat together."""
        self._runs += 1
        word = np.random.SeedSequence(self._random.entropy, spawn_key=(self._runs,)).generate_state(1)[0]
        return jax.random.key(np.uint32(word))

    @no_type_check  # a checker's frame between this one and the user's would hide the names that they use
    @check_units(duration=second, report_period=second)
    def network_run(
        self,
        network: Network,
        duration: Any,
        report: Any = None,
        report_period: Any = 10 * second,
        namespace: Mapping[str, Any] | None = None,
        profile: bool | None = None,
        level: int = 0,
    ) -> None:
        """Stands in for `Network.run`; see there.

        Raises:
            ValueError: a negative duration.
            InputError, UnsupportedError: the network cannot be compiled; the message says why, and the way out.
        """
        if duration < 0:
            raise ValueError(f"Function 'run' expected a non-negative duration but got '{duration}'")
        begin, end = network.t, network.t + duration
        network._clocks = {thing.clock for thing in network.sorted_objects}
        for clock in network._clocks:
            clock.set_interval(begin, end)
        namespace = get_local_namespace(level=level + 3) if namespace is None else namespace
        network.before_run(namespace)
        if not network.sorted_objects:
            return
        reporter = Reporter(report, float(report_period), begin, duration)
        profiled = self.build_options.get("profile", False) if profile is None else profile
        started = time.time()
        Network._globally_running = True
        try:
            done, division = self._run_compiled(network, namespace, reporter, profiled)
        finally:
            Network._globally_running = False
        network.t_ = (
            float(end) if done == 1.0 else min(clock.variables["t"].get_value().item() for clock in network._clocks)
        )
        self._last_run_time, self._last_run_completed_fraction = time.time() - started, done
        for thing in network.sorted_objects:
            if isinstance(thing, Group):
                thing._check_for_invalid_states()
        whole = self._last_run_time * second
        network._profiling_info = [(name, part * whole) for name, part in division.items()] if profiled else None
        reporter.finish(done)
        network.after_run()

    def record_now(self, monitor: Any) -> None:
        """What `StateMonitor.record_single_timestep` does: one more row, with the values of this moment."""
        layout = Layout(self._dtype())
        one = observer(monitor, 0, Reader(monitor, self._namespace, layout, float(monitor.clock.dt_)))
        now = _ticks(monitor.clock)
        world = {key: jnp.asarray(variable.value) for key, variable in layout.variables.items()}
        found = one.read({**world, STEP: jnp.int32(now)})
        one.write({name: np.asarray(value)[None] for name, value in found.items()}, np.array([now]))

    def _run_compiled(
        self, network: Network, namespace: Mapping[str, Any], reporter: "Reporter", profiled: bool
    ) -> tuple[float, dict[str, float]]:
        """Runs all steps, or those until someone stops it; the fraction that was done, and what took how much of it."""
        self._namespace = dict(namespace)
        things = require_compilable(network)
        for pathway in (thing for thing in things if hasattr(thing, "initialise_queue")):
            pathway.initialise_queue()  # Brian2's own checks of connections and clocks
        walk = Walk(network, things, self._namespace, Layout(self._dtype(), now_s=float(network.t_)), monitors=True)
        fresh = walk.program()
        program = self._programs.setdefault(walk.fingerprint, Looked(fresh, tuple(walk.observers)))
        state, constant = fresh.init(self._next_key() if fresh.is_random else None), fresh.constants()
        total = _steps_to_come(network, fresh.dt_s, walk.now)
        capacity = program.capacity(state, constant, total)
        done, guess = 0, 128
        try:
            while done < total and not (network._stopped or Network._globally_stopped):
                began = time.perf_counter()
                n_steps = min(capacity, total - done, guess)
                after, seen = _chunk(program, capacity, state, constant, jnp.int32(n_steps))
                arrays = {name: np.asarray(value)[:n_steps] for name, value in seen.items()}
                state, steps = after, walk.now + done + np.arange(n_steps)
                done += n_steps
                for one in walk.observers:
                    _write(one, arrays, steps)
                guess *= 4 if time.perf_counter() - began < _SLICE_S / 4 else 1
                if self._maximum_run_time is not None and reporter.elapsed > float(self._maximum_run_time):
                    network._stopped = True
                reporter.progress(done / total)
        finally:
            final = {name: value for name, value in state.items() if name not in (STEP, KEY)}
            walk.layout.write_back(final, (walk.now + done) * fresh.dt_s)
            _set_clocks(network, fresh.dt_s, walk.now + done)
        return done / total if total else 1.0, shares(fresh, state, constant) if profiled else {}


class Looked:
    """A program with the monitors that look at it: what the compiled loop is compiled for.

    Args:
        program: the network.
        observers: its monitors.
    """

    def __init__(self, program: Program, observers: tuple[Observer, ...]):
        self.program = program
        self.probes = tuple(Probe(one.position, functools.partial(_read, one)) for one in observers)

    def advance(self, state: Arrays, constant: Arrays) -> tuple[Arrays, Arrays]:
        """One step, and what the monitors saw."""
        return self.program.advance({**constant, **state}, self.probes)

    def capacity(self, state: Arrays, constant: Arrays, total: int) -> int:
        """For how many steps there is room for what the monitors see."""
        seen = jax.eval_shape(self.advance, state, constant)[1]
        each = sum(one.size * one.dtype.itemsize for one in seen.values())
        fitting = max(_BUFFER_BYTES // each, 1) if each else _LONGEST_CHUNK
        return min(fitting, _LONGEST_CHUNK, 1 << max(total - 1, 0).bit_length())


def _read(one: Observer, world: Any) -> Arrays:
    return {f"{one.monitor.name}/{name}": value for name, value in one.read(world).items()}


def _write(one: Observer, arrays: Mapping[str, np.ndarray], steps: np.ndarray) -> None:
    due = steps % one.every == 0
    prefix = f"{one.monitor.name}/"
    seen = {name.removeprefix(prefix): rows[due] for name, rows in arrays.items() if name.startswith(prefix)}
    one.write(seen, steps[due] // one.every)


@compiled("looked", "capacity")
def _chunk(looked: Looked, capacity: int, state: Arrays, constant: Arrays, n_steps: Array) -> tuple[Arrays, Arrays]:
    """Some steps, and what the monitors saw in the first n_steps rows of arrays with room for `capacity`."""
    seen = jax.eval_shape(looked.advance, state, constant)[1]
    room = {name: jnp.zeros((capacity, *one.shape), one.dtype) for name, one in seen.items()}

    def body(k: Array, carry: tuple[Arrays, Arrays]) -> tuple[Arrays, Arrays]:
        state, room = carry
        after, seen = looked.advance(state, constant)
        return after, {name: jax.lax.dynamic_update_index_in_dim(room[name], seen[name], k, 0) for name in room}

    return jax.lax.fori_loop(jnp.int32(0), n_steps, body, (state, room))


def _steps_to_come(network: Network, dt_s: float, now: int) -> int:
    """Steps of the program until each clock has reached its end."""
    last = now
    for clock in network._clocks:
        if clock._i_end > _ticks(clock):
            last = max(last, (int(clock._i_end) - 1) * round(float(clock.dt_) / dt_s) + 1)
    return last - now


def _ticks(clock: Any) -> int:
    """How often a clock has ticked."""
    return int(np.asarray(clock.variables["timestep"].get_value()).item())


def _set_clocks(network: Network, dt_s: float, step: int) -> None:
    for clock in network._clocks:
        tick = -(-step // round(float(clock.dt_) / dt_s))
        clock.variables["timestep"].set_value(tick)
        clock.variables["t"].set_value(tick * float(clock.dt_))


class Reporter:
    """Says how far a run is, in the ways that Brian2 has.

    Args:
        report: None, "text", "stdout", "stderr" or a function.
        period_s: wall-clock time between two reports.
        begin: of the run, a quantity of time.
        duration: of the run.

    Raises:
        ValueError, TypeError: a report of another kind.
    """

    def __init__(self, report: Any, period_s: float, begin: Any, duration: Any):
        self._period_s, self._begin, self._duration = period_s, begin, duration
        self._started = self._last = time.time()
        self._say = _report_function(report)
        if self._say is not None:
            self._say(0 * second, 0.0, begin, duration)

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.time() - self._started

    def progress(self, completed: float) -> None:
        """Reports, if the last report is a period ago."""
        if self._say is not None and completed < 1.0 and time.time() - self._last > self._period_s:
            self._last = time.time()
            self._say(self.elapsed * second, completed, self._begin, self._duration)

    def finish(self, completed: float) -> None:
        """The last report."""
        if self._say is not None:
            self._say(self.elapsed * second, completed, self._begin, self._duration)


def _report_function(report: Any) -> Callable[..., Any] | None:
    streams = {"text": sys.stdout, "stdout": sys.stdout, "stderr": sys.stderr}
    if report is None or callable(report):
        return report
    if not isinstance(report, str):
        raise TypeError(f"Wanted report=None, 'text', 'stdout', 'stderr' or a function, got a {type(report).__name__}.")
    if report not in streams:
        raise ValueError(f'Do not know how to handle report argument "{report}".')
    return TextReport(streams[report])


all_devices["jax"] = JaxDevice()
