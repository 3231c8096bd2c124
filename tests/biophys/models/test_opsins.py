"""Opsins: photocurrents are those of the Markov chain solved by matrices, in the program and in Brian2."""

import brian2
import numpy as np
import pytest
import scipy.linalg
from brian2 import ms

import biophys
from biophys.models import ALL, KINDS, neuron_group, with_opsin
from twin.errors import InputError

OPSINS = KINDS["opsin"]
FOUR_STATE = sorted(set(OPSINS) - {"enphr3"})
HELD_MV = -60.0


def clamped(name: str, flux: float, duration_ms: float, dt_ms: float = 0.05) -> np.ndarray:
    """I_opsin (A) at -60 mV from the onset of light of a flux (photons per mm2 and second)."""
    model = with_opsin(ALL["passive"], OPSINS[name])
    group = neuron_group(model, 1, dt=dt_ms * ms, name="cell")
    network = brian2.Network(group)
    group._network = network.id
    program = biophys.compile_network(network, {}, inputs=("cell.v", "cell.phi"))
    inputs = {"cell.v": HELD_MV * 1e-3, "cell.phi": flux * 1e6}
    _, rows = program.run(duration_ms * 1e-3, inputs=inputs, record=("cell.I_opsin",))
    return np.asarray(rows["cell.I_opsin"])[:, 0]


def chain(name: str, flux: float) -> np.ndarray:
    """Generator of the four-state chain (per ms), columns from, rows to: C1, O1, O2, C2."""
    p = {one.name: one.value for one in OPSINS[name].parameters}
    hill = {power: flux**x / (flux**x + p["phi_m"] ** x) for power, x in (("p", p["p_light"]), ("q", p["q_light"]))}
    rates = np.zeros((4, 4))
    rates[1, 0], rates[0, 1] = p["k_1"] * hill["p"], p["G_d1"]
    rates[2, 1], rates[1, 2] = p["G_f0"] + p["k_f"] * hill["q"], p["G_b0"] + p["k_b"] * hill["q"]
    rates[2, 3], rates[3, 2] = p["k_2"] * hill["p"], p["G_d2"]
    rates[0, 3] = p["G_r0"]
    return rates - np.diag(rates.sum(axis=0))


def current(name: str, states: np.ndarray) -> np.ndarray:
    """Photocurrent (A) at -60 mV of the shares of C1, O1, O2, C2."""
    p = {one.name: one.value for one in OPSINS[name].parameters}
    drive = HELD_MV - p["E_opsin"]
    if "v_0" in p:
        drive = p["v_1"] * (1 - np.exp(-drive / p["v_0"]))
    return -p["g_opsin"] * (states[1] + p["gamma_opsin"] * states[2]) * drive * 1e-12


@pytest.mark.parametrize("name", FOUR_STATE)
def test_the_photocurrent_is_that_of_the_chain(name):
    """Matrix exponential of the four states, at ten times the flux of half activation, within 1 % of the peak."""
    flux = 10 * OPSINS[name].parameter("phi_m").value
    found = clamped(name, flux, 50.0, dt_ms=0.01)
    generator = chain(name, flux)
    step = scipy.linalg.expm(generator * 0.5)
    states, expected = np.array([1.0, 0.0, 0.0, 0.0]), []
    for _ in range(100):
        expected.append(current(name, states))
        states = step @ states
    np.testing.assert_allclose(found[::50], expected, atol=0.01 * np.abs(expected).max(), rtol=0)


@pytest.mark.parametrize("name", FOUR_STATE)
def test_the_plateau_is_the_steady_state_and_below_the_peak(name):
    """Steady over peak current: the null vector of the generator is where the chain ends, and less than the peak."""
    flux = 10 * OPSINS[name].parameter("phi_m").value
    generator = chain(name, flux)
    steady = scipy.linalg.null_space(generator)[:, 0]
    plateau = current(name, steady / steady.sum())
    # The slowest opsin needs seconds: go on from where the chain is after 20 s.
    late = scipy.linalg.expm(generator * 20000.0) @ np.array([1.0, 0.0, 0.0, 0.0])
    assert current(name, late) == pytest.approx(plateau, rel=1e-3)
    peak = np.abs(clamped(name, flux, 100.0)).max()
    assert 0.01 < abs(plateau) / peak < 1.0


@pytest.mark.parametrize("name", sorted(OPSINS))
def test_the_program_and_brian2_agree(name):
    """Voltage of a LIF cell in light, to 1e-12 V; and no current in the dark."""
    model = with_opsin(ALL["lif"], OPSINS[name])
    group = neuron_group(model, 2, name="cell")
    group.variables["phi"].set_value(np.array([0.0, 1e23]))
    monitor = brian2.StateMonitor(group, ["v", "I_opsin"], record=True)
    network = brian2.Network(group, monitor)
    program = biophys.compile_network(network, {})
    _, rows = program.run(0.006, record=("cell.v",))
    network.run(6 * ms, namespace={})
    np.testing.assert_allclose(np.asarray(rows["cell.v"]).T, np.asarray(monitor.v_), atol=1e-12, rtol=0)
    assert np.abs(np.asarray(monitor.I_opsin_)[0]).max() < 1e-15
    assert np.abs(np.asarray(monitor.I_opsin_)[1]).max() > 1e-13


def test_signs_are_those_of_the_ions():
    """At -60 mV channelrhodopsins depolarise; the chloride channel and the pump hyperpolarise."""
    for name in OPSINS:
        late = clamped(name, OPSINS[name].parameter("phi_m").value, 20.0)[-1]
        assert (late > 0) == (name in ("chr2", "chr2_h134r", "chrimson")), name


def test_the_pump_reaches_its_photocycle_steady_state():
    """P_4 = k/(k + G_d + k G_d/G_r) for activation k at the flux of half activation, before chloride has moved."""
    group = neuron_group(with_opsin(ALL["passive"], OPSINS["enphr3"]), 1, dt=0.05 * ms, name="cell")
    network = brian2.Network(group)
    group._network = network.id
    program = biophys.compile_network(network, {}, inputs=("cell.v", "cell.phi"))
    inputs = {"cell.v": -0.06, "cell.phi": 1.2e24}
    _, rows = program.run(0.5, inputs=inputs, record=("cell.P_4", "cell.Cl_in"))
    k, decay, recovery = 0.5, 0.025, 0.05
    assert float(rows["cell.P_4"][-1, 0]) == pytest.approx(k / (k + decay + k * decay / recovery), rel=1e-4)
    assert float(rows["cell.Cl_in"][0, 0]) == pytest.approx(124 * np.exp(-70 / 26.67), rel=1e-9)  # mM is mol/m3
    assert float(rows["cell.Cl_in"][-1, 0]) > float(rows["cell.Cl_in"][0, 0])


def test_one_opsin_in_a_neuron():
    """A second one brings the same names and is refused."""
    with pytest.raises(InputError, match="passive_chr2 has .* already, which the opsin chrimson brings"):
        with_opsin(with_opsin(ALL["passive"], OPSINS["chr2"]), OPSINS["chrimson"])


def test_a_method_that_cannot_solve_it_is_replaced():
    """Rectification is not linear in the voltage, so exponential Euler gives way to rk4; else the method stays."""
    assert with_opsin(ALL["traub_miles"], OPSINS["chr2"]).method == "rk4"
    assert with_opsin(ALL["traub_miles"], OPSINS["gtacr2"]).method == "exponential_euler"
