"""The result: stored and read back, run by Brian2 alone, and potentials in both frames."""

import subprocess
import sys

import jax
import numpy as np
import pytest

from biophys.calibrate import Coincidence, Evolution, Free, TraceError, calibrate, load, save
from biophys.calibrate.frames import frames_of, potentials
from biophys.calibrate.objectives.objective import as_weighted
from biophys.calibrate.observer import Observer
from biophys.calibrate.plan import Plan
from biophys.calibrate.simulation import Simulator
from biophys.calibrate.space import space_of
from biophys.models import ALL, from_equations
from twin.errors import InputError
from twin.protocol import Covariate, Protocol

BOUNDS = {"C": (80, 400), "g_L": (4, 30), "b": (10, 200)}


@pytest.fixture(scope="module")
def fit(record, noise):
    """An adaptive cell fitted to two sweeps by its spikes."""
    currents = np.stack([noise(4000, 0.35, 0.3, seed) for seed in (1, 2)])
    target = record("lif_adaptive", {"C": 150.0, "b": 60.0}, currents)
    return calibrate(
        target, ALL["lif_adaptive"], BOUNDS, Coincidence(), Evolution(2), 320, jax.random.key(0), settle_s=0.05,
        held_out=["1"], dtype=np.float64,
    )  # fmt: skip


def test_a_fit_is_read_back_as_it_was(fit, tmp_path):
    """Everything but the problem, whose place is in memory."""
    save(fit, tmp_path / "out")
    again = load(tmp_path / "out")
    assert again.problem is None and again.model is fit.model and again.space == fit.space
    for name in ("values", "loss", "terms", "intervals", "interval_kind", "frames", "dt_s", "settle_steps", "reason"):
        assert getattr(again, name) == getattr(fit, name), name
    for name in ("sets", "set_losses", "current_na"):
        np.testing.assert_array_equal(getattr(again, name), getattr(fit, name))
    for name in ("positions", "loss", "terms", "generation"):
        np.testing.assert_array_equal(getattr(again.history, name), getattr(fit.history, name))
    np.testing.assert_array_equal(again.held_out["Coincidence (1)"], fit.held_out["Coincidence (1)"])
    with pytest.raises(InputError, match="fit.zarr: exists already"):
        save(fit, tmp_path / "out")
    save(fit, tmp_path / "out", overwrite=True)
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == ["cell.py", "fit.zarr", "stimulus.npy"]
    with pytest.raises(InputError, match="no such fit"):
        load(tmp_path / "elsewhere")


def test_the_script_gives_the_same_spikes_by_brian2_alone(fit, tmp_path, everything):
    """Run in a process without this project, it prints the spikes of the fitted cell, step by step."""
    save(fit, tmp_path)
    (tmp_path / "brian_preferences").write_text("[codegen]\ntarget = 'numpy'\n")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", tmp_path / "cell.py"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    theirs = [line.split() for line in done.stdout.splitlines()]
    simulator = Simulator(fit.model, fit.dt_s, 1, np.float64, settle_steps=fit.settle_steps)
    voltage, spikes, *_ = everything(simulator, {k: [v] for k, v in fit.parameters.items()}, fit.current_na)
    steps = np.flatnonzero(spikes[0, :, 0])
    assert len(steps) > 3
    settled = [round(float(time) / fit.dt_s) for _, time in theirs if float(time) >= 0]
    assert settled == steps.tolist()
    np.testing.assert_allclose(np.load(tmp_path / "voltage.npy"), voltage[:, :, 0], atol=1e-9)


def test_a_model_of_the_user_is_asked_for(record, noise, tmp_path):
    """A fit of equations that no library has is read with the model, and not with another one."""
    text = "dv/dt = (I/g - v + rest)/tau : volt\nI : amp\ng : siemens\ntau : second\nrest : volt"
    own = from_equations("mine", text, parameters={"g": 1e-8, "tau": 0.01, "rest": -0.07}, bounds={"g": (2e-9, 4e-8)})
    target = record(own, {"g": 1.5e-8}, noise(1000, 0.1, 0.1), noise_mv=0.1)
    bounds = [Free("g", 1e-8, 2e-9, 4e-8), Free("tau", 0.01, 0.002, 0.05)]
    made = calibrate(target, own, bounds, TraceError(spikes="free"), Evolution(2), 320, dtype=np.float64)
    assert made.values["g"] == pytest.approx(1.5e-8, rel=0.01)
    save(made, tmp_path)
    again = load(tmp_path, own)
    assert again.curvature is not None and made.curvature is not None
    np.testing.assert_array_equal(again.curvature.information, made.curvature.information)
    with pytest.raises(InputError, match="is of the model mine, whose equations are not these; pass it as model="):
        load(tmp_path)


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("lif", ("E_L", "V_T", "V_r")),
        ("adex", ("E_L", "V_T", "V_r")),
        ("gif", ("E_L", "V_r", "V_T_star")),
        ("hodgkin_huxley", ()),
    ],
)
def test_potentials_are_told_from_differences(model, names):
    """Slopes and increments in volts are no potentials; equations with fixed voltages cannot be shifted at all."""
    space = space_of(ALL[model], {ALL[model].fitted[0].name: ALL[model].fitted[0].bounds})
    plan = Plan(ALL[model], space, as_weighted(TraceError()), {}, Observer(None), 1e-4)
    assert potentials(plan) == names


def test_frames_follow_the_protocol():
    """Uncorrected, reported: both frames. Corrected: no raw. Unreported: no corrected. In the loop: its own value."""
    values, names = {"E_L": -60.0, "C": 100.0}, ("E_L",)
    reported = Covariate(14.0, "mV", "reported", "test")
    raw = Protocol(
        {"junction_potential": reported, "junction_potential_corrected": Covariate(False, "1", "reported", "t")}
    )
    frames = frames_of(names, values, raw, None)
    assert (frames.raw, frames.corrected, frames.junction_potential_mv) == ({"E_L": -60.0}, {"E_L": -74.0}, 14.0)
    done = raw.updated({"junction_potential_corrected": Covariate(True, "1", "reported", "test")})
    assert (frames_of(names, values, done, None).raw, frames_of(names, values, done, None).corrected) == (
        {},
        {"E_L": -60.0},
    )
    unknown = frames_of(names, values, Protocol(), None)
    assert unknown.corrected == {} and "unreported" in unknown.reason
    looped = frames_of(names, values, raw, 12.0)
    assert looped.raw == {"E_L": -48.0} and looped.corrected == {"E_L": -60.0}
