"""The Axon reader on files made byte by byte: scaling, clamps, commands, tags, and what is refused."""

import struct

import numpy as np
import pytest

from twin import readers, recording
from twin.errors import InputError, UnsupportedError
from twin.readers import axon
from twin.readers.axon import command
from twin.readers.axon.parts import Epoch, Header, Output

RAW = np.random.default_rng(1).integers(-8000, 8000, (3, 640, 2), dtype=np.int16)
VOLT = 10 / 32768 / 0.02  # of one count
STEPS = ((1, 10.0, 5.0, 200, 0), (2, -10.0, 0.0, 100, 20))
MULTICLAMP = {"instrument": 24, "filter_hz": 3000.0, "mode": 1}


def following(command_channel):
    """Raw samples in which one channel repeats the command of STEPS and the other one is noise."""
    raw = RAW.copy()
    for sweep in range(3):
        raw[sweep, 10:210, command_channel] = 1000 * (10 + 5 * sweep)
        raw[sweep, :10, command_channel] = raw[sweep, 210:, command_channel] = 0
    return raw


def test_counts_become_millivolts_and_nanoamperes(tmp_path, make_abf):
    """Each count is 10 / 32768 / 0.02 units; picoamperes are a thousandth of a nanoampere."""
    tree = axon.read([make_abf(tmp_path / "a.abf", RAW)], clamp="current")
    np.testing.assert_allclose(tree["voltage/voltage"].values, RAW[:, :, 0] * VOLT, rtol=1e-6)
    np.testing.assert_allclose(tree["voltage/current"].values, RAW[:, :, 1] * VOLT * 1e-3, rtol=1e-6)
    assert tree["voltage/voltage"].dtype == np.float32 and tree["voltage"].attrs["sampling_hz"] == pytest.approx(10_000)
    assert tree["voltage/voltage"].attrs["units"] == "mV" and tree["voltage/current"].attrs["units"] == "nA"


@pytest.mark.parametrize(("mode", "clamp"), [(0, "voltage"), (1, "current"), (2, "zero")])
def test_the_telegraph_says_the_clamp(tmp_path, make_abf, mode, clamp):
    """A MultiClamp tells its mode, filter and name; both signals are there in any case."""
    tree = axon.read([make_abf(tmp_path / "a.abf", RAW, telegraph={**MULTICLAMP, "mode": mode})])
    protocol = recording.protocol_of(tree)
    assert (
        tree["voltage"].attrs["clamp"] == protocol["clamp"].value == clamp and "telegraph" in protocol["clamp"].source
    )
    assert protocol["low_pass_filter"].value == 3000.0 and protocol["amplifier"].value == "MultiClamp 700"


def test_an_instrument_that_cannot_tell_its_mode_is_not_believed(tmp_path, make_abf):
    """Mode 0 of an Axopatch-1 is a default, so the clamp is unreported; its filter is still reported."""
    path = make_abf(tmp_path / "a.abf", RAW, telegraph={"instrument": 1, "filter_hz": 1000.0, "mode": 0})
    protocol = recording.protocol_of(axon.read([path]))
    assert protocol["clamp"].status == "unreported" and "laid out as in current clamp" in protocol["clamp"].source
    assert protocol["low_pass_filter"].value == 1000.0


def test_without_telegraph_amplifier_settings_stay_unreported(tmp_path, make_abf):
    """A header full of defaults reports nothing about the amplifier."""
    protocol = recording.protocol_of(axon.read([make_abf(tmp_path / "a.abf", RAW)]))
    for name in (
        "low_pass_filter",
        "amplifier",
        "amplifier_gain",
        "temperature",
        "junction_potential",
        "bridge_balance",
    ):
        assert protocol[name].status == "unreported"
    assert protocol["notes"].value == "slice 3" and protocol["stimulus_protocol"].value.endswith("steps.pro")


@pytest.mark.parametrize(("channel", "clamp"), [(0, "voltage"), (1, "current")])
def test_the_channel_that_follows_the_command_is_the_imposed_one(tmp_path, make_abf, channel, clamp):
    """Where nobody says it, a voltage that repeats the command was clamped; one that does not, was free."""
    tree = axon.read([make_abf(tmp_path / "a.abf", following(channel), epochs=STEPS[:1], dac_unit="mV")])
    found = recording.protocol_of(tree)["clamp"]
    assert (found.value, found.status) == (clamp, "computed") and "variance" in found.source


def test_a_command_in_another_unit_is_kept_as_a_stream(tmp_path, make_abf):
    """A command that is labelled mV beside a measured current is neither dropped nor taken for the current."""
    tree = axon.read([make_abf(tmp_path / "a.abf", following(1), epochs=STEPS[:1], dac_unit="mV")])
    stream = recording.stimulus_of(tree, "command_Cmd_0")
    assert stream.unit == "mV" and stream.leading == ("trial", "time")
    np.testing.assert_allclose(stream.values[:, 50], [10.0, 15.0, 20.0])
    np.testing.assert_allclose(tree["voltage/current"].values[:, 50], following(1)[:, 50, 1] * VOLT * 1e-3, rtol=1e-6)


def test_the_command_stands_for_a_current_that_was_not_measured(tmp_path, make_abf):
    """With the voltage alone, a command in pA is the injected current in nA, and the protocol says so."""
    tree = axon.read([make_abf(tmp_path / "a.abf", RAW[:, :, :1], units=("mV",), epochs=STEPS)])
    current = tree["voltage/current"].values
    np.testing.assert_allclose(current[:, 10], [0.010, 0.015, 0.020], rtol=1e-6)
    np.testing.assert_allclose(current[:, :10], 0.0)
    np.testing.assert_allclose(current[1, 210 + 119], -0.010, rtol=1e-6)
    assert "command waveform" in recording.protocol_of(tree)["imposed_signal"].value
    assert recording.protocol_of(tree)["holding_current"].value == 0.0


