"""`twin experiment cells`: which sweeps are held out, what counts as met, and one sentence for whatever is wrong."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from experiments.cells import experiment, fitting, material, page, tolerance, verdicts
from experiments.cells.experiment import Done, Found
from experiments.cells.fitting import INTERPOLATED, NEAREST, Predicted
from experiments.cells.tolerance import NAMES
from experiments.cli import main
from twin import recording, report
from twin.errors import InputError

DT_S = 1e-4
HEIGHTS_NA = (-0.1, 0.1, 0.2, 0.25, 0.3, 0.35, 0.4)


def lif(heights_na: tuple[float, ...] = HEIGHTS_NA, offset_mv: float = 0.0) -> xr.DataTree:
    """An integrate-and-fire cell under steps of 250 ms: exact between samples, 3 ms refractory, spikes of 20 mV."""
    current = np.zeros((len(heights_na), 4000))
    current[:, 800:3300] = np.array(heights_na)[:, None]
    kept, v, rest = np.exp(-DT_S / 0.015), np.full(len(current), -68.0), np.zeros(len(current), int)
    shown = np.empty_like(current)
    for k in range(current.shape[1]):
        shown[:, k] = v
        goal = -68.0 + 1e3 * current[:, k] / 10.0
        v = np.where(rest > 0, v, goal + kept * (v - goal))
        rest = np.maximum(rest - 1, 0)
        spike = v > -50.0
        v, rest = np.where(spike, -60.0, v), np.where(spike, 30, rest)
        shown[spike, max(k - 1, 0) : k + 1] = 20.0
    return recording.from_voltage(shown + offset_mv, 1 / DT_S, name="cell", current_na=current)


@pytest.fixture(scope="module")
def cell() -> material.Cell:
    found = material.cell_of("cell", lif())
    assert isinstance(found, material.Cell)
    return found


def test_every_third_amplitude_is_held_out_and_never_fitted(cell: material.Cell) -> None:
    """Of five steps with spikes the second and fifth are held out, of two without the second; none is fitted."""
    heights = np.array(HEIGHTS_NA)
    held = cell.rows(held_out=True)
    np.testing.assert_allclose(heights[held], [0.1, 0.25, 0.4])
    assert set(held) & set(cell.rows(held_out=False)) == set()
    target, steps = cell.part(cell.rows(held_out=False))
    assert (target.dt_s, steps[0].start_s) == pytest.approx((2e-4, 0.05))
    assert target.duration_s == pytest.approx(0.3) and steps[0].stop_s == pytest.approx(0.3)
    onset = np.flatnonzero(np.diff(target.current_na[0]))
    assert onset.tolist() == [round(0.05 / 2e-4) - 1] and target.current_na[0, -1] == pytest.approx(-0.1)


def test_repeats_of_an_amplitude_are_held_out_together() -> None:
    """Two sweeps at almost the same height lie on one side, and their scatter is the deviation."""
    found = material.cell_of("cell", lif((0.2, 0.2005, 0.25, 0.2505, 0.3, 0.3005)))
    assert isinstance(found, material.Cell)
    np.testing.assert_array_equal(found.amplitude, [0, 0, 1, 1, 2, 2])
    assert found.rows(held_out=True) == [2, 3]
    features = [dict.fromkeys(NAMES, float(value)) for value in (1, 3, 5, 7, 9, 11)]
    deviation, source = tolerance.deviations(found, features)
    assert source == "trial to trial" and deviation[0]["ISI_CV"] == pytest.approx(np.sqrt(2.0))


def test_what_is_no_response_of_a_membrane_is_dropped() -> None:
    """A baseline without its offset, and a recording whose current is no step, are left out with the reason."""
    assert "is none of a membrane" in str(material.cell_of("cell", lif(offset_mv=66.0)))
    noise = np.random.default_rng(0).normal(size=(2, 4000))
    tree = recording.from_voltage(noise - 60.0, 1 / DT_S, name="noise", current_na=noise)
    assert material.cell_of("noise", tree) == "its currents are no steps"
    one = material.cell_of("cell", lif((0.3,)))
    assert isinstance(one, material.Cell) and one.held_out == () and one.rows(held_out=False) == [0]


def faults(shown: np.ndarray, current: np.ndarray) -> dict[str, str]:
    tree = recording.from_voltage(shown, 1 / DT_S, name="cell", current_na=current)
    found = material.cell_of("cell", tree)
    assert isinstance(found, material.Cell)
    return found.dropped


def test_sweeps_that_are_none_of_the_cell_are_dropped() -> None:
    """A transient that passes for a spike, a current that was not injected, and another resting state are told."""
    tree = lif((-0.4, -0.3, -0.2, 0.2, 0.25, 0.3))
    sweeps = tree["sweeps"] if "sweeps" in tree.children else next(iter(tree.children.values()))
    voltage, current = (np.array(sweeps[name].values, float) for name in ("voltage", "current"))
    assert faults(voltage, current) == {}
    transient, absent, depolarised = voltage.copy(), voltage.copy(), voltage.copy()
    transient[0, 800:802] = 10.0
    absent[1] = -68.0
    depolarised[2] += 12.0
    assert "passes for a spike" in faults(transient, current)["0"]
    assert faults(absent, current) == {"1": "no response to -0.3 nA"}
    assert "where the cell's is -68 mV" in faults(depolarised, current)["2"]


def found_with(cell: material.Cell, shift: float) -> Found:
    """A model that is `shift` deviations off in every feature."""
    features = fitting.recorded(cell)
    deviation, source = tolerance.deviations(cell, features)
    held, rows = cell.rows(held_out=True), cell.rows(held_out=False)

    def moved(row: int) -> dict[str, float | None]:
        own = features[row]
        return {name: None if own[name] is None else own[name] + shift * deviation[row][name] for name in NAMES}

    model = Predicted("cell", "adex", {row: moved(row) for row in rows}, {row: moved(row) for row in held}, None)
    done = Done("validation", cell, features, deviation, source, (model, *fitting.baselines(cell, features)))
    return Found("ferguson2015_ca1", (done,), {}, ("adex",), 0)


def test_a_feature_is_met_within_two_deviations_and_not_beyond(cell: material.Cell) -> None:
    """1.9 deviations off meets every feature and passes, 2.1 meets none and fails; the baselines are what they say."""
    near, far = ({one.name: one for one in verdicts.claims(found_with(cell, shift))} for shift in (1.9, 2.1))
    assert near["adex_meets_held_out_features"].verdict == "pass"
    assert near["adex_meets_held_out_features"].figure == 1.0
    assert far["adex_meets_held_out_features"].verdict == "fail" and far["adex_meets_held_out_features"].figure == 0.0
    assert near["adex_meets_more_features_than_nearest_amplitude"].verdict == "not_testable"
    baselines = {one.model: one for one in found_with(cell, 0.0).done[0].predicted}
    row = HEIGHTS_NA.index(0.25)
    own = {HEIGHTS_NA[k]: values["spike_count_stimint"] for k, values in baselines[NEAREST].fitted.items()}
    assert baselines[INTERPOLATED].held_out[row]["spike_count_stimint"] == pytest.approx((own[0.2] + own[0.3]) / 2)
    assert baselines[NEAREST].held_out[row]["spike_count_stimint"] in (own[0.2], own[0.3])


def test_a_feature_that_the_model_lacks_is_not_met(cell: material.Cell) -> None:
    """A silent model meets no feature of the spikes."""
    found = found_with(cell, 0.0)
    silent = {row: dict.fromkeys(NAMES, None) for row in cell.rows(held_out=True)}
    done = found.done[0]
    model = Predicted("cell", "adex", done.predicted[0].fitted, silent, None)
    mute = Found("bluepyefe", (Done("validation", cell, *_rest(done), (model, *done.predicted[1:])),), {}, ("adex",), 0)
    (count,) = verdicts.counts(mute, "validation", "adex")
    assert count.total[0] == 0 and count.total[1] > 10


def _rest(done: Done) -> tuple:
    return done.features, done.deviation, done.deviation_from


def test_a_cell_is_fitted_and_its_report_follows_the_schema(cell: material.Cell) -> None:
    """An adaptive integrate-and-fire model meets most features of an integrate-and-fire cell, and the page is whole."""

    class Silent:
        def name(self, text: str) -> None: ...
        def share(self, share: float, best: float) -> None: ...
        def advance(self) -> None: ...

    import jax

    with experiment._double_precision():
        done = experiment._cell("validation", cell, {"lif": 2560}, jax.random.key(0), Silent())
    found = Found("ferguson2015_ca1", (done,), {"other": "its currents are no steps"}, ("lif",), 0)
    written = page.compose(found, command="twin experiment cells", inputs={})
    document = report.as_dict(written)
    (score,) = [row["value"] for row in document["scores"] if row["split"] == "validation" and row["model"] == "lif"]
    assert score > 0.8
    assert "other was left out: its currents are no steps" in report.render(written)
    from experiments.cells import results

    stored = results.tree(found)["cell"]
    assert stored["predicted"].sizes == {"model": 3, "sweep": len(HEIGHTS_NA), "feature": len(NAMES)}


def refused(capsys: pytest.CaptureFixture, *arguments: object) -> str:
    with pytest.raises(SystemExit) as caught:
        main(["experiment", "cells", *(str(one) for one in arguments)])
    told = capsys.readouterr().err
    assert caught.value.code == 2 and "Traceback" not in told
    return next(line for line in told.splitlines() if line.startswith("twin: "))


def test_another_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    """A folder that is none of the sets, or is not there, is named with what was wanted."""
    told = refused(capsys, "--data", tmp_path, "--out", tmp_path / "out")
    assert "holds no cell_ID_sweep_N.npz, no .ibw and no PYR*.abf" in told
    assert "does not exist" in refused(capsys, "--data", tmp_path / "no", "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.needs_data
def test_the_sets_are_read_as_they_are(recordings: Path) -> None:
    """Each set is told by its files; baselines that no membrane has are left out; single steps hold nothing out."""
    usable = {"ferguson2015_ca1": 3, "bluepyefe": 12, "allen_celltypes_10": 7}
    for name, least in usable.items():
        found, cells, left_out = material.read(recordings / name)
        assert found == name and len(cells) >= least
        if name == "bluepyefe":
            assert {"98205017", "98205018", "99111002"} <= set(left_out)
        if name == "allen_celltypes_10":
            assert all(one.held_out == () for one in cells)


@pytest.mark.needs_data
@pytest.mark.slow
def test_ferguson_cells_hold_amplitudes_out(recordings: Path) -> None:
    """The three cells are fitted and scored; the same folder as --test is refused."""
    found = experiment.find(recordings / "ferguson2015_ca1", None, {"lif_adaptive": 640}, 0, Console(quiet=True))
    assert len(verdicts.counts(found, "validation", "lif_adaptive")) == 3
    with pytest.raises(InputError, match="which --data holds too"):
        folder = recordings / "ferguson2015_ca1"
        experiment.find(folder, folder, {"lif_adaptive": 640}, 0, Console(quiet=True))
