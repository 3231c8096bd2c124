"""The recording: what is written is what is read, and what is not valid is neither."""

import numpy as np
import pytest

from twin import provenance, recording
from twin.errors import InputError
from twin.protocol import Covariate, Protocol
from twin.recording import Stream


def tiny():
    """Two trials of two units with a stimulus."""
    trains = [[np.array([0.1, 0.2]), np.array([])], [np.array([0.3]), np.array([0.05, 0.9])]]
    sound = Stream(np.linspace(-20.0, 0.0, 10), 10.0, "dB")
    protocol = Protocol({"temperature": Covariate(28.0, "degC", "reported", "thermometer")})
    return recording.from_spikes(
        trains, start_s=0.0, stop_s=1.0, name="tiny", stimuli={"sound": sound}, protocol=protocol
    )


def test_store_round_trip(tmp_path):
    """Spikes, stimulus, protocol and log come back from zarr as they went in."""
    tree = provenance.log(tiny(), "make", inputs={"a.txt": "00"})
    again = recording.open(recording.write(tree, tmp_path / "r.zarr"))
    assert [train.tolist() for train in recording.spike_times(again, unit=1)] == [[], [0.05, 0.9]]
    np.testing.assert_array_equal(recording.stimulus_of(again, "sound").values, np.linspace(-20.0, 0.0, 10))
    assert recording.stimulus_of(again, "sound").sampling_hz == pytest.approx(10.0)
    assert recording.protocol_of(again)["temperature"].source == "thermometer"
    assert again.attrs["provenance"][0]["inputs"] == {"a.txt": "00"}


def test_counts_and_voltages_have_their_groups():
    """Counts and voltages are assembled with units on every variable."""
    counts = recording.from_counts(np.ones((2, 5, 3)), 0.01, name="c")
    assert counts["counts/count"].dims == ("trial", "time", "unit") and counts["counts"].attrs["bin_s"] == 0.01
    volts = recording.from_voltage(np.zeros((2, 7)), 1000.0, current_na=np.zeros((2, 7)), name="v")
    assert volts["voltage/voltage"].attrs["units"] == "mV" and volts["voltage/current"].attrs["units"] == "nA"


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([0.2, 0.1], "0.2 s is followed by 0.1 s"),
        ([0.1, 0.1], "do not increase"),
        ([0.5, 1.0], "outside their trial"),
        ([0.1, np.nan], "not finite"),
    ],
)
def test_faulty_spike_times_are_refused(times, words):
    """Times that go backwards, repeat, leave the trial or are no numbers never become a recording."""
    with pytest.raises(InputError, match=words):
        recording.from_spikes([[np.array(times)]], start_s=0.0, stop_s=1.0, name="bad")


def test_validate_names_every_fault_at_once():
    """Two planted faults are both in one error."""
    tree = tiny()
    tree["spikes/spike_time"].attrs["units"] = "ms"
    tree["stimulus/sound/value"][3] = np.nan
    with pytest.raises(InputError, match="'ms', wanted 's'.*not finite") as caught:
        recording.validate(tree)
    assert "2 fault(s)" in str(caught.value)


def test_write_never_replaces(tmp_path):
    """An existing store is left alone."""
    path = recording.write(tiny(), tmp_path / "r.zarr")
    with pytest.raises(InputError, match="exists already"):
        recording.write(tiny(), path)


def test_write_leaves_nothing_half_written(tmp_path, monkeypatch):
    """An interruption while writing leaves the folder as it was."""

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("xarray.DataTree.to_zarr", interrupted)
    with pytest.raises(KeyboardInterrupt):
        recording.write(tiny(), tmp_path / "r.zarr")
    assert list(tmp_path.iterdir()) == []


def test_open_says_what_is_wrong(tmp_path):
    """A missing store and a folder that is none are named."""
    with pytest.raises(InputError, match="no such recording"):
        recording.open(tmp_path / "none.zarr")
    (tmp_path / "some.zarr").mkdir()
    with pytest.raises(InputError, match="some.zarr"):
        recording.open(tmp_path / "some.zarr")


def test_a_missing_stimulus_stream_lists_those_there_are():
    """Asking for a stream that is not there names the ones that are."""
    with pytest.raises(InputError, match="no stimulus stream 'light'; the recording has: sound"):
        recording.stimulus_of(tiny(), "light")


def test_between_keeps_the_clock():
    """A part of a stimulus keeps the time of the whole, and a part that is not covered is refused."""
    sound = recording.stimulus_of(tiny(), "sound")
    part = sound.between(0.2, 0.5)
    assert (part.start_s, len(part.values), part.stop_s) == (0.2, 3, pytest.approx(0.5))
    np.testing.assert_array_equal(part.values, sound.values[2:5])
    with pytest.raises(InputError, match="does not cover"):
        sound.between(0.5, 1.5)


def test_first_trials_are_those_of_the_whole():
    """One trial of two keeps its spikes, and the result is a valid recording."""
    one = recording.first_trials(tiny(), 1)
    recording.validate(one)
    assert [train.tolist() for train in recording.spike_times(one)] == [[0.1, 0.2]]
