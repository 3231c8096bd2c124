"""Synapses: the compiled network is Brian2's, and time courses and steady states are the analytic ones."""

import brian2
import numpy as np
import pytest
from brian2 import ms, mV, nA

import biophys
from biophys.models import ALL, KINDS, neuron_group, synapses, with_currents
from twin.errors import InputError

SYNAPSES = KINDS["synapse"]
CELL = with_currents(ALL["passive"], "I_syn")
DT_MS = 0.1


def network_of(name, times_ms=(1.0,), values=None, cell=CELL):
    """A source with spikes at these times, one synapse of a model, and a target cell; the current is I_syn."""
    target = neuron_group(cell, 1, dt=DT_MS * ms, name="cell")
    source = brian2.SpikeGeneratorGroup(1, [0] * len(times_ms), np.asarray(times_ms) * ms, dt=DT_MS * ms, name="source")
    made = synapses(SYNAPSES[name], source, target, values, current="I_syn", name="syn")
    return brian2.Network(source, target, made), target


def recorded(name, duration_ms, times_ms=(1.0,), values=None, v_mv=None, variables=("syn.R",)):
    """Rows of the compiled program, by variable; v is held where it is given."""
    network, target = network_of(name, times_ms, values)
    target._network = network.id
    held = () if v_mv is None else ("cell.v",)
    program = biophys.compile_network(network, {}, inputs=held)
    inputs = {} if v_mv is None else {"cell.v": v_mv * 1e-3}
    _, rows = program.run(duration_ms * 1e-3, inputs=inputs, record=variables)
    return {key: np.asarray(value)[:, 0] for key, value in rows.items()}


@pytest.mark.parametrize("name", sorted(SYNAPSES))
def test_the_program_and_brian2_agree(name):
    """Two spikes: the current in the target to 1e-9 of its size, and its voltage to 1e-12 V."""
    cell = with_currents(ALL["lif"], "I_syn") if name == "stdp" else CELL
    network, target = network_of(name, (0.5, 3.0), cell=cell)
    target.I_injected = 2 * nA if name == "stdp" else 0 * nA
    monitor = brian2.StateMonitor(target, ["v", "I_syn"], record=True)
    network.add(monitor)
    program = biophys.compile_network(network, {})
    _, rows = program.run(0.008, record=("cell.v", "cell.I_syn"))
    network.run(8 * ms, namespace={})
    current = np.asarray(monitor.I_syn_)
    assert np.abs(current).max() > 0
    np.testing.assert_allclose(np.asarray(rows["cell.I_syn"]).T, current, atol=1e-9 * np.abs(current).max(), rtol=0)
    np.testing.assert_allclose(np.asarray(rows["cell.v"]).T, np.asarray(monitor.v_), atol=1e-12, rtol=0)


RATES = [("ampa", 1.1, 0.19), ("nmda", 0.072, 0.0066), ("gaba_a", 5.0, 0.18)]


@pytest.mark.parametrize(("name", "alpha", "beta"), RATES)
def test_receptors_bind_and_unbind_as_the_solution_says(name, alpha, beta):
    """During 1 ms of 1 mM: R_inf (1 - exp(-t/tau)); afterwards exp(-beta t). The pulse lasts 10 steps, not 11."""
    bound = recorded(name, 30.0)["syn.R"]
    rate = alpha + beta
    start = 11  # the row after the step in which the spike of 1 ms arrived
    pulse = np.arange(11) * DT_MS
    np.testing.assert_allclose(bound[start : start + 11], alpha / rate * (1 - np.exp(-rate * pulse)), atol=1e-12)
    after = np.arange(100) * DT_MS
    np.testing.assert_allclose(bound[start + 10 : start + 110], bound[start + 10] * np.exp(-beta * after), rtol=1e-9)


def test_the_magnesium_block_is_that_of_jahr_and_stevens():
    """At 1 mM 8.0 % of the conductance is left at -60 mV, and 78.1 % at 0 mV; without magnesium all of it."""
    for v_mv, mg, left in ((-60.0, 1.0, 0.0796), (0.0, 1.0, 0.7812), (-60.0, 0.0, 1.0)):
        found = recorded("nmda", 0.2, values={"Mg": mg}, v_mv=v_mv, variables=("syn.unblocked",))["syn.unblocked"][0]
        assert found == pytest.approx(1 / (1 + mg / 3.57 * np.exp(-0.062 * v_mv)), rel=1e-9)
        assert found == pytest.approx(left, abs=5e-4)


