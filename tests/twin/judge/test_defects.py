"""Planted defects change the one thing that they name."""

import numpy as np
import pytest

from twin.errors import InputError
from twin.judge import statistics
from twin.judge.defects import PLANTED, with_jitter, with_rate_times, without_refractoriness
from twin.judge.trains import SpikeTrains


def regular(seed=0):
    intervals = 0.004 + np.random.default_rng(seed).gamma(4.0, 0.0015, 4000)
    train = 2.0 + np.cumsum(intervals)
    return SpikeTrains((train[train < 32.0],), 2.0, 32.0)


def test_a_faster_train_has_more_spikes_of_the_same_regularity():
    """Rate times 1.2 and, below 1, times .5; CV stays; one seam may break the refractory time."""
    trains = regular()
    for factor in (0.5, 1.2, 2.5):
        changed = with_rate_times(trains, factor).trials[0]
        assert changed.size == pytest.approx(factor * trains.trials[0].size, rel=0.03)
        cv = statistics.coefficient_of_variation(trains.trials[0])
        assert statistics.coefficient_of_variation(changed) == pytest.approx(cv, rel=0.05)
    with pytest.raises(InputError):
        with_rate_times(trains, 0.0)


def test_scattered_spikes_lose_refractoriness_and_keep_their_counts():
    """Counts in 50 ms windows are untouched, and intervals below 4 ms appear."""
    trains = regular()
    changed = without_refractoriness(trains, seed=1)
    before = statistics.window_counts(trains.trials[0], 2.0, 32.0, 0.05)
    np.testing.assert_array_equal(statistics.window_counts(changed.trials[0], 2.0, 32.0, 0.05), before)
    assert statistics.refractory_violation_fraction(trains.trials[0], 0.004) == 0.0
    assert statistics.refractory_violation_fraction(changed.trials[0], 0.004) > 0.2


def test_jitter_keeps_every_spike_in_the_stretch():
    """No spike is lost at the ends, and the typical step is the one asked for."""
    trains = regular()
    changed = with_jitter(trains, sd_s=0.0005, seed=2)
    assert changed.trials[0].size == trains.trials[0].size
    steps = changed.trials[0] - trains.trials[0]
    assert np.std(steps[np.abs(steps) < 0.01]) == pytest.approx(0.0005, rel=0.1)


def test_every_planted_defect_makes_valid_trains_of_empty_ones():
    """A silent recording is no reason to fall over."""
    silent = SpikeTrains((np.array([]),), 0.0, 1.0)
    for plant in PLANTED.values():
        assert plant(silent, 0).trials[0].size == 0
