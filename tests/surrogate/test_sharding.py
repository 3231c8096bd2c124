"""One device, eight virtual ones, and two processes on this machine train the same weights."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).parents[2]
# Each run is a process of its own, because the number of devices is settled when JAX starts.
PROGRAM = """
import sys
import jax
address, number, out = sys.argv[1:]
if address != "alone":
    jax.distributed.initialize(address, 2, int(number))
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
    training=Training(steps=4, batch=8, check_every=2, learning_rate=1e-2),
)
fitted = fit(config, trees, out=out)
weights = {name: np.asarray(value) for name, value in fitted.surrogate.checkpoint.weights.items()}
np.savez(f"{out}-{number}.npz", loss=[look.validation_loss for look in fitted.curve], **weights)
print(jax.device_count(), jax.process_count())
"""


def started(out: Path, devices: int, address: str = "alone", number: int = 0) -> subprocess.Popen:
    """A training process."""
    flags = f"--xla_force_host_platform_device_count={devices} --xla_backend_optimization_level=0"
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", PROGRAM, address, str(number), str(out)]
    return subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process: subprocess.Popen, counts: str) -> None:
    """Wait for it; it saw the devices and processes that it should."""
    said, wrong = process.communicate(timeout=300)
    assert process.returncode == 0, wrong[-2000:]
    assert said.split()[-2:] == counts.split()


def same_weights(one: Path, other: Path) -> None:
    """To the rounding of another order of summation."""
    first, second = np.load(one), np.load(other)
    for name in first.files:
        np.testing.assert_allclose(first[name], second[name], rtol=2e-4, atol=2e-5, err_msg=name)


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Path:
    """Weights that one device trained."""
    folder = tmp_path_factory.mktemp("sharding")
    ended(started(folder / "one", 1), "1 1")
    return folder


@pytest.mark.slow
def test_eight_devices_train_what_one_does(alone):
    """The batch divided over eight virtual devices gives the weights and scores of one device."""
    ended(started(alone / "eight", 8), "8 1")
    same_weights(alone / "one-0.npz", alone / "eight-0.npz")


@pytest.mark.slow
def test_two_processes_train_what_one_does(alone):
    """Two processes on loopback, each with half of every batch, give the weights of one; the first alone writes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    both = [started(alone / f"two{k}", 1, address, k) for k in (0, 1)]
    for process in both:
        ended(process, "2 2")
    for number in (0, 1):
        same_weights(alone / "one-0.npz", alone / f"two{number}-{number}.npz")
    assert (alone / "two0" / "checkpoint").is_dir() and not (alone / "two1" / "checkpoint").exists()
