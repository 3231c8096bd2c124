"""Folders as the archives of large public sets have them, made small: what is read, converted, left out and refused."""

import h5py
import numpy as np
import pytest

from twin import recording
from twin.datasets.allen_cell_types import pipeline_version
from twin.errors import InputError, UnsupportedError

# --- Sensorium 2023 ---------------------------------------------------------------------------------------------------


@pytest.fixture
def mouse(folder):
    """A mouse of Sensorium 2023: three trials with responses (one of them shorter), and one of a test tier without."""
    root = folder / "dynamic1-2-3-Video-abc"
    rng = np.random.default_rng(0)
    for kind, shape in {"videos": (4, 6), "responses": (3,), "behavior": (2,), "pupil_center": (2,)}.items():
        (root / "data" / kind).mkdir(parents=True)
        for trial, n_frames in enumerate((20, 20, 15, 20)):
            array = np.full((*shape, 20), np.nan, np.float32)
            array[..., :n_frames] = rng.uniform(1.0, 2.0, (*shape, n_frames))
            if kind == "responses" and trial == 3:
                array[:] = np.nan
            np.save(root / "data" / kind / f"{trial}.npy", array)
    (root / "meta/trials").mkdir(parents=True)
    (root / "meta/neurons").mkdir()
    np.save(root / "meta/trials/tiers.npy", np.array(["train", "oracle", "train", "final_test_main"]))
    np.save(root / "meta/neurons/unit_ids.npy", np.array([11, 22, 33]))
    np.save(root / "meta/neurons/cell_motor_coordinates.npy", np.arange(9).reshape(3, 3))
    return root


def test_sensorium_trials_by_length(mouse, loaded, round_trip, steps):
    """Padding is cut off, trials of one length are a recording, and the trial without responses is left out."""
    trees = loaded("sensorium2023")
    assert list(trees) == [f"{mouse.name}_15frames", f"{mouse.name}_20frames"]
    tree = round_trip(trees[f"{mouse.name}_20frames"])
    signal = tree["fluorescence"]
    assert signal["fluorescence"].shape == (2, 20, 3) and signal.attrs["sampling_hz"] == 30.0
    np.testing.assert_array_equal(signal["fluorescence"].values[1].T, np.load(mouse / "data/responses/1.npy"))
    assert list(signal["unit"].values) == ["11", "22", "33"] and signal["y"].values.tolist() == [1.0, 4.0, 7.0]
    video = recording.stimulus_of(tree, "video")
    np.testing.assert_array_equal(video.values[1, 5], np.load(mouse / "data/videos/1.npy")[..., 5])
    assert list(tree["trials"]["tier"].values) == ["train", "oracle"]
    assert tree["trials"]["number"].values.tolist() == [0, 1]
    assert steps(tree)["trials_without_responses_left_out"] == 1


def test_sensorium_arrays_stay_on_disk(mouse, folder):
    """A set larger than memory is not read to be opened: responses and videos are lazy."""
    from twin.datasets import ALL

    tree = ALL["sensorium2023"].recordings(folder)[f"{mouse.name}_20frames"]()
    assert tree["fluorescence"]["fluorescence"].chunks is not None
    assert tree["stimulus/video"]["value"].chunks is not None


def test_sensorium_faults(mouse, loaded, folder):
    """A video of another size, a missing file and a folder that is something else are named."""
    np.save(mouse / "data/videos/1.npy", np.zeros((5, 6, 20), np.float32))
    with pytest.raises(InputError, match=r"videos/1.npy: has the shape \(5, 6, 20\); wanted \(4, 6\) as trial 0 has"):
        loaded("sensorium2023")
    (mouse / "data/pupil_center/1.npy").unlink()
    np.save(mouse / "data/videos/1.npy", np.zeros((4, 6, 20), np.float32))
    with pytest.raises(InputError, match="pupil_center/1.npy: no such file"):
        loaded("sensorium2023")
    mouse.rename(folder / "elsewhere").joinpath("data/responses").rename(folder / "r")
    with pytest.raises(InputError, match="has no MOUSE/data/responses; wanted a folder for each mouse"):
        loaded("sensorium2023")


# --- Allen Cell Types, NWB 1 ------------------------------------------------------------------------------------------


