"""The whole: hidden parameters are found, intervals cover them, a junction potential biases and is found, bad input."""

import dataclasses

import jax
import numpy as np
import pytest

from biophys.calibrate import (
    Coincidence,
    DifferentialEvolution,
    Evolution,
    Free,
    Gradient,
    PointProcess,
    Prior,
    TraceError,
    Weighted,
    calibrate,
    profiles,
    sample,
)
from biophys.models import ALL
from biophys.observation import ObservationModel
from twin import recording
from twin.errors import InputError, NeurotwinError
from twin.protocol import Covariate, Protocol

KEY = jax.random.key(0)
BOUNDS = {
    "lif": {"C": (80, 400), "g_L": (4, 30), "E_L": (-80, -58)},
    "adex": {"C": (80, 400), "g_L": (4, 30), "E_L": (-80, -58), "a": (0, 10), "b": (10, 200), "tau_w": (30, 300)},
}
START = {"adex": {"g_L": 10.0, "C": 200.0}, "lif": {}}
N_STEPS = {"lif": 4000, "adex": 12_000}
NOISE_MV = 0.3
CURRENT = {"lif": (0.2, 0.25), "adex": (0.3, 0.35)}


def hidden(model: str, random: np.random.Generator) -> dict[str, float]:
    """A parameter set in the inner 80 % of the bounds."""
    return {name: low + (high - low) * random.uniform(0.1, 0.9) for name, (low, high) in BOUNDS[model].items()}


def recovered(model: str, n_sets: int, record, noise):
    """True values, fitted values and whether the 90 % interval has the true one: (set, free) each."""
    random = np.random.default_rng(1)
    names, truths, found, covered = list(BOUNDS[model]), [], [], []
    for number in range(n_sets):
        truth = hidden(model, random)
        target = record(model, truth, noise(N_STEPS[model], *CURRENT[model], number), noise_mv=NOISE_MV, seed=number)
        fit = calibrate(
            target, ALL[model], BOUNDS[model], TraceError(noise_sd_mv=NOISE_MV), Evolution(4), 1280, KEY,
            start=START[model], dt_s=1e-4, dtype=np.float64,
        )  # fmt: skip
        truths.append([truth[name] for name in names])
        found.append([fit.values[name] for name in names])
        covered.append([fit.intervals[name][0] <= truth[name] <= fit.intervals[name][1] for name in names])
    return np.array(truths), np.array(found), np.array(covered)


def agreement(truths: np.ndarray, found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """R2 and slope of fitted over true values, for each quantity."""
    slopes = [np.polyfit(true, fitted, 1)[0] for true, fitted in zip(truths.T, found.T, strict=True)]
    return 1 - ((found - truths) ** 2).mean(axis=0) / truths.var(axis=0), np.array(slopes)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["lif", "adex"])
def test_ten_hidden_parameter_sets_are_recovered(model, record, noise):
    """R2 above 0.98 and slopes within 5 % for every parameter, from 0.4 or 1.2 s of voltage with 0.3 mV of noise."""
    truths, found, covered = recovered(model, 10, record, noise)
    r2, slopes = agreement(truths, found)
    assert (r2 > 0.98).all(), r2
    np.testing.assert_allclose(slopes, 1.0, atol=0.05)
    assert covered.mean() > 0.75


@pytest.mark.slow
@pytest.mark.parametrize("model", ["lif", "adex"])
def test_fifty_hidden_parameter_sets_are_recovered_and_covered(model, record, noise):
    """As above for 50 sets, and the 90 % intervals have the true value in 85 to 95 % of all cases."""
    truths, found, covered = recovered(model, 50, record, noise)
    r2, slopes = agreement(truths, found)
    assert (r2 > 0.99).all(), r2
    np.testing.assert_allclose(slopes, 1.0, atol=0.02)
    assert 0.85 <= covered.mean() <= 0.95, covered.mean(axis=0)


RIG = Protocol(
    {
        "clamp": Covariate("current", "1", "reported", "test"),
        "junction_potential": Covariate(10.0, "mV", "reported", "test"),
        "junction_potential_corrected": Covariate(False, "1", "reported", "test"),
        "series_resistance_corrected": Covariate(True, "1", "reported", "test"),
        "sampling_rate": Covariate(10_000.0, "Hz", "reported", "test"),
    }
)
TRUTH = {"C": 150.0, "g_L": 8.0, "E_L": -67.0}


