"""What each model predicts: trials that run free, and the expected rate that many trials of it have."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from biophys.calibrate import expected_count
from experiments.demo.fitting import FittingData
from experiments.demo.settings import Settings
from twin import recording
from twin.coupling import Twin
from twin.judge import Prediction, SpikeTrains, bits_per_spike
from twin.recording import Stream

BIN_S = 0.001
SMOOTHINGS = (0.5, 1.0, 2.0, 4.0)  # standard deviations, in windows


def choose_smoothing(twin: Twin, data: FittingData, key: Any) -> tuple[float, float]:
    """The smoothing with which the trial average of a model predicts the validation part best, and how well it does.

    Returns:
        Standard deviation in windows, and bits per spike on the validation part of recording 1.
    """
    settings = data.settings
    generated = twin.rollout(data.sound, key=key, trials=settings.trials + settings.rate_trials)
    times = recording.spike_times(generated)[settings.trials :]
    first = len(data.responses.counts) - len(data.validation.counts)
    bits = {
        smoothing: validation_bits(_expected(times, data.sound, smoothing, settings.window_s)[first:], data)
        for smoothing in SMOOTHINGS
    }
    best = max(bits, key=bits.__getitem__)
    return best, bits[best]


def validation_bits(expected: np.ndarray, data: FittingData) -> float:
    """Bits per spike of expected counts on the validation part of recording 1, beyond its mean rate."""
    counts = data.validation.counts
    return float(bits_per_spike(counts, expected, np.full(len(counts), counts.mean())))


def predict(twin: Twin, sound: Stream, smoothing: float, settings: Settings, key: Any):
    """The prediction of a model that generates spikes, and the recording of its judged trials.

    The expected rate is estimated from further trials, not from those that are judged.
    """
    generated = twin.rollout(sound, key=key, trials=settings.trials + settings.rate_trials)
    judged = recording.first_trials(generated, settings.trials)
    further = recording.spike_times(generated)[settings.trials :]
    expected = _expected(further, sound, smoothing, settings.window_s)
    return Prediction(trains_of(judged), to_rate_hz(expected, settings.window_s)), judged


def predict_poisson(expected: np.ndarray, sound: Stream, trials: int, window_s: float, random: np.random.Generator):
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


def _expected(times: list[np.ndarray], sound: Stream, smoothing: float, window_s: float) -> np.ndarray:
    edges = np.arange(round((_stop(sound, window_s) - sound.start_s) / window_s) + 1) * window_s + sound.start_s
    # A microsecond to the right, so that rounding puts no spike on an edge into the window before.
    raster = np.stack([np.histogram(trial + 1e-6, edges)[0] > 0 for trial in times])
    return np.asarray(expected_count(jnp.asarray(raster)[..., None, None], smoothing), np.float64)


def _stop(sound: Stream, window_s: float) -> float:
    samples = round(window_s * sound.rate_hz)
    return sound.start_s + (len(sound.values) // samples) * window_s
