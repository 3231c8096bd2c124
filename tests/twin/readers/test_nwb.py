"""The NWB reader on files that pynwb writes: every field arrives in its unit, and nothing goes missing silently."""

import h5py
import numpy as np
import pytest

from twin import readers, recording
from twin.errors import InputError, UnsupportedError
from twin.readers import nwb

RNG = np.random.default_rng(5)
MILLIVOLTS = RNG.integers(-30_000, 30_000, 400).astype(np.int16)
PICOAMPERES = RNG.normal(0.0, 100.0, 400)


def electrode(pynwb, file, **fields):
    """An intracellular electrode."""
    device = file.create_device("Multiclamp 700B")
    given = {"name": "pipette", "description": "borosilicate", "device": device, **fields}
    return file.create_icephys_electrode(**given)


def current_clamp(pynwb, file, n=2, electrode_fields=None, **fields):
    """`n` sweeps of current clamp with their stimuli, paired by sweep number."""
    pipette = electrode(pynwb, file, **(electrode_fields or {}))
    common = {"electrode": pipette, "gain": 2.0, "rate": 10_000.0}
    for k in range(n):
        varied = {key: value[k] if isinstance(value, list) else value for key, value in fields.items()}
        response = pynwb.icephys.CurrentClampSeries(
            name=f"r{k}",
            data=MILLIVOLTS + k,
            conversion=1e-5,
            offset=-0.01,
            sweep_number=k,
            starting_time=2.0 * k,
            **common,
            **varied,
        )
        stimulus = pynwb.icephys.CurrentClampStimulusSeries(
            name=f"other{k}",
            data=PICOAMPERES * (k + 1),
            conversion=1e-12,
            sweep_number=k,
            starting_time=2.0 * k,
            **common,
        )
        file.add_acquisition(response)
        file.add_stimulus(stimulus)


def protocol_of(path):
    """The protocol of a file."""
    return recording.protocol_of(readers.read([path]))