@pytest.fixture
def shifted(record, noise):
    """A cell that rests at -67 mV, recorded with 10 mV of junction potential left in: it seems to rest at -57."""
    target = record("lif", TRUTH, noise(4000, *CURRENT["lif"]), noise_mv=0.3)
    return dataclasses.replace(target, voltage_mv=target.voltage_mv + 10.0, protocol=RIG)


LIF_BOUNDS = {"C": (80, 400), "g_L": (4, 30), "E_L": (-80, -50), "V_r": (-70, -40)}


def test_a_junction_potential_that_is_left_in_biases_the_fit(shifted):
    """Potentials come out 10 mV too high and the rest is right; the fit states both frames."""
    fit = calibrate(shifted, ALL["lif"], LIF_BOUNDS, TraceError(), Evolution(2), 640, KEY)
    assert fit.values["E_L"] == pytest.approx(-57.0, abs=0.05) and fit.values["V_r"] == pytest.approx(-48, abs=0.1)
    assert fit.values["C"] == pytest.approx(150, rel=0.01)
    assert fit.frames.raw["E_L"] == fit.values["E_L"] and fit.frames.junction_potential_mv == 10.0
    assert fit.frames.corrected["E_L"] == pytest.approx(-67.0, abs=0.05)
    assert set(fit.frames.corrected) == {"E_L", "V_r"}


def test_corrected_by_the_observation_model_the_bias_is_gone(shifted):
    """With the amplifier's 10 mV in the loop the leak potential is the true one, and its interval has it."""
    amplifier = ObservationModel.from_protocol(RIG, model_rate_hz=10_000.0, leave_out=("low_pass_filter",))
    fit = calibrate(shifted, ALL["lif"], LIF_BOUNDS, TraceError(), Evolution(2), 640, KEY, observation=amplifier)
    assert fit.values["E_L"] == pytest.approx(-67.0, abs=0.05)
    assert fit.frames.raw["E_L"] == pytest.approx(-57.0, abs=0.05) and fit.frames.corrected["E_L"] == fit.values["E_L"]


def test_an_unknown_junction_potential_gets_its_uncertainty_from_its_prior(shifted):
    """Only the difference of potential and junction potential is in the data: both are as wide as the prior, 3 mV."""
    amplifier = ObservationModel.from_protocol(RIG, model_rate_hz=10_000.0, leave_out=("low_pass_filter",))
    names = ("junction_potential_mv", "series_resistance_mohm")
    free = [
        Free(name, *edges, scale="linear")
        for name, edges in zip(names, ((8.0, -10.0, 25.0), (5.0, 0.0, 40.0)), strict=True)
    ]
    free[0] = dataclasses.replace(free[0], prior=Prior(10.0, 3.0))
    space = {"C": (80, 400), "g_L": (4, 30), "E_L": (-85, -50), "V_r": (-80, -40), names[0]: free[0], names[1]: free[1]}
    fit = calibrate(
        shifted, ALL["lif"], space, TraceError(), Evolution(2), 960, KEY, observation=amplifier, dtype=np.float64
    )
    low, high = fit.intervals["junction_potential_mv"]
    assert (high - low) / 2 == pytest.approx(1.645 * 3.0, rel=0.05) and low < 10 < high
    assert fit.values["E_L"] + fit.values["junction_potential_mv"] == pytest.approx(-57.0, abs=0.1)
    low, high = fit.intervals["series_resistance_mohm"]
    assert low <= 0.5 and high < 2.0  # there is none: the bridge was balanced


def test_an_escape_noise_model_is_found_from_spikes_and_voltage(record, noise):
    """Threshold and its softness from spikes, membrane from the voltage, with two sweeps and one held out."""
    truth = {"C": 120.0, "g_L": 7.0, "E_L": -67.0, "V_T_star": -47.0, "Delta_V": 1.5}
    currents = np.stack([noise(8000, 0.2, 0.25, seed) for seed in (1, 2, 3)])
    target = record("gif", truth, currents, noise_mv=0.5)
    bounds = {"C": (50, 400), "g_L": (2, 30), "E_L": (-75, -55), "V_T_star": (-60, -35), "Delta_V": (0.5, 5)}
    objective = Weighted.of((PointProcess(), 1.0), (TraceError(), 0.5))
    fit = calibrate(target, ALL["gif"], bounds, objective, Evolution(2), 1280, KEY, held_out=["2"])
    assert fit.values["C"] == pytest.approx(120, rel=0.05) and fit.values["E_L"] == pytest.approx(-67, abs=0.5)
    assert fit.values["V_T_star"] == pytest.approx(-47, abs=2) and fit.values["Delta_V"] == pytest.approx(1.5, rel=0.4)
    assert fit.terms["PointProcess (bit/spike)"] < -2
    assert fit.held_out["PointProcess (bit/spike)"][0] < -2
    assert fit.held_out["TraceError (mV)"][0] == pytest.approx(0.5, abs=0.05)
    assert fit.interval_kind == "range of equally good sets"


