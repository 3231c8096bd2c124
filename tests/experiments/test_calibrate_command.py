"""`twin calibrate` as a person runs it: what it finds, what it writes, how it stops, and what it refuses."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from biophys import calibrate as calibration
from experiments.calibration import command
from experiments.calibration.steps import find_steps
from experiments.calibration.verify import Verified
from experiments.cli import main
from twin import recording, report
from twin.protocol import Covariate, Protocol

DT_S = 1e-4
TRUTH = {"C": 150.0, "g_L": 10.0, "E_L": -68.0, "V_T": -50.0, "V_r": -60.0}
JUNCTION_MV = 10.0
HEIGHTS_NA = (-0.1, 0.1, 0.25, 0.3, 0.4)


def steps(heights_na: tuple[float, ...], n: int = 3000) -> np.ndarray:
    current = np.zeros((len(heights_na), n))
    current[:, 500:2500] = np.array(heights_na)[:, None]
    return current


def integrate_and_fire(current_na: np.ndarray, threshold_mv: float = TRUTH["V_T"]) -> np.ndarray:
    """The exact solution between samples; a spike shows as one sample of 20 mV. Refractory for 2 ms, as the model."""
    tau_s = 1e-3 * TRUTH["C"] / TRUTH["g_L"]
    kept, v = np.exp(-DT_S / tau_s), np.full(len(current_na), TRUTH["E_L"])
    shown, rest = np.empty_like(current_na), np.zeros(len(current_na), int)
    for k in range(current_na.shape[1]):
        shown[:, k] = v
        goal = TRUTH["E_L"] + 1e3 * current_na[:, k] / TRUTH["g_L"]
        v = np.where(rest > 0, v, goal + kept * (v - goal))
        rest = np.maximum(rest - 1, 0)
        spike = v > threshold_mv
        v, rest = np.where(spike, TRUTH["V_r"], v), np.where(spike, 20, rest)
        shown[spike, k] = 20.0
    return shown + np.random.default_rng(0).normal(0.0, 0.2, shown.shape)


def cell(heights_na: tuple[float, ...] = HEIGHTS_NA, threshold_mv: float = TRUTH["V_T"]) -> xr.DataTree:
    current = steps(heights_na)
    known = {
        "junction_potential": Covariate(JUNCTION_MV, "mV", uncertainty=1.0, source="measured"),
        "junction_potential_corrected": Covariate(False),
    }
    ids = [f"s{k}" for k in range(len(heights_na))]
    return recording.from_voltage(
        integrate_and_fire(current, threshold_mv),
        1 / DT_S,
        name="cell",
        current_na=current,
        sweep_ids=ids,
        protocol=Protocol(known),
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spiking cell on disk."""
    return recording.write(cell(), tmp_path_factory.mktemp("cell") / "cell.zarr")


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same below threshold."""
    return recording.write(cell((-0.1, -0.05, 0.1), 100.0), tmp_path_factory.mktemp("silent") / "silent.zarr")


@pytest.fixture(scope="module")
def spiking_fit(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Path:
    """The whole command on the spiking cell, with all defaults but the budget."""
    out = tmp_path_factory.mktemp("spiking") / "out"
    main(["calibrate", str(store), "--model", "lif", "--out", str(out), "--budget", "960", "--restarts", "2"])
    return out


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the run of Brian2."""
    unchecked = Verified(None, False, 0, 0.05, "not run in this test")
    monkeypatch.setattr(command, "verify", lambda fit, free: unchecked)


def refused(capsys: pytest.CaptureFixture, *arguments: object, code: int = 2) -> str:
    with pytest.raises(SystemExit) as caught:
        main(["calibrate", *(str(one) for one in arguments)])
    told = capsys.readouterr().err
    assert caught.value.code == code and "Traceback" not in told
    return next(line for line in told.splitlines() if line.startswith("twin: "))


def claims_of(out: Path) -> dict[str, dict]:
    document = json.loads((out / "report.json").read_text())
    report.validate(document)
    return {claim["name"]: claim for claim in document["claims"]}


