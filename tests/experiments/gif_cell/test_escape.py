"""The escape-noise model on a cell that was made up: start values, hazards, and what they may know."""

import numpy as np
import pytest

from experiments.gif_cell import cell
from experiments.gif_cell.settings import QUICK
from experiments.spike_fits import coupled_gif, hazards, history_glm
from experiments.spike_fits.simulate import forced, own_spikes


@pytest.fixture(scope="module")
def one(tmp_path_factory, written):
    """The cell."""
    return cell.load(written(tmp_path_factory.mktemp("cell") / "data"), None, QUICK)


@pytest.fixture(scope="module")
def start(one):
    """Start values of the escape-noise model."""
    return coupled_gif.start_values(one.part(one.whole_fit), 4.0)


def test_start_values_find_the_membrane(start):
    """150 pF, 10 nS and -60 mV were put in; with the electrode left in, the membrane seems faster."""
    assert start["C"] == pytest.approx(150.0, rel=0.05) and start["g_L"] == pytest.approx(10.0, rel=0.1)
    assert start["E_L"] == pytest.approx(-60.0, abs=1.0) and start["V_r"] == pytest.approx(-55.0, abs=1.0)


def test_an_electrode_that_is_left_in_makes_the_membrane_faster(one, start):
    """The drop follows the current at once, which a regression takes for a small capacity."""
    raw = coupled_gif.start_values(one.part(one.whole_fit, corrected=False), 4.0)
    assert raw["C"] < 0.9 * start["C"]


def test_the_start_explains_the_spikes(one, start):
    """The two regressions alone are worth more than a bit per spike, and the forced voltage is within 2 mV."""
    target = one.corrected
    counts = history_glm.counts_of([sweep[0] for sweep in target.spike_times_s], 3600)
    expected = hazards.expected_counts(coupled_gif.ESCAPE, start, target.current_na, target.raster(), target.dt_s)
    assert hazards.bits(counts, expected, one.scored_s, 0).value > 1.0
    away = np.abs(forced(coupled_gif.ESCAPE, start, target.current_na, target.raster(), target.dt_s).voltage_mv)
    assert np.isfinite(away).all()


def test_a_bin_knows_nothing_of_its_own_spikes(one, start):
    """A spike taken away or moved changes nothing up to its own millisecond, and taken away it changes later ones."""
    target = one.corrected
    current, raster = target.current_na[:1], target.raster()[:1]
    step = int(np.flatnonzero(raster[0])[5])
    millisecond = step // 10
    without, moved = raster.copy(), raster.copy()
    without[0, step] = moved[0, step] = False
    moved[0, 10 * millisecond + (step + 3) % 10] = True
    of = [
        hazards.expected_counts(coupled_gif.ESCAPE, start, current, one, target.dt_s)[0]
        for one in (raster, without, moved)
    ]
    np.testing.assert_array_equal(of[0][: millisecond + 1], of[1][: millisecond + 1])
    assert np.abs(of[0] - of[1])[millisecond + 1 : millisecond + 50].max() > 1e-3
    np.testing.assert_array_equal(of[0], of[2])


def test_no_hazard_while_refractory(one, start):
    """In the 4 ms after each forced spike the hazard is zero, as a free spike is impossible there."""
    target = one.corrected
    raster = target.raster()[:1]
    hazard = forced(coupled_gif.ESCAPE, start, target.current_na[:1], raster, target.dt_s).hazard_hz[0]
    for step in np.flatnonzero(raster[0])[:5]:
        assert hazard[step + 2 : step + 38].max() == 0.0 and hazard[step] > 0.0


def test_free_trials_have_the_rate_that_the_hazard_says(one, start):
    """Trials differ, and their number of spikes is that of the cell within a third."""
    import jax

    target = one.corrected
    copies = {name: np.full(16, value) for name, value in start.items()}
    trains = own_spikes(coupled_gif.ESCAPE, copies, target.current_na.mean(axis=0), target.dt_s, jax.random.key(0))
    numbers = [len(train) for train in trains]
    real = np.mean([len(sweep[0]) for sweep in target.spike_times_s])
    assert len(set(map(tuple, trains))) == 16
    assert np.mean(numbers) == pytest.approx(real, rel=0.33)