def cell_file(path, version=None):
    """Two sweeps of one stimulus and one of another, as the Cell Types Database wrote them in NWB 1."""
    with h5py.File(path, "w") as file:
        file["nwb_version"] = np.bytes_("NWB-1.0.5")
        if version is not None:
            file["general/generated_by"] = np.array(["name", "pipeline", "version", version], dtype="S")
        file["general/subject/species"] = np.bytes_("Mus musculus")
        for number, (name, n) in {4: ("Long Square", 50), 5: ("Long Square", 50), 7: ("Seal Test", 30)}.items():
            for role, unit, value in (("stimulus", "Amps", 90.0), ("response", "Volts", -70.0)):
                unit = {"Amps": "Volts", "Volts": "Amps"}[unit] if name == "Seal Test" else unit
                exponent = {"Amps": 1e-12, "Volts": 1e-3}[unit]
                stored = value if version == "1.1" else value * exponent
                series = file.create_group(f"epochs/Sweep_{number}/{role}/timeseries")
                series["data"] = np.full(n, stored, np.float32)
                series["data"].attrs.update({"conversion": exponent, "unit": np.bytes_(unit)})
                series["starting_time"] = 12.5 + number
                series["starting_time"].attrs["rate"] = 200_000.0
                file[f"epochs/Sweep_{number}/{role}/idx_start"] = 0
                file[f"epochs/Sweep_{number}/{role}/count"] = n
            file[f"stimulus/presentation/Sweep_{number}/aibs_stimulus_name"] = np.bytes_(name)
            file[f"stimulus/presentation/Sweep_{number}/aibs_stimulus_amplitude_pa"] = 90.0
        file["epochs/Experiment_4/stimulus/idx_start"] = 10
        file["epochs/Experiment_4/stimulus/count"] = 40


@pytest.mark.parametrize("version", [None, "1.0", "1.1"])
def test_cell_types_units_by_the_version_of_the_pipeline(folder, loaded, round_trip, version):
    """The stated factor is applied from version 1.1 on; before, the samples are volts and amperes already."""
    cell_file(folder / "123.nwb", version)
    tree = round_trip(loaded("allen_cell_types")["123"])
    kinds = recording.sweep_sets(tree)
    assert set(kinds) == {"/voltage/Long_Square", "/voltage/Seal_Test"}
    long = kinds["/voltage/Long_Square"]
    assert long.attrs["clamp"] == "current" and long.attrs["sampling_hz"] == 200_000.0
    np.testing.assert_allclose(long["voltage"].values, -70.0, rtol=1e-6)
    np.testing.assert_allclose(long["current"].values, 0.09, rtol=1e-6)
    assert list(long["sweep"].values) == ["4", "5"] and long["sweep_start"].values.tolist() == [16.5, 17.5]
    np.testing.assert_allclose(long["experiment_start"].values, [10 / 2e5, 0.0])
    np.testing.assert_allclose(long["amplitude"].values, 0.09)
    assert kinds["/voltage/Seal_Test"].attrs["clamp"] == "voltage"
    assert recording.protocol_of(tree)["species"].value == "Mus musculus"


