"""Spike trains are checked once, at the border."""

import numpy as np
import pytest

from twin.errors import InputError
from twin.judge.trains import SpikeTrains, bin_counts, whole_multiple


def test_a_spike_on_an_edge_belongs_to_the_bin_that_the_edge_opens():
    """Clock-aligned spikes fall in their own bins although their floating-point times lie a hair beside the edges."""
    train = np.arange(1000) * 0.001
    np.testing.assert_array_equal(bin_counts(train, 0.0, 0.001, 1000), np.ones(1000))
    np.testing.assert_array_equal(bin_counts(train + 7.3, 7.3, 0.005, 200), np.full(200, 5))


def test_a_spike_just_before_the_end_is_in_the_last_bin():
    """The tolerance at edges never pushes a spike out of the stretch."""
    train = np.array([np.nextafter(10.0, 0.0)])
    assert bin_counts(train, 0.0, 1.0, 10)[-1] == 1
    assert bin_counts(np.array([10.0]), 0.0, 1.0, 10).sum() == 0


@pytest.mark.parametrize(
    ("times", "message"),
    [([0.2, 0.1], "not sorted"), ([0.1, np.nan], "NaN"), ([0.1, 150.0], "milliseconds"), ([[0.1]], "one-dimensional")],
)
def test_a_train_that_is_no_train_is_refused(times, message):
    """Each refusal says what was found and what to do."""
    with pytest.raises(InputError, match=message):
        SpikeTrains((np.array(times),), 0.0, 1.0)


def test_trains_do_not_share_memory_with_the_caller():
    """Changing the caller's array later does not change the trains, and the trains cannot be written to."""
    times = np.array([0.1, 0.2])
    trains = SpikeTrains((times,), 0.0, 1.0)
    times[0] = 0.15
    assert trains.trials[0][0] == 0.1
    with pytest.raises(ValueError, match="read-only"):
        trains.trials[0][0] = 0.0


def test_a_cut_keeps_the_half_open_stretch_and_refuses_what_was_not_recorded():
    """A spike at the closing edge is left out, and a stretch beyond the recording is an error, not silence."""
    trains = SpikeTrains((np.array([0.1, 0.5, 0.9]),), 0.0, 1.0)
    np.testing.assert_array_equal(trains.between(0.1, 0.9).trials[0], [0.1, 0.5])
    with pytest.raises(InputError, match="choose a stretch inside"):
        trains.between(0.5, 1.5)


def test_widths_that_do_not_fit_are_refused_with_a_length_that_does():
    """10.3 s is no whole number of 1 s blocks; the message offers 10 s."""
    assert whole_multiple(10.0, 0.2, length="the stretch", part="windows") == 50
    with pytest.raises(InputError, match="cut it to 10 s"):
        whole_multiple(10.3, 1.0, length="the stretch", part="blocks")
