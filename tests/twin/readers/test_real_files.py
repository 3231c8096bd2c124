"""Every Axon, Igor and NWB recording that was given for development: read, written, opened, and compared sample by
sample with another program's reading of it."""

import importlib.util
import re
import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest

from twin import readers, recording
from twin.readers import axon

KINDS = {
    "bluepyefe": ("abf", "ibw", "nwb"),
    "ferguson2015_ca1": ("abf", "nwb"),
    "lantyer2018_s1": ("nwb",),
    "pyabf_subset": ("abf",),
}


def files_of(suffix):
    """The files of a kind, found when the tests are collected, so that each is a test of its own."""
    import os

    named = os.environ.get("NEUROTWIN_DATA")
    folder = Path(named) if named else Path(__file__).parents[4] / "shared" / "data"
    found = [
        path for name, kinds in KINDS.items() if suffix in kinds for path in sorted((folder / name).glob(f"*.{suffix}"))
    ]
    return [pytest.param(path, id=path.name) for path in found] or [pytest.param(None, id="none-here")]


def stored(tree, folder):
    """The recording as it comes back from its store."""
    return recording.open(recording.write(tree, folder / "stored.zarr"))


def assert_nothing_is_lost(tree, again):
    """The store gives back every array and every covariate; what nobody reported is listed as unreported."""
    for node in tree.subtree:
        for name, variable in node.to_dataset(inherit=False).variables.items():
            np.testing.assert_array_equal(again[node.path][name].values, variable.values)
    assert recording.protocol_of(again) == recording.protocol_of(tree)
    protocol = recording.protocol_of(again)
    assert protocol["junction_potential"].status == "unreported" and "bridge_balance" in protocol


@pytest.mark.parametrize("path", files_of("abf"))
def test_axon_files_agree_with_pyabf(recordings, tmp_path, path):
    """All samples of all channels, the sampling rate, the command where it is used, tags and starts of sweeps."""
    pyabf = pytest.importorskip("pyabf")
    other = pyabf.ABF(str(path))
    tree = readers.read([path])
    again = stored(tree, tmp_path)
    assert_nothing_is_lost(tree, again)
    sweeps = again["voltage"].to_dataset()
    assert sweeps.attrs["sampling_hz"] == pytest.approx(other.dataRate) and sweeps.sizes["sweep"] == other.sweepCount
    to_kept = {"mV": ("voltage", 1.0), "pA": ("current", 1e-3), "nA": ("current", 1.0)}
    for channel, unit in enumerate(other.adcUnits):
        name, factor = to_kept[unit]
        values = np.stack([_sweep(other, k, channel) for k in range(other.sweepCount)]) * factor
        np.testing.assert_allclose(sweeps[name].values, values, rtol=2e-6, atol=1e-9)
    protocol = recording.protocol_of(again)
    assert protocol["clamp"].value == ("voltage" if other.adcUnits == ["pA"] else "current")
    if "command waveform" in protocol["imposed_signal"].value:
        name, factor = to_kept[other.dacUnits[0]]
        command = np.stack([_command(other, k) for k in range(other.sweepCount)]) * factor
        np.testing.assert_allclose(sweeps[name].values, command, rtol=1e-6, atol=1e-7)
    else:
        stream = recording.stimulus_of(again, recording.stream_names(again)[0])
        start, stop = (other.sweepPointCount // 64, -other.sweepPointCount // 64)
        command = np.stack([_command(other, k) for k in range(other.sweepCount)])
        # pyABF takes the first epoch's level for the holding level of version 1; the epochs are the same.
        np.testing.assert_allclose(stream.values[:, start:stop], command[:, start:stop], rtol=1e-6, atol=1e-7)
    notes = protocol["notes"].value if "notes" in protocol else ""
    assert notes == str(other.abfFileComment or "").strip()
    assert [text.strip() for text in other.tagComments] == re.findall(
        r"s: ([^;]*)", str(protocol["tags"].value if "tags" in protocol else "")
    )


def _sweep(other, sweep, channel):
    other.setSweep(sweep, channel=channel)
    return other.sweepY.astype(np.float64)


def _command(other, sweep):
    other.setSweep(sweep, channel=0)
    return np.asarray(other.sweepC, dtype=np.float64)


@pytest.mark.parametrize("path", files_of("nwb"))
def test_nwb_files_agree_with_the_stored_numbers(recordings, tmp_path, stored_values, path):
    """All samples of all series in mV and nA, each beside the stimulus of the same number."""
    tree = readers.read([path])
    again = stored(tree, tmp_path)
    assert_nothing_is_lost(tree, again)
    sweeps = again["voltage"].to_dataset()
    with h5py.File(path) as file:
        names, n_stimuli = list(file["acquisition"]), len(file["stimulus/presentation"])
    assert sorted(sweeps["sweep"].values.tolist()) == sorted(names) and n_stimuli == len(names)
    measured, imposed, factors = {
        "current": ("voltage", "current", (1e3, 1e9)),
        "voltage": ("current", "voltage", (1e9, 1e3)),
    }[sweeps.attrs["clamp"]]
    for row, name in enumerate(sweeps["sweep"].values):
        stimulus = sweeps["stimulus"].values[row]
        assert re.sub(r"\D", "", stimulus) == re.sub(r"\D", "", name)
        pairs = (
            (measured, f"acquisition/{name}/data", factors[0]),
            (imposed, f"stimulus/presentation/{stimulus}/data", factors[1]),
        )
        for signal, stored_name, factor in pairs:
            expected = stored_values(path, stored_name) * factor
            np.testing.assert_allclose(sweeps[signal].values[row], expected, rtol=2e-7, atol=1e-12)
    assert tree.attrs["provenance"][0]["parameters"]["not_read"] == []


@pytest.mark.parametrize("path", files_of("ibw"))
def test_igor_waves_agree_with_another_decoder(recordings, tmp_path, path):
    """All samples and the interval of every wave, by the decoder that came with the data."""
    spec = importlib.util.spec_from_file_location("check_of_the_data", recordings / "check.py")
    check = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check)
    with warnings.catch_warnings(action="ignore"):  # it leaves its files to the garbage collector
        values, step_s, unit = check.ibw(path)
    name, factor = {"V": ("voltage", 1e3), "mV": ("voltage", 1.0), "A": ("current", 1e9), "pA": ("current", 1e-3)}[unit]
    tree = readers.read([path])
    again = stored(tree, tmp_path)
    assert_nothing_is_lost(tree, again)
    np.testing.assert_allclose(again["voltage"][name].values[0], values.astype(np.float64) * factor, rtol=2e-7)
    assert again["voltage"].attrs["sampling_hz"] == pytest.approx(1 / step_s)
    assert "temperature" in {key for key, one in recording.protocol_of(again).items() if one.status == "unreported"}


