"""What each model predicts: trials that run free, and the expected rate that many trials of it have."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from biophys.calibrate import expected_count
from experiments.demo.fitting import FittingData
from experiments.demo.settings import Settings
from twin import recording
from twin.coupling import Twin
from twin.judge import Prediction, SpikeTrains
from twin.recording import Stimulus

BIN_S = 0.001
SMOOTHINGS = (0.5, 1.0, 2.0, 4.0)  # standard deviations, in windows


def choose_smoothing(twin: Twin, data: FittingData, key: Any) -> float:
    """The smoothing with which the trial average of a model predicts the validation part of recording 1 best."""
    settings = data.settings
    generated = twin.rollout(data.sound, key=key, trials=settings.trials + settings.rate_trials)
    times = recording.spike_times(generated)[settings.trials :]
    counts = data.validation.counts
    first = len(data.responses.counts) - len(counts)

    def gain(smoothing: float) -> float:
        expected = _expected(times, data.sound, smoothing, settings.window_s)[first:]
        return float(counts @ np.log(expected) - expected.sum())

    return max(SMOOTHINGS, key=gain)


def predict(twin: Twin, sound: Stimulus, smoothing: float, settings: Settings, key: Any):
    """The prediction of a model that generates spikes, and the recording of its judged trials.

    The expected rate is estimated from further trials, not from those that are judged.
    """
    generated = twin.rollout(sound, key=key, trials=settings.trials + settings.rate_trials)
    judged = recording.first_trials(generated, settings.trials)
    further = recording.spike_times(generated)[settings.trials :]
    expected = _expected(further, sound, smoothing, settings.window_s)
    return Prediction(trains_of(judged), to_rate_hz(expected, settings.window_s)), judged


def predict_poisson(expected: np.ndarray, sound: Stimulus, trials: int, window_s: float, random: np.random.Generator):
    """The prediction of a model that states its expected count in each window and has Poisson spikes."""
    starts = sound.start_s + window_s * np.arange(len(expected))
    drawn = []
    for _ in range(trials):
        counts = random.poisson(expected)
        times = np.repeat(starts, counts)
        drawn.append(np.sort(times + window_s * random.random(len(times))))
    return Prediction(SpikeTrains(tuple(drawn), sound.start_s, _stop(sound, window_s)), to_rate_hz(expected, window_s))


def to_rate_hz(expected: np.ndarray, window_s: float) -> np.ndarray:
    """Expected counts in windows as a rate in Hz in the judge's bins of 1 ms."""
    return expected.reshape(-1, round(BIN_S / window_s)).sum(axis=1) / BIN_S


def trains_of(generated) -> SpikeTrains:
    """The trials of a recording as the judge takes them."""
    return SpikeTrains(tuple(recording.spike_times(generated)), *recording.span(generated))


def _expected(times: list[np.ndarray], sound: Stimulus, smoothing: float, window_s: float) -> np.ndarray:
    edges = np.arange(round((_stop(sound, window_s) - sound.start_s) / window_s) + 1) * window_s + sound.start_s
    # A microsecond to the right, so that rounding puts no spike on an edge into the window before.
    raster = np.stack([np.histogram(trial + 1e-6, edges)[0] > 0 for trial in times])
    return np.asarray(expected_count(jnp.asarray(raster)[..., None, None], smoothing), np.float64)


def _stop(sound: Stimulus, window_s: float) -> float:
    samples = round(window_s * sound.sampling_hz)
    return sound.start_s + (len(sound.values) // samples) * window_s
