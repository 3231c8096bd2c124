"""The networks that are timed, as functions: Brian2's own examples, and one whose activity can be set.

Every random number of the set-up is drawn by NumPy from one seed, so that all engines get the same connections and the
same initial values. The cells are called "cells" and are observed by a `SpikeMonitor`.
"""

from typing import Any

import brian2
import numpy as np
from brian2 import Hz, Network, cm, ms, msiemens, mV, nA, nS, siemens, ufarad, um

SEED = 20070701
GATES = """
dm/dt = alpha_m*(1-m) - beta_m*m : 1
dn/dt = alpha_n*(1-n) - beta_n*n : 1
dh/dt = alpha_h*(1-h) - beta_h*h : 1
alpha_m = 0.32*4/exprel((13*mV-v+VT)/(4*mV))/ms : Hz
beta_m = 0.28*5/exprel((v-VT-40*mV)/(5*mV))/ms : Hz
alpha_h = 0.128*exp((17*mV-v+VT)/(18*mV))/ms : Hz
beta_h = 4./(1+exp((40*mV-v+VT)/(5*mV)))/ms : Hz
alpha_n = 0.032*5/exprel((15*mV-v+VT)/(5*mV))/ms : Hz
beta_n = .5*exp((10*mV-v+VT)/(40*mV))/ms : Hz
"""  # Traub and Miles 1991, as in Brian2's examples COBAHH.py and IF_curve_Hodgkin_Huxley.py
EXPONENTIALS = 10  # of one cell and step: six rates, and one for each of the four equations by exponential Euler
AREA = 20000 * um**2
DENSITIES = {
    "Cm": 1 * ufarad * cm**-2,
    "gl": 5e-5 * siemens * cm**-2,
    "g_na": 100 * msiemens * cm**-2,
    "g_kd": 30 * msiemens * cm**-2,
}
POTENTIALS = {"EK": -90 * mV, "ENa": 50 * mV, "VT": -63 * mV}
CELL = {name: value * AREA for name, value in DENSITIES.items()} | POTENTIALS


def hodgkin_huxley(neurons: int, targets: int, frozen: bool) -> Network:
    """Uncoupled cells that differ in their current, as in IF_curve_Hodgkin_Huxley.py."""
    del targets, frozen  # nothing is coupled, nothing is random
    current = "dv/dt = (gl*(El-v) - g_na*(m*m*m)*h*(v-ENa) - g_kd*(n*n*n*n)*(v-EK) + I)/Cm : volt\nI : amp"
    cells = _spiking(neurons, current + GATES, CELL | {"El": -65 * mV}, refractory="v > -20*mV")
    cells.v = -65 * mV
    cells.I = np.linspace(0.0, 0.7, neurons) * nA
    return _observed(cells)


def cobahh(neurons: int, targets: int, frozen: bool) -> Network:
    """COBAHH.py: cells with conductances as synapses, four in five of them excitatory."""
    del frozen  # nothing is random
    rng = np.random.default_rng(SEED)
    membrane = """
    dv/dt = (gl*(El-v) + ge*(Ee-v) + gi*(Ei-v) - g_na*(m*m*m)*h*(v-ENa) - g_kd*(n*n*n*n)*(v-EK))/Cm : volt
    dge/dt = -ge*(1./taue) : siemens
    dgi/dt = -gi*(1./taui) : siemens
    """
    synaptic = {"taue": 5 * ms, "taui": 10 * ms, "Ee": 0 * mV, "Ei": -80 * mV}
    cells = _spiking(neurons, membrane + GATES, CELL | synaptic | {"El": -60 * mV}, refractory=3 * ms)
    cells.v = (-60 + rng.normal(-5, 5, neurons)) * mV
    cells.ge = rng.normal(4, 1.5, neurons) * 10 * nS
    cells.gi = rng.normal(20, 12, neurons) * 10 * nS
    return _observed(cells, *_two_kinds(cells, targets, rng, {"ge += we": 6 * nS, "gi += wi": 67 * nS}))


def cuba(neurons: int, targets: int, frozen: bool) -> Network:
    """CUBA.py: integrate-and-fire cells with exponential currents, solved exactly."""
    del frozen  # nothing is random
    rng = np.random.default_rng(SEED)
    equations = """
    dv/dt = (ge+gi-(v-El))/taum : volt (unless refractory)
    dge/dt = -ge/taue : volt
    dgi/dt = -gi/taui : volt
    """
    constants = {"taum": 20 * ms, "taue": 5 * ms, "taui": 10 * ms, "El": -49 * mV, "Vt": -50 * mV, "Vr": -60 * mV}
    cells = brian2.NeuronGroup(
        neurons,
        equations,
        threshold="v>Vt",
        reset="v = Vr",
        refractory=5 * ms,
        method="exact",
        namespace=constants,
        name="cells",
    )
    cells.v = rng.uniform(-60, -50, neurons) * mV
    return _observed(cells, *_two_kinds(cells, targets, rng, {"ge += we": 1.62 * mV, "gi += wi": -9 * mV}))


