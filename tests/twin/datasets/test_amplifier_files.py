"""Sets of amplifier files: cells put together, traps of the set on top of what the reader finds, and NWB 2 folders."""

import datetime
import struct

import numpy as np
import pynwb
import pytest
from pyabf import abfWriter

from twin import recording
from twin.datasets import ALL
from twin.errors import InputError, NeurotwinError


def write_wave(path, values, unit):
    """An Igor binary wave of version 2 at 4 kHz, big-endian, with the checksum that makes the header add up to 0."""
    data = np.asarray(values, ">f4").tobytes()
    header = bytearray(126)
    struct.pack_into(">hiii", header, 0, 2, 126 + len(data), 0, 0)
    struct.pack_into(">h", header, 16, 2)
    header[22:26] = b"wave"
    header[50:54] = unit.encode().ljust(4, b"\0")
    header[54:58] = b"s".ljust(4, b"\0")
    struct.pack_into(">i", header, 58, len(values))
    struct.pack_into(">d", header, 64, 1.0 / 4000.0)
    total = int(np.frombuffer(bytes(header), ">i2").astype(np.int64).sum()) & 0xFFFF
    struct.pack_into(">H", header, 14, (-total) & 0xFFFF)
    path.write_bytes(bytes(header) + data + bytes(16))


