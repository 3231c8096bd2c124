"""The batched simulator: Brian2's spikes and voltages, forced spikes, hazards, electrodes, what is not finite."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import brian2
import jax
import numpy as np
import pytest

from biophys.calibrate.evaluator import Evaluator
from biophys.calibrate.objectives import Coincidence, PointProcess, TraceError
from biophys.calibrate.objectives.objective import as_weighted
from biophys.calibrate.observer import Observer
from biophys.calibrate.plan import Plan
from biophys.calibrate.problem import Problem
from biophys.calibrate.simulation import Simulator
from biophys.calibrate.space import space_of
from biophys.models import ALL, from_equations, neuron_group
from biophys.observation import ObservationModel
from twin.errors import InputError, UnsupportedError
from twin.protocol import Covariate, Protocol

N_STEPS = 800


def by_brian2(model, values, currents_na, dt_s):
    """Voltage (sweep, time, set), and which steps hold spikes, of every set on every sweep: one group of cells."""
    n_sets = len(next(iter(values.values())))
    text = model.equations.replace("\nI : amp", f"\nI = injected(t, i // {n_sets}) : amp")
    repeated = {name: np.tile(one, len(currents_na)) for name, one in values.items()}
    silent = dataclasses.replace(model, equations=text)
    group = neuron_group(silent, n_sets * len(currents_na), repeated, dt=dt_s * brian2.second)
    group.namespace["injected"] = brian2.TimedArray(currents_na.T * 1e-9 * brian2.amp, dt=dt_s * brian2.second)
    spikes, voltage = brian2.SpikeMonitor(group), brian2.StateMonitor(group, "v", record=True)
    brian2.Network(group, spikes, voltage).run(currents_na.shape[1] * dt_s * brian2.second, namespace={})
    raster = np.zeros(voltage.v_.shape, bool)
    raster[np.asarray(spikes.i), np.round(np.asarray(spikes.t_) / dt_s).astype(int)] = True
    shape = (len(currents_na), n_sets, -1)
    return tuple(np.moveaxis(one.reshape(shape), 1, 2) for one in (1e3 * np.asarray(voltage.v_), raster))


@pytest.mark.parametrize("name", ["lif", "adex", "lif_adaptive"])
def test_a_population_on_two_sweeps_does_what_brian2_does(name, noise, everything):
    """Each of three parameter sets on each of two sweeps: the same spikes, and voltages to 1e-9 mV."""
    currents = np.stack([noise(N_STEPS, 0.4, 0.3, 1), noise(N_STEPS, 0.6, 0.2, 2)])
    values = {"C": [150.0, 200.0, 250.0], "g_L": [8.0, 12.0, 10.0], "E_L": [-70.0, -65.0, -72.0]}
    voltage, spikes, _, finite = everything(Simulator(ALL[name], 1e-4, 3, np.float64), values, currents)
    theirs, raster = by_brian2(ALL[name], values, currents, 1e-4)
    np.testing.assert_allclose(voltage, theirs, atol=1e-9)
    np.testing.assert_array_equal(spikes > 0, raster)
    assert finite.all() and raster.sum() > 10


def test_forced_spikes_reset_every_cell_and_no_threshold_of_its_own_does(everything):
    """Forced in step 3, the reset shows in sample 4 whatever the threshold; a cell far above its own is not reset."""
    forced = np.zeros((1, 60), bool)
    forced[0, 3] = True
    values = {"V_T": [-69.0, -20.0], "V_r": [-75.0, -60.0], "t_ref": [0.0, 0.0]}
    voltage, spikes, _, _ = everything(
        Simulator(ALL["lif"], 1e-4, 2, np.float64, forced=True), values, np.full((1, 60), 1.0), forced
    )
    np.testing.assert_allclose(voltage[0, 4], [-75.0, -60.0])
    assert spikes[0].sum(axis=0).tolist() == [1, 1] and voltage[0, -1, 0] > -69


def test_a_runaway_upswing_is_held_when_spikes_are_forced(everything):
    """An exponential integrate-and-fire cell that is not reset in time stays finite, and is far off."""
    values = {"V_T": [-60.0], "Delta_T": [0.5]}
    voltage, _, _, finite = everything(
        Simulator(ALL["adex"], 1e-4, 1, np.float32, forced=True),
        values,
        np.full((1, 500), 2.0),
        np.zeros((1, 500), bool),
    )
    assert finite.all() and voltage[0, -1, 0] == pytest.approx(50.0)


def test_the_hazard_is_the_one_that_the_threshold_looks_at(everything):
    """In the step of a forced spike the hazard is the one before the reset: lambda exp((v - V_T)/Delta_V)."""
    gif, forced = ALL["gif"], np.zeros((1, 50), bool)
    forced[0, 20] = True
    values = {"V_T_star": [-60.0], "a_gamma_1": [0.0], "a_gamma_2": [0.0]}
    simulator = Simulator(gif, 1e-4, 1, np.float64, forced=True, hazard="hazard")
    voltage, _, hazard, _ = everything(simulator, values, np.full((1, 50), 0.3), forced)
    after = 1e4 * np.exp((voltage[0, 1:, 0] + 60.0) / 1.0)
    np.testing.assert_allclose(hazard[0, :20, 0], after[:20], rtol=1e-9)
    assert hazard[0, 20, 0] > hazard[0, 19, 0] and after[20] > 2 * hazard[0, 20, 0]  # V_r is above the threshold


def test_initial_values_follow_the_parameters(everything):
    """A membrane that starts at its leak potential starts at that of its own parameter set."""
    voltage, *_ = everything(Simulator(ALL["lif"], 1e-4, 2, np.float64), {"E_L": [-80.0, -66.0]}, np.zeros((1, 10)))
    np.testing.assert_allclose(voltage[0], np.broadcast_to([-80.0, -66.0], (10, 2)))


def test_settling_holds_the_first_current(everything):
    """After 2 s under its holding current a passive cell is where Ohm's law puts it: 10 nS, 0.1 nA, 10 mV."""
    simulator = Simulator(ALL["lif"], 1e-4, 1, np.float64, settle_steps=20_000)
    voltage, *_ = everything(simulator, {"g_L": [10.0]}, np.full((1, 5), 0.1))
    np.testing.assert_allclose(voltage[0, :, 0], -60.0, atol=1e-6)