def test_the_current_pulls_to_the_reversal_potential():
    """GABA_A hyperpolarises at -60 mV and depolarises at -90 mV: its reversal potential is -80 mV."""
    for v_mv, sign in ((-60.0, -1), (-90.0, 1)):
        current = recorded("gaba_a", 5.0, v_mv=v_mv, variables=("cell.I_syn",))["cell.I_syn"]
        assert sign * current[20] > 0


def test_gaba_b_needs_a_burst():
    """Ten spikes at 200 Hz open far more than ten times what one opens, through the fourth power, and slowly."""
    burst = tuple(1.0 + 5.0 * np.arange(10))
    one = recorded("gaba_b", 300.0, variables=("syn.G",))["syn.G"]
    ten = recorded("gaba_b", 300.0, burst, variables=("syn.G",))["syn.G"]
    assert (ten.max() / one.max()) ** 4 > 1000
    assert ten.argmax() * DT_MS > 60.0


@pytest.mark.parametrize(
    ("use", "tau_rec", "tau_facil"), [(0.5, 800.0, 1.0), (0.05, 100.0, 1000.0)], ids=["depressing", "facilitating"]
)
def test_short_term_plasticity_reaches_its_steady_state(use, tau_rec, tau_facil):
    """At 50 Hz: u = U/(1 - (1 - U) exp(-T/tau_facil)), x = (1 - e)/(1 - (1 - u) e) with e = exp(-T/tau_rec)."""
    interval, n = 20.0, 100
    times = 1.0 + interval * np.arange(n)
    values = {"U": use, "tau_rec": tau_rec, "tau_facil": tau_facil, "tau_I": 0.5, "A": 100.0}
    current = recorded("tsodyks_markram", n * interval, times, values, variables=("syn.I_decaying",))["syn.I_decaying"]
    u = use / (1 - (1 - use) * np.exp(-interval / tau_facil))
    recovery = np.exp(-interval / tau_rec)
    x = (1 - recovery) / (1 - (1 - u) * recovery)
    rows = np.round(times / DT_MS).astype(int) + 1
    released = current[rows] / 100e-12
    assert released[0] == pytest.approx(use, rel=1e-6)
    assert released[-1] == pytest.approx(u * x, rel=1e-3)


def test_the_weight_follows_the_order_of_spikes():
    """Pre 5 ms before post: A_plus exp(-5/20) up; after it: A_minus exp(-5/20) down (Song et al. 2000)."""
    for fires_ms, change in ((15.0, 0.005 * np.exp(-0.25)), (5.0, -0.00525 * np.exp(-0.25))):
        source = brian2.SpikeGeneratorGroup(1, [0], [10.0] * ms, dt=DT_MS * ms)
        target = neuron_group(with_currents(ALL["lif"], "I_syn"), 1, name="cell")
        made = synapses(SYNAPSES["stdp"], source, target, {"I_max": 0.0}, current="I_syn")
        network = brian2.Network(source, target, made)
        network.run(fires_ms * ms, namespace={})
        target.v = 0 * mV
        network.run((20.0 - fires_ms) * ms, namespace={})
        assert float(made.w[0]) - 0.5 == pytest.approx(change, rel=1e-3)


def test_a_target_without_the_current_is_refused():
    """The sentence says how to add it; and an unknown parameter is named."""
    target = neuron_group(ALL["passive"], 1)
    source = brian2.SpikeGeneratorGroup(1, [0], [1.0] * ms)
    with pytest.raises(InputError, match="no variable 'I_ampa' for the synapse ampa; add a current by with_currents"):
        synapses(SYNAPSES["ampa"], source, target, current="I_ampa")
    with pytest.raises(InputError, match="the model ampa has no parameter 'tau'; it has weight"):
        SYNAPSES["ampa"].parameter("tau")
    brian2.Network(target, source).run(0 * ms, namespace={})
