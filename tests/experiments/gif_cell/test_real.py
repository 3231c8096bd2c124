"""The public recording: reliability, electrode and baselines as they are known, and the claims of a full run."""

import json

import pytest
from rich.console import Console

from experiments.gif_cell import cell, experiment, fitting, predicting
from experiments.gif_cell.settings import Settings
from experiments.spike_fits import hazards, trains

pytestmark = pytest.mark.needs_data


@pytest.fixture(scope="module")
def folder(recordings):
    """The folder of the set."""
    one = recordings / "gif_pozzorini"
    if not one.is_dir():
        pytest.skip("no gif_pozzorini among the outside recordings")
    return one


@pytest.fixture(scope="module")
def real(folder):
    """The cell; what is scored is not opened here."""
    return cell.load(folder, None, Settings())


def test_reliability_and_split(real):
    """Nine repeats coincide with .795 on 0-8 s; 4 s are fitted, 4 s choose."""
    fitted = predicting.recorded(real.fitted, real.whole_fit)
    assert trains.intrinsic(fitted, 0).value == pytest.approx(0.795, abs=0.001)
    assert real.split.train == pytest.approx((0.0, 4.0)) and real.scored_s == pytest.approx((8.0, 12.0))
    assert {len(train) for train in fitted.trains} <= set(range(95, 102))


def test_the_kernel_of_the_electrode(real):
    """The bridge left a sharp negative sample and a decay of a few tenths of a millisecond, 8 MOhm in all."""
    kernel = real.kernel
    assert kernel.resistance_mohm == pytest.approx(8.1, abs=0.5)
    assert kernel.kernel_mohm.min() < -5 and 0.2 < kernel.tau_ms < 0.6 and 20 < kernel.membrane_tau_ms < 30


def test_the_history_glm_is_as_good_as_the_known_one(real):
    """3.89 bits per spike on 0-8 s and 1.84 without history were published with the set; ours is within .1."""
    current, counts = fitting.binned(real.fitted)
    glms = fitting.fit_glms(real)
    for name, known in (("glm", 3.89), ("glm_without_history", 1.84)):
        found = hazards.bits(counts, glms[name].expected(current, counts), real.whole_fit, 0).value
        assert found == pytest.approx(known, abs=0.1)


@pytest.mark.slow
def test_a_full_run_keeps_its_claims(folder, tmp_path):
    """Five minutes on one core: every claim that can be tested passes."""
    experiment.run(folder, None, tmp_path / "out", seed=0, console=Console(quiet=True))
    claims = json.loads((tmp_path / "out" / "report.json").read_text())["claims"]
    assert {claim["verdict"] for claim in claims} == {"pass", "not_testable"}