def test_a_spiking_cell_is_found_and_its_held_out_sweep_predicted(spiking_fit: Path) -> None:
    """Spikes choose coincidence, rate and voltage; the true threshold comes back, and the last sweep is predicted."""
    fit = calibration.load(spiking_fit)
    assert list(fit.terms) == ["Coincidence (1)", "RateError (Hz)", "TraceError (mV)"]
    assert fit.values["V_T"] == pytest.approx(TRUTH["V_T"], abs=1.0)
    assert fit.values["E_L"] == pytest.approx(TRUTH["E_L"], abs=1.0)
    assert fit.values["g_L"] == pytest.approx(TRUTH["g_L"], rel=0.1)
    assert fit.frames.corrected["V_T"] == pytest.approx(fit.values["V_T"] - JUNCTION_MV)
    scores = json.loads((spiking_fit / "report.json").read_text())["scores"]
    found = {(row["split"], row["model"], row["metric"]): row["value"] for row in scores}
    assert found["validation", "lif", "coincidence_factor"] > 0.6
    assert found["validation", "lif", "coincidence_factor"] > found["validation", "nearest_sweep", "coincidence_factor"]
    assert found["validation", "lif", "rmse_mv"] < 1.0
    assert claims_of(spiking_fit)["every_parameter_is_pinned_down"]["verdict"] == "not_testable"


