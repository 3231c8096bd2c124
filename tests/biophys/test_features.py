"""Features: eFEL's numbers with units and reasons, and differentiable counterparts that agree with them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import biophys
from biophys.features import STEP_FEATURES, Step, extract, smooth_features
from biophys.features.smooth import SMOOTH
from biophys.models import ALL, neuron_group
from twin.errors import InputError, UnsupportedError

DT_MS, START_MS, END_MS = 0.05, 50.0, 250.0
TIME_MS = np.arange(0.0, 300.0, DT_MS)


def response(model: str, current_na: float, **values: float) -> np.ndarray:
    """Voltage (mV) of a model for a step from 50 to 250 ms, by the compiled program."""
    import brian2

    group = neuron_group(ALL[model], 1, values, dt=DT_MS * brian2.ms, name="cell")
    program = biophys.compile_network(brian2.Network(group), {}, inputs=("cell.I",))
    tape = np.where((TIME_MS >= START_MS) & (TIME_MS < END_MS), current_na * 1e-9, 0.0)
    _, recorded = program.run(TIME_MS.size * DT_MS * 1e-3, tapes={"cell.I": tape}, record=("cell.v",))
    return np.asarray(recorded["cell.v"])[:, 0] * 1e3


@pytest.fixture(scope="module")
def passive() -> np.ndarray:
    """Base -70 mV, 100 MOhm, 20 ms; -0.1 nA deflects by -10 mV."""
    return response("passive", -0.1)


@pytest.fixture(scope="module")
def spiking() -> np.ndarray:
    return response("traub_miles", 0.1, E_L=-70.0)


def sagging() -> np.ndarray:
    """A made-up response with known sag: base -70, lowest -90.8, steady -85 mV."""
    after = TIME_MS - START_MS
    step = -15 * (1 - np.exp(-after / 8)) - 10 * (np.exp(-after / 40) - np.exp(-after / 8))
    return -70 + np.where((after >= 0) & (TIME_MS <= END_MS), step, 0.0)


def efel_features(voltage: np.ndarray, current_na: float, **options):
    return extract(TIME_MS, voltage, start_ms=START_MS, end_ms=END_MS, current_na=current_na, **options)


def test_a_passive_response_gives_the_numbers_of_its_membrane(passive):
    """10 nS and 200 pF are 100 MOhm and 20 ms."""
    found = efel_features(passive, -0.1)
    assert found["voltage_base"].value == pytest.approx(-70.0, abs=1e-6)
    assert found["steady_state_voltage_stimend"].value == pytest.approx(-80.0, abs=2e-3)
    assert found["ohmic_input_resistance_vb_ssse"].value == pytest.approx(100.0, rel=1e-3)
    assert found["ohmic_input_resistance_vb_ssse"].unit == "MOhm"
    assert found["time_constant"].value == pytest.approx(20.0, rel=0.02)
    assert found["sag_ratio1"].value == pytest.approx(0.0, abs=1e-3)


def test_a_feature_that_does_not_exist_is_none_with_the_reason(passive):
    """No action potential: no latency and no amplitude, and each says why; the count is 0."""
    found = efel_features(passive, -0.1)
    assert found["time_to_first_spike"].value is None
    assert found["time_to_first_spike"].reason == "needs 1 action potentials within the step, found 0"
    assert found["adaptation_index2"].value is None
    assert found["spike_count_stimint"].value == 0.0
    assert all((one.value is None) == bool(one.reason) for one in found.values())


def test_a_depolarising_step_has_no_sag(spiking):
    """eFEL gives a number for the time constant of any step; here it is refused for a positive one."""
    found = efel_features(spiking, 0.1)
    assert found["sag_ratio1"].value is None and "hyperpolarising" in found["sag_ratio1"].reason


def test_the_spikes_that_a_program_counts_are_those_that_efel_finds(spiking):
    """Peaks above -20 mV within the step, counted here, are eFEL's count; the first one is its latency."""
    found = efel_features(spiking, 0.1)
    above = spiking > -20.0
    up = np.flatnonzero(above[1:] & ~above[:-1])
    assert found["spike_count_stimint"].value == up.size >= 3
    peak = up[0] + np.argmax(spiking[up[0] : up[0] + 40])
    assert found["time_to_first_spike"].value == pytest.approx(TIME_MS[peak] - START_MS, abs=0.15)


def test_a_trace_that_is_not_finite_has_no_features(passive):
    """A diverged simulation is data, not a crash."""
    broken = passive.copy()
    broken[100:] = np.nan
    found = efel_features(broken, -0.1)
    assert all(one.value is None and "not finite" in one.reason for one in found.values())