def test_pipeline_version(tmp_path):
    """Versions compare as numbers: 1.10 is later than 1.1."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        assert pipeline_version(file) == (0, 0)
        file["general/generated_by"] = np.array(["version", "1.10.2"], dtype="S")
        assert pipeline_version(file) == (1, 10)


def test_cell_types_faults(folder, loaded):
    """A file without sweeps, one of an unknown version and one that is no HDF5 are named."""
    path = folder / "1.nwb"
    with h5py.File(path, "w") as file:
        file["nwb_version"] = np.bytes_("NWB-1.0.5")
        file.create_group("epochs")
    with pytest.raises(InputError, match="1.nwb: has no epochs/Sweep_N"):
        loaded("allen_cell_types")
    with h5py.File(path, "w") as file:
        file["nwb_version"] = np.bytes_("NWB-0.8")
    with pytest.raises(UnsupportedError, match="1.nwb: has the NWB version 'NWB-0.8'"):
        loaded("allen_cell_types")
    path.write_text("not a file of this kind")
    with pytest.raises(InputError, match="1.nwb: cannot be read as an NWB file of this layout"):
        loaded("allen_cell_types")


# --- Allen Visual Coding, NWB 1 ---------------------------------------------------------------------------------------


def session_file(path):
    """A two-photon session of 40 frames at 30 Hz: gratings, images, a spontaneous stretch, and running with a gap."""
    with h5py.File(path, "w") as file:
        file["nwb_version"] = np.bytes_("NWB-1.0.5")
        file["general/subject/genotype"] = np.bytes_("Cux2-CreERT2/wt")
        pipeline = file.create_group("processing/brain_observatory_pipeline")
        traces = np.arange(3 * 40, dtype=np.float32).reshape(3, 40)
        traces[1, 7] = np.nan
        pipeline["DfOverF/imaging_plane_1/data"] = traces
        pipeline["DfOverF/imaging_plane_1/timestamps"] = 8.0 + np.arange(40) / 30.0
        pipeline["ImageSegmentation/cell_specimen_ids"] = np.array([101, 102, 103])
        speed = np.linspace(0.0, 3.9, 40)
        speed[3] = np.nan
        pipeline["BehavioralTimeSeries/running_speed/data"] = speed
        pipeline["BehavioralTimeSeries/running_speed/timestamps"] = 8.0 + np.arange(40) / 30.0
        shown = file.create_group("stimulus/presentation")
        shown["drifting_gratings_stimulus/data"] = np.array([[2.0, 90.0, 0.0], [np.nan, np.nan, 1.0]])
        shown["drifting_gratings_stimulus/features"] = np.array(
            ["temporal_frequency", "orientation", "blank_sweep"], "S"
        )
        shown["drifting_gratings_stimulus/frame_duration"] = np.array([[2, 5], [6, 8]])
        shown["natural_scenes_stimulus/data"] = np.array([117, -1])
        shown["natural_scenes_stimulus/frame_duration"] = np.array([[10, 12], [12, 14]])
        shown["spontaneous_stimulus/data"] = np.array([1, -1])
        shown["spontaneous_stimulus/frame_duration"] = np.array([[20, 20], [30, 30]])


def test_visual_coding_frame_by_frame(folder, loaded, round_trip, steps):
    """Every frame says what was shown; a cell with a gap is left out; running that was not measured is marked."""
    session_file(folder / "501.nwb")
    tree = round_trip(loaded("allen_visual_coding")["501"])
    signal = tree["fluorescence"]
    assert signal["fluorescence"].shape == (1, 40, 2) and list(signal["unit"].values) == ["101", "103"]
    assert signal.attrs["sampling_hz"] == pytest.approx(30.0) and signal.attrs["start_s"] == 8.0
    assert steps(tree)["cells_without_finite_traces_left_out"] == 1
    gratings = recording.stimulus_of(tree, "drifting_gratings")
    assert list(gratings.attributes["features"]) == ["temporal_frequency", "orientation", "blank_sweep", "shown"]
    assert gratings.values[2:5].tolist() == [[2.0, 90.0, 0.0, 1.0]] * 3
    assert gratings.values[6:8].tolist() == [[0.0, 0.0, 1.0, 1.0]] * 2 and not gratings.values[5].any()
    scenes = recording.stimulus_of(tree, "natural_scenes")
    assert scenes.values[10:14].tolist() == [[117.0, 1.0]] * 2 + [[-1.0, 1.0]] * 2
    spontaneous = recording.stimulus_of(tree, "spontaneous")
    assert np.flatnonzero(spontaneous.values[:, 0]).tolist() == list(range(20, 30))
    running = recording.stream_of(tree, "behaviour", "running_speed")
    assert running.values[3].tolist() == [0.0, 0.0] and running.values[10].tolist() == pytest.approx([1.0, 1.0])


def test_visual_coding_faults(folder, loaded):
    """A stimulus outside the session and a missing table are named."""
    session_file(folder / "501.nwb")
    with h5py.File(folder / "501.nwb", "a") as file:
        file["stimulus/presentation/natural_scenes_stimulus/frame_duration"][1] = [39, 60]
    with pytest.raises(InputError, match="natural_scenes_stimulus is shown outside the 40 frames"):
        loaded("allen_visual_coding")
    with h5py.File(folder / "501.nwb", "a") as file:
        del file["processing/brain_observatory_pipeline/DfOverF"]
    with pytest.raises(
        InputError, match="has no /processing/brain_observatory_pipeline/DfOverF/imaging_plane_1/timestamps"
    ):
        loaded("allen_visual_coding")


# --- Neural Latents Benchmark -----------------------------------------------------------------------------------------


def latents_file(path, jitter_s=0.0):
    """Two trials of two units, with a spike between the trials, a repeated spike, and a gap in the hand's position."""
    with h5py.File(path, "w") as file:
        file.attrs["nwb_version"] = "2.3.0"
        file["general/subject/species"] = "Macaca mulatta"
        trials = file.create_group("intervals/trials")
        trials["id"] = [0, 1]
        trials["start_time"] = [1.0, 3.0]
        trials["stop_time"] = [2.0, 4.0]
        trials["split"] = np.array(["train", "val"], dtype=h5py.string_dtype())
        trials["move_onset_time"] = [1.5, np.nan]
        trials["target_pos"] = np.arange(8.0).reshape(4, 2)
        trials["target_pos_index"] = [2, 4]
        units = file.create_group("units")
        units["id"] = [7, 9]
        units["spike_times"] = [1.1, 1.1, 2.5, 3.2, 1.9, 2.0, 3.0]
        units["spike_times_index"] = [4, 7]
        units["heldout"] = np.array([False, True])
        hand = file.create_group("processing/behavior/Position/hand_pos")
        hand["data"] = np.arange(12.0).reshape(6, 2)
        hand["data"].attrs.update({"conversion": 0.001, "unit": "m"})
        hand["timestamps"] = np.array([1.0, 1.001, 1.002, 1.006, 1.007, 1.008 + jitter_s])


