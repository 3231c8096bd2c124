"""Planted defects: real trains with one thing made wrong, which a battery of tests must notice.

A test that misses a known defect cannot say that a twin is free of it (assay sensitivity).
"""

from collections.abc import Callable

import numpy as np

from twin.errors import InputError
from twin.judge.trains import SpikeTrains, bin_index


def with_jitter(trains: SpikeTrains, *, sd_s: float, seed: int) -> SpikeTrains:
    """Every spike moved by a Gaussian step of `sd_s` seconds; over the end of the stretch it comes in at the start."""
    rng = np.random.default_rng(seed)
    return _each(trains, lambda train: train + rng.normal(0.0, sd_s, train.size))


def without_refractoriness(trains: SpikeTrains, *, window_s: float = 0.05, seed: int) -> SpikeTrains:
    """Every spike put anew, uniformly, within its window of `window_s`: counts stay, the order of intervals is lost."""
    rng = np.random.default_rng(seed)
    n_windows = int(np.ceil(trains.duration_s / window_s))

    def scattered(train: np.ndarray) -> np.ndarray:
        opens = trains.start_s + window_s * bin_index(train, trains.start_s, window_s, n_windows)
        width = np.minimum(window_s, trains.stop_s - opens)
        return opens + width * rng.random(train.size)

    return _each(trains, scattered)


def with_rate_times(trains: SpikeTrains, factor: float) -> SpikeTrains:
    """The train run faster, and again from the start when it is over: rate times `factor`, same regularity.

    Raises:
        InputError: the factor is not above zero.
    """
    if not factor > 0:
        raise InputError(f"The rate factor is {factor}; give a number above zero, 1.2 for a rate 20 % too high.")
    rounds = np.arange(int(np.ceil(factor)))

    def faster(train: np.ndarray) -> np.ndarray:
        times = ((train - trains.start_s)[None, :] + rounds[:, None] * trains.duration_s).reshape(-1) / factor
        return trains.start_s + times[times < trains.duration_s]

    return _each(trains, faster)


PLANTED: dict[str, Callable[[SpikeTrains, int], SpikeTrains]] = {
    "defect_rate_up_20_percent": lambda trains, seed: with_rate_times(trains, 1.2),
    "defect_no_refractoriness": lambda trains, seed: without_refractoriness(trains, seed=seed),
    "defect_jitter_5_ms": lambda trains, seed: with_jitter(trains, sd_s=0.005, seed=seed),
}


def _each(trains: SpikeTrains, change: Callable[[np.ndarray], np.ndarray]) -> SpikeTrains:
    """The change applied to each trial, wrapped into the stretch and sorted."""
    wrapped = (trains.start_s + np.mod(change(trial) - trains.start_s, trains.duration_s) for trial in trains.trials)
    # A remainder can round up to the full length, which lies just outside of the stretch.
    inside = (np.minimum(times, np.nextafter(trains.stop_s, trains.start_s)) for times in wrapped)
    return SpikeTrains(tuple(np.sort(times) for times in inside), trains.start_s, trains.stop_s)
