"""Sets of sweeps from numpy archives: units converted once, sweeps named, nothing filled in that is not stated."""

import numpy as np
import pytest

from twin import recording
from twin.datasets import ALL
from twin.errors import InputError


def gif_arrays(n=3, samples=40):
    ramp = np.linspace(-0.07, 0.03, samples, dtype=np.float32)
    return {
        "V_volt": np.tile(ramp, (n, 1)),
        "I_amp": np.full((n, samples), 150e-12, np.float32),
        "dt_s": 1e-4,
        "aec_V_volt": ramp[:30],
        "aec_I_amp": np.full(30, -2e-12, np.float32),
    }


def test_gif_repeats_and_electrode_test(save, loaded, round_trip, steps):
    """Volts and amperes become mV and nA, and the electrode test is a recording of its own."""
    save("cell7_frozen_noise", gif_arrays())
    trees = loaded("gif_pozzorini")
    assert list(trees) == ["cell7_frozen_noise", "cell7_frozen_noise_electrode_test"]
    sweeps = round_trip(trees["cell7_frozen_noise"])["voltage"]
    assert sweeps["voltage"].shape == (3, 40) and sweeps.attrs["sampling_hz"] == 1e4
    np.testing.assert_allclose(sweeps["voltage"].values[0, [0, -1]], [-70.0, 30.0], rtol=1e-6)
    np.testing.assert_allclose(sweeps["current"].values, 0.150, rtol=1e-6)
    protocol = recording.protocol_of(trees["cell7_frozen_noise"])
    assert protocol["series_resistance_compensation"].value == 0.0
    assert all(protocol[name].value is None for name in ("temperature", "junction_potential", "series_resistance"))
    assert "Pozzorini" in steps(trees["cell7_frozen_noise"])["citation"]


def test_gif_without_an_electrode_test(save, loaded):
    """A file with the repeats alone gives the repeats alone."""
    arrays = gif_arrays()
    save("cell1", {key: arrays[key] for key in ("V_volt", "I_amp", "dt_s")})
    assert list(loaded("gif_pozzorini")) == ["cell1"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"V_volt": None}, "cell1.npz: has no 'V_volt'; found I_amp"),
        ({"I_amp": np.zeros((2, 40))}, r"cell1.npz: I_amp has the shape \(2, 40\); wanted \(3, 40\)"),
        ({"dt_s": 0.0}, "cell1.npz: dt_s is 0; wanted a positive step of time"),
        ({"I_amp": np.full((3, 40), "x")}, "cell1.npz: I_amp holds <U1; wanted numbers"),
        ({"V_volt": np.zeros(40)}, r"V_volt has the shape \(40,\); wanted \(repeat, time\)"),
    ],
)
def test_gif_faults_are_one_sentence(save, loaded, change, told):
    """A missing key and a wrong shape name file, what was found and what was wanted."""
    arrays = {key: value for key, value in {**gif_arrays(), **change}.items() if value is not None}
    save("cell1", arrays)
    with pytest.raises(InputError, match=told):
        loaded("gif_pozzorini")


def test_a_file_that_was_cut_off(save, loaded, folder):
    """Half an archive is refused by name."""
    path = save("cell1", gif_arrays())
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(InputError, match="cell1.npz: cannot be read as a numpy .npz file"):
        loaded("gif_pozzorini")


def test_an_empty_folder_says_what_was_wanted(loaded):
    """The sentence names the folder and the files of the set."""
    with pytest.raises(InputError, match="files: has no .*npz; wanted arrays V_volt"):
        loaded("gif_pozzorini")


def test_a_folder_that_is_not_there(tmp_path):
    """A folder that does not exist is named."""
    with pytest.raises(InputError, match="nowhere: no such folder; give the one that holds the original files"):
        ALL["gif_pozzorini"].recordings(tmp_path / "nowhere")


def challenge_b(rate, samples, columns, first=0.0):
    time = first + np.arange(samples) / rate
    return np.stack([time, np.full(samples, 100.0), np.full(samples, -70.0)], axis=1)[:, :columns].astype(np.float32)


