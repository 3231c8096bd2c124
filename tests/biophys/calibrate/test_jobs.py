"""Jobs: killed at any time and resumed, a job gives what an uninterrupted one gives, to the bit."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from biophys.calibrate import Evolution, RateError, TraceError, calibrate
from biophys.calibrate.journal import HEADER, write_whole
from biophys.models import ALL
from twin.errors import InputError

HERE = Path(__file__).parent
BOUNDS = {"C": (80, 400), "g_L": (4, 30), "E_L": (-80, -58)}
BUDGET, GENERATIONS = 320, 10
LONG = 32 * 250  # lasts longer than ten kills leave it

JOB = f"""
import sys
import jax
sys.path.insert(0, {str(HERE)!r})
from conftest import noise_na, recorded
jax.config.update("jax_enable_x64", True)
from test_jobs import fitted
print(fitted(sys.argv[1], recorded, noise_na, int(sys.argv[2])).loss)
"""


def fitted(folder, record, noise, budget=BUDGET):
    """The job: generations of 32, ten of them if nothing else is said."""
    target = record("lif", {"C": 150.0}, noise(1000, 0.2, 0.25))
    bounds, method = BOUNDS, Evolution(2)
    return calibrate(
        target, ALL["lif"], bounds, TraceError(), method, budget, jax.random.key(3), folder=folder, intervals=False
    )


def start(folder: Path, budget: int = BUDGET) -> subprocess.Popen:
    """The job in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", JOB, str(folder), str(budget)],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def kill_after(folder: Path, generations: int, budget: int = BUDGET, delay_s: float = 0.0) -> int:
    """Start the job and kill it this long after so many generations are on disk; returns how many there are then."""
    job = start(folder, budget)
    while job.poll() is None and len(list(folder.glob("generation-*.npz"))) < generations:
        time.sleep(0.0005)
    time.sleep(delay_s)
    job.send_signal(signal.SIGKILL)
    job.communicate()
    return len(list(folder.glob("generation-*.npz")))


def same(first, second) -> None:
    """Two fits are equal to the bit, wall-clock aside."""
    for name in ("positions", "loss", "terms", "generation"):
        np.testing.assert_array_equal(getattr(first.history, name), getattr(second.history, name))
    assert first.values == second.values and first.reason == second.reason
    np.testing.assert_array_equal(first.sets, second.sets)


def test_a_job_killed_twice_ends_as_if_it_had_not_been(tmp_path, record, noise):
    """SIGKILL in a process of its own at two random generations; then resumed here."""
    whole = fitted(tmp_path / "whole", record, noise)
    random, done = np.random.default_rng(int.from_bytes(os.urandom(4), "little")), 0
    for _ in range(2):
        wanted = min(done + int(random.integers(1, 5)), GENERATIONS - 1)
        done = kill_after(tmp_path / "killed", wanted)
    assert 1 <= done < GENERATIONS
    resumed = fitted(tmp_path / "killed", record, noise)
    same(whole, resumed)
    assert resumed.history.resumed == 32 * done and whole.history.resumed == 0


@pytest.mark.slow
def test_a_job_killed_ten_times_ends_as_if_it_had_not_been(tmp_path, record, noise):
    """Ten kills at random times, between files or within one, each after work that the one before had not done."""
    whole, random, done = fitted(None, record, noise, LONG), np.random.default_rng(), [0]
    for _ in range(10):
        done.append(kill_after(tmp_path / "killed", done[-1] + 1, LONG, random.uniform(0.0, 0.1)))
    assert (np.diff(done) >= 1).all() and done[-1] < LONG // 32, done
    resumed = fitted(tmp_path / "killed", record, noise, LONG)
    same(whole, resumed)
    assert resumed.history.resumed == 32 * done[-1]


def test_what_a_kill_leaves_behind_is_ignored(tmp_path, record, noise):
    """A file that was being written does no harm, and a last generation that is lost is redone."""
    whole = fitted(tmp_path / "job", record, noise)
    (tmp_path / "job" / ".generation-000009.npz-abc").write_bytes(b"half")
    (tmp_path / "job" / "generation-000009.npz").unlink()
    same(whole, fitted(tmp_path / "job", record, noise))


def test_another_job_in_the_folder_is_refused(tmp_path, record, noise):
    """Other data, another key, a folder with other things, a header that is not one, and changed positions."""
    fitted(tmp_path / "job", record, noise)
    target = record("lif", {"C": 151.0}, noise(1000, 0.2, 0.25))
    rest = (ALL["lif"], BOUNDS, TraceError(), Evolution(2), BUDGET)
    with pytest.raises(InputError, match="job: holds another calibration"):
        calibrate(target, *rest, jax.random.key(3), folder=tmp_path / "job")
    with pytest.raises(InputError, match="holds another calibration"):
        calibrate(target, ALL["lif"], BOUNDS, RateError(), Evolution(2), BUDGET, folder=tmp_path / "job")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="other: is not empty and holds no calibration"):
        fitted(tmp_path / "other", record, noise)
    (tmp_path / "job" / HEADER).write_text("no json")
    with pytest.raises(InputError, match="cannot be read; remove the folder"):
        fitted(tmp_path / "job", record, noise)


def test_a_generation_at_other_positions_is_noticed(tmp_path, record, noise):
    """A stored generation that the search would not have asked for is refused rather than believed."""
    fitted(tmp_path / "job", record, noise)
    path = tmp_path / "job" / "generation-000003.npz"
    with np.load(path) as stored:
        arrays = dict(stored)
    arrays["positions"] = arrays["positions"] + 1e-9
    np.savez(path, **arrays)
    with pytest.raises(InputError, match="generation 3 was evaluated at other positions"):
        fitted(tmp_path / "job", record, noise)


def test_a_file_is_there_whole_or_not_at_all(tmp_path):
    """A writer that fails leaves the old file and nothing beside it."""
    write_whole(tmp_path / "a", b"old")

    def failing(file):
        file.write(b"new")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(tmp_path / "a", failing)
    assert (tmp_path / "a").read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


def test_progress_is_told_after_every_generation(record, noise):
    """Shares rise to 1 and the lowest loss never rises."""
    told: list[tuple[float, float]] = []
    target = record("lif", {}, noise(1000, 0.2, 0.25))
    calibrate(
        target, ALL["lif"], BOUNDS, TraceError(), Evolution(2), BUDGET, progress=lambda *one: told.append(one),
        intervals=False,
    )  # fmt: skip
    shares, losses = np.array(told).T
    np.testing.assert_allclose(shares, np.arange(1, GENERATIONS + 1) / GENERATIONS)
    assert (np.diff(losses) <= 0).all()
