"""Recordings of cells whose parameters are known, made by the compiled program of the published model."""

from collections.abc import Callable, Mapping

import brian2
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import lfilter

from biophys import compile_network
from biophys.calibrate import Target
from biophys.calibrate.simulation import Simulator, Tapes
from biophys.models import ALL, NeuronModel, neuron_group

Recorder = Callable[..., Target]


def noise_na(n_steps: int, mean: float, sd: float, seed: int = 0) -> np.ndarray:
    """An Ornstein-Uhlenbeck current with a time constant of 3 ms at 0.1 ms, nA."""
    white = np.random.default_rng(seed).normal(size=n_steps)
    return mean + sd * np.sqrt(1 - 0.967**2) * lfilter([1.0], [1.0, -0.967], white)


def recorded(
    model: NeuronModel | str,
    values: Mapping[str, float],
    current_na: np.ndarray,
    *,
    dt_s: float = 1e-4,
    noise_mv: float = 0.0,
    seed: int = 0,
) -> Target:
    """What a cell of the model does under a current (time,) or several (sweep, time)."""
    model = ALL[model] if isinstance(model, str) else model
    current_na = np.atleast_2d(current_na)
    group = neuron_group(model, len(current_na), values, dt=dt_s * brian2.second, name="cell")
    network = brian2.Network(group)
    group._network = network.id
    program = compile_network(network, {}, inputs=[f"cell.{name}" for name in model.inputs])
    key = jax.random.key(seed) if program.is_random else None
    record = ("cell.v", "cell.spike") if model.threshold else ("cell.v",)
    tapes = {"cell.I": 1e-9 * current_na.T}
    _, seen = program.run(current_na.shape[1] * dt_s, key=key, tapes=tapes, record=record)
    voltage = 1e3 * np.asarray(seen["cell.v"]).T
    voltage += noise_mv * np.random.default_rng([seed, 1]).normal(size=voltage.shape)
    trains = None
    if model.threshold:
        trains = tuple((np.flatnonzero(one) * dt_s,) for one in np.asarray(seen["cell.spike"]).T)
    names = tuple(str(k) for k in range(len(current_na)))
    return Target("synthetic", dt_s, current_na, voltage, trains, names, (0.0, current_na.shape[1] * dt_s))


class Everything:
    """A fold that keeps all that it sees."""

    def start(self, facts, n, dtype):
        """Room for voltage, spikes and hazard."""
        return jnp.zeros((3, facts["room"].shape[-1], n), dtype)

    def add(self, carry, seen, row):
        """One row of each."""
        hazard = jnp.zeros_like(seen.voltage_mv) if seen.hazard_hz is None else seen.hazard_hz
        rows = jnp.stack([seen.voltage_mv, seen.spike.astype(carry.dtype), hazard])
        return jax.lax.dynamic_update_index_in_dim(carry, rows, row["step"], 1)


def everything_of(simulator: Simulator, values, current_na: np.ndarray, forced: np.ndarray | None = None):
    """Voltage, spikes and hazard: (sweep, time, n) each; and which sets stayed finite."""
    n_sweeps, n_steps = current_na.shape
    steps = jnp.broadcast_to(jnp.arange(n_steps, dtype=jnp.int32), current_na.shape)
    tapes = Tapes(
        jnp.asarray(current_na, simulator.dtype),
        None if forced is None else jnp.asarray(forced),
        jnp.full(n_sweeps, 50.0, simulator.dtype),
        ({"step": steps},),
        ({"room": jnp.zeros(current_na.shape)},),
    )
    given = {name: jnp.asarray(value, simulator.dtype) for name, value in values.items()}
    (kept,), finite = simulator.run(given, tapes, (Everything(),), jax.random.key(0), False)
    return *np.moveaxis(np.asarray(kept), 1, 0), np.asarray(finite)


@pytest.fixture(scope="session")
def everything() -> Callable[..., tuple]:
    """Runs a simulator and keeps all that it shows: see `everything_of`."""
    return everything_of


@pytest.fixture(scope="session")
def record() -> Recorder:
    """Makes recordings: see `recorded`."""
    return recorded


@pytest.fixture(scope="session")
def noise() -> Callable[..., np.ndarray]:
    """Makes currents: see `noise_na`."""
    return noise_na