def test_equations_of_a_user_with_a_wrong_name_are_refused():
    """A model whose voltage or current has another name than it says, or whose current is a density."""
    good = from_equations("own", "dv/dt = (I/g - v)/tau : volt\nI : amp\ng : siemens\ntau : second",
                          parameters={"g": 1e-8, "tau": 0.01})  # fmt: skip
    with pytest.raises(InputError, match="own has no variable 'vm', which is its voltage; it has I, g, tau, v"):
        _ = Simulator(dataclasses.replace(good, voltage="vm"), 1e-4, 1).program
    with pytest.raises(InputError, match="the current g must be one of its inputs, in amp"):
        _ = Simulator(dataclasses.replace(good, current="g"), 1e-4, 1).program
    with pytest.raises(InputError, match="has no variable 'rate', which is its hazard"):
        _ = Simulator(ALL["lif"], 1e-4, 1, hazard="rate").program


def problem(target, objective, model="lif", bounds=None, **options) -> Problem:
    """A problem at the target's step."""
    space = space_of(ALL[model], bounds or {"C": (50, 500), "g_L": (2, 40)})
    observer = options.pop("observer", Observer(None))
    return Problem(Plan(ALL[model], space, as_weighted(objective), {}, observer, target.dt_s, **options), target)


def test_a_set_that_is_not_finite_scores_nan_and_the_others_do_not(record, noise):
    """A membrane of no capacity divides by zero: its loss is NaN, and the other sets are as without it."""
    target = record("lif", {}, noise(N_STEPS, 0.3, 0.2))
    one = problem(target, TraceError(), bounds={"C": (1e-30, 500.0), "g_L": (2, 40)})
    positions = np.array([[0.0, 0.5], [0.98, 0.5], [0.97, 0.4]])
    losses = Evaluator(one, 3)(positions, jax.random.key(0)).loss
    assert np.isnan(losses[0]) and np.isfinite(losses[1:]).all()
    np.testing.assert_array_equal(losses[1:], Evaluator(one, 3)(positions[[1, 1, 2]], jax.random.key(0)).loss[1:])


