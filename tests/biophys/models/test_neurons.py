"""Neuron models: the compiled program is Brian2's, and the published behaviour comes out."""

import dataclasses

import brian2
import jax
import numpy as np
import pytest

import biophys
from biophys.models import ALL, KINDS, NeuronModel, neuron_group
from biophys.models.adex import FIRING_PATTERNS
from twin.errors import InputError

# nA; strong enough for a spike within the test where the model has spikes.
DRIVE = {
    "passive": 0.2,
    "lif": 4.0,
    "lif_adaptive": 4.0,
    "lif_conductance": 4.0,
    "adex": 6.0,
    "gif": 0.2,
    "hodgkin_huxley": 3.0,
    "traub_miles": 2.0,
    "pospischil_fs": 6.0,
    "pospischil_rs": 9.0,
    "pospischil_ib": 9.0,
    "pospischil_lts": 9.0,
    "connor_stevens": 5.0,
    "wang_buzsaki": 2.0,
    "auditory_receptor": 20.0,
}
NEVER = {"gif": {"lambda_0": 0.0}}  # without its noise, which the two engines draw differently


# Brian2 takes seconds to work out rk4 for them; their spike times are tested below in any case.
SLOW = {"pospischil_rs", "pospischil_ib", "pospischil_lts"}


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=pytest.mark.slow) if one in SLOW else one for one in sorted(ALL)]
)
def test_the_program_and_brian2_agree(name):
    """The same trace to 1e-9 V and the same spikes, from the model's own text; units are checked on the way."""
    model = ALL[name]
    cells = neuron_group(model, 2, NEVER.get(name), name="cell")
    cells.variables[model.current].set_value(DRIVE[name] * 1e-9 * np.array([1.0, 0.6]))
    voltage = brian2.StateMonitor(cells, model.voltage, record=True)
    network = brian2.Network(cells, voltage)
    spikes = brian2.SpikeMonitor(cells) if model.threshold else None
    if spikes is not None:
        network.add(spikes)
    program = biophys.compile_network(network, {})
    duration = 80 * model.recommended_dt_ms * brian2.ms
    names = (f"cell.{model.voltage}", *(("cell.spike",) if model.threshold else ()))
    key = jax.random.key(0) if program.is_random else None
    _, recorded = program.run(float(duration), record=names, key=key)
    network.run(duration, namespace={})
    np.testing.assert_allclose(np.asarray(recorded[names[0]]).T, np.asarray(voltage.v_), atol=1e-9, rtol=0)
    if spikes is not None:
        steps = np.round(np.asarray(spikes.t_) / (model.recommended_dt_ms * 1e-3)).astype(int)
        step, cell = np.nonzero(np.asarray(recorded["cell.spike"]))
        assert sorted(zip(steps, np.asarray(spikes.i), strict=True)) == sorted(zip(step, cell, strict=True))
        assert len(steps) > 0 or name in NEVER


def test_every_number_has_a_source_and_sane_bounds():
    """No number without an origin; bounds hold the published value; every name of the equations' parameters has one."""
    for kind in KINDS.values():
        for model in kind.values():
            assert model.source and model.title
            assert all(parameter.source for parameter in model.parameters)
    for model in ALL.values():
        declared = brian2.Equations(model.equations).parameter_names
        assert declared == {one.name for one in model.parameters} | set(model.inputs), model.name
        assert {*model.channels.values(), *model.reversal_potentials} <= declared
        assert model.current in model.inputs


def test_what_nobody_reported_stays_unreported():
    """No model states a junction potential that its source does not."""
    squid = ALL["hodgkin_huxley"].kinetics[0].measured
    assert squid["temperature"].value == 6.3
    assert squid["junction_potential_corrected"].status == "unreported"
    assert ALL["adex"].measured["temperature"].status == "unreported"


@pytest.mark.parametrize(
    ("name", "rest_mv"), [("hodgkin_huxley", -65.0), ("wang_buzsaki", -64.0), ("connor_stevens", -68.0)]
)
def test_resting_potentials(name, rest_mv, respond):
    """-65 mV by construction; -64 mV by Wang & Buzsaki; -68 mV by Connor et al."""
    assert respond(ALL[name], [0.0], 200.0).voltage_mv[-1, 0] == pytest.approx(rest_mv, abs=0.05)


def hodgkin_huxley_rate(respond, model: NeuronModel) -> list[float]:
    response = respond(model, [0.6, 0.7, 1.0], 400.0)  # 6, 7 and 10 uA/cm2 on 1e-4 cm2
    return [len(response.spikes_ms[0]), response.rate_hz(1), response.rate_hz(2)]


