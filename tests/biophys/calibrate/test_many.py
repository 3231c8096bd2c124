"""Many cells as one batch, and one job over several processes."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from biophys.calibrate import Evolution, TraceError, calibrate, calibrate_cells
from biophys.models import ALL
from twin.errors import InputError

HERE = Path(__file__).parent
BOUNDS = {"C": (80, 400), "g_L": (4, 30), "E_L": (-80, -58)}
TRUTHS = {"a": {"C": 120.0, "g_L": 9.0}, "b": {"C": 210.0, "g_L": 14.0}, "c": {"C": 300.0, "g_L": 6.0}}
ARGUMENTS = (ALL["passive"], BOUNDS, TraceError(), Evolution(2))


@pytest.fixture
def cells(record, noise):
    """Three cells under one current."""
    return {name: record("passive", truth, noise(1000, 0.05, 0.05)) for name, truth in TRUTHS.items()}


def test_cells_of_one_batch_are_found(cells):
    """Each cell gets its own parameters from one program, and what `calibrate` finds with the same key."""
    found = calibrate_cells(cells, *ARGUMENTS, 1280)
    assert found.batches == 1 and not found.failed and list(found.fits) == list(TRUTHS)
    for name, truth in TRUTHS.items():
        for parameter, value in truth.items():
            assert found.fits[name].values[parameter] == pytest.approx(value, rel=0.02)
    alone = calibrate_cells({"b": cells["b"]}, *ARGUMENTS, 1280).fits["b"]
    assert alone.values == pytest.approx(found.fits["b"].values, rel=1e-3)


def test_one_bad_cell_does_not_stop_the_others(cells, record, noise):
    """Another length is another batch; a cell without voltage is named with the reason, and the rest is fitted."""
    longer = record("passive", {}, noise(1500, 0.05, 0.05))
    silent = record("lif", {}, np.zeros(1000))
    every = {**cells, "longer": longer, "silent": silent.__class__(**{**silent.__dict__, "voltage_mv": None})}
    found = calibrate_cells(every, *ARGUMENTS, 320, intervals=False)
    assert found.batches == 2 and list(found.fits) == [*TRUTHS, "longer"]
    assert "voltage" in found.failed["silent"]


def test_stopped_cells_go_on_to_the_same_bits(cells, tmp_path):
    """Generations of some cells are lost; what is resumed equals what ran through."""
    rest = dict(intervals=False, key=jax.random.key(3))
    whole = calibrate_cells(cells, *ARGUMENTS, 320, folder=tmp_path, **rest)
    for name, kept in (("a", 4), ("b", 0)):
        for path in sorted((tmp_path / name).glob("generation-*.npz"))[kept:]:
            path.unlink()
    again = calibrate_cells(cells, *ARGUMENTS, 320, folder=tmp_path, **rest)
    for name in TRUTHS:
        np.testing.assert_array_equal(whole.fits[name].history.positions, again.fits[name].history.positions)
        np.testing.assert_array_equal(whole.fits[name].history.loss, again.fits[name].history.loss)
    assert [again.fits[name].history.resumed for name in TRUTHS] == [4 * 32, 0, 320]


def test_names_that_are_no_folders_are_refused(cells, tmp_path):
    """A slash, and nothing at all."""
    with pytest.raises(InputError, match="'a/b' cannot be the name"):
        calibrate_cells({"a/b": cells["a"]}, *ARGUMENTS, 320, folder=tmp_path)
    with pytest.raises(InputError, match="no recordings"):
        calibrate_cells({}, *ARGUMENTS, 320)


HOST = """
import json, sys
import jax
jax.config.update("jax_enable_x64", True)
address, count, number, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
jax.distributed.initialize(address, count, number)
sys.path.insert(0, {folder!r})
from conftest import noise_na, recorded
from test_many import ARGUMENTS
from biophys.calibrate import calibrate
fit = calibrate(
    recorded("passive", {{"C": 120.0}}, noise_na(1000, 0.05, 0.05)), *ARGUMENTS, 320, intervals=False, folder=folder
)
print(json.dumps([jax.process_count(), fit.values, fit.history.loss.tolist()]))
"""


def test_two_processes_find_what_one_finds(tmp_path, record, noise):
    """The same call in two processes of one job: each evaluates half, both end with the losses of one process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-W", "ignore", "-c", HOST.format(folder=str(HERE)), address, "2"]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[2])}
    jobs = [
        subprocess.Popen([*command, str(number), str(tmp_path / "job")], env=environment, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
        for number in range(2)
    ]  # fmt: skip
    told = []
    for job in jobs:
        printed, complaint = job.communicate(timeout=120)
        assert job.returncode == 0, complaint
        told.append(json.loads(printed.splitlines()[-1]))
    one = calibrate(record("passive", {"C": 120.0}, noise(1000, 0.05, 0.05)), *ARGUMENTS, 320, intervals=False)
    assert told[0] == told[1] and told[0][0] == 2
    np.testing.assert_allclose(told[0][2], one.history.loss, rtol=1e-5)
    assert len(list((tmp_path / "job").glob("generation-*.npz"))) == 10
