"""The reader of CRCNS ia-1 text: the real files of nitime, and every way in which such a file can be broken."""

import numpy as np
import pytest

from twin import readers, recording
from twin.datasets import grasshopper
from twin.errors import InputError, UnsupportedError
from twin.readers import crcns_ia1

HEADER = "# carrier freq (kHz): 2.5\n# intensity (dB): 76.4286\n"


def pair(folder, spikes=HEADER + "6700\n9900\n\n", n_samples=400):
    """A stimulus file of 20 ms and a spike-time file."""
    table = np.column_stack([50 * np.arange(n_samples), np.full(n_samples, 0.1)])
    np.savetxt(folder / "stimulus.txt", table, fmt="%g")
    (folder / "spikes.txt").write_text(spikes)
    return folder / "stimulus.txt", folder / "spikes.txt"


def test_times_and_levels_have_the_right_units(tmp_path):
    """6700 microseconds are 6.7 ms, and an amplitude of 0.1 is -20 dB."""
    tree = crcns_ia1.read(pair(tmp_path))
    np.testing.assert_allclose(recording.spike_times(tree)[0], [0.0067, 0.0099])
    sound = recording.stimulus_of(tree, "sound")
    np.testing.assert_allclose(sound.values, -20.0)
    assert (sound.unit, sound.sampling_hz) == ("dB", pytest.approx(20_000.0))


def test_the_header_becomes_the_protocol_and_nothing_else_is_known(tmp_path):
    """Stated values are reported with their words; temperature and electrode stay unreported."""
    protocol = recording.protocol_of(crcns_ia1.read(pair(tmp_path)))
    assert protocol["carrier_frequency"].value == 2.5 and protocol["carrier_frequency"].unit == "kHz"
    assert protocol["stimulus_intensity"].verbatim == "intensity (dB): 76.4286"
    assert protocol["temperature"].status == protocol["series_resistance"].status == "unreported"


def test_the_order_of_the_files_does_not_matter(tmp_path):
    """The reader tells the two files apart by what is in them."""
    stimulus, spikes = pair(tmp_path)
    assert readers.read((spikes, stimulus))["spikes"].identical(readers.read((stimulus, spikes))["spikes"])


@pytest.mark.parametrize(
    ("spikes", "words"),
    [
        (HEADER + "6700\n9900", "cut off"),
        (HEADER + "6700\n9900\n", "cut off"),
        (HEADER + "6700\n99", "times go backwards on line 4"),
        (HEADER + "6700\n5000\n\n", "times go backwards on line 4"),
        (HEADER + "6700\n6700\n\n", "times go backwards"),
        (HEADER + "6700\nabc\n\n", "line 4 is 'abc'"),
        (HEADER + "6700\n25000\n\n", "the stimulus ends at 0.02 s, before the last spike"),
    ],
)
def test_broken_spike_files_are_named(tmp_path, spikes, words):
    """A file that was cut off, runs backwards, holds words, or outlasts its stimulus is refused with the reason."""
    with pytest.raises(InputError, match=words):
        crcns_ia1.read(pair(tmp_path, spikes))


def test_broken_stimulus_files_are_named(tmp_path):
    """An irregular time axis, an amplitude of zero and a third column are refused."""
    stimulus, spikes = pair(tmp_path)
    for text, words in (
        ("0 0.1\n50 0.1\n90 0.1\n", "not regular at line 3"),
        ("0 0.1\n50 0\n", "amplitude on line 2 is 0"),
        ("0 0.1 7\n50 0.1 7\n", "wanted two columns"),
        ("0 x\n", "not a table of numbers"),
    ):
        stimulus.write_text(text)
        with pytest.raises(InputError, match=words):
            crcns_ia1.read((stimulus, spikes))


def test_files_that_no_reader_takes_are_refused_with_what_can_be_read(tmp_path):
    """Two stimulus files are nothing that can be read together."""
    stimulus, _ = pair(tmp_path)
    with pytest.raises(UnsupportedError, match="what can be read: .*CRCNS ia-1"):
        readers.read((stimulus, stimulus))
    with pytest.raises(InputError, match="no such file"):
        readers.read((tmp_path / "none.txt",))


def test_the_real_first_recording_is_read_whole():
    """Recording 1 of nitime: 929 spikes in 10 s of sound, counted independently in its file."""
    folder = grasshopper.nitime_folder()
    tree = grasshopper.load_one(folder, 1)
    lines = (folder / "grasshopper_spike_times1.txt").read_text().split("\n")
    expected = [float(line) / 1e6 for line in lines if line and not line.startswith("#")]
    np.testing.assert_allclose(recording.spike_times(tree)[0], expected)
    assert len(expected) == 929 and recording.span(tree) == (0.0, pytest.approx(10.0))
    temperature = recording.protocol_of(tree)["temperature"]
    assert temperature.value == 28.0 and "Roemschied" in temperature.source


def test_a_folder_without_the_files_is_named(tmp_path):
    """A folder that does not hold the set says which file is missing."""
    with pytest.raises(InputError, match="grasshopper_stimulus1.txt: no such file"):
        grasshopper.load_one(tmp_path, 1)