def write_nwb(path, volts, amperes, comments="no comments"):
    """Current-clamp sweeps with their stimuli, as NWB 2."""
    file = pynwb.NWBFile("session", path.stem, datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
    device = file.create_device("amplifier")
    electrode = file.create_icephys_electrode(name="electrode", description="a pipette", device=device)
    for number, (voltage, current) in enumerate(zip(volts, amperes, strict=True), start=1):
        common = {
            "rate": 1e4,
            "starting_time": 0.0,
            "electrode": electrode,
            "gain": 1.0,
            "sweep_number": np.uint64(number),
        }
        file.add_acquisition(
            pynwb.icephys.CurrentClampSeries(
                name=f"CurrentClampSeries_{number:02d}", data=voltage, unit="volts", comments=comments, **common
            )
        )
        file.add_stimulus(
            pynwb.icephys.CurrentClampStimulusSeries(
                name=f"CurrentClampStimulusSeries_{number:02d}", data=current, unit="amperes", **common
            )
        )
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(file)


def sweeps_of(n, samples=100):
    """Volts and amperes, another level in each sweep."""
    levels = np.arange(n, dtype=np.float64)[:, None]
    return np.tile(-0.07 + 0.001 * levels, (1, samples)), np.tile(1e-11 * levels, (1, samples))


def test_bluepyefe_waves_by_cell(folder, loaded, round_trip):
    """Waves of a cell are sweeps, voltage and current told by unit, not by channel; the prefix names no cell."""
    for sweep, level in ((181, -60.0), (182, -55.0)):
        write_wave(folder / f"B6__B6_Ch3_IDRest_{sweep}.ibw", np.full(50, level), "mV")
        write_wave(folder / f"B6__B6_Ch0_IDRest_{sweep}.ibw", np.full(50, 200.0), "pA")
    write_wave(folder / "exp_data__B95_Ch0_IDRest_107.ibw", np.full(50, -0.06), "V")
    write_wave(folder / "exp_data__B95_Ch3_IDRest_107.ibw", np.full(50, 2e-10), "A")
    abfWriter.writeABF1(np.full((3, 4000), -65.0), str(folder / "cell01__98205017.abf"), 10_000, units="mV")
    trees = loaded("bluepyefe")
    assert list(trees) == ["B6", "B95", "98205017"]
    sweeps = round_trip(trees["B6"])["voltage"]
    np.testing.assert_allclose(sweeps["voltage"].values[:, 0], [-60.0, -55.0])
    np.testing.assert_allclose(sweeps["current"].values, 0.2, rtol=1e-6)
    np.testing.assert_allclose(trees["B95"]["voltage"]["voltage"].values, -60.0, rtol=1e-6)
    cells = {name: recording.protocol_of(tree) for name, tree in trees.items()}
    assert [cells[name]["junction_potential"].value for name in trees] == [14.0, 14.0, 0.0]
    assert all(cells[name]["junction_potential_corrected"].value is False for name in trees)
    assert (
        cells["98205017"]["dc_reference_recorded"].value is False
        and cells["98205017"]["strain"].value == "Sprague-Dawley"
    )
    assert cells["B6"]["temperature"].status == "unreported"


def test_bluepyefe_faults(folder, loaded):
    """An empty folder, and a wave whose name has no cell."""
    with pytest.raises(InputError, match="has no .ibw, .abf or .nwb file"):
        loaded("bluepyefe")
    write_wave(folder / "nocell.ibw", np.zeros(50), "mV")
    with pytest.raises(InputError, match="nocell.ibw: the name has no CELL__ in front"):
        loaded("bluepyefe")


def test_ferguson_prefers_the_original(folder, loaded, steps):
    """The Axon file is read where both are there; what the copy says of the junction potential stays words."""
    abfWriter.writeABF1(np.full((3, 4000), -65.0), str(folder / "PYR7.abf"), 10_000, units="mV")
    write_nwb(folder / "FergusonEtAl2015_PYR7.nwb", *sweeps_of(2), "Estimated junction potential: -15.2 mV,from abf")
    tree = loaded("ferguson2015_ca1")["PYR7"]
    np.testing.assert_allclose(tree["voltage"]["voltage"].values, -65.0, atol=0.1)
    protocol = recording.protocol_of(tree)
    assert protocol["junction_potential"].status == "unreported"
    assert protocol["junction_potential_as_stated"].value == "Estimated junction potential: -15.2 mV"
    temperature, electrode = protocol["temperature"], protocol["electrode_resistance"]
    assert (temperature.value, temperature.uncertainty) == (30.0, 2.0)
    assert electrode.value == 3.25 and electrode.status == "computed" and electrode.verbatim == "2.5-4 MOhm"


def test_ferguson_reversed_copy(folder, loaded, round_trip, steps):
    """The copy that runs backwards is turned round, the others are not."""
    for cell in ("PYR5_rebound", "PYR2"):
        write_nwb(folder / f"FergusonEtAl2015_{cell}.nwb", *sweeps_of(3))
    trees = loaded("ferguson2015_ca1")
    np.testing.assert_allclose(trees["PYR2"]["voltage"]["voltage"].values[:, 0], [-70.0, -69.0, -68.0])
    turned = round_trip(trees["PYR5_rebound"])["voltage"]
    np.testing.assert_allclose(turned["voltage"].values[:, 0], [-68.0, -69.0, -70.0])
    np.testing.assert_allclose(turned["current"].values[:, 0], [0.02, 0.01, 0.0], atol=1e-7)
    assert steps(trees["PYR5_rebound"])["sweeps_of_the_copy"] == "reversed"


def test_lantyer_and_the_pipettes(folder, loaded, round_trip):
    """An NWB file becomes sweeps; what the set states stands beside what the file does."""
    write_nwb(folder / "LantyerEtAl2018_1_CC.nwb", *sweeps_of(2))
    tree = round_trip(loaded("lantyer2018_s1")["LantyerEtAl2018_1_CC"])
    assert tree["voltage"].attrs["clamp"] == "current" and tree["voltage"].sizes["sweep"] == 2
    protocol = recording.protocol_of(tree)
    assert protocol["electrode_resistance"].value == 7.5 and protocol["junction_potential"].status == "unreported"
    assert protocol["resting_potential_is_native"].value is False


def test_pyabf_model_cells(folder, loaded):
    """A model cell is one by its name, or because it is known to be: its tag about a drug means nothing."""
    for name in ("2018_11_16_sh_0006", "model_vc_step", "171116sh_0011"):
        abfWriter.writeABF1(np.full((2, 4000), -100.0), str(folder / f"{name}.abf"), 20_000, units="pA")
    protocols = {name: recording.protocol_of(tree) for name, tree in loaded("pyabf_subset").items()}
    models = {name for name, protocol in protocols.items() if protocol["preparation"].value == "electronic model cell"}
    assert models == {"2018_11_16_sh_0006", "model_vc_step"}
    assert protocols["2018_11_16_sh_0006"]["drug"].value.startswith("none")
    assert "drug" not in protocols["171116sh_0011"]


def write_units(path, n=2):
    """Sorted units in a session, as a Neuropixels session or a dandiset has them."""
    file = pynwb.NWBFile("session", path.stem, datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
    file.subject = pynwb.file.Subject(subject_id="1", species="Mus musculus", age="P90D")
    for unit in range(n):
        file.add_unit(spike_times=np.array([0.5, 1.5, 2.5]) + unit, obs_intervals=[[0.0, 9.0]], id=unit)
    path.parent.mkdir(parents=True, exist_ok=True)
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(file)


def test_a_dandiset(folder, loaded, round_trip):
    """Files in the folders of subjects are recordings; two of the same name are told apart by their folders."""
    write_units(folder / "sub-1" / "sub-1_ses-1.nwb")
    write_units(folder / "sub-2" / "same.nwb", n=3)
    write_units(folder / "sub-3" / "same.nwb")
    trees = loaded("dandi")
    assert list(trees) == ["sub-1_ses-1", "sub-2_same", "sub-3_same"]
    tree = round_trip(trees["sub-2_same"])
    assert tree.attrs["name"] == "sub-2_same" and tree["spikes"].sizes["unit"] == 3
    assert recording.protocol_of(tree)["species"].value == "Mus musculus"


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("allen_visual_coding", write_units),
        ("allen_cell_types", lambda path: write_nwb(path, *sweeps_of(2))),
    ],
)
def test_second_generation_files_of_the_allen_institute(folder, loaded, round_trip, name, write):
    """A file of NWB 2 goes to the NWB reader, and carries the terms of its set."""
    write(folder / "session_1.nwb")
    tree = round_trip(loaded(name)["session_1"])
    assert {"allen_visual_coding": "spikes", "allen_cell_types": "voltage"}[name] in tree.children
    assert tree.attrs["provenance"][-1]["parameters"]["licence"] == ALL[name].licence


@pytest.mark.parametrize("name", ["dandi", "lantyer2018_s1", "allen_cell_types", "neural_latents"])
def test_a_file_that_is_no_nwb(folder, loaded, name):
    """Whatever is named .nwb and is none is refused by name, in one sentence."""
    (folder / "broken.nwb").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(50))
    with pytest.raises(NeurotwinError, match="broken.nwb") as caught:
        loaded(name)
    assert "\n" not in str(caught.value)