def stdp(neurons: int, targets: int, frozen: bool) -> Network:
    """STDP.py: Poisson inputs, `targets` of them, each to every cell with a plastic synapse."""
    rng, inputs, rate_hz, gmax = np.random.default_rng(SEED), targets, 15.0, 0.01
    equations = "dv/dt = (ge * (Ee-vr) + El - v) / taum : volt\ndge/dt = -ge / taue : 1"
    constants = {"taum": 10 * ms, "taue": 5 * ms, "Ee": 0 * mV, "vt": -54 * mV, "vr": -60 * mV, "El": -74 * mV}
    cells = brian2.NeuronGroup(
        neurons, equations, threshold="v>vt", reset="v = vr", method="exact", namespace=constants, name="cells"
    )
    cells.v = -60 * mV
    if frozen:  # the same spikes for every engine, for as long as the comparison lasts
        steps, which = np.nonzero(rng.random((1000, inputs)) < rate_hz * 1e-4)
        source = brian2.SpikeGeneratorGroup(inputs, which, steps * 0.1 * ms, name="inputs")
    else:
        source = brian2.PoissonGroup(inputs, rates=rate_hz * Hz, name="inputs")
    plastic = brian2.Synapses(
        source,
        cells,
        "w : 1\ndApre/dt = -Apre / taupre : 1 (event-driven)\ndApost/dt = -Apost / taupre : 1 (event-driven)",
        on_pre="ge += w\nApre += dApre\nw = clip(w + Apost, 0, gmax)",
        on_post="Apost += dApost\nw = clip(w + Apre, 0, gmax)",
        namespace={"taupre": 20 * ms, "gmax": gmax, "dApre": 0.01 * gmax, "dApost": -0.0105 * gmax},
        name="synapses",
    )
    plastic.connect()
    plastic.w = rng.uniform(0, gmax, inputs * neurons)
    return Network(cells, source, plastic, brian2.SpikeMonitor(source, name="spikes"))


def delays(neurons: int, targets: int, frozen: bool) -> Network:
    """Brunel_Hakim_1999.py with a delay of its own, 0 to 4 ms, for each synapse."""
    rng = np.random.default_rng(SEED)
    constants = {"muext": 25 * mV, "sigmaext": (0 if frozen else 1) * mV, "tau": 20 * ms}
    cells = brian2.NeuronGroup(
        neurons,
        "dV/dt = (-V+muext + sigmaext * sqrt(tau) * xi)/tau : volt",
        threshold="V>20*mV",
        reset="V=10*mV",
        refractory=2 * ms,
        method="euler",
        namespace=constants,
        name="cells",
    )
    cells.V = rng.uniform(10, 20, neurons) * mV
    synapses = brian2.Synapses(cells, cells, on_pre="V += -J", namespace={"J": 0.1 * mV}, name="synapses")
    synapses.connect(**_targets(np.arange(neurons), neurons, targets, rng))
    synapses.delay = rng.uniform(0, 4, neurons * targets) * ms
    return _observed(cells, synapses)


def deliveries(neurons: int, targets: int, frozen: bool, rate_hz: float) -> Network:
    """Oscillators that spike at a given rate, each with its own phase, whatever arrives."""
    del frozen  # nothing is random
    rng = np.random.default_rng(SEED)
    cells = brian2.NeuronGroup(
        neurons,
        "dphase/dt = rate : 1\ndg/dt = -g/tau : 1",
        threshold="phase > 1",
        reset="phase -= 1",
        method="euler",
        namespace={"rate": rate_hz * Hz, "tau": 5 * ms},
        name="cells",
    )
    cells.phase = rng.uniform(0, 1, neurons)
    synapses = brian2.Synapses(cells, cells, on_pre="g += 1", name="synapses")
    synapses.connect(**_targets(np.arange(neurons), neurons, targets, rng))
    return _observed(cells, synapses)


def _spiking(neurons: int, equations: str, constants: dict[str, Any], refractory: Any) -> brian2.NeuronGroup:
    return brian2.NeuronGroup(
        neurons,
        equations,
        threshold="v > -20*mV",
        refractory=refractory,
        method="exponential_euler",
        namespace=constants,
        name="cells",
    )


def _observed(cells: Any, *synapses: Any) -> Network:
    return Network(cells, *synapses, brian2.SpikeMonitor(cells, name="spikes"))


def _targets(sources: np.ndarray, neurons: int, targets: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Different ones for each source, with none twice."""
    chosen = [rng.choice(neurons, targets, replace=False, shuffle=False) for _ in sources]
    return {"i": np.repeat(sources, targets), "j": np.concatenate(chosen)}


def _two_kinds(cells: Any, targets: int, rng: np.random.Generator, codes: dict[str, Any]) -> list[brian2.Synapses]:
    """Excitatory synapses from four cells in five, inhibitory ones from the others."""
    n_excitatory, made = 4 * len(cells) // 5, []
    parts = {"excitatory": np.arange(n_excitatory), "inhibitory": np.arange(n_excitatory, len(cells))}
    for (name, sources), (code, weight) in zip(parts.items(), codes.items(), strict=True):
        synapses = brian2.Synapses(cells, cells, on_pre=code, namespace={code.split()[-1]: weight}, name=name)
        synapses.connect(**_targets(sources, len(cells), targets, rng))
        made.append(synapses)
    return made
