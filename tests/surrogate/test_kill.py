"""A training process that is killed in the middle goes on to the same weights, to the bit."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).parents[2]
PROGRAM = """
import sys
import numpy as np
from surrogate import fit
from surrogate.config import Config, Data, Model, Training
from twin import recording
trees = [
    recording.from_counts(np.random.default_rng(k).poisson(0.7, (3, 40, 4 + 8 * k)), 0.05, name=f"s{k}") for k in (0, 1)
]
config = Config(
    data=Data(length=16, burn_in=2, validation=0.2, test=0.0),
    model=Model(width=8, attention_heads=2, embedding=4, decoder=4, latents=2, coupling_rank=2, history_taus=(1.0,)),
    training=Training(steps=24, batch=4, check_every=4, learning_rate=1e-2, patience=0),
)
fitted = fit(config, trees, out=sys.argv[1])
weights = {name: np.asarray(value) for name, value in fitted.surrogate.checkpoint.weights.items()}
np.savez(sys.argv[1] + ".npz", loss=[look.validation_loss for look in fitted.curve], **weights)
"""


def started(out: Path) -> subprocess.Popen:
    """The training process."""
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_backend_optimization_level=0",
                   "PYTHONPATH": str(REPOSITORY)}  # fmt: skip
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(out)], cwd=REPOSITORY, env=environment,
                            stderr=subprocess.PIPE, text=True)  # fmt: skip


def finished(out: Path) -> dict[str, np.ndarray]:
    """What the process trains when nobody interrupts it (again)."""
    _, wrong = (process := started(out)).communicate(timeout=600)
    assert process.returncode == 0, wrong[-2000:]
    with np.load(f"{out}.npz") as found:
        return dict(found)


def killed(out: Path, later_s: float) -> bool:
    """Kill the process some time after it has written its state for the first time; False if it was faster."""
    process, before = started(out), (out / "state.npz").stat().st_mtime_ns if (out / "state.npz").exists() else None
    while process.poll() is None and not _newer(out / "state.npz", before):
        time.sleep(0.002)
    time.sleep(later_s)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def _newer(path: Path, before: int | None) -> bool:
    return path.exists() and path.stat().st_mtime_ns != before


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[str, np.ndarray]:
    """Weights and losses of a run that nobody stopped."""
    return finished(tmp_path_factory.mktemp("kill") / "whole")


@pytest.mark.parametrize("kills", [1, pytest.param(6, marks=pytest.mark.slow)])
def test_a_killed_run_goes_on_to_the_same_weights(whole, tmp_path, kills):
    """Killed at random times, also while it writes, and started again: weights and looks are those of one run."""
    delays = np.random.default_rng(kills).uniform(0.0, 0.05, kills)
    assert killed(tmp_path / "run", delays[0]), "the process was done before it could be killed"
    for delay in delays[1:]:
        killed(tmp_path / "run", delay)
    found = finished(tmp_path / "run")
    assert found.keys() == whole.keys()
    for name, value in whole.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)
