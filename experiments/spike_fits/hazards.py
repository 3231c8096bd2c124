"""What an escape-noise model expects of each millisecond, given the spikes before it: bits per spike."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float

from biophys.models.model import NeuronModel
from experiments.spike_fits.history_glm import BIN_S, SILENT
from experiments.spike_fits.simulate import forced
from experiments.spike_fits.trains import Figure
from twin.judge import bits_per_spike, percentile_interval, resampling_weights

N_RESAMPLES = 1000


def expected_counts(
    model: NeuronModel,
    values: Mapping[str, float],
    current_na: Float[np.ndarray, "repeat time"],
    spikes: Bool[np.ndarray, "repeat time"],
    dt_s: float,
) -> Float[np.ndarray, "repeat bin"]:
    """Expected spikes in bins of 1 ms, as the history GLM has them: from the spikes of all earlier bins alone.

    A recorded spike acts on the model from the end of its bin, so that nothing within a bin says whether or when there
    was one. One spike at the most fits a bin: the expected number is 1 - exp(-integral of the hazard).
    """
    per_bin = round(BIN_S / dt_s)
    n_bins = current_na.shape[1] // per_bin
    moved = np.zeros_like(spikes)
    fired = spikes[:, : n_bins * per_bin].reshape(len(spikes), n_bins, per_bin).any(axis=2)
    moved[:, per_bin - 1 : n_bins * per_bin : per_bin] = fired
    hazard = forced(model, values, current_na, moved, dt_s).hazard_hz[:, : n_bins * per_bin]
    integral = dt_s * hazard.reshape(len(spikes), n_bins, per_bin).sum(axis=2)
    return np.maximum(-np.expm1(-integral), SILENT)


def bits(
    counts: Float[np.ndarray, "repeat bin"],
    expected: Float[np.ndarray, "repeat bin"],
    stretch: tuple[float, float],
    seed: int,
) -> Figure:
    """Bits per spike over the mean rate of the evaluated spikes; the interval resamples repeats."""
    used = slice(round(stretch[0] / BIN_S), round(stretch[1] / BIN_S))
    seen, rate = counts[:, used], expected[:, used]
    value = bits_per_spike(seen, rate, np.full(seen.shape, seen.mean()))
    sums = np.stack(
        [(seen * np.log(rate)).sum(axis=1), rate.sum(axis=1), seen.sum(axis=1), np.full(len(seen), seen.shape[1])]
    )
    weights = resampling_weights(len(seen), N_RESAMPLES, seed).astype(np.float64)
    fit, total, number, n_bins = sums @ weights.T
    values = (fit - total - number * np.log(number / n_bins) + number) / (number * np.log(2.0))
    return Figure(value, percentile_interval(values, len(seen), unit="trial", level=0.95))


def paired_bits(
    counts: np.ndarray, first: np.ndarray, second: np.ndarray, stretch: tuple[float, float], seed: int
) -> Figure:
    """Bits per spike of the first model less those of the second, on the same repeats."""
    used = slice(round(stretch[0] / BIN_S), round(stretch[1] / BIN_S))
    seen = counts[:, used]
    gain = (seen * np.log(first[:, used] / second[:, used]) - (first[:, used] - second[:, used])).sum(axis=1)
    number = seen.sum(axis=1)
    weights = resampling_weights(len(seen), N_RESAMPLES, seed).astype(np.float64)
    values = weights @ gain / (weights @ number) / np.log(2.0)
    return Figure(
        float(gain.sum() / number.sum() / np.log(2.0)), percentile_interval(values, len(seen), unit="trial", level=0.95)
    )
