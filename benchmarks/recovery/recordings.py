"""Recordings of cells whose parameters are known, made by Brian2 itself."""

import brian2
import numpy as np
from jaxtyping import Float
from scipy.signal import lfilter

from benchmarks.recovery.cases import Case
from biophys.calibrate import Free, Target
from biophys.models import neuron_group

_TAU_S = 3e-3  # of the injected noise


def draw(case: Case, sets: int, seed: int) -> Float[np.ndarray, "set free"]:
    """Positions of parameter sets that are drawn from the prior, in the unit cube."""
    random = np.random.default_rng([seed, 0])
    return np.array([[_drawn(one, random) for one in case.free] for _ in range(sets)])


def _drawn(one: Free, random: np.random.Generator) -> float:
    """An even draw is kept as often as the prior says, relative to its most likely value."""
    while True:
        position = random.random()
        if random.random() < np.exp(-one.penalty(position)):
            return position


def record(case: Case, positions: Float[np.ndarray, "set free"], seed: int) -> list[Target]:
    """A recording of each parameter set, each under a noise current of its own."""
    n, n_steps = len(positions), round(case.seconds / case.dt_s)
    current = _noise_na(case, n, n_steps, seed)
    voltage, spikes = _simulated(case, positions, current, seed)
    voltage = voltage + case.noise_mv * np.random.default_rng([seed, 2]).normal(size=voltage.shape)
    return [
        Target(
            name=f"{case.name} {k}",
            dt_s=case.dt_s,
            current_na=current[k : k + 1],
            voltage_mv=voltage[k : k + 1] if case.noise_mv else None,
            spike_times_s=((spikes[k],),) if case.neuron.reset else None,
            sweeps=("0",),
            scored_s=(0.0, case.seconds),
        )
        for k in range(n)
    ]


def _noise_na(case: Case, n: int, n_steps: int, seed: int) -> Float[np.ndarray, "set time"]:
    """Ornstein-Uhlenbeck noise."""
    (mean, sd), keeps = case.current_na, np.exp(-case.dt_s / _TAU_S)
    white = np.random.default_rng([seed, 1]).normal(size=(n, n_steps))
    return mean + sd * np.sqrt(1 - keeps**2) * lfilter([1.0], [1.0, -keeps], white, axis=1)


def _simulated(case: Case, positions: np.ndarray, current_na: np.ndarray, seed: int) -> tuple[np.ndarray, list]:
    """Voltage (set, time) at the start of each step, mV, and spike times, by Brian2."""
    brian2.prefs.codegen.target = "numpy"
    brian2.seed(seed)
    model, step = case.neuron, case.dt_s * brian2.second
    group = neuron_group(model, len(positions), {**case.fixed, **case.space.values(positions)}, dt=step)
    group.namespace["injected"] = brian2.TimedArray(current_na.T * 1e-9 * brian2.amp, dt=step)
    # held over the step, as an amplifier does; within the equations a method of higher order would see two samples
    group.run_regularly(f"{model.current} = injected(t, i)", when="before_groups")
    voltage = brian2.StateMonitor(group, model.voltage, record=True)
    network, trains = brian2.Network(group, voltage), [np.array([])] * len(positions)
    if model.threshold:
        spikes = brian2.SpikeMonitor(group)
        network.add(spikes)
    network.run(case.seconds * brian2.second, namespace={})
    if model.threshold:
        trains = [np.asarray(spikes.t_)[np.asarray(spikes.i) == k] for k in range(len(positions))]
    return 1e3 * np.asarray(getattr(voltage, f"{model.voltage}_")), trains
