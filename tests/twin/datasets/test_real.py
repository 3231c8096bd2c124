"""The real recordings: how many there are, how long they are, and how many spikes, against their description."""

import shutil

import numpy as np
import pytest

from twin import recording
from twin.datasets import ALL

KIRKBY_REPEATS = 83_354


def upward_crossings(voltage, level):
    return int(((voltage[..., 1:] >= level) & (voltage[..., :-1] < level)).sum())


def shapes(tree):
    """(sweeps, samples, Hz) of every kind."""
    kinds = recording.sweep_sets(tree).values()
    return [(kind.sizes["sweep"], kind.sizes["time"], round(kind.attrs["sampling_hz"])) for kind in kinds]


@pytest.fixture
def real(recordings):
    """What reads the recordings of a real set."""

    def of(name):
        if not (recordings / name).is_dir():
            pytest.skip(f"no {name} here")
        return ALL[name].recordings(recordings / name)

    return of


def dropped(tree, what):
    return sum(entry["parameters"].get(what, 0) for entry in tree.attrs["provenance"])


@pytest.mark.needs_data
def test_gif_pozzorini(real, round_trip):
    """Nine repeats of 12 s at 10 kHz with 140 to 150 spikes each, and 10 s of electrode test."""
    repeats, electrode = (read() for read in real("gif_pozzorini").values())
    assert shapes(repeats) == [(9, 120_000, 10_000)] and shapes(electrode) == [(1, 100_000, 10_000)]
    sweeps = round_trip(repeats)["voltage"]
    spikes = [upward_crossings(sweep, 0.0) for sweep in sweeps["voltage"].values]
    assert 140 <= min(spikes) and max(spikes) <= 150
    assert np.corrcoef(sweeps["current"].values)[0, 8] > 0.999
    assert float(sweeps["voltage"].values[0].mean()) == pytest.approx(-43.7, abs=0.05)
    assert float(sweeps["current"].values.mean()) == pytest.approx(0.150, abs=0.01)


@pytest.mark.needs_data
def test_qsnmc2007(real, round_trip):
    """Six stimuli of A with their published spike counts; 42 sweeps of B with a voltage, 15 currents without."""
    trees = {name: read() for name, read in real("qsnmc2007").items()}
    noise = trees["challengeA"]["voltage"]
    assert shapes(trees["challengeA"]) == [(24, 34_000, 1_000)]
    counts = [upward_crossings(sweep, 0.0) for sweep in noise["voltage"].values]
    first = [count for count, stimulus in zip(counts, noise["stimulus"].values, strict=True) if stimulus == "00"]
    assert (min(first), max(first)) == (875, 935)
    cells = [round_trip(trees[f"challengeB_{cell}"]) if cell == "C140201C" else trees[f"challengeB_{cell}"] for cell in
             ("C010302A1", "C140201C")]  # fmt: skip
    assert sum(kind[0] for tree in cells for kind in shapes(tree)) == 42
    assert sum(len(recording.stream_names(tree)) for tree in cells) == 15


@pytest.mark.needs_data
def test_bluepyefe(real, round_trip):
    """42 pairs of waves of 7 cells, 7 Axon files and one NWB file; 14 mV stated where the source subtracts them."""
    trees = {name: read() for name, read in real("bluepyefe").items()}
    n_sweeps = {name: shapes(tree)[0][0] for name, tree in trees.items()}
    assert n_sweeps == {
        "B6": 5, "B8": 5, "B95": 1, "C060109A1-SR-C1": 18, "C060109A2-SR-C1": 9,
        "001_150216_A1_CA1py": 2, "001_150224_B2_CA1py": 2,
        "96711008": 16, "96711009": 16, "97509008": 16, "98205017": 16, "98205018": 16,
        "20303010_rita": 13, "20303005": 13, "99111002": 16,
    }  # fmt: skip
    protocol = recording.protocol_of(round_trip(trees["B6"]))
    assert protocol["junction_potential"].value == 14.0 and protocol["junction_potential_corrected"].value is False
    assert protocol["series_resistance_compensation"].value == 0.0
    assert recording.protocol_of(trees["20303005"])["junction_potential"].status == "unreported"
    assert [recording.protocol_of(trees[name])["low_pass_filter"].value for name in ("20303010_rita", "20303005")] == [
        6e3,
        1e3,
    ]
    steps = trees["20303005"]["voltage"]["current"].values
    np.testing.assert_allclose([steps.min(), steps.max()], [-0.2, 0.4], atol=1e-6)
    assert float(np.median(trees["99111002"]["voltage"]["voltage"].values)) == pytest.approx(-14.0, abs=1.5)


