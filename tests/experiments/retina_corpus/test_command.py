"""The whole experiment on made-up waves: a report that holds, and a run that goes on where it stopped."""

import json

import pytest
from rich.console import Console

from experiments.retina_corpus import experiment, rounds
from twin.errors import InputError


@pytest.mark.slow
def test_a_test_folder_is_scored_by_a_network_of_all_the_data(corpus_folder, save, waves, tmp_path, monkeypatch):
    """Claims, scores and page are there; the same command again reads what was finished and says the same."""
    test = save("test", "Elm2005", {f"E_{k}": waves(90 + k) for k in range(2)}, age=5)
    quiet, outs = Console(quiet=True), [tmp_path / "out", tmp_path / "again"]
    experiment.run(corpus_folder, test, outs[0], seed=0, console=quiet, settings=experiment.QUICK)
    (tmp_path / "out.work").rename(tmp_path / "again.work")

    def refuse(*arguments, **options):
        raise AssertionError("something was computed again")

    monkeypatch.setattr(rounds, "pretrained", _only_finished(rounds.pretrained))
    monkeypatch.setattr(rounds.adapting, "zero_shot", refuse)
    experiment.run(corpus_folder, test, outs[1], seed=0, console=quiet, settings=experiment.QUICK)
    told = [json.loads((out / "report.json").read_text()) for out in outs]
    assert told[0] == told[1]
    claims = {one["name"]: one for one in told[0]["claims"]}
    assert claims["bits_per_spike_on_left_out_studies_reach_the_goal"]["n"] == 1
    assert "conditioning_on_lab_helps_before_adaptation" in claims
    scores = {(row["metric"], row["model"]): row for row in told[0]["scores"] if row["condition"] == "test_folder"}
    assert scores["bits_per_spike", "adapted"]["value"] > scores["bits_per_spike", "poisson"]["value"]
    assert ("co_bits_per_spike", "adapted") in scores and (outs[0] / "results.zarr").is_dir()
    assert "E_" in (outs[0] / "report.html").read_text()


def _only_finished(pretrained):
    def only(recordings, config, out, *arguments):
        assert (out / "checkpoint").exists()
        return pretrained(recordings, config, out, *arguments)

    return only


def test_one_study_cannot_be_left_out(save, waves, tmp_path):
    """Without a second study there is nothing to pretrain on, which is said before anything is trained."""
    folder = save("data", "Ash2001", {"A_0": waves(0)})
    with pytest.raises(InputError, match="data: no recording can be scored"):
        experiment.run(folder, None, tmp_path / "out", seed=0, console=Console(quiet=True), settings=experiment.QUICK)
    assert not (tmp_path / "out").exists()
