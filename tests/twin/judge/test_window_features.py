"""Window features: hand-worked rows, and no NaN anywhere."""

import numpy as np
import pytest

from twin.errors import InputError
from twin.judge import FEATURES, window_features


def row_of(train, at):
    return dict(zip(FEATURES, window_features(np.array(train), 0.0, 0.4, 0.2)[at], strict=True))


def test_hand_worked_window():
    """Spikes at 10, 13 and 33 ms of a 200 ms window: two intervals, of 3 and 20 ms."""
    row = row_of([0.21, 0.213, 0.233], 1)
    assert row["count"] == 3
    assert row["interval_mean_s"] == pytest.approx(0.0115)
    assert row["interval_sd_s"] == pytest.approx(0.0085)
    assert row["interval_min_s"] == pytest.approx(0.003)
    assert row["interval_max_s"] == pytest.approx(0.020)
    assert row["intervals_below_2_ms"] == 0.0
    assert row["intervals_below_5_ms"] == 0.5
    assert row["intervals_below_50_ms"] == 1.0
    assert row["neighbour_contrast"] == pytest.approx(17 / 23)
    assert row["lag_one_product"] == pytest.approx(-((0.0085 / 0.2) ** 2))
    assert row["first_spike_latency_s"] == pytest.approx(0.01)
    assert row["last_spike_to_end_s"] == pytest.approx(0.167)


def test_a_window_stands_alone():
    """The interval that crosses the border of two windows belongs to neither."""
    row = row_of([0.19, 0.21], 0)
    assert row["count"] == 1
    assert row["interval_min_s"] == pytest.approx(0.2)


def test_an_empty_window_is_filled_as_documented():
    """Without a spike the latencies and intervals are the window, and all else is 0."""
    row = row_of([], 0)
    filled = {"interval_mean_s", "interval_min_s", "interval_max_s", "first_spike_latency_s", "last_spike_to_end_s"}
    assert {name for name, value in row.items() if value == 0.2} == filled
    assert all(value == 0.0 for name, value in row.items() if name not in filled)


def test_features_are_finite_for_every_density():
    """From silence to 1 kHz, with doubled spikes, there is one finite row for each window."""
    rng = np.random.default_rng(0)
    for n in (0, 1, 2, 3, 50, 10_000):
        train = np.sort(np.repeat(rng.uniform(0.0, 10.0, n), 2))
        rows = window_features(train, 0.0, 10.0, 0.2)
        assert rows.shape == (50, len(FEATURES))
        assert np.all(np.isfinite(rows))


def test_a_stretch_that_is_cut_short_is_refused():
    """A last window that is not whole would look like a silent one."""
    with pytest.raises(InputError, match="whole number"):
        window_features(np.array([0.1]), 0.0, 0.5, 0.2)