@pytest.mark.needs_data
def test_ferguson2015(real, round_trip, recordings, tmp_path):
    """Three cells with nA whatever unit their file has, and a copy whose reversed sweeps are put in order."""
    reads = real("ferguson2015_ca1")
    trees = {name: read() for name, read in reads.items()}
    assert {name: shapes(tree) for name, tree in trees.items()} == {
        "PYR1": [(30, 20_000, 10_000)],
        "PYR2": [(13, 20_000, 10_000)],
        "PYR5_rebound": [(10, 20_000, 10_000)],
    }
    assert all(np.abs(tree["voltage"]["current"].values).max() < 2.0 for tree in trees.values())
    protocol = recording.protocol_of(round_trip(trees["PYR5_rebound"]))
    assert protocol["temperature"].value == 30.0 and protocol["low_pass_filter"].value == 1000.0
    assert protocol["junction_potential"].status == "unreported"
    shutil.copy(recordings / "ferguson2015_ca1/FergusonEtAl2015_PYR5_rebound.nwb", tmp_path)
    copy = ALL["ferguson2015_ca1"].recordings(tmp_path)["PYR5_rebound"]()
    np.testing.assert_allclose(
        copy["voltage"]["voltage"].values, trees["PYR5_rebound"]["voltage"]["voltage"].values, atol=1e-4
    )


@pytest.mark.needs_data
def test_lantyer2018(real, round_trip):
    """Three files in their clamps: 10 steps to 46 spikes, 14 voltage steps, 2 sawtooths."""
    trees = {name.split("_")[-1]: read() for name, read in real("lantyer2018_s1").items()}
    assert {name: shapes(tree)[0] for name, tree in trees.items()} == {
        "VC": (14, 19_750, 50_000),
        "C": (2, 55_000, 50_000),
        "CC": (10, 23_200, 20_000),
    }
    steps = round_trip(trees["CC"])["voltage"]
    assert steps.attrs["clamp"] == "current" and trees["VC"]["voltage"].attrs["clamp"] == "voltage"
    spikes = [upward_crossings(sweep, -10.0) for sweep in steps["voltage"].values]
    assert (min(spikes), max(spikes)) == (0, 46)
    np.testing.assert_allclose(trees["C"]["voltage"]["voltage"].values.max(), 70.0, atol=2.0)


@pytest.mark.needs_data
def test_allen_celltypes_10(real, round_trip):
    """Cells with one step each, 12 to 25 spikes, of 90 to 250 pA."""
    trees = [read() for read in real("allen_celltypes_10").values()]
    assert len(trees) == 7 and all(shapes(tree) == [(1, 72_500, 50_000)] for tree in trees)
    spikes = [upward_crossings(tree["voltage"]["voltage"].values, -10.0) for tree in trees]
    assert (min(spikes), max(spikes)) == (12, 25)
    amplitudes = [round(float(tree["voltage"]["current"].values.max()), 3) for tree in trees]
    assert min(amplitudes) == 0.09 and max(amplitudes) == 0.25
    round_trip(trees[0])


@pytest.mark.needs_data
def test_herg_sinewave(real, round_trip):
    """Cells with 8 s of sines and 8.8 s of action potentials; about 0 nA at the holding potential."""
    trees = [read() for read in real("herg_sinewave").values()]
    assert len(trees) == 6
    assert all(sorted(shapes(tree)) == [(1, 80_000, 10_000), (1, 88_245, 10_000)] for tree in trees)
    sine = round_trip(trees[0])["voltage/sine_wave"]
    assert float(sine["voltage"].values[0, 0]) == -80.0 and abs(float(sine["current"].values[0, :2000].mean())) < 0.01


@pytest.mark.needs_data
def test_pyabf_subset(real, round_trip):
    """Ten files with 255 sweeps; three of them are a model cell, one of which has a tag about a drug."""
    trees = {name: read() for name, read in real("pyabf_subset").items()}
    assert len(trees) == 10 and sum(shapes(tree)[0][0] for tree in trees.values()) == 255
    protocols = {name: recording.protocol_of(tree) for name, tree in trees.items()}
    models = [name for name, protocol in protocols.items() if protocol["preparation"].value == "electronic model cell"]
    assert sorted(models) == ["2018_11_16_sh_0006", "model_vc_ramp", "model_vc_step"]
    assert "+drug" in protocols["2018_11_16_sh_0006"]["tags"].value
    assert protocols["2018_11_16_sh_0006"]["drug"].value.startswith("none")
    step = round_trip(trees["model_vc_step"])["voltage"]
    assert step.attrs["clamp"] == "voltage"
    np.testing.assert_allclose([step["voltage"].values.min(), step["voltage"].values.max()], [-80.0, -70.0], atol=0.1)
    assert float(np.median(step["current"].values)) == pytest.approx(-0.139, abs=0.03)


@pytest.mark.needs_data
def test_star_pouzat(real, round_trip):
    """16 sets, 514 trains, 127,096 spikes."""
    trees = {name: read() for name, read in real("star_pouzat").items()}
    spikes = [tree["spikes"] for tree in trees.values()]
    assert len(spikes) == 16 and sum(one.sizes["spike"] for one in spikes) == 127_096
    assert sum(one.sizes["trial"] * one.sizes["unit"] for one in spikes) == 514
    tree = round_trip(trees["mPK"])
    assert tree["spikes"]["trial_stop"].values.tolist() == [300.0, 300.0]


@pytest.mark.needs_data
def test_allen_natscenes(real, round_trip):
    """900 trials of 212 neurons and 118 images that belong to no trial."""
    tree = round_trip(real("allen_natscenes_511510667")["session_511510667"]())
    assert tree["fluorescence"]["fluorescence"].shape == (900, 1, 212)
    assert recording.stimulus_of(tree, "images").values.shape == (118, 961)