def test_units_are_those_of_efel():
    """The units that are stated here are eFEL's own."""
    from efel.units import get_unit

    ours = {"1": "constant", "MOhm": "MΩ", "mV/ms": "V/s"}
    for name, kind in STEP_FEATURES.items():
        assert get_unit(name) == ours.get(kind.unit, kind.unit), name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": ("AP_hight",)}, "no feature AP_hight; there are voltage_base"),
        ({"start_ms": 0.0}, "the step goes from 0 to 250 ms"),
        ({"end_ms": 400.0}, "the step goes from 50 to 400 ms"),
    ],
)
def test_bad_input_is_refused(passive, change, message):
    """Names, and steps outside the trace."""
    options = {"start_ms": START_MS, "end_ms": END_MS, "current_na": -0.1} | change
    with pytest.raises(InputError, match=message):
        extract(TIME_MS, passive, **options)


def test_without_efel_the_way_out_is_named(passive, monkeypatch):
    """The package belongs to an extra."""
    monkeypatch.setitem(__import__("sys").modules, "efel", None)
    with pytest.raises(UnsupportedError, match=r"pip install 'neurotwin\[calibrate\]'"):
        efel_features(passive, -0.1)


def smooth(voltage: np.ndarray, current_na: float, *names: str):
    step = Step(DT_MS, START_MS, END_MS, current_na)
    return smooth_features(jnp.asarray(voltage), step, names)


SUBTHRESHOLD = {
    "voltage_base": 1e-6,
    "steady_state_voltage": 0.02,
    "input_resistance": 0.2,
    "lowest_voltage": 0.05,
    "sag_ratio": 0.005,
}
# The peak of an action potential comes after it has passed the level: 0.3 ms here.
SPIKING = {"spike_count": 0.05, "latency": 0.5, "peak_voltage": 1.5, "threshold_voltage": 1.0, "spike_amplitude": 2.0}


@pytest.mark.parametrize("trace", ["passive", "sagging"])
def test_smooth_subthreshold_features_are_those_of_efel(trace, passive):
    """Base, steady state, resistance, lowest voltage and sag, on a passive response and on one with sag."""
    voltage = passive if trace == "passive" else sagging()
    theirs, ours = efel_features(voltage, -0.1), smooth(voltage, -0.1, *SUBTHRESHOLD)
    for name, tolerance in SUBTHRESHOLD.items():
        assert float(ours[name]) == pytest.approx(theirs[SMOOTH[name][1]].value, abs=tolerance), name


def test_the_smooth_time_constant_is_that_of_the_membrane(passive):
    """20 ms by area, and by eFEL's fit."""
    assert float(smooth(passive, -0.1, "time_constant")["time_constant"]) == pytest.approx(20.0, rel=0.01)
    assert efel_features(passive, -0.1)["time_constant"].value == pytest.approx(20.0, rel=0.02)


def test_smooth_spike_features_are_those_of_efel(spiking):
    """Count, latency, peak, threshold and amplitude, on a spiking response; for eFEL those of all spikes."""
    theirs, ours = efel_features(spiking, 0.1), smooth(spiking, 0.1, *SPIKING)
    for name, tolerance in SPIKING.items():
        assert float(ours[name]) == pytest.approx(theirs[SMOOTH[name][1]].value, abs=tolerance), name


def test_without_spikes_the_latency_is_the_whole_step(passive):
    """No jump and no NaN where a fit begins with a silent model."""
    ours = smooth(passive, -0.1, "latency", "spike_count")
    assert float(ours["latency"]) == pytest.approx(END_MS - START_MS, abs=1e-6)
    assert float(ours["spike_count"]) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("name", sorted(SMOOTH))
def test_the_derivative_is_that_of_finite_differences(name, spiking):
    """Along a smooth change of the trace, by central differences."""
    voltage = sagging() if name in (*SUBTHRESHOLD, "time_constant") else spiking
    direction = jnp.asarray(np.sin(TIME_MS / 30.0) + 0.1 * np.gradient(voltage, DT_MS))
    step = Step(DT_MS, START_MS, END_MS, -0.1)

    def along(size):
        return SMOOTH[name][0](jnp.asarray(voltage) + size * direction, step)

    slope = float(jax.grad(along)(0.0))
    width = 1e-5
    assert slope == pytest.approx(float(along(width) - along(-width)) / (2 * width), rel=1e-4, abs=1e-5)


def test_a_planted_defect_is_seen(spiking):
    """A count at a level that the peaks do not reach is 0: the level is in use."""
    from biophys.features.smooth import spike_count

    step = Step(DT_MS, START_MS, END_MS, 0.1)
    assert float(spike_count(jnp.asarray(spiking), step, level_mv=100.0)) < 1e-6


def test_bad_steps_are_refused(passive):
    """An onset before the first sample, a name that is not there, a trace that is too short, and 0 nA."""
    with pytest.raises(InputError, match="wanted an onset"):
        Step(0.1, 0.0, 10.0, 0.1)
    with pytest.raises(InputError, match="no differentiable feature sag"):
        smooth(passive, -0.1, "sag")
    with pytest.raises(InputError, match="the step ends at 250 ms"):
        smooth(passive[:1000], -0.1, "spike_count")
    with pytest.raises(InputError, match="not 0 nA"):
        smooth(passive, 0.0, "input_resistance")
