"""What is to be reproduced: spikes off a voltage, parts, repeats, other steps, and what is refused."""

import numpy as np
import pytest

from biophys.calibrate import Target, target_of
from biophys.calibrate.problem import step_of
from biophys.models import ALL
from twin import recording
from twin.errors import InputError


def sweeps(n_sweeps: int = 2, n: int = 1000, **options) -> Target:
    """A voltage that passes 0 mV upwards between samples 199 and 200, as a recording, read back."""
    voltage = np.full((n_sweeps, n), -60.0)
    voltage[:, 200:205] = 20.0
    current = np.arange(n_sweeps * n, dtype=float).reshape(n_sweeps, n)
    return target_of(recording.from_voltage(voltage, 10_000.0, name="cell", current_na=current), **options)


def test_a_crossing_has_the_time_of_its_step():
    """An upward crossing between samples 199 and 200 is a spike in step 199, at 19.9 ms: Brian2's convention."""
    target = sweeps(spike_threshold_mv=0.0)
    assert target.spike_times_s is not None
    np.testing.assert_allclose(target.spike_times_s[0][0], [0.0199])
    assert np.flatnonzero(target.raster()[0]).tolist() == [199]


def test_a_recording_s_own_spikes_are_taken_without_a_threshold():
    """Trial k is sweep k, and times count from the first sample."""
    voltage = recording.from_voltage(np.zeros((1, 100)), 1000.0, name="c", current_na=np.zeros((1, 100)), start_s=2.0)
    spikes = recording.from_spikes([[np.array([2.01, 2.05])]], start_s=2.0, stop_s=2.1, name="c")
    target = target_of(recording.join(voltage, spikes))
    np.testing.assert_allclose(target.trains("a test")[0][0], [0.01, 0.05])


def test_a_part_is_cut_at_its_end_and_keeps_its_beginning():
    """What comes before the scored stretch still drives the model; what comes after is gone."""
    part = sweeps(spike_threshold_mv=0.0).part(["1"], 0.03, 0.05)
    assert part.sweeps == ("1",) and part.n_steps == 500 and part.scored.sum() == 200 and not part.scored[:300].any()
    with pytest.raises(InputError, match="has no sweep 7; it has 0, 1"):
        sweeps().part(["7"])
    with pytest.raises(InputError, match="0.06 to 0.05 s were to be compared of sweeps of 0.05 s"):
        sweeps().part(stop_s=0.05, start_s=0.06)


def test_repeats_are_merged_by_stimulus():
    """Sweeps of one stimulus become one, with the mean current and all trains."""
    target = sweeps(3, spike_threshold_mv=0.0).merged(["a", "b", "a"])
    assert target.sweeps == ("a", "b") and target.voltage_mv is None and target.spike_times_s is not None
    assert [len(one) for one in target.spike_times_s] == [2, 1]
    np.testing.assert_allclose(target.current_na[0], sweeps(3).current_na[[0, 2]].mean(axis=0))


def test_other_steps_hold_or_average_the_current():
    """Half the step holds each sample twice and compares the voltage at samples; twice the step averages pairs."""
    target = sweeps()
    fine, coarse = target.at_step(5e-5), target.at_step(2e-4)
    np.testing.assert_allclose(fine.current_na[0, :4], np.repeat(target.current_na[0, :2], 2))
    assert fine.voltage_mv is not None and np.isnan(fine.voltage_mv[0, 1::2]).all()
    np.testing.assert_allclose(coarse.current_na[0, :2], target.current_na[0, :4].reshape(2, 2).mean(axis=1))
    assert target.at_step(1e-4) is target
    with pytest.raises(InputError, match="sampled every 0.1 ms and the model was to step by 0.07 ms.*of 0.05 ms fits"):
        target.at_step(7e-5)


def test_the_step_fits_the_samples():
    """The model's own step is rounded to the samples, and samples too far apart for it are refused."""
    target = sweeps()
    assert step_of(target, ALL["adex"], None) == pytest.approx(5e-5)
    assert step_of(target, ALL["lif"], None) == pytest.approx(1e-4)
    assert step_of(target.at_step(2e-5), ALL["lif"], None) == pytest.approx(1e-4)
    assert step_of(target.at_step(2.5e-4 / 5), ALL["lif"], 2e-4) == pytest.approx(2e-4)
    slow = Target("slow", 0.01, np.zeros((1, 10)), None, None, ("0",), (0.0, 0.1))
    with pytest.raises(InputError, match="slow: is sampled every 10 ms.*sampled at 500 Hz or more"):
        step_of(slow, ALL["lif"], None)


def test_what_is_no_current_clamp_is_refused():
    """Voltage clamp, no current, several kinds of sweeps, and a current with gaps."""
    voltage = np.zeros((1, 10))
    clamped = recording.from_voltage(voltage, 1e4, name="vc", current_na=voltage, clamp="voltage")
    with pytest.raises(InputError, match="vc: has sweeps of voltage clamp"):
        target_of(clamped)
    with pytest.raises(InputError, match="wanted current clamp with voltage and current"):
        target_of(recording.from_voltage(voltage, 1e4, name="no current"))
    kinds = {name: recording.Sweeps(1e4, voltage, voltage) for name in ("steps", "ramps")}
    with pytest.raises(InputError, match="wanted one kind of sweeps and found steps, ramps; name one of them"):
        target_of(recording.from_sweeps(kinds, name="two kinds"))
    assert target_of(recording.from_sweeps(kinds, name="two kinds"), kind="ramps").n_steps == 10


def test_needs_of_objectives_are_named():
    """An objective that needs spikes or voltage says so of a target without."""
    target = sweeps()
    with pytest.raises(
        InputError, match="cell: Coincidence needs spikes, and none are in the recording: give spike_th"
    ):
        target.trains("Coincidence")
    silent = sweeps(spike_threshold_mv=0.0).part(start_s=0.05)
    with pytest.raises(InputError, match="there is none between 0.05 and 0.1 s"):
        silent.trains("Coincidence")
    with pytest.raises(InputError, match="TraceError needs a recorded voltage"):
        sweeps(spike_threshold_mv=0.0).merged(["a", "b"]).voltage("TraceError")
