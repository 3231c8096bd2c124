"""The public data sets: the known figure of one kernel, and the claims of a full run."""

import json

import pytest
from rich.console import Console

from experiments.calcium import experiment

pytestmark = [pytest.mark.needs_data, pytest.mark.slow]


def test_a_full_run_beats_one_kernel_and_reaches_the_goal_after_adapting(recordings, tmp_path):
    """Minutes on one core: one kernel has its known .71, adapted cells .80 or more, and nothing leaks."""
    folder = recordings / "cascade_groundtruth"
    if not folder.is_dir():
        pytest.skip("no cascade_groundtruth among the outside recordings")
    experiment.run(folder, None, tmp_path / "out", seed=0, console=Console(quiet=True))
    document = json.loads((tmp_path / "out" / "report.json").read_text())
    values = {
        (row["condition"], row["model"]): row["value"]
        for row in document["scores"]
        if row["metric"] == "single_trial_correlation"
    }
    every, second = "median of data sets, all frames", "median of data sets, second half"
    assert values[every, "one_kernel"] == pytest.approx(0.71, abs=0.01)
    assert values[every, "surrogate"] > 0.77 and values[second, "adapted"] > 0.80
    verdicts = {claim["name"]: claim["verdict"] for claim in document["claims"]}
    for name in (
        "surrogate_beats_one_kernel",
        "adapted_beats_one_kernel",
        "second_halves_reach_80_after_adapting_on_the_first",
        "spikes_at_the_wrong_time_predict_nothing",
        "intervals_of_80_percent_cover_80_percent_given_earlier_frames",
    ):
        assert verdicts[name] == "pass"
