"""The coincidence factor on a real neuron that was given the same frozen noise nine times."""

from itertools import permutations

import numpy as np
import pytest

from twin.judge import coincidence_factor


def repeats(recordings) -> list[np.ndarray]:
    """Spike times s of the nine repeats: upward crossings of 0 mV at 10 kHz."""
    stored = np.load(recordings / "gif_pozzorini" / "cell3_frozen_noise.npz")
    crossed = (stored["V_volt"][:, 1:] >= 0) & (stored["V_volt"][:, :-1] < 0)
    return [np.flatnonzero(one) * float(stored["dt_s"]) for one in crossed]


@pytest.mark.parametrize(
    ("start_s", "stop_s", "counts", "at_4_ms", "at_2_ms"),
    [(0.0, 8.0, (95, 101), 0.795, 0.741), (8.0, 12.0, (45, 50), 0.783, 0.753)],
)
def test_reliability_of_a_pyramidal_cell(recordings, start_s, stop_s, counts, at_4_ms, at_2_ms):
    """Mean over ordered pairs of repeats, against figures that were computed for this recording by other code."""
    trains = [one[(one >= start_s) & (one < stop_s)] - start_s for one in repeats(recordings)]
    assert (min(map(len, trains)), max(map(len, trains))) == counts
    for window_s, expected in ((0.004, at_4_ms), (0.002, at_2_ms)):
        pairs = [
            coincidence_factor(real, other, duration_s=stop_s - start_s, window_s=window_s).value
            for real, other in permutations(trains, 2)
        ]
        assert np.mean(pairs) == pytest.approx(expected, abs=0.003)
