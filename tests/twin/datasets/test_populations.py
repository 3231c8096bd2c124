"""Sets of populations: traps that were planted are handled and counted in the log."""

import json

import numpy as np
import pytest

from twin import recording
from twin.errors import InputError


def test_star_puffs_and_drug(save, loaded, round_trip, steps):
    """Trials in their order, the valve open when it was, control before bicuculline, and a repeated spike dropped."""
    save(
        "star",
        {
            **{
                f"CAL1V|neuron {unit}|stim. {trial}": np.array([0.5, 4.6, 10.2])
                for unit in (1, 2)
                for trial in (1, 2, 10)
            },
            "CAL1S|neuron 1": np.array([0.1, 0.1, 7.0]),
            "mPK|neuron 1|bicu": np.array([1.0, 2.0]),
            "mPK|neuron 1|ctl": np.array([1.0]),
            "sPK|bicu": np.array([1.0]),
            "sPK|ctl": np.array([], float),
        },
    )
    trees = loaded("star_pouzat")
    assert sorted(trees) == ["CAL1S", "CAL1V", "mPK", "sPK"]
    puffs = round_trip(trees["CAL1V"])
    assert list(puffs["trials"]["condition"].values) == ["stim. 1", "stim. 2", "stim. 10"]
    valve = recording.stimulus_of(puffs, "valve")
    open_s = np.flatnonzero(valve.values[0]) / valve.sampling_hz
    np.testing.assert_allclose(open_s[[0, -1]], [4.49, 4.98])
    assert puffs["spikes"]["trial_stop"].values[0] == 11.0
    assert steps(trees["CAL1S"])["repeated_spike_times_dropped"] == 1
    assert recording.spike_times(trees["CAL1S"])[0].tolist() == [0.1, 7.0]
    for name in ("mPK", "sPK"):
        assert list(trees[name]["trials"]["condition"].values) == ["ctl", "bicu"]
        assert recording.stream_of(trees[name], "interventions", "bicuculline").values.tolist() == [0.0, 25.0]


def test_star_with_a_missing_train(save, loaded):
    """A neuron that lacks a trial is named."""
    save("star", {"S|n 1|stim. 1": np.ones(1), "S|n 1|stim. 2": np.ones(1), "S|n 2|stim. 1": np.ones(1)})
    with pytest.raises(InputError, match=r"set S has no n 2\|stim. 2; wanted every neuron in every trial"):
        loaded("star_pouzat")


def test_natural_scenes_have_no_labels(folder, loaded, round_trip):
    """The images are there as a set; nothing says which trial showed which, and mislabelled means are not loaded."""
    rng = np.random.default_rng(0)
    np.save(folder / "Allen_test_output_big.npy", rng.normal(size=(6, 4)))
    np.save(folder / "Allen_train_input.npy", rng.uniform(size=(3, 9)))
    np.save(folder / "Allen_train_output.npy", rng.normal(size=(3, 4)))
    tree = round_trip(loaded("allen_natscenes_511510667")["session_511510667"])
    assert tree["fluorescence"]["fluorescence"].shape == (6, 1, 4) and "trials" not in tree.children
    images = recording.stimulus_of(tree, "images")
    assert images.leading == () and "lost upstream" in images.attributes["labels"]
    assert recording.protocol_of(tree)["image_labels"].value == "lost upstream"


def test_natural_scenes_without_trials(folder, loaded):
    """The folder without the single trials is refused."""
    np.save(folder / "Allen_train_output.npy", np.zeros((3, 4)))
    with pytest.raises(InputError, match="Allen_test_output_big.npy: no such file; wanted the single trials"):
        loaded("allen_natscenes_511510667")


PVOPTO = "perturb_sess=42_dt=0.01_dur=0.06_pre=0.02_buf=0.1_areas=VISp-VISl_sham=1"


def pvopto_arrays():
    light = np.zeros((3, 6), np.float32)
    light[:2, 2] = 2.0
    counts = np.arange(3 * 5 * 6).reshape(3, 5, 6).astype(np.int8)
    return {
        "z": counts,
        "light": light,
        "kind": np.array(["opto", "opto", "sham"]),
        "stimulus_name": np.array(["pulse", "pulse", ""]),
        "level": np.array([2.0, 2.0, 0.0]),
        "duration": np.array([0.005, 0.01, 0.0]),
        "condition": np.array([3, 3, 0]),
    }


