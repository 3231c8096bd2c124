"""The twin: a surrogate and a circuit in one loop, window by window.

In window `w` the surrogate sees the stimulus of `w` and what the circuit did in window `w - delay`; its drive is wired
to the circuit, which then runs through window `w`. `engine="jax"` runs all windows as one `jax.lax.scan`, all trials
under `jax.vmap`; `engine="brian2"` lets Brian2 own the clock and is the referee.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from twin import perturb, provenance, recording
from twin.errors import InputError
from twin.ports import Arrays, Circuit, Port, Surrogate
from twin.recording import Stream


@dataclasses.dataclass(frozen=True)
class Wire:
    """Joins a drive port of the surrogate to an input port of the circuit: target = sum of (gain * source) + offset.

    Attributes:
        source: the surrogate's port.
        target: the circuit's port.
        gain: target units per source unit.
        offset: in target units. Several wires may end in one target; their contributions add.
    """

    source: str
    target: str
    gain: float
    offset: float = 0.0


@dataclasses.dataclass(frozen=True)
class Coupling:
    """How the two halves are joined.

    Attributes:
        wires: from surrogate drive to circuit input.
        delay_windows: windows between a spike and the surrogate seeing it; 1 or more.
    """

    wires: tuple[Wire, ...]
    delay_windows: int = 1

    def gains(self) -> dict[str, np.ndarray]:
        """The numbers of the wires as arrays, which a calibration may change without recompiling."""
        return {
            "gain": np.array([wire.gain for wire in self.wires]),
            "offset": np.array([wire.offset for wire in self.wires]),
        }

    def drive(self, sources: Arrays, gains: Arrays) -> dict[str, Any]:
        """The circuit's input for one window from the surrogate's drive."""
        targets: dict[str, Any] = {}
        for index, wire in enumerate(self.wires):
            source = sources[wire.source]
            gain, offset = (gains[part][index].astype(source.dtype) for part in ("gain", "offset"))
            targets[wire.target] = targets.get(wire.target, 0) + gain * source + offset
        return targets


class Twin:
    """A surrogate and a circuit, coupled.

    Args:
        surrogate: the predictor.
        circuit: the mechanism.
        coupling: the wires between them.
        name: what its recordings are called.

    Raises:
        InputError: windows of different length, a wire between ports that do not exist or differ in size, a circuit
            input or surrogate readout that nothing feeds.
    """

    def __init__(self, surrogate: Surrogate, circuit: Circuit, coupling: Coupling, name: str = "twin") -> None:
        self.surrogate, self.circuit, self.coupling, self.name = surrogate, circuit, coupling, name
        faults = list(_mismatches(surrogate, circuit, coupling))
        if faults:
            raise InputError(f"{name}: the two halves do not fit: " + "; ".join(faults) + ".")

    def rollout(
        self,
        stimulus: Stream,
        *,
        key: Any,
        trials: int = 1,
        interventions: Sequence[perturb.Intervention] = (),
        engine: str = "jax",
    ) -> xr.DataTree:
        """Run the twin on a stimulus.

        Args:
            stimulus: sampled at a whole number of samples a window.
            key: a `jax.random.key`; trial `n` uses `fold_in(key, n)`, whatever the engine or the intervention, so
                equal keys mean equal noise.
            trials: how many.
            interventions: what is done to the circuit.
            engine: "jax", or "brian2" for the referee.

        Returns:
            A recording with `/spikes`, of `trials` trials.

        Raises:
            InputError: a stimulus that does not fit the windows, or an unknown engine.
        """
        if engine not in ("jax", "brian2"):
            raise InputError(f"rollout: the engine is {engine!r}; wanted 'jax' or 'brian2'.")
        params = perturb.apply_all(interventions, self.circuit.parameters, self.circuit.handles)
        windows = to_windows(stimulus, self.surrogate.window_s, self.surrogate.stimulus_ports[0])
        keys = jax.vmap(lambda trial: jax.random.fold_in(key, trial))(jnp.arange(trials))
        if engine == "jax":
            raster = np.asarray(self._compiled(windows, params, self.coupling.gains(), keys))
        else:
            raster = np.stack([self._referee(windows, params, keys[trial]) for trial in range(trials)])
        tree = recording.from_spikes(
            raster_to_times(raster, self.circuit.dt_s, stimulus.start_s),
            start_s=stimulus.start_s,
            stop_s=stimulus.start_s + len(windows) * self.surrogate.window_s,
            name=self.name,
        )
        done = {"engine": engine, "trials": trials, "interventions": [str(one) for one in interventions]}
        return provenance.log(tree, f"rollout of {self.name}", parameters=done)

    @cached_property
    def _compiled(self):
        return jax.jit(jax.vmap(self.spikes, in_axes=(None, None, None, 0)))

    def spikes(self, windows: Any, params: Arrays, gains: Arrays, key: Any) -> Any:
        """The pure rollout of one trial.

        Args:
            windows: stimulus (window, feature).
            params: the circuit's parameters.
            gains: `Coupling.gains()`.
            key: the trial's key.

        Returns:
            Truth values (window, step, neuron).
        """
        begin = self._begin(params, key)

        def window(carry, step):
            number, stimulus = step
            state, past = carry
            state, drive = self._drive(state, past[0], stimulus, gains, key, number)
            circuit, readout = self.circuit.advance(state[1], drive, params, _noise_key(key, number))
            return ((state[0], circuit), (*past[1:], readout)), readout["spikes"]

        numbers = jnp.arange(len(windows), dtype=jnp.int32)
        return jax.lax.scan(window, begin, (numbers, windows))[1]

    def _begin(self, params: Arrays, key: Any):
        surrogate_key, circuit_key = jax.random.split(jax.random.fold_in(key, 0))
        state = self.surrogate.init(surrogate_key), self.circuit.init(circuit_key, params)
        silent = {port.name: jnp.zeros((port.size,), jnp.float32) for port in self.circuit.readout_ports}
        steps = round(self.circuit.window_s / self.circuit.dt_s)
        neurons = self.circuit.readout_ports[0].size
        quiet = {**silent, "spikes": jnp.zeros((steps, neurons), bool)}
        return state, (quiet,) * self.coupling.delay_windows

    def _drive(self, state, readout: Arrays, stimulus: Any, gains: Arrays, key: Any, number: Any):
        port = self.surrogate.stimulus_ports[0].name
        surrogate_key = jax.random.fold_in(_noise_key(key, number), 1)
        surrogate, sources = self.surrogate.advance(state[0], readout, {port: stimulus}, surrogate_key)
        return (surrogate, state[1]), self.coupling.drive(sources, gains)

    @cached_property
    def _compiled_drive(self):
        return jax.jit(self._drive)

    def _referee(self, windows: np.ndarray, params: Arrays, key: Any) -> np.ndarray:
        state, past = self._begin(params, key)
        gains = self.coupling.gains()
        memory = {"state": state, "past": list(past)}

        def exchange(number: int, readout: Arrays | None) -> Arrays:
            if readout is not None:
                memory["past"] = [*memory["past"][1:], readout]
            memory["state"], drive = self._compiled_drive(
                memory["state"], memory["past"][0], windows[number], gains, key, np.int32(number)
            )
            return drive

        return np.asarray(
            self.circuit.referee(len(windows), exchange, params, lambda number: _noise_key(key, number))["spikes"]
        )


def _noise_key(key: Any, number: Any) -> Any:
    """The key of window `number`; window keys start at 1, 0 is for the initial states."""
    return jax.random.fold_in(key, number + 1)


def _mismatches(surrogate: Surrogate, circuit: Circuit, coupling: Coupling):
    if not np.isclose(surrogate.window_s, circuit.window_s, rtol=1e-9):
        yield f"the surrogate's window is {surrogate.window_s:g} s, the circuit's {circuit.window_s:g} s"
    if coupling.delay_windows < 1:
        yield f"the delay is {coupling.delay_windows} windows, wanted 1 or more"
    sources, targets = _by_name(surrogate.drive_ports), _by_name(circuit.drive_ports)
    for wire in coupling.wires:
        if wire.source not in sources:
            yield f"a wire starts at {wire.source!r}, but the surrogate's drive ports are {', '.join(sources)}"
        elif wire.target not in targets:
            yield f"a wire ends at {wire.target!r}, but the circuit's input ports are {', '.join(targets)}"
        elif sources[wire.source].size not in (1, targets[wire.target].size):
            yield (
                f"{wire.source} has {sources[wire.source].size} values and {wire.target} {targets[wire.target].size}"
            )
    for name in targets.keys() - {wire.target for wire in coupling.wires}:
        yield f"nothing feeds the circuit's input {name}"
    gives = _by_name(circuit.readout_ports)
    for port in surrogate.readout_ports:
        if gives.get(port.name) != port:
            yield f"the surrogate reads {port}, but the circuit gives {', '.join(map(str, gives.values()))}"


def _by_name(ports: Sequence[Port]) -> Mapping[str, Port]:
    return {port.name: port for port in ports}


def to_windows(stimulus: Stream, window_s: float, port: Port) -> np.ndarray:
    """Cut a stimulus into windows: (window, feature), each window the mean of its samples, float32.

    Raises:
        InputError: another unit than the port's, no time axis, or windows that are not a whole number of samples.
    """
    if stimulus.unit != port.unit:
        raise InputError(f"the stimulus is in {stimulus.unit!r}, but {port.name} is in {port.unit!r}: convert it.")
    if stimulus.leading != ("time",):
        raise InputError(f"the stimulus has the dimensions {stimulus.leading}; give the stream of one trial, in time.")
    samples = window_s * stimulus.rate_hz
    per_window = int(round(samples))
    if per_window < 1 or not np.isclose(samples, per_window, rtol=1e-6):
        raise InputError(
            f"a window of {window_s:g} s holds {samples:g} samples of a stimulus at {stimulus.rate_hz:g} Hz; "
            "wanted a whole number: resample the stimulus or choose another window."
        )
    values = np.asarray(stimulus.values, np.float32).reshape(len(stimulus.values), -1)
    n_windows = len(values) // per_window
    means = values[: n_windows * per_window].reshape(n_windows, per_window, -1).mean(axis=1)
    if means.shape[1] != port.size:
        raise InputError(f"the stimulus has {means.shape[1]} feature(s), but {port.name} takes {port.size}.")
    return means


def raster_to_times(raster: np.ndarray, dt_s: float, start_s: float) -> list[list[np.ndarray]]:
    """Spike times s by trial and neuron, from truth values (trial, window, step, neuron); step k is at k * dt."""
    flat = raster.reshape(raster.shape[0], -1, raster.shape[-1])
    return [[start_s + dt_s * np.flatnonzero(trial[:, unit]) for unit in range(flat.shape[-1])] for trial in flat]
