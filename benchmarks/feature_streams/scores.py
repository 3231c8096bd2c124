"""Correlation by parcel, over the correlation that the generator allows, with intervals over subjects."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.feature_streams.generator import Scan
from twin.judge.inference import Interval, bootstrap

LAGS_S = range(-15, 16)


@dataclasses.dataclass(frozen=True)
class Row:
    """One model on some subjects.

    Attributes:
        model: name.
        correlation: mean over parcels, then subjects.
        interval: over subjects.
        share: of the ceiling's correlation.
    """

    model: str
    correlation: float
    interval: Interval
    share: float


def by_parcel(predicted: np.ndarray, response: np.ndarray) -> np.ndarray:
    """(parcel,) Pearson correlation over time; 0 where a prediction is constant."""
    x, y = predicted - predicted.mean(axis=0), response - response.mean(axis=0)
    size = np.sqrt((x * x).sum(axis=0) * (y * y).sum(axis=0))
    return np.where(size > 0, (x * y).sum(axis=0) / np.maximum(size, 1e-30), 0.0)


def rows(scans: Sequence[Scan], models: Mapping[str, Sequence[np.ndarray]], seed: int) -> list[Row]:
    """A row for the ceiling, which predicts the signal itself, and for each model (one prediction a subject)."""
    found = []
    signal = [one.signal for one in scans]
    best = _means(scans, signal)
    for name, predicted in {"ceiling": signal, **models}.items():
        means = _means(scans, predicted)
        terms = np.stack([means, np.ones_like(means)], axis=1)
        interval = bootstrap(lambda sums: sums[:, 0] / sums[:, 1], terms, unit="animal", seed=seed)
        found.append(Row(name, float(means.mean()), interval, float(means.mean() / best.mean())))
    return found


def _means(scans: Sequence[Scan], predicted: Sequence[np.ndarray]) -> np.ndarray:
    return np.array([by_parcel(one, scan.response).mean() for one, scan in zip(predicted, scans, strict=True)])


def best_lag_s(predicted: np.ndarray, response: np.ndarray) -> int:
    """By how many seconds a response comes later than what its streams predict: 0 where the two are on one clock."""
    reach = max(LAGS_S)
    middle = slice(reach, len(response) - reach)
    return max(
        LAGS_S, key=lambda lag: float(by_parcel(predicted[middle], np.roll(response, -lag, axis=0)[middle]).mean())
    )
