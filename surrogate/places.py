"""Where units look on a video, read off the recording before training: a place that is about right is soon exact.

Each unit's responses are correlated with the video, a few windows back. Images of nature vary most at low frequencies,
which would smear the map, so the Laplacian of the frames is taken, which undoes that: it is the spike-triggered average
of an image that is nearly white (Theunissen et al. 2001, doi 10.1088/0954-898X_12_3_304). Squared correlations are
summed over lags, and the place is their centre of mass after a power that favours the peak. Where there is no peak, as
for too few data, it stays near the middle.
"""

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter

from surrogate.batches.session import Session
from twin.split import Segment

LAGS = 6  # windows
PIECE = 512  # windows that are in memory at a time
PIECES = 128  # of each recording, at most
PEAK = 8  # power of the map
BLUR = 0.075  # of the map, in heights or widths, whichever is less


def places_of(session: Session, segments: tuple[Segment, ...], video: str) -> Float[np.ndarray, "unit 2"]:
    """Where each unit looks: x and y, -1 to 1 from the middle of the first to that of the last pixel.

    Args:
        session: the recording; without the video, or in shorter pieces than `LAGS`, all units are in the middle.
        segments: of its training part.
        video: the stimulus stream.
    """
    if ("stimulus", video) not in session.streams:
        return np.zeros((session.n_units, 2), np.float32)
    starts = [(one, start) for one in segments for start in range(one.start, one.stop, PIECE)]
    sums = _Sums()
    for segment, start in starts[:: max(1, -(-len(starts) // PIECES))]:
        windows = session.read(segment.trial, start, min(start + PIECE, segment.stop))
        sums.add(laplacian(windows.streams["stimulus", video]), windows.response)
    if sums.parts is None:
        return np.zeros((session.n_units, 2), np.float32)
    return _centres(sums.squared_correlations())


def laplacian(frames: Float[np.ndarray, "time height width *channel"]) -> Float[np.ndarray, "time height width"]:
    """Each pixel less the mean of its four neighbours, of which the edge has itself."""
    grey = frames.reshape(*frames.shape[:3], -1).mean(axis=-1)
    padded = np.pad(grey, ((0, 0), (1, 1), (1, 1)), mode="edge")
    around = padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1] + padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:]
    return grey - 0.25 * around


class _Sums:
    """What correlations at every lag are made of, added up piece by piece."""

    def __init__(self) -> None:
        self.parts: list[np.ndarray] | None = None

    def add(self, frames: np.ndarray, response: np.ndarray) -> None:
        """Consecutive frames (time, height, width) and responses (time, unit)."""
        x, y = frames.astype(np.float64).reshape(len(frames), -1), response.astype(np.float64)
        self.shape, found = frames.shape[1:], []
        for lag in range(min(LAGS, len(x))):
            early, late = x[: len(x) - lag], y[lag:]
            found.append((late.T @ early, early.sum(0), late.sum(0), (early**2).sum(0), (late**2).sum(0), len(early)))
        if len(found) == LAGS:
            new = [np.array(one) for one in zip(*found, strict=True)]
            self.parts = new if self.parts is None else [a + b for a, b in zip(self.parts, new, strict=True)]

    def squared_correlations(self) -> Float[np.ndarray, "unit height width"]:
        """Summed over lags; zeros where a unit or a pixel does not vary."""
        assert self.parts is not None
        xy, x, y, xx, yy, n = self.parts
        n = n[:, None]
        covariance = xy / n[..., None] - (y / n)[:, :, None] * (x / n)[:, None]
        variances = (yy / n - (y / n) ** 2)[:, :, None] * (xx / n - (x / n) ** 2)[:, None]
        squared = np.divide(covariance**2, variances, out=np.zeros_like(covariance), where=variances > 1e-12)
        return squared.sum(axis=0).reshape(-1, *self.shape)


def _centres(maps: np.ndarray) -> np.ndarray:
    height, width = maps.shape[1:]
    smooth = np.stack([gaussian_filter(one, BLUR * min(height, width)) for one in maps])
    highest = np.maximum(smooth.max(axis=(1, 2), keepdims=True), 1e-30)
    weight = (smooth / highest) ** PEAK + 1e-30
    total = weight.sum(axis=(1, 2))
    down, across = np.linspace(-1, 1, height)[None, :, None], np.linspace(-1, 1, width)[None, None]
    return np.stack([(weight * one).sum(axis=(1, 2)) / total for one in (across, down)], axis=1).astype(np.float32)