def test_spike_times_alone_give_several_equally_good_sets(record, noise):
    """From spikes alone a cell is known up to its scale: the sets that are kept differ and score alike."""
    target = dataclasses.replace(record("lif", {}, noise(8000, 0.25, 0.3)), voltage_mv=None)
    bounds = {"C": (80, 500), "g_L": (4, 30), "E_L": (-85, -55), "V_T": (-60, -40)}
    fit = calibrate(target, ALL["lif"], bounds, Coincidence(), Evolution(4), 1280, KEY, tolerance=0.05)
    assert fit.loss < 0.05 and fit.set_losses.max() <= fit.loss + 0.05 and len(fit.sets) > 3
    assert np.ptp(fit.sets[:, 0]) > 20 and fit.curvature is None


def test_the_loss_of_a_noisy_model_is_that_of_fresh_trials(record, noise):
    """The lowest loss of a search over noisy trials is lucky; the fit states what the set scores in new ones."""
    target = dataclasses.replace(record("gif", {}, noise(3000, 0.2, 0.25)), voltage_mv=None)
    bounds = {"C": (80, 300), "g_L": (4, 20)}
    fit = calibrate(target, ALL["gif"], bounds, Coincidence(), Evolution(2), 640, KEY)
    assert fit.problem is not None and fit.problem.plan.is_random
    assert fit.loss > np.nanmin(fit.history.loss) + 0.02
    assert not calibrate(target, ALL["gif"], bounds, PointProcess(), Evolution(2), 64, KEY).problem.plan.is_random


@pytest.mark.parametrize("method", [DifferentialEvolution(16), Gradient(4, learning_rate=0.3)])
def test_other_methods_reach_the_same_minimum(record, noise, method):
    """Differential evolution and descent, both polished by Newton steps, find the true membrane."""
    target = record("lif", TRUTH, noise(3000, *CURRENT["lif"]), noise_mv=0.1)
    fit = calibrate(target, ALL["lif"], BOUNDS["lif"], TraceError(), method, 320, KEY, dtype=np.float64)
    for name, value in TRUTH.items():
        assert fit.values[name] == pytest.approx(value, rel=0.01), name


def test_curvature_profile_and_sample_agree(record, noise):
    """For a well-determined cell the three 90 % intervals agree to a fifth of their width."""
    target = record("lif", TRUTH, noise(1500, *CURRENT["lif"]), noise_mv=1.0)
    bounds = {"C": (80, 400), "g_L": (4, 30)}
    objective = TraceError(noise_sd_mv=1.0)
    fit = calibrate(
        target, ALL["lif"], bounds, objective, Evolution(2), 320, KEY, fixed={"E_L": -67.0}, dtype=np.float64
    )
    assert fit.problem is not None and fit.curvature is not None and fit.interval_kind == "laplace 90 %"
    assert fit.curvature.spectrum[0] > fit.curvature.spectrum[1] > 12 and fit.curvature.undecided == ()
    drawn = sample(fit.problem, fit.curvature, chains=8, warmup=30, draws=60, key=KEY)
    assert drawn.converged, drawn.reason
    for one in profiles(fit.problem, fit.curvature):
        low, high = fit.intervals[one.name]
        width = high - low
        for other in (one.interval(), drawn.interval()[one.name]):
            np.testing.assert_allclose(other, (low, high), atol=0.2 * width)