def test_brian2_alone_reproduces_the_fitted_cell(spiking_fit: Path, tmp_path: Path) -> None:
    """The claim passes, and the written script itself runs beside its currents and prints as many spikes as claimed."""
    claim = claims_of(spiking_fit)["brian2_alone_reproduces_the_fitted_cell"]
    assert claim["verdict"] == "pass" and claim["figure"] < 1e-6
    for name in ("cell.py", "stimulus.npy"):
        (tmp_path / name).write_bytes((spiking_fit / name).read_bytes())
    ran = subprocess.run(
        [sys.executable, "cell.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True
    )
    voltage, current = np.load(tmp_path / "voltage.npy"), np.load(tmp_path / "stimulus.npy")
    assert voltage.shape == current.shape and len(current) == len(HEIGHTS_NA) - 1
    n_spikes = len(ran.stdout.splitlines())
    assert abs(n_spikes - np.sum(np.diff(cell()["voltage"]["voltage"].values[:4] > -20.0, axis=1)) / 2) <= 3


def test_the_page_holds_every_part_and_nothing_else_is_left(spiking_fit: Path) -> None:
    """All sections with their figures; the folder holds the five results, and no job is left beside it."""
    page = (spiking_fit / "report.html").read_text()
    for heading in (
        "What was fitted",
        "Sweep s4, held out",
        "Parameters",
        "Identifiability",
        "Features",
        "Sweep by sweep",
        "Equally good sets",
        "The search",
    ):
        assert f">{heading}</h2>" in page
    assert page.count("<svg") >= 4 and "spike_count_stimint" in page and "nearest_sweep" in page
    names = {path.name for path in spiking_fit.iterdir()}
    assert names == {"fit.zarr", "cell.py", "stimulus.npy", "report.html", "report.json"}
    assert [path.name for path in spiking_fit.parent.iterdir()] == ["out"]


def test_a_silent_cell_gets_intervals_that_hold_the_truth(silent: Path, tmp_path: Path, quick: None) -> None:
    """Without spikes the voltage is fitted, a likelihood: the curvature gives intervals, and all three are right."""
    main(["calibrate", str(silent), "--model", "passive", "--out", str(tmp_path / "out"), "--budget", "960"])
    fit = calibration.load(tmp_path / "out")
    assert list(fit.terms) == ["TraceError (mV)"] and fit.interval_kind == "laplace 90 %"
    for name in ("C", "g_L", "E_L"):
        low, high = fit.intervals[name]
        # this noise is white and 10 ms of it count as one sample, so the intervals are wider than they need be
        assert low <= TRUTH[name] <= high and high - low < 0.1 * abs(TRUTH[name])
    assert claims_of(tmp_path / "out")["every_parameter_is_pinned_down"]["verdict"] == "pass"
    assert ">Features</h2>" in (tmp_path / "out" / "report.html").read_text()


def test_a_stopped_run_goes_on_to_the_same_result(
    silent: Path, tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """Stopped half-way there is no result and a job; --resume ends it with the bits of a run that was not stopped."""
    asked = [silent, "--model", "passive", "--budget", "640", "--restarts", "2", "--seed", "3"]
    main(["calibrate", *map(str, asked), "--out", str(tmp_path / "whole")])

    @contextlib.contextmanager
    def stopping(console):
        def progress(share: float, best: float) -> None:
            if share > 0.4:
                raise KeyboardInterrupt

        yield progress

    with monkeypatch.context() as patch:
        patch.setattr(command, "_bar", stopping)
        told = refused(capsys, *asked, "--out", tmp_path / "out", code=1)
    assert "--resume" in told and not (tmp_path / "out").exists() and (tmp_path / "out.job").is_dir()
    assert "add --resume" in refused(capsys, *asked, "--out", tmp_path / "out")
    other = [*asked[:-1], "4", "--out", tmp_path / "out", "--resume"]
    assert "holds another calibration" in refused(capsys, *other) and (tmp_path / "out.job").is_dir()
    main(["calibrate", *map(str, asked), "--out", str(tmp_path / "out"), "--resume"])
    whole, resumed = (calibration.load(tmp_path / name) for name in ("whole", "out"))
    assert resumed.history.resumed > 0 and resumed.values == whole.values
    np.testing.assert_array_equal(resumed.history.positions, whole.history.positions)
    assert not (tmp_path / "out.job").exists()
    kept = [(tmp_path / name / "report.json").read_text() for name in ("whole", "out")]
    assert kept[0] == kept[1]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--model", "no_such"], "no neuron model 'no_such'; the models are: "),
        (["--model", "passive", "--objective", "coincidence"], "passive has no spikes and cannot be fitted to them"),
        (["--model", "lif", "--objective", "likelihood"], "lif has no hazard"),
        (["--model", "gif", "--objective", "rate"], "gif spikes at random"),
        (["--model", "lif", "--held-out", "s9"], "has no sweep s9; it has s0, s1, s2, s3, s4"),
        (["--model", "lif", "--held-out", "s0", "s1", "s2", "s3", "s4"], "all 5 sweeps were held out"),
        (["--model", "lif", "--budget", "10"], "the budget is 10 simulations"),
        (["--model", "lif", "--spike-threshold", "-90"], "above the spike threshold of -90 mV"),
        (["--model", "lif", "--dt", "0.03"], "one must be a whole multiple of the other"),
        (["--model", "lif", "--method", "gradient", "--objective", "coincidence"], "has no useful derivative"),
        (["--model", "lif", "--resume"], "no such job to go on with"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture, options: list[str], told: str
) -> None:
    """Every option that does not fit the recording names itself and the way out, and leaves nothing behind."""
    assert told in refused(capsys, store, *options, "--out", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_recordings_that_cannot_be_fitted_are_refused(
    silent: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """No spikes for a spike objective, no sweeps, and no recording at all; and a folder that is in use."""
    asked = ("--model", "lif", "--out", tmp_path / "out")
    assert "needs spikes, and the sweeps to be fitted have none" in refused(
        capsys, silent, *asked, "--objective", "coincidence"
    )
    spikes = recording.from_spikes([[np.array([0.1, 0.2])]], start_s=0.0, stop_s=1.0, name="s")
    place = recording.write(spikes, tmp_path / "spikes.zarr")
    assert "has no sweeps to fit, only spikes" in refused(capsys, place, *asked)
    assert "no_such.zarr" in refused(capsys, tmp_path / "no_such.zarr", *asked)
    assert "is not empty" in refused(capsys, silent, "--model", "lif", "--out", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"spikes.zarr"}


def test_steps_are_found_in_a_noisy_measured_current() -> None:
    """Onset, end and heights come back through noise and transients; a noise current has no steps."""
    random = np.random.default_rng(0)
    current = steps(HEIGHTS_NA) + random.normal(0.0, 0.01, (5, 3000)) - 0.05
    current[:, 700::400] += 0.7
    found = find_steps(current, DT_S)
    assert found is not None
    for step, height in zip(found, HEIGHTS_NA, strict=True):
        assert step.height_na == pytest.approx(height, abs=0.003)
        assert step.holding_na == pytest.approx(-0.05, abs=0.003)
        assert (step.start_s, step.stop_s) == pytest.approx((0.05, 0.25), abs=0.002)
    assert find_steps(random.normal(size=(5, 3000)), DT_S) is None
    assert find_steps(np.zeros((5, 3000)), DT_S) is None