def test_the_squid_axon_fires_at_68_hz_for_10_ua_cm2(respond):
    """It fires once or twice at 6 uA/cm2, for ever at 7, and at 67.7 Hz at 10 (6.3 degC)."""
    few, low, middle = hodgkin_huxley_rate(respond, ALL["hodgkin_huxley"])
    assert few <= 2 and low == pytest.approx(57.7, abs=1.0) and middle == pytest.approx(67.7, abs=1.0)


def test_a_planted_error_in_a_gate_is_caught(respond):
    """With m**2 for m**3 the rate is another one: the test above can fail."""
    wrong = ALL["hodgkin_huxley"].equations.replace("m**3", "m**2")
    planted = dataclasses.replace(ALL["hodgkin_huxley"], equations=wrong)
    assert abs(hodgkin_huxley_rate(respond, planted)[2] - 67.7) > 3


def test_a_warm_axon_fires_faster(respond):
    """Q10 is in the equations: at 16.3 degC the gates are 3 times as fast."""
    rates = [respond(ALL["hodgkin_huxley"], [1.0], 200.0, values={"temperature_c": c}).rate_hz() for c in (6.3, 12.3)]
    assert rates[1] > 1.4 * rates[0] > 0


def test_the_interneuron_starts_at_its_published_threshold(respond):
    """Wang & Buzsaki 1996: none at 0.1 uA/cm2, some at 0.2, about 60 Hz at 1 uA/cm2 (2e-4 cm2 here)."""
    response = respond(ALL["wang_buzsaki"], [0.02, 0.04, 0.2], 500.0)
    assert len(response.spikes_ms[0]) == 0
    assert 0 < response.rate_hz(1) < 15
    assert response.rate_hz(2) == pytest.approx(60.0, abs=3.0)


def test_the_a_current_lets_the_axon_fire_slowly(respond):
    """Connor-Stevens fires below 25 Hz at some current; type I."""
    currents = np.arange(0.80, 1.0, 0.01)
    response = respond(ALL["connor_stevens"], currents, 500.0)
    rates = np.array([response.rate_hz(cell) for cell in range(currents.size)])
    assert rates[0] == 0 and 0 < rates[rates > 0].min() < 25.0


# Spike times (ms) of the authors' files under NEURON, as the Open Source Brain project records them; v starts at rest.
NEURON_SPIKES = {
    "pospischil_rs": (0.75, 300.0, {}, [320.554, 348.522, 387.944, 456.69, 592.105]),
    "pospischil_fs": (0.5, 300.0, {}, [317.023, 337.195, 357.367, 377.539, 397.711]),
    "pospischil_ib": (0.15, 500.0, {}, [617.724, 624.631, 631.1, 637.785, 644.908]),
    # Their calcium reversal potential moves, which matters after the first spike.
    "pospischil_lts": (0.15, 400.0, {"E_L": -85.0}, [431.422]),
}


@pytest.mark.parametrize("name", sorted(NEURON_SPIKES))
def test_spike_times_are_those_of_the_authors_files(name, respond):
    """Within 0.6 ms of NEURON for a step of 300 ms and more."""
    current, start_ms, values, expected = NEURON_SPIKES[name]
    response = respond(ALL[name], [current], np.ceil(expected[-1]) + 5.0, start_ms=start_ms, values=values)
    np.testing.assert_allclose(response.spikes_ms[0][: len(expected)], expected, atol=0.6)


def test_the_lts_cell_fires_after_inhibition(respond):
    """A rebound spike after -0.075 nA, and none without the low-threshold calcium current."""
    values = {"g_Ca_T": [400.0, 0.0]}
    response = respond(ALL["pospischil_lts"], [-0.075, -0.075], 300.0, start_ms=10.0, end_ms=200.0, values=values)
    with_current, without = response.spikes_ms
    assert with_current.size == 1 and 200.0 < with_current[0] < 300.0
    assert without.size == 0


@pytest.fixture(scope="module")
def adex(respond):
    """Pattern -> intervals (ms) of 500 ms of the published step."""

    def intervals(pattern):
        values = dict(FIRING_PATTERNS[pattern])
        step = values.pop("step")
        return np.diff(respond(ALL["adex"], [step * 1e-3], 500.0, values=values).spikes_ms[0])

    return intervals


def test_adex_firing_patterns_of_naud(adex):
    """Tonic, adapting, initial burst, regular bursts, delayed acceleration, one spike: table 1 of Naud et al. 2008."""
    tonic = adex("tonic")
    assert tonic.size > 40 and tonic.std() < 0.05 * tonic.mean()
    adapting = adex("adaptation")
    assert (np.diff(adapting) > -0.5).all() and adapting[-1] > 5 * adapting[0]
    burst = adex("initial burst")
    assert burst[0] < 10 and (burst[3:] > 50).all()
    bursts = adex("regular bursting")
    assert (bursts < 10).sum() >= 4 and (bursts > 100).sum() >= 3
    accelerating = adex("delayed accelerating")
    assert (np.diff(accelerating) < 0.1).all() and accelerating[0] > 1.3 * accelerating[-1]
    assert adex("transient").size == 0


