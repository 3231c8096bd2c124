"""Broken files of every format: each is read as a valid recording or refused in one sentence, quickly and quietly."""

import contextlib
import signal
import struct
import time

import numpy as np
import pytest

from twin import readers, recording
from twin.errors import InputError, UnsupportedError

SECONDS_PER_FILE = 5
LAYOUT = """
[table]
signal = "sweeps"
clamp = "current"
sampling_hz = 1000.0
[table.columns]
voltage = {column = "v", unit = "mV"}
current = {column = "i", unit = "pA"}
[temperature]
value = 32.0
unit = "degC"
"""
RNG = np.random.default_rng(20)
RAW = RNG.integers(-9000, 9000, (2, 256, 2), dtype=np.int16)


class TooSlow(BaseException):
    """No Exception, so that no reader takes it for a fault of the file."""


@contextlib.contextmanager
def time_limit(seconds):
    """Stop what runs longer, as a failure."""

    def stop(*_):
        raise TooSlow(f"a broken file kept the reader busy for more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def small_nwb(pynwb, file):
    """Two sweeps with their stimuli, units, a stream and a subject."""
    pipette = file.create_icephys_electrode(
        name="e", description="d", device=file.create_device("a"), resistance="5 MOhm"
    )
    common = {"electrode": pipette, "gain": 1.0, "rate": 1000.0}
    for k in range(2):
        data = RAW[k, :, 0]
        file.add_acquisition(
            pynwb.icephys.CurrentClampSeries(name=f"r{k}", data=data, conversion=1e-5, sweep_number=k, **common)
        )
        file.add_stimulus(
            pynwb.icephys.CurrentClampStimulusSeries(name=f"s{k}", data=data * 1e-12, sweep_number=k, **common)
        )
    file.add_unit(spike_times=[0.1, 0.2], obs_intervals=[[0.0, 1.0]])
    file.subject = pynwb.file.Subject(subject_id="m", species="Mus musculus", age="P30D", sex="F")


def broken(content, n_cut, n_flipped, rng):
    """Copies of a file that end early, or in which one to eight bits are flipped."""
    for stop in np.unique(np.linspace(1, len(content) - 1, n_cut).astype(int)):
        yield content[:stop]
    for k in range(n_flipped):
        copy = bytearray(content)
        # Half of the flips lie at the beginning, where the headers are.
        reach = len(copy) if k % 2 else min(len(copy), 1024)
        for at in rng.integers(0, reach, rng.integers(1, 9)):
            copy[at] ^= 1 << int(rng.integers(0, 8))
        yield bytes(copy)


def examine(paths):
    """Read what may be broken; the outcome as a word."""
    try:
        with time_limit(SECONDS_PER_FILE):
            tree = readers.read(paths)
    except (InputError, UnsupportedError) as error:
        text = str(error)
        assert any(str(path) in text for path in paths) and "\n" not in text and len(text) < 1500, text
        # A wrong type within this project would hide behind the sentence.
        assert "TypeCheckError" not in text and "NameError" not in text, text
        return "refused"
    recording.validate(tree)
    return "read"


def run(paths, target, n_cut, n_flipped, capfd, seed):
    """Break one file of `paths` in many ways; how many were read and refused."""
    rng = np.random.default_rng(seed)
    content = target.read_bytes()
    assert examine(paths) == "read"
    outcomes = []
    for copy in broken(content, n_cut, n_flipped, rng):
        target.write_bytes(copy)
        outcomes.append(examine(paths))
    printed = capfd.readouterr()
    assert printed.out == printed.err == ""
    assert outcomes.count("refused") > 0
    return len(outcomes)


def test_broken_axon_files(tmp_path, make_abf, capfd):
    """200 of version 1."""
    path = make_abf(
        tmp_path / "a.abf",
        RAW,
        epochs=((1, 1.0, 1.0, 50, 0),),
        tags=((10, "x"),),
        telegraph={"instrument": 24, "filter_hz": 1e3, "mode": 1},
    )
    assert run([path], path, 60, 140, capfd, 1) >= 200


def test_broken_axon_files_of_version_2(recordings, tmp_path, capfd):
    """100 copies of a real one: no file of this version is made here."""
    path = tmp_path / "a.abf"
    path.write_bytes((recordings / "pyabf_subset" / "17o05027_ic_ramp.abf").read_bytes())
    assert run([path], path, 20, 80, capfd, 8) >= 100


def test_sections_that_repeat_one_entry_are_refused(recordings, tmp_path):
    """A size of 0 with a million entries would keep the parser at the same bytes; it is refused before."""
    path = tmp_path / "a.abf"
    content = bytearray((recordings / "pyabf_subset" / "17o05027_ic_ramp.abf").read_bytes())
    struct.pack_into("<Iq", content, 76 + 16 * 11 + 4, 0, 10**12)  # the section of tags
    path.write_bytes(content)
    with time_limit(SECONDS_PER_FILE), pytest.raises(InputError, match="announces"):
        readers.read([path])


def test_broken_igor_waves(tmp_path, make_ibw, capfd):
    """150, half of them with a note."""
    path = make_ibw(tmp_path / "a.ibw", RAW[0, :, 0] * 1e-3, note=b"SI:250;COMP_ON:0;COMP_RS:0;")
    assert run([path], path, 50, 100, capfd, 2) >= 150


def test_broken_winwcp_files(tmp_path, make_wcp, capfd):
    """80 through Neo."""
    path = make_wcp(tmp_path / "a.wcp", RAW)
    assert run([path], path, 30, 50, capfd, 3) >= 80


@pytest.mark.parametrize("broken_file", ["a.csv", "layout.toml"])
def test_broken_text_tables(tmp_path, capfd, broken_file):
    """80 of each: the table, and its layout."""
    (tmp_path / "layout.toml").write_text(LAYOUT)
    (tmp_path / "a.csv").write_text("v,i\n" + "".join(f"{v / 7:.4f},{i / 9:.4f}\n" for v, i in RAW[0, :60]))
    paths = [tmp_path / "layout.toml", tmp_path / "a.csv"]
    assert run(paths, tmp_path / broken_file, 30, 50, capfd, 4) >= 80


def test_broken_archives(tmp_path, capfd):
    """80 numpy archives."""
    (tmp_path / "layout.toml").write_text(LAYOUT)
    np.savez(tmp_path / "a.npz", v=RAW[0, :, 0] * 1e-2, i=RAW[0, :, 1])
    paths = [tmp_path / "layout.toml", tmp_path / "a.npz"]
    assert run(paths, tmp_path / "a.npz", 30, 50, capfd, 5) >= 80


def test_broken_nwb_files(tmp_path, make_nwb, capfd):
    """100 NWB files."""
    path = make_nwb(tmp_path / "a.nwb", small_nwb)
    assert run([path], path, 40, 60, capfd, 6) >= 100


def test_the_time_limit_stops_what_hangs():
    """The limit itself works: a reader that never ends would be a failure and not a wait."""
    with pytest.raises(TooSlow, match="busy"), time_limit(1):
        time.sleep(30)