def test_batches_of_any_size_give_the_same(record, noise):
    """150 sets in batches of 64, and 3 at once: a set's loss depends on nothing but the set."""
    one = problem(record("lif", {}, noise(N_STEPS, 0.3, 0.2)), Coincidence())
    positions = np.random.default_rng(0).uniform(size=(150, 2))
    whole = Evaluator(one, 64)(positions, jax.random.key(0)).loss
    few = Evaluator(one, 64)(positions[[7, 70, 149]], jax.random.key(0)).loss
    np.testing.assert_array_equal(whole[[7, 70, 149]], few)


def test_another_cell_with_the_same_plan_compiles_nothing(record, noise):
    """A second recording of the same shape runs the program of the first one."""
    first, second = (problem(record("lif", {}, noise(N_STEPS, 0.4, 0.1, seed)), PointLike()) for seed in (1, 2))
    PointLike.traced = 0
    losses = [Evaluator(one, 8)(np.full((8, 2), 0.5), jax.random.key(0)).loss[0] for one in (first, second)]
    assert PointLike.traced == 1 and losses[0] != losses[1]


@dataclasses.dataclass(frozen=True)
class PointLike(TraceError):
    """A trace error that counts how often it is traced."""

    def loss(self, carry, facts):
        """Counts."""
        type(self).traced += 1
        return super().loss(carry, facts)


@pytest.mark.parametrize("objective", [TraceError(noise_sd_mv=1.0), PointProcess()], ids=["trace", "point process"])
def test_slopes_are_those_of_finite_differences(record, noise, objective, monkeypatch):
    """Derivatives carried along, derivatives computed backwards and differences of losses agree to 1e-4."""
    target = record("gif", {}, noise(N_STEPS, 0.2, 0.2))
    bounds = {"g_L": (2, 40), "V_T_star": (-60, -40)}
    one = problem(target, objective, "gif", bounds, dtype=np.float64)
    here, key = np.array([[0.4, 0.6], [0.5, 0.5]]), jax.random.key(0)
    slopes = Evaluator(one, 2, gradient=True)(here, key).gradient
    monkeypatch.setattr("biophys.calibrate.evaluator.MOST_FORWARD", 0)
    other = dataclasses.replace(one, plan=dataclasses.replace(one.plan, settle_s=0.0, spike_width_mv=1.0))
    np.testing.assert_allclose(Evaluator(other, 2, gradient=True)(here, key).gradient, slopes, rtol=1e-6)
    plain = Evaluator(one, 2)
    for k in range(2):
        step = 1e-5 * np.eye(2)[k]
        differences = (plain(here + step, key).loss - plain(here - step, key).loss) / 2e-5
        np.testing.assert_allclose(slopes[:, k], differences, rtol=1e-4, atol=1e-6)


def test_gradients_of_what_has_none_are_refused(record, noise):
    """A coincidence has no slope, and a van Rossum distance only through spikes."""
    from biophys.calibrate import VanRossum

    target = record("lif", {}, noise(N_STEPS, 0.4, 0.2))
    with pytest.raises(UnsupportedError, match=r"Coincidence \(1\) has no useful derivative; use Evolution"):
        Evaluator(problem(target, Coincidence()), 2, gradient=True)
    with pytest.raises(InputError, match=r"only through spikes; give them one by Gradient\(spike_width_mv=1.0\)"):
        Evaluator(problem(target, VanRossum()), 2, gradient=True)
    through = Evaluator(problem(target, VanRossum(), spike_width_mv=1.0), 2, gradient=True)
    assert np.abs(through(np.full((2, 2), 0.45), jax.random.key(0)).gradient).min() > 0


