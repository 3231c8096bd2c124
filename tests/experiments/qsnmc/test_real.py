"""The public recording of challenge A: reliability and rates as they are known, and the claims of a full run."""

import json

import pytest
from rich.console import Console

from experiments.qsnmc import experiment, stimuli

pytestmark = pytest.mark.needs_data


@pytest.fixture(scope="module")
def folder(recordings):
    """The folder of the set."""
    one = recordings / "qsnmc2007"
    if not one.is_dir():
        pytest.skip("no qsnmc2007 among the outside recordings")
    return one


def test_reliability_of_each_stimulus(folder):
    """Three of six stimuli have spike times that repeat."""
    real = stimuli.load(folder)
    known = {"00": 0.864, "05": 0.730, "06": 0.198, "09": 0.023, "11": 0.907, "12": 0.001}
    assert real.names == tuple(known)
    for name, value in known.items():
        assert real.reliability(name) == pytest.approx(value, abs=0.001)
        assert real.is_testable(name) == (value > 0.25)
    assert [len(train) for train in real.real("12").trains] == [92, 82, 115, 73]


@pytest.mark.slow
def test_a_full_run_beats_the_best_simple_method(folder, tmp_path):
    """Six minutes on one core: the vote beats .70 of the reliability over the stimuli that were left out."""
    experiment.run(folder, None, tmp_path / "out", seed=0, console=Console(quiet=True))
    claims = {one["name"]: one for one in json.loads((tmp_path / "out" / "report.json").read_text())["claims"]}
    assert claims["test_stimuli_beat_the_best_simple_method_in_spike_times"]["verdict"] == "pass"
