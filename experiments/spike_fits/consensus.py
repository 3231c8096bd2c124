"""One spike train out of many: where most of the predictions of an ensemble agree that there is a spike."""

from collections.abc import Sequence

import numpy as np

from experiments.spike_fits.trains import WINDOW_S, Repeats

_STEP_S = 0.0005
_LEAST_SHARE = 0.05  # of the trains; fewer agreeing ones are never worth a spike
SHARES = np.arange(0.15, 0.75, 0.05)


def consensus(trains: Sequence[np.ndarray], stop_s: float) -> np.ndarray:
    """The train that agrees best with all of an ensemble, s; nothing of the recorded cell enters.

    Candidates are the places where the most trains have a spike within the window, each at the mean time of those
    spikes, which are then taken away. A share of agreement is the least that makes a spike: the one that gives the
    highest mean coincidence factor with the ensemble itself. Averaging over fits that are about equally good takes out
    what each of them learnt by heart.

    Args:
        trains: of different fits, or of trials of a model with noise; sorted, s.
        stop_s: end of the stretch.
    """
    candidates = _candidates(trains, stop_s)
    ensemble = Repeats.cut(trains, 0.0, stop_s)
    best, chosen = -np.inf, np.zeros(0)
    for share in SHARES:
        train = np.sort([time for agreed, time in candidates if agreed >= share])
        score = float(ensemble.gamma(Repeats.cut([train], 0.0, stop_s)).mean())
        if score > best:
            best, chosen = score, train
    return chosen


def _candidates(trains: Sequence[np.ndarray], stop_s: float) -> list[tuple[float, float]]:
    """(share of trains that agree, time) of each place, each spike being used once."""
    n, reach = int(np.ceil(stop_s / _STEP_S)) + 1, round(WINDOW_S / _STEP_S)
    number = np.zeros(n)
    for train in trains:
        np.add.at(number, np.minimum((train / _STEP_S).astype(np.int64), n - 1), 1.0)
    window = np.ones(2 * reach + 1)
    agreeing = np.convolve(number, window, mode="same") / len(trains)
    found: list[tuple[float, float]] = []
    while True:
        peak = float(agreeing.max())
        if peak < _LEAST_SHARE:
            return found
        at = int(np.argmax(agreeing))
        first, last = max(at - reach, 0), min(at + reach + 1, n)
        inside = number[first:last]
        found.append((peak, float((np.arange(first, last) + 0.5) @ inside / inside.sum() * _STEP_S)))
        number[first:last] = 0.0
        around = slice(max(first - reach, 0), min(last + reach, n))
        wider = slice(max(around.start - reach, 0), min(around.stop + reach, n))
        fresh = np.convolve(number[wider], window, mode="same") / len(trains)
        agreeing[around] = fresh[around.start - wider.start :][: around.stop - around.start]
