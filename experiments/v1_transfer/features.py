"""What a linear readout is offered: bands of features, one for each kind of input."""

import numpy as np
from jaxtyping import Float

from experiments.v1_transfer.mice import Mouse
from experiments.v1_transfer.ridge import Chosen

Band = Float[np.ndarray, "trial time feature"]
TIME_STEP_S = 0.25  # between bumps over the time of a trial, and their standard deviation
LAGS = range(-4, 9)  # of the behaviour, windows; positive lags are the past
CLIP = 6.0  # deviations: one test trial of mrcuts28 has behaviour far outside of what training saw


def bumps(values: np.ndarray, centres: np.ndarray, deviation: float) -> np.ndarray:
    """Gaussian bumps of height 1 as a last axis."""
    return np.exp(-0.5 * ((values[..., None] - centres) / deviation) ** 2)


def clock(mouse: Mouse) -> Band:
    """Bumps over the time of the trial."""
    start, stop = mouse.time_s[0], mouse.time_s[-1]
    basis = bumps(mouse.time_s, np.arange(start, stop + 0.5 * TIME_STEP_S, TIME_STEP_S), TIME_STEP_S)
    return np.repeat(basis[None], len(mouse.direction), axis=0)


def direction_by_time(mouse: Mouse, directions: np.ndarray) -> Band:
    """Bumps over the time of the trial, apart for each direction."""
    common = clock(mouse)
    return np.concatenate([common * (mouse.direction == one)[:, None, None] for one in directions], axis=-1)


def behaviour(mouse: Mouse, trials: np.ndarray) -> Band:
    """Pupil and speed at all lags, and their means over the trial, in deviations of what `trials` hold.

    Beyond the ends of a trial the last value is held.
    """
    columns = []
    for values in mouse.behaviour.values():
        columns += [held(values, lag) for lag in LAGS]
        columns.append(np.repeat(values.mean(axis=1, keepdims=True), values.shape[1], axis=1))
    stacked = np.stack(columns, axis=-1).astype(np.float64)
    seen = stacked[trials]
    deviation = seen.std(axis=(0, 1))
    scaled = (stacked - seen.mean(axis=(0, 1))) / np.where(deviation > 0, deviation, 1.0)
    return np.clip(scaled, -CLIP, CLIP)


def trial_index(mouse: Mouse, n_bumps: int) -> Band:
    """Bumps over the number of the trial: slow drift, and nothing else."""
    n, n_times = len(mouse.direction), len(mouse.time_s)
    basis = bumps(np.arange(n), np.linspace(0, n - 1, n_bumps), (n - 1) / (n_bumps - 1))
    return np.repeat(basis[:, None], n_times, axis=1)


def held(values: np.ndarray, lag: int) -> np.ndarray:
    """(trial, time) values `lag` windows earlier; the first or last value is held."""
    n = values.shape[1]
    return values[:, np.clip(np.arange(n) - lag, 0, n - 1)]


def moved(values: np.ndarray, lag: int) -> np.ndarray:
    """(trial, time, neuron) values `lag` windows earlier; 0 where there is none."""
    result, n = np.zeros_like(values), values.shape[1]
    if lag >= 0:
        result[:, lag:] = values[:, : n - lag]
    else:
        result[:, :lag] = values[:, -lag:]
    return result


def past(values: np.ndarray, n_lags: int) -> Float[np.ndarray, "trial time neuron lag"]:
    """Each neuron's own last `n_lags` windows; 0 before the start of the trial, which is the mean."""
    return np.stack([moved(values, lag) for lag in range(1, n_lags + 1)], axis=-1)


def shared_gain(
    values: np.ndarray, chosen: Chosen, trials: np.ndarray, asked: np.ndarray
) -> Float[np.ndarray, "trial time neuron 2"]:
    """What the other neurons do beyond a model of each, in the same window, alone and times the neuron's own model.

    Args:
        values: (trial, time, neuron).
        chosen: the model: of `trials` by fits that had not seen them, and of `asked`. Other trials stay 0.
        trials: that may be fitted.
        asked: trials to predict.
    """
    expected, beyond = np.zeros_like(values), np.zeros_like(values)
    expected[trials], expected[asked] = chosen.validation, chosen.predicted
    residual = values - expected
    scaled = residual / np.maximum(residual[trials].std(axis=(0, 1)), 1e-12)
    some = np.concatenate([trials, asked])
    n_others = max(values.shape[-1] - 1, 1)
    beyond[some] = (scaled[some].sum(axis=-1, keepdims=True) - scaled[some]) / n_others
    return np.stack([beyond, beyond * expected], axis=-1)


def neighbours(values: np.ndarray) -> tuple[Band, Band]:
    """All neurons one window before and after together, and their means over the trial."""
    mean = np.repeat(values.mean(axis=1, keepdims=True), values.shape[1], axis=1)
    return moved(values, 1) + moved(values, -1), mean
