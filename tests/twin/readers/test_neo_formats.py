"""Formats that Neo reads: a WinWCP file and a Plexon file made byte by byte, and what is refused."""

import numpy as np
import pytest

from twin import readers, recording
from twin.errors import InputError, UnsupportedError
from twin.readers import neo_formats

RAW = np.random.default_rng(2).integers(-9000, 9000, (3, 256, 2))


def plexon(path, times_by_unit, *, rate=40_000):
    """A Plexon file with spike times of the units of one channel and no waveforms."""
    from neo.rawio import plexonrawio as layout

    def record(fields, **values):
        row = np.zeros(1, np.dtype(fields))
        for name, value in values.items():
            row[name] = value
        return row.tobytes()

    content = record(
        layout.GlobalHeader, MagicNumber=0x58454C50, Version=106, ADFrequency=rate, NumDSPChannels=1, WaveformFreq=rate,
        Year=2026, Month=1, Day=2, Hour=3, BitsPerSpikeSample=12, SpikeMaxMagnitudeMV=3000, SpikePreAmpGain=1000,
    )  # fmt: skip
    content += record(layout.DspChannelHeader, Name=b"sig001", Channel=1, Gain=1)
    rows = sorted((time, unit) for unit, times in times_by_unit.items() for time in times)
    for time, unit in rows:
        content += record(layout.DataBlockHeader, Type=1, Channel=1, Unit=unit, TimeStamp=round(time * rate))
    path.write_bytes(content)
    return path


def test_a_winwcp_file_is_sweeps(tmp_path, make_wcp):
    """Counts times 10 / 32767 / 0.01 in mV and pA become mV and nA; the clamp is unreported."""
    tree = readers.read([make_wcp(tmp_path / "a.wcp", RAW)])
    np.testing.assert_allclose(tree["voltage/voltage"].values, RAW[:, :, 0] * 10 / 32767 / 0.01, rtol=1e-6)
    np.testing.assert_allclose(tree["voltage/current"].values, RAW[:, :, 1] * 10 / 32767 / 0.01 * 1e-3, rtol=1e-6)
    clamp = recording.protocol_of(tree)["clamp"]
    assert clamp.status == "unreported" and tree["voltage"].attrs["sampling_hz"] == pytest.approx(10_000, rel=1e-6)


def test_channels_without_a_known_unit_are_listed(tmp_path, make_wcp):
    """A channel in bar is named as not read; a file with nothing else is refused."""
    tree = readers.read([make_wcp(tmp_path / "a.wcp", RAW, units=("mV", "bar"))])
    assert "Ch1: its unit is 'bar'" in tree.attrs["provenance"][0]["parameters"]["not_read"][0]
    with pytest.raises(UnsupportedError, match="no voltage, no current and no spikes"):
        readers.read([make_wcp(tmp_path / "b.wcp", RAW, units=("", "bar"))])


def test_two_voltages_are_sweeps_of_their_own(tmp_path, make_wcp):
    """Nothing says which of two electrodes a current would belong to, so each channel stands alone."""
    tree = readers.read([make_wcp(tmp_path / "a.wcp", RAW, units=("mV", "mV"))])
    assert sorted(recording.sweep_sets(tree)) == ["/voltage/Ch0", "/voltage/Ch1"]


def test_plexon_spikes_are_seconds(tmp_path):
    """Time stamps at 40 kHz become seconds of two units; the header's moment is in the protocol."""
    path = plexon(tmp_path / "a.plx", {1: [0.1, 0.25, 1.0], 2: [0.5]})
    tree = readers.read([path])
    np.testing.assert_allclose(recording.spike_times(tree, 0)[0], [0.1, 0.25, 1.0])
    np.testing.assert_allclose(recording.spike_times(tree, 1)[0], [0.5])
    assert recording.protocol_of(tree)["session_start"].value.startswith("2026-01-02T03")


def test_a_long_file_is_read_in_pieces(tmp_path, make_wcp, monkeypatch):
    """Beyond the limit the samples stay lazy, and are the same."""
    path = make_wcp(tmp_path / "a.wcp", RAW)
    whole = readers.read([path])["voltage/voltage"].values
    for module in ("libraries", "neo_formats"):
        monkeypatch.setattr(f"twin.readers.{module}.IN_MEMORY", 100)
    tree = readers.read([path])
    assert tree["voltage/voltage"].chunks is not None
    np.testing.assert_array_equal(tree["voltage/voltage"].values, whole)


def test_files_that_were_cut_off_are_named(tmp_path, make_wcp):
    """Half a WinWCP file and half a Plexon file are one sentence each."""
    for path in (make_wcp(tmp_path / "a.wcp", RAW), plexon(tmp_path / "a.plx", {1: [0.1, 0.2]})):
        path.write_bytes(path.read_bytes()[:1500])
        with pytest.raises(InputError, match=path.name):
            readers.read([path])


def test_a_format_is_known_by_its_first_bytes(tmp_path):
    """A file that is only named .plx is none."""
    (tmp_path / "a.plx").write_bytes(b"no plexon file at all")
    assert not neo_formats.accepts([tmp_path / "a.plx"])
    with pytest.raises(UnsupportedError, match="no reader takes"):
        readers.read([tmp_path / "a.plx"])
