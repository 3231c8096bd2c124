"""What a classifier sees of a spike train: one row of features for each short window."""

import numpy as np
from jaxtyping import Float

from twin.errors import InputError
from twin.judge.trains import bin_index, whole_multiple

# Edges of the interval bands, milliseconds: absolute refractoriness, bursts, and the decades above.
BAND_EDGES_MS = (2.0, 5.0, 10.0, 20.0, 50.0)
FEATURES = (
    "count",
    "interval_mean_s",
    "interval_sd_s",
    "interval_min_s",
    "interval_max_s",
    *(f"intervals_below_{edge:g}_ms" for edge in BAND_EDGES_MS),
    "neighbour_contrast",
    "lag_one_product",
    "first_spike_latency_s",
    "last_spike_to_end_s",
)


def window_features(
    train: np.ndarray, start_s: float, stop_s: float, window_s: float = 0.2
) -> Float[np.ndarray, "window feature"]:
    """Features of consecutive windows, in the order of `FEATURES`.

    Only intervals whose two spikes lie in the window count, so that no window knows of its neighbours. There is no NaN:
    in a window without a spike both latencies are the window; without an interval, mean, minimum and maximum are
    the window ("at least that long") and all else 0; without two intervals, what needs a neighbour is 0.

    Args:
        train: sorted spike times, seconds, in [start_s, stop_s).
        start_s: where the first window opens, seconds.
        stop_s: where the last window closes, seconds.
        window_s: width of a window, seconds.

    Raises:
        InputError: the stretch is not a whole number of windows.
    """
    n_windows = whole_multiple(stop_s - start_s, window_s, length="the stretch", part="windows")
    if not np.all(np.isfinite(train)) or np.any(np.diff(train) < 0):
        raise InputError("The train is not sorted or holds a NaN; pass np.sort of finite times, in seconds.")
    edges = np.searchsorted(bin_index(train, start_s, window_s, n_windows), np.arange(n_windows + 1))
    opens_s = start_s + window_s * np.arange(n_windows)
    rows = [_features(train[a:b] - opens, window_s) for a, b, opens in zip(edges[:-1], edges[1:], opens_s, strict=True)]
    return np.array(rows)


def _features(spikes_s: np.ndarray, window_s: float) -> np.ndarray:
    """One row; `spikes_s` counts from the opening of the window."""
    isi = np.diff(spikes_s)
    row = np.zeros(len(FEATURES))
    row[0] = spikes_s.size
    row[[1, 3, 4]] = window_s
    row[-2:] = window_s
    if spikes_s.size:
        row[-2:] = spikes_s[0], window_s - spikes_s[-1]
    if isi.size:
        row[1:5] = np.mean(isi), np.std(isi), np.min(isi), np.max(isi)
        row[5:-4] = np.searchsorted(np.sort(isi), 1e-3 * np.array(BAND_EDGES_MS)) / isi.size
    if isi.size >= 2:
        total = isi[1:] + isi[:-1]
        contrast = np.divide(isi[1:] - isi[:-1], total, out=np.zeros_like(total), where=total > 0)
        deviation = (isi - np.mean(isi)) / window_s
        row[-4:-2] = np.mean(np.abs(contrast)), np.mean(deviation[1:] * deviation[:-1])
    return row
