"""`twin data get`: all recordings or none, a progress of one at a time, and sentences that say what to give."""

import io

import numpy as np
import pytest
from rich.console import Console

from experiments import data
from twin import recording
from twin.datasets import ALL
from twin.errors import InputError, UnsupportedError


@pytest.fixture
def two_mice(save):
    """Two mice of park_v1acc."""
    arrays = {
        "activity": np.zeros((2, 4, 5), np.float32),
        "pupil": np.zeros((4, 5), np.float32),
        "speed": np.zeros((4, 5), np.float32),
        "direction_deg": np.array([0, 90, 180, 270], np.int16),
        "t_s": np.arange(5) * 0.0625,
        "group": "control",
        "mouse": "m",
        "session": "s",
    }
    save("m1", arrays)
    save("m2", arrays)
    return ALL["park_v1acc"]


def test_a_folder_gets_all(two_mice, folder, tmp_path, capsys):
    """A folder that does not exist is made, with one store a recording and nothing beside."""
    data.get(two_mice, folder, tmp_path / "deep" / "out")
    assert sorted(path.name for path in (tmp_path / "deep" / "out").iterdir()) == ["m1.zarr", "m2.zarr"]
    assert recording.open(tmp_path / "deep/out/m2.zarr").attrs["name"] == "m2"
    assert "m1.zarr" in capsys.readouterr().out


def test_one_store_gets_one(two_mice, folder, tmp_path):
    """--out NAME.zarr takes one recording: --only says which, and several are refused with that way out."""
    out = tmp_path / "rec.zarr"
    with pytest.raises(InputError, match="park_v1acc has 2 recordings here.*give a folder.*--only: m1, m2"):
        data.get(two_mice, folder, out)
    data.get(two_mice, folder, out, only="m2")
    assert recording.open(out).attrs["name"] == "m2"
    with pytest.raises(InputError, match="park_v1acc has no recording 'm3' here; it has: m1, m2"):
        data.get(two_mice, folder, tmp_path / "other.zarr", only="m3")


def test_what_is_there_stays(two_mice, folder, tmp_path):
    """A store of that name is never replaced."""
    data.get(two_mice, folder, tmp_path / "out", only="m1")
    before = (tmp_path / "out/m1.zarr/zarr.json").read_bytes()
    with pytest.raises(InputError, match="m1.zarr: exists already"):
        data.get(two_mice, folder, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["m1.zarr"]
    assert (tmp_path / "out/m1.zarr/zarr.json").read_bytes() == before


def test_a_fault_in_the_last_leaves_nothing(two_mice, folder, save, tmp_path):
    """The second mouse is broken: the first, which was written already, is taken away again."""
    save("m2", {"activity": np.zeros((2, 4, 5), np.float32)})
    with pytest.raises(InputError, match="m2.npz: has no 't_s'"):
        data.get(two_mice, folder, tmp_path / "deep" / "out")
    assert not (tmp_path / "deep").exists()


def test_no_place_to_write_to(two_mice, folder):
    """Without --out the sentence asks for it."""
    with pytest.raises(InputError, match="give the folder to write to with --out"):
        data.get(two_mice, folder, None)


def test_a_table_is_not_written(tmp_path):
    """A table is refused, and nothing is made."""
    with pytest.raises(UnsupportedError, match="twin experiment neuroelectro"):
        data.get(ALL["neuroelectro"], tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_many_names_are_told_in_short(save, folder, tmp_path):
    """A sentence about a set with many recordings does not list them all."""
    arrays = {
        "V_mV": np.zeros(9, np.float32),
        "I_pA": np.zeros(9, np.float32),
        "dt_ms": 1.0,
        "t_on_ms": 1,
        "t_off_ms": 2,
    }
    for number in range(15):
        save(f"cell_{number:02d}_sweep_1", arrays)
    with pytest.raises(InputError, match="cell_11_sweep_1 and 3 more"):
        data.get(ALL["allen_celltypes_10"], folder, tmp_path / "out.zarr")


@pytest.mark.parametrize("name", ALL)
def test_show_says_how_to_get_it(name):
    """Every set shows its licence and the command that uses it."""
    told = io.StringIO()
    console = Console(width=400, file=told)
    data.show(ALL[name], console)
    assert ALL[name].licence in told.getvalue() and ALL[name].citation in told.getvalue()
    data.list_sets(console)
    assert all(other in told.getvalue() for other in ALL)
