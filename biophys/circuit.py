"""A Brian2 network in the role of Circuit: compiled to JAX for running, and run by Brian2 itself as the referee."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import brian2
import jax
import jax.numpy as jnp
import numpy as np

from biophys.compiler import Program, compile_network
from biophys.models.model import NeuronModel
from twin.errors import InputError
from twin.ports import Arrays, Exchange, Handles, Port, State

GROUP = "cell"
_NA = 1e-9  # amperes in a nanoampere: currents cross the border here, once


class CellCircuit:
    """Uncoupled cells of one model, each driven by a current in nA and by its own noise.

    The noise is a unit normal number a cell, drawn anew in every window and held through it; the model's
    `sigma_noise` scales it. It comes from the window's key, so equal keys mean equal noise in both engines.

    Args:
        model: with inputs "I_drive" and "noise".
        values: parameter -> value in the model's units; a number for all cells or one each.
        window_s: length of a coupling window, s.
        dt_s: time step, s.
        n_cells: how many.
        dtype: of the compiled program.

    Raises:
        InputError: a window that is not a whole number of steps, or a value for a parameter that does not exist.
    """

    def __init__(
        self,
        model: NeuronModel,
        values: Mapping[str, Any],
        *,
        window_s: float,
        dt_s: float = 5e-5,
        n_cells: int = 1,
        dtype: Any = np.float64,
    ) -> None:
        self.model, self.window_s, self.dt_s, self.n_cells, self.dtype = model, window_s, dt_s, n_cells, dtype
        self.steps = round(window_s / dt_s)
        if self.steps < 1 or not np.isclose(self.steps * dt_s, window_s, rtol=1e-9):
            raise InputError(f"a window of {window_s:g} s is no whole number of steps of {dt_s:g} s.")
        self.drive_ports = (Port("I_drive", "nA", n_cells),)
        self.readout_ports = (Port("spike_count", "1", n_cells),)
        self.handles = Handles(
            channels={channel: f"{GROUP}.{name}" for channel, name in model.channels.items()},
            temperature=f"{GROUP}.temperature_c",
            current=f"{GROUP}.I_offset",
            current_scale=_NA,
        )
        self.parameters = self.to_si({**{one.name: one.value for one in model.parameters}, **values})

    def to_si(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values in the model's units as the program's parameters, in SI units; works on traced values too."""
        converted = {}
        for name, value in values.items():
            scale = self.model.parameter(name).scale
            converted[f"{GROUP}.{name}"] = jnp.broadcast_to(jnp.asarray(value * scale, self.dtype), (self.n_cells,))
        return converted

    @cached_property
    def program(self) -> Program:
        """The compiled network."""
        group = self._group(self.parameters)
        for name, expression in self.model.initial.items():
            setattr(group, name, expression)
        inputs = tuple(f"{GROUP}.{name}" for name in self.model.inputs)
        network = brian2.Network(group)
        group._network = network.id  # or Brian2 warns that a group was made and never run, which is so on purpose
        return compile_network(network, {}, dtype=self.dtype, inputs=inputs)

    def _group(self, params: Arrays) -> brian2.NeuronGroup:
        group = brian2.NeuronGroup(
            self.n_cells,
            self.model.equations,
            threshold=self.model.threshold,
            refractory=self.model.refractory,
            reset=self.model.reset,
            method=self.model.method,
            dt=self.dt_s * brian2.second,
            name=GROUP,
            namespace={},
        )
        for parameter in self.model.parameters:
            value = np.asarray(params[f"{GROUP}.{parameter.name}"], np.float64)
            group.variables[parameter.name].set_value(value)
        return group

    def init(self, key: Any, params: Arrays) -> State:
        """The cells' initial state; the gates are at their steady state for the circuit's own parameters."""
        del key
        return self.program.init(params=params)

    def advance(self, state: State, drive: Arrays, params: Arrays, key: Any) -> tuple[State, Arrays]:
        """One window of the compiled program."""
        current = jnp.broadcast_to(drive["I_drive"].astype(self.dtype) * jnp.asarray(_NA, self.dtype), (self.n_cells,))
        inputs = {f"{GROUP}.I_drive": current, f"{GROUP}.noise": self._noise(key)}
        spike = f"{GROUP}.spike"
        state, recorded = self.program.run(self.window_s, params, inputs, state=state, record=(spike,))
        spikes = recorded[spike]
        return state, {"spikes": spikes, "spike_count": spikes.sum(axis=0).astype(jnp.float32)}

    def _noise(self, key: Any) -> Any:
        # Drawn in single precision whatever the program's: both precisions and both engines get the same numbers.
        return jax.random.normal(key, (self.n_cells,), jnp.float32).astype(self.dtype)

    def referee(self, n_windows: int, exchange: Exchange, params: Arrays, key_of: Callable[[int], Any]) -> Arrays:
        """The same windows by Brian2, which owns the clock and calls back once a window, from one `run`."""
        group = self._group(params)
        initial = self.init(None, params)
        for name in self.model.initial:
            group.variables[name].set_value(np.asarray(initial[f"{GROUP}.{name}"], np.float64))
        monitor = brian2.SpikeMonitor(group)
        noise = np.asarray(jax.vmap(lambda window: self._noise(key_of(window)))(jnp.arange(n_windows, dtype=jnp.int32)))
        raster = np.zeros((n_windows, self.steps, self.n_cells), bool)
        windows = iter(range(n_windows))
        seen = 0

        def collect(window: int) -> Arrays:
            nonlocal seen
            new = slice(seen, monitor.num_spikes)
            steps = np.round(np.asarray(monitor.t_[new]) / self.dt_s).astype(int) - window * self.steps
            raster[window, steps, np.asarray(monitor.i[new])] = True
            seen = new.stop
            return {"spikes": raster[window], "spike_count": raster[window].sum(axis=0).astype(np.float32)}

        @brian2.network_operation(dt=self.window_s * brian2.second, when="start")
        def couple():
            window = next(windows)
            drive = exchange(window, collect(window - 1) if window else None)["I_drive"]
            group.I_drive_ = np.asarray(drive, np.float64) * _NA
            group.noise_ = noise[window]

        network = brian2.Network(group, monitor, couple)
        network.run(n_windows * self.window_s * brian2.second, namespace={})
        collect(n_windows - 1)
        return {"spikes": raster}