def test_neural_latents(folder, loaded, round_trip, steps):
    """Trials keep session time, split and held-out units; the gap of the hand is marked, not filled."""
    latents_file(folder / "sub-Jenkins_ses-full.nwb")
    tree = round_trip(loaded("neural_latents")["sub-Jenkins_ses-full"])
    spikes = tree["spikes"]
    assert [times.tolist() for unit in (0, 1) for times in recording.spike_times(tree, unit)] == [
        [1.1],
        [3.2],
        [1.9],
        [3.0],
    ]
    assert spikes["trial_start"].values.tolist() == [1.0, 3.0]
    assert list(spikes["unit"].values) == ["7", "9"] and spikes["heldout"].values.tolist() == [0, 1]
    assert steps(tree)["spikes_outside_trials_or_in_several"] == 2
    trials = tree["trials"]
    assert list(trials["split"].values) == ["train", "val"] and set(trials.data_vars) == {"split", "move_onset_time"}
    hand = recording.stream_of(tree, "behaviour", "hand_pos")
    assert hand.sampling_hz == 1000.0 and hand.unit == "m" and hand.values.shape == (9, 3)
    assert hand.values[:, 2].tolist() == [1, 1, 1, 0, 0, 0, 1, 1, 1]
    np.testing.assert_allclose(hand.values[6], [0.006, 0.007, 1.0], rtol=1e-6)


def test_neural_latents_with_an_uneven_clock(folder, loaded):
    """Samples that lie on no regular grid are refused, not moved."""
    latents_file(folder / "a.nwb", jitter_s=0.0004)
    with pytest.raises(InputError, match="hand_pos lie on no regular grid of 1000 Hz"):
        loaded("neural_latents")


def test_neural_latents_without_trials(folder, loaded):
    """A file without the table of trials is refused by name."""
    latents_file(folder / "a.nwb")
    with h5py.File(folder / "a.nwb", "a") as file:
        del file["intervals/trials"]
    with pytest.raises(InputError, match="a.nwb: has no /intervals/trials/start_time; found"):
        loaded("neural_latents")


def test_a_layout_with_a_hole(folder, loaded):
    """An attribute that the layout has and the file has not is told with the file, and not as a traceback."""
    cell_file(folder / "9.nwb")
    with h5py.File(folder / "9.nwb", "a") as file:
        del file["epochs/Sweep_4/stimulus/timeseries/starting_time"].attrs["rate"]
    with pytest.raises(InputError, match="9.nwb: is not an NWB file of this layout.*rate"):
        loaded("allen_cell_types")