def test_conversion_and_offset_are_applied_in_double_precision(tmp_path, make_nwb):
    """int16 counts times 1e-5 V minus 10 mV come out in mV as float32; float64 currents stay float64."""
    tree = readers.read([make_nwb(tmp_path / "a.nwb", current_clamp)])
    expected = (MILLIVOLTS + np.arange(2)[:, None]) * 1e-2 - 10.0
    np.testing.assert_allclose(tree["voltage/voltage"].values, expected, rtol=1e-6)
    np.testing.assert_allclose(tree["voltage/current"].values, PICOAMPERES * 1e-3 * np.array([[1], [2]]), rtol=1e-12)
    assert (tree["voltage/voltage"].dtype, tree["voltage/current"].dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(tree["voltage/sweep_start"].values, [0.0, 2.0])
    assert tree["voltage"].attrs["clamp"] == "current" and tree["voltage/stimulus"].values.tolist() == [
        "other0",
        "other1",
    ]


def test_amplifier_settings_of_current_clamp_are_in_the_protocol(tmp_path, make_nwb):
    """50e6 ohm are 50 MOhm, 3e-12 F are 3 pF, -20e-12 A are -0.02 nA."""
    path = make_nwb(
        tmp_path / "a.nwb",
        lambda pynwb, file: current_clamp(
            pynwb, file, bias_current=-20e-12, bridge_balance=50e6, capacitance_compensation=3e-12
        ),
    )
    protocol = protocol_of(path)
    found = {
        name: protocol[name].value
        for name in ("bias_current", "bridge_balance", "capacitance_compensation", "amplifier_gain")
    }
    assert found == pytest.approx(
        {"bias_current": -0.02, "bridge_balance": 50.0, "capacitance_compensation": 3.0, "amplifier_gain": 2.0}
    )
    assert protocol["amplifier"].value == "Multiclamp 700B" and protocol["temperature"].status == "unreported"


def test_amplifier_settings_of_voltage_clamp_are_in_the_protocol(tmp_path, make_nwb):
    """All seven settings of a voltage clamp arrive, in pF, MOhm, Hz and %."""

    def add(pynwb, file):
        file.add_acquisition(
            pynwb.icephys.VoltageClampSeries(
                name="v", data=PICOAMPERES, conversion=1e-12, electrode=electrode(pynwb, file), gain=1.0, rate=20_000.0,
                capacitance_fast=5e-12, capacitance_slow=20e-12, resistance_comp_bandwidth=1e3,
                resistance_comp_correction=70.0, resistance_comp_prediction=60.0,
                whole_cell_capacitance_comp=30e-12, whole_cell_series_resistance_comp=12e6,
            )
        )  # fmt: skip

    tree = readers.read([make_nwb(tmp_path / "a.nwb", add)])
    protocol = recording.protocol_of(tree)
    expected = {
        "fast_capacitance_compensation": 5.0, "slow_capacitance_compensation": 20.0,
        "series_resistance_compensation_bandwidth": 1000.0, "series_resistance_compensation": 70.0,
        "series_resistance_prediction": 60.0, "whole_cell_capacitance_compensation": 30.0,
        "whole_cell_series_resistance_compensation": 12.0,
    }  # fmt: skip
    assert {name: protocol[name].value for name in expected} == pytest.approx(expected)
    assert tree["voltage"].attrs["clamp"] == "voltage" and "voltage" not in tree["voltage"].data_vars
    np.testing.assert_allclose(tree["voltage/current"].values[0], PICOAMPERES * 1e-3)


def test_what_differs_between_sweeps_is_a_column(tmp_path, make_nwb):
    """A bridge balance that was changed is "by sweep" in the protocol, and in MOhm beside each sweep."""
    path = make_nwb(tmp_path / "a.nwb", lambda pynwb, file: current_clamp(pynwb, file, bridge_balance=[10e6, 15e6]))
    tree = readers.read([path])
    assert recording.protocol_of(tree)["bridge_balance"].value == "by sweep"
    np.testing.assert_allclose(tree["voltage/bridge_balance"].values, [10.0, 15.0])
    assert tree["voltage/bridge_balance"].attrs["units"] == "MOhm"


def test_free_text_of_the_electrode_is_read_with_its_words(tmp_path, make_nwb):
    """A range of resistances, a seal, an access resistance in ohms and a filter, all from text."""
    fields = {
        "resistance": "4-6 MOhm", "seal": "1.2 GΩ", "initial_access_resistance": "1.1e7", "filtering": "2 kHz low-pass",
        "location": "layer 5", "slice": "coronal", "cell_id": "c1",
    }  # fmt: skip
    path = make_nwb(tmp_path / "a.nwb", lambda pynwb, file: current_clamp(pynwb, file, electrode_fields=fields))
    protocol = protocol_of(path)
    assert (
        protocol["electrode_resistance"].value == pytest.approx(5.0)
        and protocol["electrode_resistance"].verbatim == "4-6 MOhm"
    )
    found = [protocol[name].value for name in ("seal_resistance", "series_resistance", "low_pass_filter")]
    assert found == pytest.approx([1200.0, 11.0, 2000.0])
    assert [protocol[name].value for name in ("recording_site", "slice", "cell")] == ["layer 5", "coronal", "c1"]


def test_a_bare_resistance_that_cannot_be_ohms_is_not_believed(tmp_path, make_nwb):
    """The format says ohms; an electrode of 5 ohms is a slip of the writer, and stays words."""
    path = make_nwb(
        tmp_path / "a.nwb", lambda pynwb, file: current_clamp(pynwb, file, electrode_fields={"resistance": "5"})
    )
    resistance = protocol_of(path)["electrode_resistance"]
    assert (resistance.status, resistance.verbatim) == ("unreported", "5")


def test_a_junction_potential_in_a_comment_is_kept_in_words(tmp_path, make_nwb):
    """Its sign convention is unknown, so the number is not taken over."""
    text = "Estimated junction potential: -15.2 mV,Extracted from x.abf"
    path = make_nwb(tmp_path / "a.nwb", lambda pynwb, file: current_clamp(pynwb, file, comments=text))
    found = protocol_of(path)["junction_potential"]
    assert found.status == "unreported" and found.verbatim == "Estimated junction potential: -15.2 mV"


def test_the_subject_and_the_session_are_in_the_protocol(tmp_path, make_nwb):
    """Species, age in days with its range, sex, genotype, laboratory, temperature in a sentence."""

    def add(pynwb, file):
        file.subject = pynwb.file.Subject(
            subject_id="m1", species="Mus musculus", age="P20D/P90D", sex="F", genotype="wt", description="a mouse"
        )
        current_clamp(pynwb, file)

    protocol = protocol_of(
        make_nwb(tmp_path / "a.nwb", add, lab="A lab", stimulus_notes="steps, temperature 30 ± 2 °C")
    )
    assert protocol["age"].value == 55.0 and protocol["age"].uncertainty == pytest.approx(70 / 12**0.5)
    assert [protocol[name].value for name in ("species", "sex", "genotype", "subject", "lab")] == [
        "Mus musculus", "F", "wt", "m1", "A lab",
    ]  # fmt: skip
    assert (protocol["temperature"].value, protocol["temperature"].uncertainty) == (30.0, 2.0)
    assert protocol["session_start"].value.startswith("2026-01-02T10:00")


def test_the_table_of_recordings_pairs_and_cuts_sweeps(tmp_path, make_nwb):
    """Rows of the table pair response and stimulus, may take a part of a series, and bring their own columns."""

    def add(pynwb, file):
        pipette = electrode(pynwb, file)
        response = pynwb.icephys.CurrentClampSeries(
            name="long", data=MILLIVOLTS, conversion=1e-5, electrode=pipette, gain=1.0, rate=1000.0
        )
        stimulus = pynwb.icephys.CurrentClampStimulusSeries(
            name="unlike", data=PICOAMPERES, conversion=1e-12, electrode=pipette, gain=1.0, rate=1000.0
        )
        for start in (0, 200):
            part = {"response_start_index": start, "response_index_count": 200}
            part |= {"stimulus_start_index": start, "stimulus_index_count": 200}
            file.add_intracellular_recording(electrode=pipette, response=response, stimulus=stimulus, **part)
        file.intracellular_recordings.add_column(
            name="recording_temperature", data=["32", "33"], description="degrees C"
        )

    tree = readers.read([make_nwb(tmp_path / "a.nwb", add)])
    assert tree["voltage/voltage"].shape == (2, 200)
    np.testing.assert_allclose(tree["voltage/voltage"].values.ravel(), MILLIVOLTS * 1e-2, rtol=1e-6)
    np.testing.assert_allclose(tree["voltage/current"].values.ravel(), PICOAMPERES * 1e-3)
    np.testing.assert_allclose(tree["voltage/sweep_start"].values, [0.0, 0.2])
    assert recording.protocol_of(tree)["recording_temperature"].value == "by sweep"
    np.testing.assert_allclose(tree["voltage/recording_temperature"].values, [32.0, 33.0])


def test_sweeps_of_several_clamps_and_lengths_are_kinds(tmp_path, make_nwb):
    """Current clamp, no current and voltage clamp lie in groups of their own."""

    def add(pynwb, file):
        pipette = electrode(pynwb, file)
        common = {"electrode": pipette, "gain": 1.0, "rate": 1000.0}
        file.add_acquisition(pynwb.icephys.CurrentClampSeries(name="a", data=PICOAMPERES, conversion=1e-3, **common))
        file.add_acquisition(
            pynwb.icephys.CurrentClampSeries(name="b", data=PICOAMPERES[:99], conversion=1e-3, **common)
        )
        file.add_acquisition(pynwb.icephys.IZeroClampSeries(name="c", data=PICOAMPERES, conversion=1e-3, **common))
        file.add_acquisition(pynwb.icephys.VoltageClampSeries(name="d", data=PICOAMPERES, conversion=1e-12, **common))

    tree = readers.read([make_nwb(tmp_path / "a.nwb", add)])
    found = {
        path.split("/")[-1]: (one.attrs["clamp"], one.sizes["time"]) for path, one in recording.sweep_sets(tree).items()
    }
    assert found == {
        "current_clamp": ("current", 400), "current_clamp_2": ("current", 99), "zero_clamp": ("zero", 400),
        "voltage_clamp": ("voltage", 400),
    }  # fmt: skip
    assert recording.protocol_of(tree)["clamp"].value == "by sweep"


def population(pynwb, file):
    """Units, fluorescence, light, running, a movie-like stimulus, trials, and an image series."""
    for k, times in enumerate(([0.1, 0.5, 0.5, 2.0], [1.0], [])):
        file.add_unit(spike_times=times, id=k + 7, obs_intervals=[[0.0, 10.0]])
    file.units.add_column(name="quality", data=["good", "mua", "good"], description="sorting")
    device = file.create_device("scope")
    channel = pynwb.ophys.OpticalChannel(name="green", description="g", emission_lambda=510.0)
    plane = file.create_imaging_plane(
        name="plane", optical_channel=channel, description="p", device=device, excitation_lambda=920.0,
        indicator="GCaMP6f", location="V1", imaging_rate=30.0,
    )  # fmt: skip
    segmentation = pynwb.ophys.ImageSegmentation()
    rois = segmentation.create_plane_segmentation(name="rois", description="r", imaging_plane=plane)
    for k in range(3):
        rois.add_roi(pixel_mask=[(k, k, 1.0)])
    region = rois.create_roi_table_region(region=[0, 1, 2], description="all")
    dff = pynwb.ophys.DfOverF()
    dff.create_roi_response_series(name="dff", data=np.arange(30.0).reshape(10, 3), rois=region, unit="n.a.", rate=30.0)
    module = file.create_processing_module("ophys", "o")
    module.add(segmentation)
    module.add(dff)
    site = file.create_ogen_site(name="fibre", device=device, description="tip", excitation_lambda=473.0, location="V1")
    file.add_stimulus(pynwb.ogen.OptogeneticSeries(name="light", data=np.eye(1, 50)[0] * 1e-3, site=site, rate=50.0))
    file.add_stimulus(pynwb.TimeSeries(name="contrast", data=np.linspace(0, 1, 20), unit="1", rate=10.0))
    behaviour = file.create_processing_module("behavior", "b")
    speed = pynwb.TimeSeries(name="speed", data=np.arange(5.0), unit="m/s", timestamps=[0.0, 0.1, 0.5, 0.6, 2.0])
    behaviour.add(pynwb.behavior.BehavioralTimeSeries(time_series=[speed]))
    file.add_acquisition(pynwb.TimeSeries(name="pupil", data=[1.0, np.nan], unit="mm", rate=1.0))
    file.add_trial_column(name="choice", description="left or right")
    file.add_trial(start_time=0.0, stop_time=1.0, choice="left")
    file.add_trial(start_time=1.5, stop_time=3.0, choice="right")
    file.add_acquisition(pynwb.image.ImageSeries(name="film", data=np.zeros((2, 3, 3)), unit="1", rate=1.0))


def test_units_become_spikes_with_their_columns(tmp_path, make_nwb):
    """Times, names, span and quality arrive; a time that repeats the one before is counted as left out."""
    tree = readers.read([make_nwb(tmp_path / "a.nwb", population)])
    np.testing.assert_allclose(recording.spike_times(tree, 0)[0], [0.1, 0.5, 2.0])
    assert tree["spikes/unit"].values.tolist() == ["7", "8", "9"]
    assert tree["spikes/quality"].values.tolist() == ["good", "mua", "good"]
    assert recording.span(tree) == (0.0, pytest.approx(10.0))
    assert "1 of unit 7 that repeat" in "; ".join(tree.attrs["provenance"][0]["parameters"]["not_read"])


def test_fluorescence_has_the_unit_of_its_container(tmp_path, make_nwb):
    """dF/F of 10 frames and 3 regions, with what is known of the imaging."""
    tree = readers.read([make_nwb(tmp_path / "a.nwb", population)])
    signal = tree["fluorescence/fluorescence"]
    assert signal.attrs["units"] == "dF/F" and tree["fluorescence"].attrs["sampling_hz"] == 30.0
    np.testing.assert_allclose(signal.values[0], np.arange(30.0).reshape(10, 3))
    protocol = recording.protocol_of(tree)
    assert (protocol["indicator"].value, protocol["excitation_wavelength"].value) == ("GCaMP6f", 920.0)


def test_light_stimuli_behaviour_and_trials_become_streams(tmp_path, make_nwb):
    """Light is an intervention with its site; irregular running keeps its times; each column of the trials is there."""
    tree = readers.read([make_nwb(tmp_path / "a.nwb", population)])
    light = recording.stream_of(tree, "interventions", "light")
    assert (light.unit, light.attributes["wavelength_nm"], light.attributes["site"]) == ("watts", 473.0, "V1")
    assert recording.stimulus_of(tree, "contrast").sampling_hz == 10.0
    np.testing.assert_allclose(recording.stream_of(tree, "behaviour", "speed_times").values, [0.0, 0.1, 0.5, 0.6, 2.0])
    assert recording.stimulus_of(tree, "trials_choice").values.tolist() == ["left", "right"]
    np.testing.assert_allclose(recording.stimulus_of(tree, "trials_stop_time").values, [1.0, 3.0])


def test_what_cannot_be_held_is_listed(tmp_path, make_nwb):
    """Images and a pupil with gaps are named in the log."""
    tree = readers.read([make_nwb(tmp_path / "a.nwb", population)])
    listed = "; ".join(tree.attrs["provenance"][0]["parameters"]["not_read"])
    assert "film" in listed and "pupil: holds values that are not finite" in listed and "spike" in listed


def test_all_of_it_survives_the_store(tmp_path, make_nwb):
    """What was read, written and opened again is what was read."""
    tree = readers.read([make_nwb(tmp_path / "a.nwb", population)])
    recording.write(tree, tmp_path / "a.zarr")
    again = recording.open(tmp_path / "a.zarr")
    assert recording.protocol_of(again) == recording.protocol_of(tree)
    for path in (
        "spikes/spike_time",
        "fluorescence/fluorescence",
        "behaviour/speed/value",
        "stimulus/trials_choice/value",
    ):
        np.testing.assert_array_equal(again[path].values, tree[path].values)


def test_long_series_stay_in_the_file(tmp_path, make_nwb, monkeypatch):
    """Beyond the limit the sweeps are lazy arrays that open the file for each piece."""
    path = make_nwb(tmp_path / "a.nwb", current_clamp)
    whole = readers.read([path])["voltage/voltage"].values
    for module in ("libraries", "nwb.arrays", "nwb.sweeps"):
        monkeypatch.setattr(f"twin.readers.{module}.IN_MEMORY", 100)
    tree = readers.read([path])
    assert tree["voltage/voltage"].chunks is not None and max(tree["voltage/voltage"].chunks[1]) == 100
    np.testing.assert_array_equal(tree["voltage/voltage"].values, whole)


def test_other_hdf5_files_and_empty_ones_are_named(tmp_path, make_nwb):
    """HDF5 that is no NWB, NWB of version 1, and NWB without a signal are refused with what they are."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a"] = np.arange(3)
    with pytest.raises(InputError, match="x.h5: is an HDF5 file without the attribute nwb_version"):
        readers.read([tmp_path / "x.h5"])
    with h5py.File(tmp_path / "old.nwb", "w") as file:
        file["nwb_version"] = "NWB-1.0.6"
    with pytest.raises(UnsupportedError, match="old.nwb: is an NWB file of version 1"):
        readers.read([tmp_path / "old.nwb"])

    def only_images(pynwb, file):
        file.add_acquisition(pynwb.image.ImageSeries(name="film", data=np.zeros((2, 3, 3)), unit="1", rate=1.0))

    with pytest.raises(UnsupportedError, match="no sweeps, no spike times and no fluorescence; it holds: .*film"):
        readers.read([make_nwb(tmp_path / "film.nwb", only_images)])


def test_a_file_that_was_cut_off_is_named(tmp_path, make_nwb):
    """Half an NWB file is one sentence."""
    path = make_nwb(tmp_path / "a.nwb", current_clamp)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="a.nwb: .*copy the file again"):
        nwb.read([path])