def test_what_the_data_do_not_decide_is_named(record, noise):
    """A cell that is only hyperpolarised says nothing of its threshold: undecided, and as wide as the bounds."""
    target = record("adex", {"g_L": 10.0, "C": 200.0}, -noise(3000, 0.2, 0.1), noise_mv=0.3)
    bounds = {"C": (80, 400), "g_L": (4, 30), "V_T": (-60, -30)}
    fit = calibrate(target, ALL["adex"], bounds, TraceError(), Evolution(2), 320, KEY, dt_s=1e-4, dtype=np.float64)
    assert fit.curvature is not None and fit.curvature.undecided == ("V_T",)
    low, high = fit.intervals["V_T"]
    assert high - low > 14  # of 30, on one side of the bound


def test_equal_keys_give_equal_fits(record, noise):
    """The same call twice gives the same numbers to the bit; another key does not."""
    target = record("lif", TRUTH, noise(2000, *CURRENT["lif"]))
    fits = [
        calibrate(target, ALL["lif"], BOUNDS["lif"], TraceError(), Evolution(2), 160, key, intervals=False)
        for key in (KEY, KEY, jax.random.key(1))
    ]
    np.testing.assert_array_equal(fits[0].history.loss, fits[1].history.loss)
    assert fits[0].values == fits[1].values != fits[2].values
    assert not fits[0].converged and "160 of 160 simulations" in fits[0].reason


def test_sets_that_are_not_finite_are_counted_and_survived(record, noise):
    """Where half of the bounds give no numbers, they are scored worst, counted and told."""
    target = record("lif", TRUTH, noise(2000, *CURRENT["lif"]))
    free = Free("C", 100.0, 1e-40, 400.0)
    fit = calibrate(
        target, ALL["lif"], [free, Free("g_L", 10.0, 4.0, 30.0)], TraceError(), DifferentialEvolution(), 640, KEY
    )
    assert 0 < fit.nan_sets < 640 and np.isfinite(fit.loss) and fit.values["C"] == pytest.approx(150, rel=0.05)
    with pytest.raises(
        NeurotwinError, match="none of 96 parameter sets gave a finite loss; narrow the bounds of C, g_L"
    ):
        bad = [Free("C", 1e-39, 1e-40, 1e-38), Free("g_L", 10.0, 4.0, 30.0)]
        calibrate(target, ALL["lif"], bad, TraceError(), DifferentialEvolution(), 640, KEY)


def test_bad_calls_are_refused(record, noise):
    """Budgets, held-out sweeps, fixed parameters, priors without likelihood, merged repeats, no spikes."""
    target = record("lif", TRUTH, noise(1000, *CURRENT["lif"]))
    call = lambda *rest, **more: calibrate(target, ALL["lif"], BOUNDS["lif"], *rest, **more)  # noqa: E731
    with pytest.raises(InputError, match="the budget is 10 simulations and one generation takes 64"):
        call(TraceError(), Evolution(4), 10)
    with pytest.raises(InputError, match="synthetic: all sweeps were held out"):
        call(TraceError(), held_out=["0"])
    with pytest.raises(InputError, match="C is both fixed and free"):
        call(TraceError(), fixed={"C": 100.0})
    with pytest.raises(InputError, match="the model lif has no parameter 'speed'"):
        call(TraceError(), fixed={"speed": 1.0})
    with pytest.raises(InputError, match=r"a prior is weighed against a likelihood, and Coincidence \(1\) is none"):
        bounds = [Free("C", 200.0, 80.0, 400.0, prior=Prior(200.0, 0.1)), Free("g_L", 10.0, 4.0, 30.0)]
        calibrate(target, ALL["lif"], bounds, Coincidence())
    with pytest.raises(InputError, match="sampled every 0.1 ms and the model was to step by 0.03 ms"):
        call(TraceError(), dt_s=3e-5)
    with pytest.raises(InputError, match="a sweep has several trains; do not merge"):
        two = dataclasses.replace(target, spike_times_s=((np.array([0.01]), np.array([0.02])),))
        calibrate(two, ALL["lif"], BOUNDS["lif"], TraceError())
    with pytest.raises(InputError, match="settle_s is -1 s"):
        call(TraceError(), settle_s=-1.0)
    tree = recording.from_voltage(np.full((1, 1000), -60.0), 1e4, name="quiet", current_na=np.zeros((1, 1000)))
    with pytest.raises(InputError, match="quiet: Coincidence needs spikes, and none are in the recording"):
        calibrate(tree, ALL["lif"], BOUNDS["lif"], Coincidence())