@pytest.mark.needs_data
def test_allen_npx_pvopto(real, round_trip):
    """371 units, 72 opto and 71 sham trials of 1.5 s; spikes as in the file, light from 0 s on."""
    (read,) = real("allen_npx_pvopto").values()
    tree = round_trip(read())
    assert dict(tree["counts"].sizes) == {"trial": 143, "time": 150, "unit": 371}
    kinds = tree["trials"]["kind"].values
    assert ((kinds == "opto").sum(), (kinds == "sham").sum()) == (72, 71)
    light = recording.stream_of(tree, "interventions", "light")
    on = np.flatnonzero((light.values > 0).any(axis=0))
    assert light.start_s + on[0] / light.sampling_hz == pytest.approx(0.0)
    assert not light.values[kinds == "sham"].any()
    assert set(tree["trials"]["duration"].values.round(3)) == {0.0, 0.005, 0.01, 1.0}


@pytest.mark.needs_data
def test_park_v1acc(real, round_trip):
    """Five mice, 215 neurons, 128 trials of 49 bins; three of them with the knock-out."""
    trees = [read() for read in real("park_v1acc").values()]
    sizes = [tree["fluorescence"].sizes for tree in trees]
    assert len(trees) == 5 and sum(one["unit"] for one in sizes) == 215
    assert {(one["trial"], one["time"]) for one in sizes} == {(128, 49)}
    knocked = [float(recording.stream_of(tree, "interventions", "gat3_knock_out").values) for tree in trees]
    assert sum(knocked) == 3.0
    directions = recording.stimulus_of(round_trip(trees[0]), "direction").values
    assert np.unique(directions, return_counts=True)[1].tolist() == [16] * 8


@pytest.mark.needs_data
def test_cascade_groundtruth(real, round_trip):
    """609 segments; DS20 has 817 spikes and DS04 56 outside the imaged time, and DS27 repeats its last stamp."""
    reads = real("cascade_groundtruth")
    assert len(reads) == 609
    for data_set, n_spikes, n_outside, n_stamps in (
        ("DS20", 9_080, 817, 0),
        ("DS04", 2_469, 56, 0),
        ("DS27", 10_290, 0, 4),
    ):
        trees = [read() for name, read in reads.items() if name.startswith(data_set)]
        assert sum(dropped(tree, "spikes_outside_imaged_time_dropped") for tree in trees) == n_outside
        assert sum(dropped(tree, "frames_with_repeated_time_dropped") for tree in trees) == n_stamps
        repeated = sum(dropped(tree, "repeated_spike_times_dropped") for tree in trees)
        assert sum(tree["spikes"].sizes["spike"] for tree in trees) == n_spikes - n_outside - repeated
    round_trip(trees[0])


@pytest.mark.needs_data
def test_waverepo(real, round_trip):
    """215 recordings in 8 studies; Kirkby2013 loses its repeats, Stacy2005 names its copies, temperatures are Xu's."""
    reads = real("waverepo")
    assert len(reads) == 215
    kirkby = [read() for name, read in reads.items() if name.startswith("Kirkby2013")]
    repeated = sum(dropped(tree, "repeated_spike_times_dropped") for tree in kirkby)
    assert (len(kirkby), sum(tree["spikes"].sizes["unit"] for tree in kirkby)) == (22, 1_060)
    assert repeated == KIRKBY_REPEATS
    assert sum(tree["spikes"].sizes["spike"] for tree in kirkby) == 629_594 - KIRKBY_REPEATS
    copies = reads["Stacy2005p5ctrl2"]()["spikes"]["copy_of"].values
    assert {int(unit) for unit in np.flatnonzero(copies == 0)} == {23, 24, 30, 32, 40, 55}
    assert {int(unit) for unit in np.flatnonzero(copies == 7)} == {14, 22, 31, 39, 46}
    warm = [recording.protocol_of(read())["temperature"].value for name, read in reads.items() if "Xu2011" in name]
    assert (len(warm), warm.count(31.0), warm.count(37.0)) == (30, 7, 10)
    tree = round_trip(reads["Blankenship2011_WT_04"]())
    assert recording.protocol_of(tree)["same_recording_as"].value == "Blankenship2011_WT_05"


@pytest.mark.needs_data
@pytest.mark.slow
def test_every_recording_of_the_large_sets(real):
    """Every segment and every retina loads: 26.6 h of imaging, 13.4 million spikes less the repeats."""
    hours, spikes = 0.0, 0
    for read in real("cascade_groundtruth").values():
        node = read()["spikes"]
        hours += float((node["trial_stop"] - node["trial_start"]).sum()) / 3600.0
    assert hours == pytest.approx(26.6, abs=0.1)
    units = 0
    for read in real("waverepo").values():
        node = read()["spikes"]
        units, spikes = units + node.sizes["unit"], spikes + node.sizes["spike"]
    assert units == 8_075 and spikes + KIRKBY_REPEATS == pytest.approx(13.4e6, rel=0.01)