def test_pvopto_light_and_trials(save, loaded, round_trip):
    """Counts turn to (trial, time, unit), light starts at 0 s, and pulses of 5 and 10 ms differ in a column alone."""
    arrays = pvopto_arrays()
    save(PVOPTO, arrays)
    tree = round_trip(loaded("allen_npx_pvopto")["session_42"])
    counts = tree["counts"]
    np.testing.assert_array_equal(counts["count"].values, arrays["z"].transpose(0, 2, 1))
    assert counts.attrs["bin_s"] == 0.01 and counts.attrs["start_s"] == -0.02
    light = recording.stream_of(tree, "interventions", "light")
    np.testing.assert_array_equal(light.values[0], light.values[1])
    assert light.start_s + np.flatnonzero(light.values[0])[0] / light.sampling_hz == pytest.approx(0.0)
    assert tree["trials"]["duration"].values.tolist() == [0.005, 0.01, 0.0]
    assert list(tree["trials"]["kind"].values) == ["opto", "opto", "sham"]


def test_pvopto_faults(save, loaded):
    """A name without its settings, and a window that is not as long as the name says."""
    path = save("session", pvopto_arrays())
    with pytest.raises(InputError, match="session.npz: the file name has no sess="):
        loaded("allen_npx_pvopto")
    path.unlink()
    save(PVOPTO.replace("dur=0.06", "dur=1.5"), pvopto_arrays())
    with pytest.raises(InputError, match="6 bins of 0.01 s do not last the 1.5 s"):
        loaded("allen_npx_pvopto")


def park_arrays(group):
    return {
        "activity": np.arange(2 * 4 * 5, dtype=np.float32).reshape(2, 4, 5),
        "pupil": np.full((4, 5), 0.5, np.float32),
        "speed": np.zeros((4, 5), np.float32),
        "direction_deg": np.array([0, 90, 180, 270], np.int16),
        "t_s": np.arange(5) * 0.0625 - 0.125,
        "dt_s": 0.0625,
        "group": group,
        "mouse": "m1",
        "session": "s1",
    }


def test_park_groups(save, loaded, round_trip):
    """Activity turns to (trial, time, unit); the knock-out is an intervention that the control has with 0."""
    save("mouse1", park_arrays("gat3_ko"))
    save("mouse2", park_arrays("control"))
    trees = loaded("park_v1acc")
    tree = round_trip(trees["mouse1"])
    np.testing.assert_array_equal(tree["fluorescence"]["fluorescence"].values[2, :, 1], np.arange(30, 35))
    assert tree["fluorescence"].attrs["sampling_hz"] == 16.0 and tree["fluorescence"].attrs["start_s"] == -0.125
    assert set(recording.stream_names(tree, "behaviour")) == {"pupil", "speed"}
    assert recording.stimulus_of(tree, "direction").values.tolist() == [0.0, 90.0, 180.0, 270.0]
    knocked = {
        name: float(recording.stream_of(one, "interventions", "gat3_knock_out").values) for name, one in trees.items()
    }
    assert knocked == {"mouse1": 1.0, "mouse2": 0.0}


def test_park_with_an_uneven_clock(save, loaded):
    """Times that are not regular are refused."""
    save("mouse1", {**park_arrays("control"), "t_s": np.array([0.0, 0.1, 0.2, 0.3, 0.9])})
    with pytest.raises(InputError, match="mouse1.npz: the 5 times are not regular"):
        loaded("park_v1acc")


def test_cascade_traps(save, loaded, round_trip, steps):
    """A repeated last stamp, spikes outside the imaged time and a repeated spike are dropped, and counted."""
    times = np.append(np.arange(20) / 10.0 + 0.5, 2.4)
    save(
        "DS99-GCaMP6f-m-SST-V1-neuropil-corrected",
        {
            "c0_s0_dff": np.linspace(-1.2, 1.0, 21, dtype=np.float32),
            "c0_s0_t": times,
            "c0_s0_ap": np.array([1000.0, 6000.0, 6000.0, 9000.0, 26000.0]),
            "c0_name": "source.mat",
            "c3_s2_dff": np.zeros(6, np.float32),
            "c3_s2_t": np.array([0.0, 0.1, 0.2, 0.3, 0.4, 1.4]),
            "c3_s2_ap": np.array([], float),
        },
    )
    trees = loaded("cascade_groundtruth")
    first, second = trees.values()
    assert list(trees) == [f"DS99-GCaMP6f-m-SST-V1-neuropil-corrected_{name}" for name in ("c0_s0", "c3_s2")]
    tree = round_trip(first)
    assert recording.spike_times(tree)[0].tolist() == pytest.approx([0.6, 0.9])
    assert tree["fluorescence"].sizes["time"] == 20 and tree["fluorescence"].attrs["sampling_hz"] == pytest.approx(10.0)
    counted = {key: value for key, value in steps(tree).items() if key.endswith("_dropped")}
    assert counted == {
        "frames_with_repeated_time_dropped": 1,
        "spikes_outside_imaged_time_dropped": 2,
        "repeated_spike_times_dropped": 1,
    }
    protocol = recording.protocol_of(tree)
    facts = [protocol[name].value for name in ("species", "indicator", "cell_type", "neuropil_subtracted", "cell")]
    assert facts == ["mouse", "GCaMP6f", "SST", True, "c0"]
    assert "sampling_hz" not in second["fluorescence"].attrs  # the clock of the second segment jumps
    assert second["fluorescence"]["time"].values[-1] == 1.4


