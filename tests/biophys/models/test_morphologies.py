"""Neurons with dendrites: densities lie where they are said to, spikes travel, and Brian2 agrees."""

import brian2
import numpy as np
import pytest
from brian2 import ms, nA, um

import biophys
from biophys.models import KINDS, Section, spatial_neuron
from biophys.models.morphology import compartments, morphology_of
from twin.errors import InputError

PYRAMIDAL = KINDS["morphology"]["pyramidal"]


def neuron(current_na=0.0, **values):
    made = spatial_neuron(PYRAMIDAL, values, name="cell")
    made.I[0] = current_na * nA
    network = brian2.Network(made)
    made._network = network.id
    return made, network


def test_densities_lie_in_their_sections():
    """30000 pS/um2 of sodium in the initial segment, 20 elsewhere: by Brian2's own names of the sections."""
    made, _ = neuron()
    assert np.asarray(made.initial_segment.g_Na_) == pytest.approx(3e4)
    for section in ("apical", "basal"):
        assert np.asarray(getattr(made, section).g_Na_) == pytest.approx(20.0)
        assert np.asarray(getattr(made, section).g_Kv_) == pytest.approx(0.0)
    assert float(made.g_Kv_[0]) == pytest.approx(200.0)
    assert float(made.area[0] / um**2) == pytest.approx(np.pi * 25.0**2)


def test_the_order_of_compartments_is_brian2s():
    """A tree with a branch on a branch: the slices are Brian2's indices of each section."""
    sections = (
        Section("root", "", 10.0, 10.0),
        Section("trunk", "root", 50.0, 2.0, 3),
        Section("side", "root", 50.0, 2.0, 2),
        Section("tip", "trunk", 50.0, 1.0, 4),
    )
    where, tree = compartments(sections), morphology_of(sections)
    assert where == {"root": slice(0, 1), "trunk": slice(1, 4), "tip": slice(4, 8), "side": slice(8, 10)}
    for name, branch in (("trunk", tree.trunk), ("tip", tree.trunk.tip), ("side", tree.side)):
        np.testing.assert_array_equal(branch.indices[:], np.arange(where[name].start, where[name].stop))


def test_the_program_and_brian2_agree_over_a_spike():
    """38 compartments to 1e-7 V over the first spike, whose upstroke amplifies rounding ten thousandfold."""
    made, network = neuron(1.0)
    monitor = brian2.StateMonitor(made, "v", record=True)
    network.add(monitor)
    program = biophys.compile_network(network, {})
    _, rows = program.run(0.003, record=("cell.v",))
    network.run(3 * ms, namespace={})
    voltage = np.asarray(monitor.v_)
    assert voltage[0].max() > 0
    np.testing.assert_allclose(np.asarray(rows["cell.v"]).T, voltage, atol=1e-7, rtol=0)


def test_it_rests_fires_regularly_and_the_spike_starts_in_the_initial_segment():
    """Silent without current; regular with 0.3 nA; the initial segment leads the soma, the dendrite follows."""
    made, network = neuron()
    program = biophys.compile_network(network, {}, inputs=("cell.I",))
    injected = np.zeros(len(made))
    _, rest = program.run(0.1, inputs={"cell.I": injected}, record=("cell.v", "cell.spike"))
    assert not np.asarray(rest["cell.spike"]).any()
    assert -80 < np.asarray(rest["cell.v"])[-1, 0] * 1e3 < -65
    injected[0] = 0.3e-9
    _, driven = program.run(0.1, inputs={"cell.I": injected}, record=("cell.v", "cell.spike"))
    times = np.flatnonzero(np.asarray(driven["cell.spike"]).any(axis=1)) * 0.025
    assert times.size >= 5 and np.diff(times)[1:].std() < 1.0
    voltage = np.asarray(driven["cell.v"])[: round((times[0] + 2.0) / 0.025)] * 1e3
    where = compartments(PYRAMIDAL.sections)
    first = [int((voltage[:, index] > -30).argmax()) for index in (where["initial_segment"].stop - 1, 0)]
    assert 0 < first[0] < first[1]
    tip = voltage[:, where["apical"].stop - 1]
    assert tip.argmax() > voltage[:, 0].argmax() and -40 < tip.max() < voltage[:, 0].max()


def test_without_sodium_in_the_initial_segment_it_does_not_fire():
    """The published density there is what makes the spike; 20 pS/um2 everywhere does not."""
    made, network = neuron(0.3, g_Na=20.0)
    _, rows = biophys.compile_network(network, {}).run(0.05, record=("cell.spike",))
    assert not np.asarray(rows["cell.spike"]).any()


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ((Section("a", "b", 1.0, 1.0),), "the first section is a, a child of b"),
        ((Section("a", "", 1.0, 1.0), Section("c", "b", 1.0, 1.0)), "the section c on b does not fit a tree of a"),
    ],
)
def test_what_is_no_tree_is_refused(sections, message):
    """The root first, and a parent before its child."""
    with pytest.raises(InputError, match=message):
        morphology_of(sections)


def test_an_unknown_parameter_is_named():
    """Asking for a parameter that is not there lists those there are."""
    with pytest.raises(InputError, match="the model pyramidal has no parameter 'g_Ca'; it has g_Na"):
        PYRAMIDAL.parameter("g_Ca")