def test_the_lif_rate_is_the_analytic_one(respond):
    """One over t_ref + tau ln((V_inf - V_r)/(V_inf - V_T))."""
    response = respond(ALL["lif"], [0.5], 300.0, dt_ms=0.01)
    tau_ms, steady_mv = 20.0, -70.0 + 0.5e3 / 10.0
    interval = 2.0 + tau_ms * np.log((steady_mv + 58.0) / (steady_mv + 50.0))
    assert response.rate_hz() == pytest.approx(1e3 / interval, rel=0.005)


def test_the_moving_threshold_and_the_current_slow_it_down(respond):
    """Both adaptations lengthen the intervals; without them the neuron is the LIF."""
    plain = respond(ALL["lif"], [0.5], 300.0).spikes_ms[0]
    off = {"a": 0.0, "b": 0.0, "delta_theta": 0.0}
    np.testing.assert_array_equal(respond(ALL["lif_adaptive"], [0.5], 300.0, values=off).spikes_ms[0], plain)
    for one in ({"b": 40.0}, {"delta_theta": 3.0}):
        slowed = np.diff(respond(ALL["lif_adaptive"], [0.5], 300.0, values=off | one).spikes_ms[0])
        assert slowed[-1] > 1.1 * slowed[0] >= np.diff(plain)[0] * 0.99


def test_the_afterhyperpolarisation_follows_the_current(respond):
    """Its lowest voltage is where the currents balance, higher for a stronger one; without it the reset is lowest."""
    model, one = ALL["lif_conductance"], {"b_slow": 0.001, "a": 0.0, "c": 0.0, "delta_theta": 30.0, "tau_theta": 300.0}

    def after_spike(b_fast, length):
        response = respond(model, [0.3, 0.6], 60.0, values=one | {"b_fast": b_fast, "tau_fast": 50.0})
        starts = [int(np.searchsorted(response.time_ms, times[0] + 0.15)) for times in response.spikes_ms]
        return np.array([response.voltage_mv[at : at + length, cell] for cell, at in enumerate(starts)])

    shown = after_spike(40.0, 300)
    conductance = 40.0 * np.exp(-shown.argmin(axis=1) * model.recommended_dt_ms / 50.0)
    balance = (5.0 * -70.0 + conductance * -80.0 + np.array([300.0, 600.0])) / (5.0 + conductance)
    np.testing.assert_allclose(shown.min(axis=1), balance, atol=0.5)
    assert np.diff(shown.min(axis=1)) > 5.0
    np.testing.assert_allclose(after_spike(0.1, 20).min(axis=1), -35.0, atol=1.0)


def test_the_gif_fires_at_its_hazard(respond):
    """At the threshold the hazard is lambda_0: 4000 cells survive 10 ms at 100 Hz with probability exp(-1)."""
    at_threshold = {"E_L": -48.0, "V_T_star": -48.0, "lambda_0": 100.0}
    response = respond(ALL["gif"], np.zeros(4000), 10.0, values=at_threshold)
    survived = np.mean([times.size == 0 for times in response.spikes_ms])
    assert survived == pytest.approx(np.exp(-1.0), abs=4 * np.sqrt(np.exp(-1.0) * (1 - np.exp(-1.0)) / 4000))


def test_a_gif_spike_moves_threshold_and_current(respond):
    """After a certain spike eta and gamma are the sums of their amplitudes, decayed for one step."""
    cell = neuron_group(ALL["gif"], 1, {"E_L": -20.0, "lambda_0": 1e9}, name="cell")
    network = brian2.Network(cell)
    network.run(0.1 * brian2.ms, namespace={})
    assert float(cell.eta_1[0] + cell.eta_2[0] + cell.eta_3[0]) == pytest.approx(75e-12)
    assert float(cell.V_threshold[0]) == pytest.approx(-48e-3 + 11e-3)
    assert float(cell.v[0]) == pytest.approx(-55e-3)


def test_values_are_set_in_the_models_units():
    """One for each cell, or one for all; another number of them is refused, and so is an unknown name."""
    group = neuron_group(ALL["lif"], 2, {"V_T": [-50.0, -45.0], "C": 100.0})
    np.testing.assert_allclose(np.asarray(group.V_T_), [-0.05, -0.045])
    np.testing.assert_allclose(np.asarray(group.C_), 1e-10)
    with pytest.raises(InputError, match=r"shape \(3,\) for 2 of them"):
        neuron_group(ALL["lif"], 2, {"V_T": [-50.0, -45.0, -40.0]})
    with pytest.raises(InputError, match="lif has no parameter 'V_th'; it has C, g_L"):
        neuron_group(ALL["lif"], 2, {"V_th": -50.0})
    brian2.Network(group).run(0 * brian2.ms, namespace={})