def test_qsnmc_both_challenges(save, loaded, round_trip, steps):
    """A: repeats with their stimulus; B: sweeps by protocol and length, and currents whose voltage nobody published."""
    save(
        "challengeA",
        {
            "names": np.array(["00-0", "00-1", "05-0"]),
            "I_pA": np.full((3, 50), 250.0, np.float32),
            "V_mV": np.full((3, 50), -60.0, np.float32),
            "dt_ms": 1.0,
        },
    )
    save(
        "challengeB",
        {
            "C010302A1_IDRest_7__train": challenge_b(4000.0, 60, 3),
            "C010302A1_IDRest_8__train": challenge_b(4000.0, 60, 3),
            "C010302A1_SpikeRec_9__train": challenge_b(20000.0, 70, 3),
            "C010302A1_SpikeRec_10__train": challenge_b(20000.0, 90, 3),
            "C010302A1_sAHP_70__test": challenge_b(2000.0, 50, 2, 5e-4),
            "NEW_IDRest_1__train": challenge_b(4000.0, 60, 3),
        },
    )
    trees = loaded("qsnmc2007")
    assert list(trees) == ["challengeA", "challengeB_C010302A1", "challengeB_NEW"]
    noise = trees["challengeA"]["voltage"]
    assert list(noise["stimulus"].values) == ["00", "00", "05"] and list(noise["repeat"].values) == [0, 1, 0]
    np.testing.assert_allclose(noise["current"].values, 0.25)
    steps_of_b = round_trip(trees["challengeB_C010302A1"])
    kinds = recording.sweep_sets(steps_of_b)
    assert {path: (kind.sizes["sweep"], kind.attrs["sampling_hz"]) for path, kind in kinds.items()} == {
        "/voltage/IDRest": (2, 4000.0),
        "/voltage/SpikeRec_70": (1, 20000.0),
        "/voltage/SpikeRec_90": (1, 20000.0),
    }
    alone = recording.stimulus_of(steps_of_b, "sAHP_70")
    assert alone.unit == "nA" and alone.sampling_hz == 2000.0 and "never published" in alone.attributes["what"]
    assert steps(steps_of_b)["currents_without_voltage"] == ["sAHP_70"]
    assert recording.protocol_of(trees["challengeB_NEW"])["species"].status == "unreported"


def test_qsnmc_faults(save, loaded):
    """A key that does not read as CELL_PROTOCOL_SWEEP, and a table with a column too few."""
    path = save("challengeB", {"nonsense": challenge_b(4000.0, 60, 3)})
    with pytest.raises(InputError, match="challengeB.npz: has the key 'nonsense'; wanted CELL_PROTOCOL_SWEEP__train"):
        loaded("qsnmc2007")
    path.unlink()
    save("challengeB", {"C_IDRest_1__train": challenge_b(4000.0, 60, 2)})
    with pytest.raises(InputError, match=r"C_IDRest_1__train has the shape \(60, 2\); wanted \(samples, 3\)"):
        loaded("qsnmc2007")


def test_allen_celltypes_10(save, loaded, round_trip):
    """One sweep a file, with the edges of its step in seconds."""
    arrays = {"V_mV": np.full(100, -70.0, np.float32), "I_pA": np.full(100, 90.0, np.float32)}
    save("cell_123_sweep_4", {**arrays, "dt_ms": 0.02, "t_on_ms": 205.0, "t_off_ms": 1204.98})
    tree = loaded("allen_celltypes_10")["cell_123_sweep_4"]
    sweeps = round_trip(tree)["voltage"]
    assert sweeps.attrs["sampling_hz"] == 50_000.0 and list(sweeps["sweep"].values) == ["4"]
    np.testing.assert_allclose([sweeps["step_start"].values[0], sweeps["step_stop"].values[0]], [0.205, 1.20498])
    np.testing.assert_allclose(sweeps["current"].values, 0.09, rtol=1e-6)
    assert recording.protocol_of(tree)["species"].status == "unreported"


def test_herg_is_voltage_clamp(save, loaded, round_trip):
    """The command is shared by all cells, the current is measured, and the subtraction of the drug is told."""
    save("protocols_mV", {"sine_wave": np.full(30, -80.0, np.float32), "ap": np.full(20, 40.0, np.float32)})
    save("cell_1", {"sine_I_nA": np.ones(30, np.float32), "ap_I_nA": np.ones(20, np.float32)})
    save("cell_2", {"sine_I_nA": np.ones(30, np.float32)})
    trees = loaded("herg_sinewave")
    assert {name: sorted(recording.sweep_sets(tree)) for name, tree in trees.items()} == {
        "cell_1": ["/voltage/ap", "/voltage/sine_wave"],
        "cell_2": ["/voltage"],
    }
    stored = round_trip(trees["cell_1"])["voltage/sine_wave"]
    assert stored.attrs["clamp"] == "voltage" and float(stored["voltage"].values[0, 0]) == -80.0
    protocol = recording.protocol_of(trees["cell_1"])
    assert "minus dofetilide" in protocol["current_is"].value and protocol["temperature"].status == "unreported"


def test_herg_without_commands(save, loaded):
    """Currents without the command that evoked them are refused, and a current of another length too."""
    save("cell_1", {"sine_I_nA": np.ones(30, np.float32)})
    with pytest.raises(InputError, match="protocols_mV.npz: no such file; wanted the commands"):
        loaded("herg_sinewave")
    save("protocols_mV", {"sine_wave": np.zeros(31, np.float32), "ap": np.zeros(20, np.float32)})
    with pytest.raises(InputError, match=r"sine_I_nA has the shape \(30,\); wanted \(31\)"):
        loaded("herg_sinewave")