def test_what_the_real_files_state_is_what_the_protocol_has(recordings):
    """Filters by telegraph, a compensation that was off, pipettes, temperature, ages: as known from elsewhere."""

    def protocol(*names):
        folder = recordings / names[0]
        return recording.protocol_of(readers.read([folder / name for name in names[1:]]))

    filters = {"PYR1.abf": 2000.0, "PYR2.abf": 2000.0, "PYR5_rebound.abf": 1000.0}
    assert {name: protocol("ferguson2015_ca1", name)["low_pass_filter"].value for name in filters} == filters
    assert protocol("pyabf_subset", "File_axon_5.abf")["low_pass_filter"].value == 3000.0
    igor = protocol("bluepyefe", "B6__B6_Ch0_IDRest_181.ibw", "B6__B6_Ch3_IDRest_181.ibw")
    assert igor["series_resistance_compensation"].value == 0.0 and igor["clamp"].status == "unreported"
    ferguson = protocol("ferguson2015_ca1", "FergusonEtAl2015_PYR2.nwb")
    assert (ferguson["temperature"].value, ferguson["temperature"].uncertainty) == (30.0, 2.0)
    assert ferguson["electrode_resistance"].value == pytest.approx(3.25)
    assert ferguson["junction_potential"].verbatim == "Estimated junction potential: -15.2 mV"
    assert protocol("lantyer2018_s1", "LantyerEtAl2018_170328_AL_238_VC.nwb")["age"].value == 316.0


def test_the_mislabelled_command_of_a_real_file_is_not_taken_for_current(recordings):
    """The command of these files is labelled mV beside a measured current in pA: it is a stream of its own."""
    tree = axon.read([recordings / "ferguson2015_ca1" / "PYR1.abf"])
    assert recording.stimulus_of(tree, "command_Cmd_0").unit == "mV"
    assert recording.protocol_of(tree)["clamp"].status == "computed" and tree["voltage"].attrs["clamp"] == "current"