AMPLIFIER = Protocol(
    {
        "clamp": Covariate("current", "1", "reported", "test"),
        "junction_potential": Covariate(12.0, "mV", "reported", "test"),
        "junction_potential_corrected": Covariate(False, "1", "reported", "test"),
        "series_resistance": Covariate(20.0, "MOhm", "reported", "test"),
        "series_resistance_corrected": Covariate(False, "1", "reported", "test"),
        "bridge_balance": Covariate(8.0, "MOhm", "reported", "test"),
        "pipette_capacitance": Covariate(6.0, "pF", "reported", "test"),
        "low_pass_filter": Covariate(2000.0, "Hz", "reported", "test"),
        "low_pass_filter_family": Covariate("bessel", "1", "reported", "test"),
        "low_pass_filter_poles": Covariate(4, "1", "reported", "test"),
        "sampling_rate": Covariate(10_000.0, "Hz", "reported", "test"),
    }
)


def test_the_observer_is_the_observation_model_sample_by_sample(noise, everything):
    """Junction potential, bridge, pipette and filter in the loop give what `ObservationModel.forward` gives at once."""
    current = noise(N_STEPS, 0.3, 0.3)[None]
    amplifier = ObservationModel.from_protocol(AMPLIFIER, model_rate_hz=10_000.0)
    plain, *_ = everything(Simulator(ALL["lif"], 1e-4, 1, np.float64), {}, current)
    observer = Observer(amplifier, ("series_resistance_mohm",))
    shown, *_ = everything(
        Simulator(ALL["lif"], 1e-4, 1, np.float64, observer=observer), {"series_resistance_mohm": [25.0]}, current
    )
    wanted = amplifier.forward(plain[0, :, 0], current[0], {**amplifier.params, "series_resistance_mohm": 25.0})
    np.testing.assert_allclose(shown[0, :, 0], wanted, atol=1e-9)
    assert np.abs(shown - plain).max() > 10


def test_observers_that_do_not_fit_are_refused():
    """A free quantity without observation model, or one that it does not have, and another step."""
    with pytest.raises(InputError, match="junction_potential_mv is free, but no observation model was given"):
        Observer(None, ("junction_potential_mv",))
    amplifier = ObservationModel.from_protocol(AMPLIFIER, model_rate_hz=10_000.0)
    with pytest.raises(InputError, match="noise_sd is free and not in the observation model"):
        Observer(amplifier, ("noise_sd",))
    with pytest.raises(
        InputError, match="is for steps of 0.1 ms and the model steps by 0.05 ms; make it with model_ra"
    ):
        Observer(amplifier).require_step(5e-5)


SHARDED = """
import json, sys
import numpy as np, jax
sys.path.insert(0, {folder!r})
from conftest import noise_na, recorded
from biophys.calibrate import Coincidence
from test_simulation import problem
from biophys.calibrate.evaluator import Evaluator
jax.config.update("jax_enable_x64", True)
one = problem(recorded("lif", {{}}, noise_na(2000, 0.4, 0.2)), Coincidence())
positions = np.random.default_rng(0).uniform(size=(21, 2))
print(json.dumps([len(jax.devices()), Evaluator(one, 21)(positions, jax.random.key(0)).loss.tolist()]))
"""


def test_two_devices_give_what_one_gives(record, noise):
    """The population over two CPU devices, in a process of its own: the same losses as here, over one."""
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SHARDED.format(folder=str(here))],
        env={**os.environ, "PYTHONPATH": str(here.parents[2]), "XLA_FLAGS": "--xla_force_host_platform_device_count=2"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    devices, losses = json.loads(done.stdout)
    one = problem(record("lif", {}, noise(2000, 0.4, 0.2)), Coincidence())
    positions = np.random.default_rng(0).uniform(size=(21, 2))
    assert devices == 2 and len(jax.devices()) == 1
    np.testing.assert_allclose(losses, Evaluator(one, 21)(positions, jax.random.key(0)).loss, rtol=1e-6)