def wave(trains, meta, name="A"):
    """The keys of one recording; times in units of 1e-5 s."""
    steps = [np.diff(np.array(train, np.int64), prepend=0) for train in trains]
    return {
        f"{name}|dt": np.concatenate(steps).astype(np.int32),
        f"{name}|n": np.array([len(train) for train in trains], np.int32),
        f"{name}|xy": np.array([[0.0, 100.0, 200.0], [0.0, 0.0, 100.0]], np.float32)[:, : len(trains)],
        f"{name}|meta": json.dumps({"species": "mouse", "genotype": "wt", "array": "MCS", **meta}),
    }


def test_waverepo_traps(save, loaded, round_trip, steps, folder):
    """Repeats are dropped, copies of a unit are marked, the same recording is named, and the limits are its spikes."""
    first = [120_000 + 20_000 * spike for spike in range(10)]
    trains = [[100_000, 100_000, 250_000], first, [*first[:-1], first[-1] + 5]]
    save("Kirkby2013", wave(trains, {"age": 5, "cond": "ctl"}, "K_1"))
    save(
        "Xu2011",
        wave(trains, {"age": 4, "cond": None}, "Xu2011_1NOV2007R1-31")
        | wave(trains, {"age": 500, "cond": "2 microM forskolin"}, "Xu2011_2-RINGER"),
    )
    (folder / "duplicates.csv").write_text("study_a,recording_a,recording_b\nKirkby2013,K_1,Xu2011_2-RINGER\n")
    trees = loaded("waverepo")
    tree = round_trip(trees["K_1"])
    np.testing.assert_allclose(recording.spike_times(tree, 0)[0], [1.0, 2.5])
    np.testing.assert_allclose(recording.spike_times(tree, 1)[0], np.linspace(1.2, 3.0, 10))
    spikes = tree["spikes"]
    assert spikes["trial_start"].values[0] == pytest.approx(1.0) and spikes["trial_stop"].values[0] == pytest.approx(
        3.00006
    )
    assert spikes["copy_of"].values.tolist() == [-1, -1, 1]
    assert spikes["x"].values.tolist() == [0.0, 100.0, 200.0] and spikes["x"].attrs["units"] == "um"
    assert steps(tree)["repeated_spike_times_dropped"] == 1 and steps(tree)["units_that_are_copies"] == 1
    first, warm, adult = (recording.protocol_of(one) for one in trees.values())
    assert first["same_recording_as"].value == "Xu2011_2-RINGER" and adult["same_recording_as"].value == "K_1"
    assert first["age"].value == 5.0 and first["temperature"].status == "unreported"
    assert warm["temperature"].value == 31.0
    assert adult["age"].status == "unreported" and adult["age_as_stated"].value == "adult"
    drug = recording.stream_of(trees["Xu2011_2-RINGER"], "interventions", "drug")
    assert drug.attributes["what"] == "2 microM forskolin"


def test_a_date_is_no_temperature(save, loaded):
    """ "-31-" in the name of another study is a day of a month."""
    save("Torborg2004", wave([[10, 20]], {"age": 5, "cond": "ctl"}, "Torborg2004_2001-10-31-1"))
    tree = loaded("waverepo")["Torborg2004_2001-10-31-1"]
    assert recording.protocol_of(tree)["temperature"].status == "unreported"


def test_waverepo_faults(save, loaded):
    """Numbers of spikes that do not add up, and positions for another number of units, are refused."""
    arrays = wave([[10, 20], [30]], {"age": 5, "cond": "ctl"})
    path = save("S", {**arrays, "A|n": np.array([2, 2], np.int32)})
    with pytest.raises(InputError, match=r"S.npz: A\|dt has the shape \(3,\); wanted \(4\)"):
        loaded("waverepo")
    path.unlink()
    save("S", {**arrays, "A|meta": "none"})
    with pytest.raises(InputError, match=r"S.npz: A\|meta is 'none'; wanted a JSON object"):
        loaded("waverepo")
    save("S", {**arrays, "A|xy": np.zeros((2, 5), np.float32)})
    with pytest.raises(InputError, match=r"A\|xy has the shape \(2, 5\); wanted \(2, 2\)"):
        loaded("waverepo")
