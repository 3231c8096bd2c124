"""`twin train` and `twin adapt` on tiny stores, as a user runs them."""

import csv

import numpy as np
import pytest

from experiments import cli
from surrogate import Surrogate
from twin import recording

TOML = """
out = "run"
[data]
recordings = ["one.zarr"]
window_s = 0.05
length = 32
burn_in = 4
validation = 0.2
test = 0.2
[model]
width = 8
embedding = 4
decoder = 4
latents = 2
coupling_rank = 2
attention_heads = 2
history_taus = [1.0]
[training]
steps = 4
batch = 4
check_every = 2
"""


@pytest.fixture
def folder(tmp_path):
    """Two stored recordings of spontaneous counts, and a configuration."""
    for name, n_units in (("one", 4), ("two", 6)):
        counts = np.random.default_rng(n_units).poisson(0.5, (2, 80, n_units))
        recording.write(recording.from_counts(counts, 0.05, name=name), tmp_path / f"{name}.zarr")
    (tmp_path / "c.toml").write_text(TOML)
    return tmp_path


def code_of(*arguments):
    """Exit code of a command."""
    try:
        cli.main([str(one) for one in arguments])
    except SystemExit as error:
        return error.code or 0
    return 0


def test_train_then_adapt(folder, capsys):
    """Training writes a checkpoint that loads; adapting gives one that knows both sessions, and a curve of minutes."""
    assert code_of("train", folder / "c.toml") == 0
    assert "Best at step" in capsys.readouterr().err
    run = folder / "run"
    assert {path.name for path in run.iterdir()} == {"checkpoint", "state.npz", "curve.csv", "curve.png"}
    adapted = folder / "adapted"
    assert (
        code_of("adapt", run / "checkpoint", folder / "two.zarr", "--out", adapted, "--steps", 2, "--minutes", "0.05")
        == 0
    )
    known = Surrogate.from_checkpoint(adapted / "checkpoint").vocabulary
    assert [one.name for one in known.sessions] == ["one", "two"]
    (row,) = csv.DictReader((adapted / "minutes.csv").read_text().splitlines())
    assert float(row["minutes"]) == pytest.approx(0.05) and row["from_scratch_bits"] == "nan"


def test_a_key_that_nothing_reads_stops_before_anything_is_written(folder, capsys):
    """Exit code 2, one sentence that names the key, and no folder."""
    (folder / "c.toml").write_text(TOML + "[objective]\nmaskd = 1.0\n")
    assert code_of("train", folder / "c.toml") == 2
    assert "nothing reads the key 'objective.maskd'" in capsys.readouterr().err
    assert not (folder / "run").exists()


def test_a_missing_recording_or_checkpoint_is_named(folder, capsys):
    """Exit code 2 and the path."""
    (folder / "c.toml").write_text(TOML.replace("one.zarr", "none.zarr"))
    assert code_of("train", folder / "c.toml") == 2
    assert "none.zarr: no such recording" in capsys.readouterr().err.replace("\n", "")
    assert code_of("adapt", folder / "none", folder / "two.zarr", "--out", folder / "x") == 2
    assert "is no checkpoint" in capsys.readouterr().err