def test_a_command_of_an_unknown_shape_is_listed_and_not_invented(tmp_path, make_abf):
    """A triangle train is named as not read, and no current is made up."""
    tree = axon.read([make_abf(tmp_path / "a.abf", RAW[:, :, :1], units=("mV",), epochs=((4, 1.0, 0.0, 50, 0),))])
    assert "triangle train" in tree.attrs["provenance"][0]["parameters"]["not_read"][0]
    assert "current" not in tree["voltage"].data_vars


def test_other_channels_are_kept_as_streams(tmp_path, make_abf):
    """A photodiode in V beside mV and pA would be a second voltage; a temperature in C is a stream of its own."""
    raw = np.concatenate([RAW, RAW[:, :, :1]], axis=2)
    tree = axon.read([make_abf(tmp_path / "a.abf", raw, units=("mV", "pA", "C"))])
    assert recording.stimulus_of(tree, "Ch2").unit == "C"
    np.testing.assert_allclose(recording.stimulus_of(tree, "Ch2").values, RAW[:, :, 0] * VOLT, rtol=1e-6)


def test_tags_and_the_starts_of_sweeps_are_kept(tmp_path, make_abf):
    """A tag keeps its time and words; each sweep its start."""
    path = make_abf(tmp_path / "a.abf", RAW, tags=((40_000, "drug on"),))
    tree = axon.read([path])
    assert recording.protocol_of(tree)["tags"].value == "2 s: drug on"
    np.testing.assert_allclose(tree["voltage/sweep_start"].values, np.arange(3) * 2 * 1280 / 10_000)


def test_a_long_file_stays_on_disk(tmp_path, make_abf, monkeypatch):
    """Beyond the limit the samples are a lazy array, which a store is written from piece by piece."""
    path = make_abf(tmp_path / "a.abf", RAW)
    whole = axon.read([path])["voltage/voltage"].values
    for module in ("libraries", "axon.samples"):
        monkeypatch.setattr(f"twin.readers.{module}.IN_MEMORY", 100)
    tree = axon.read([path])
    assert tree["voltage/voltage"].chunks is not None
    recording.write(tree, tmp_path / "a.zarr")
    np.testing.assert_array_equal(recording.open(tmp_path / "a.zarr")["voltage/voltage"].values, whole)


def test_broken_files_are_named_and_nothing_is_guessed(tmp_path, make_abf):
    """A file that was cut off, one without units and one of zeros are refused with the reason."""
    path = make_abf(tmp_path / "a.abf", RAW)
    content = path.read_bytes()
    for broken in (content[:3000], content[:6200], b"ABF2" + bytes(600)):
        path.write_bytes(broken)
        with pytest.raises(InputError, match="a.abf"):
            readers.read([path])
    with pytest.raises(UnsupportedError, match="no channel is a voltage or a current"):
        readers.read([make_abf(path, RAW, units=("?", "C"))])
    with pytest.raises(UnsupportedError, match="recorded in voltage clamp"):
        axon.read([make_abf(path, RAW[:, :, :1], units=("mV",), telegraph={**MULTICLAMP, "mode": 0})])


def header(n_samples=640, n_sweeps=3):
    """A header with nothing but sweeps."""
    sweeps = tuple((0, n_samples, 0.0) for _ in range(n_sweeps))
    return Header("2", 1e4, np.dtype("<i2"), sweeps, (), (), (), "", "", "", False, False)


def test_pulses_and_the_last_level_follow_the_epoch_table():
    """A train is high for its width at the start of each period; a kept level goes on into the next sweep."""
    pulses = Output("c", "mV", -70.0, True, False, False, (Epoch(3, 0.0, 0.0, 100, 0, 20, 5),))
    wave = command.waveform(header(), pulses, 0)
    assert (wave[10:110] == 0.0).sum() == 25 and wave[10] == 0.0 and wave[15] == wave[200] == -70.0
    keeping = Output("c", "mV", -70.0, True, False, True, (Epoch(1, -50.0, 10.0, 100, 0),))
    assert command.waveform(header(), keeping, 0)[[0, 20, -1]].tolist() == [-70.0, -50.0, -50.0]
    assert command.waveform(header(), keeping, 1)[[0, 20, -1]].tolist() == [-50.0, -40.0, -40.0]


def test_epochs_beyond_the_sweep_are_cut():
    """An epoch that is longer than the sweep ends with it, with the ramp's slope unchanged."""
    ramp = Output("c", "mV", 0.0, True, False, False, (Epoch(2, 100.0, 0.0, 1001, 0),))
    wave = command.waveform(header(), ramp, 0)
    assert len(wave) == 640 and wave[-1] == pytest.approx(62.9)


def test_a_command_varied_by_a_list_is_not_told():
    """Lists, files and alternation are reasons why the epochs alone do not say what was played."""
    import dataclasses

    steps = Output("c", "mV", 0.0, True, False, False, (Epoch(1, 1.0, 0.0, 10, 0),))
    assert command.unknown(header(), steps) == ""
    assert "list" in command.unknown(dataclasses.replace(header(), varied_by_list=True), steps)
    assert "alternates" in command.unknown(dataclasses.replace(header(), alternating=True), steps)
    assert "file" in command.unknown(header(), dataclasses.replace(steps, from_file=True))


def test_a_wrong_signature_is_no_axon_file(tmp_path):
    """The first four bytes decide, not the name."""
    path = tmp_path / "a.abf"
    path.write_bytes(struct.pack("<4s100x", b"ABFX"))
    assert not axon.accepts([path])
