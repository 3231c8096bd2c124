"""Poisson regression of each unit on its own past and on the others, the simple method that a surrogate has to beat.

One regression a unit, ridge on standardised features, Newton's method with step halving. Features are those of the
published baselines: logarithms of counts in nine past lags, and of the mean count of all others and of the nearest.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

LAGS = ((1, 1), (2, 2), (3, 4), (5, 7), (8, 12), (13, 20), (21, 40), (41, 80), (81, 160))  # windows before, inclusive
AROUND = (-2, -1, 0, 1, 2)  # windows at which co-smoothing sees the others
NEAREST = 6
OTHERS_SCALE = 10.0  # the others' mean count m enters as log(1 + 10 m)
RIDGE = 10.0
LARGEST = float(np.log(10.0))  # of the logarithm of an expected count: 200 Hz

Counts = Float[np.ndarray, "window unit"]
Features = Float[np.ndarray, "window unit feature"]


@dataclasses.dataclass(frozen=True)
class Kind:
    """Which features a regression has.

    Attributes:
        own: the unit's own past.
        others_past: the others' past.
        others_around: the others at the same time, two windows before to two after.
    """

    own: bool = False
    others_past: bool = False
    others_around: bool = False


KINDS = {
    "glm_history": Kind(own=True),
    "glm_coupled": Kind(own=True, others_past=True),
    "glm_cosmooth": Kind(own=True, others_around=True),
}


def lag_sums(values: Counts) -> Features:
    """Sums over each of `LAGS` before a window; nothing is before the first."""
    n = len(values)
    total = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0, dtype=np.float64)])
    window = np.arange(n)
    sums = [total[np.clip(window - first + 1, 0, n)] - total[np.clip(window - last, 0, n)] for first, last in LAGS]
    return np.stack(sums, axis=-1).astype(np.float32)


def nearest(places_um: Float[np.ndarray, "2 unit"], n: int = NEAREST) -> Float[np.ndarray, "unit unit"]:
    """Row for each unit: equal weights on its `n` nearest units, and on those as near as the last of them."""
    apart = np.hypot(*(axis[:, None] - axis[None] for axis in places_um.astype(np.float64)))
    np.fill_diagonal(apart, np.inf)
    reach = np.sort(apart, axis=1)[:, min(n, len(apart) - 1) - 1]
    near = (apart <= reach[:, None] + 1e-3).astype(np.float64)
    return near / near.sum(axis=1, keepdims=True)


def features(counts: Counts, places_um: Float[np.ndarray, "2 unit"], kind: Kind) -> Features:
    """The features of every unit at every window."""
    others = (counts.sum(axis=1, keepdims=True) - counts) / (counts.shape[1] - 1)
    around = (others, counts @ nearest(places_um).T.astype(counts.dtype))
    parts = []
    if kind.own:
        parts.append(np.log1p(lag_sums(counts)))
    if kind.others_past:
        parts += [np.log1p(OTHERS_SCALE * lag_sums(one)) for one in around]
    if kind.others_around:
        parts += [np.log1p(OTHERS_SCALE * shifted(one, AROUND)) for one in around]
    return np.concatenate(parts, axis=-1).astype(np.float32)


def shifted(values: Counts, lags: tuple[int, ...]) -> Features:
    """Values so many windows later; zeros beyond the ends."""
    reach = max(map(abs, lags))
    padded = np.pad(values, ((reach, reach), (0, 0)))
    return np.stack([padded[reach + lag : reach + lag + len(values)] for lag in lags], axis=-1)


def predict(
    counts: Counts,
    places_um: Float[np.ndarray, "2 unit"],
    n_train: int,
    kind: Kind,
    progress: Callable[[float], None] = lambda share: None,
) -> Counts:
    """Logarithm of the expected count of every window, from regressions on the first `n_train`."""
    found = standardised(features(counts, places_um, kind), n_train)
    logs = np.empty(counts.shape, np.float32)
    for unit in range(counts.shape[1]):
        logs[:, unit] = _of_unit(found[:, unit], counts[:, unit], n_train)
        progress((unit + 1) / counts.shape[1])
    return np.minimum(logs, LARGEST)


def _of_unit(features_of: np.ndarray, counts_of: np.ndarray, n_train: int) -> np.ndarray:
    design = np.concatenate([np.ones((len(features_of), 1), np.float32), features_of], axis=1)
    start = np.zeros(design.shape[1])
    start[0] = np.log(max(counts_of[:n_train].mean(), 1e-6))
    penalty = np.full(design.shape[1], RIDGE)
    penalty[0] = 0.0
    weights = newton(design[:n_train], counts_of[:n_train].astype(np.float32), start, penalty)
    return design @ weights.astype(np.float32)


def standardised(values: Features, n_train: int) -> Features:
    """Less the mean and over the deviation of the first `n_train` windows; a feature that does not vary stays 0."""
    mean, deviation = values[:n_train].mean(axis=0), values[:n_train].std(axis=0)
    return (values - mean) / np.where(deviation > 0, deviation, 1.0).astype(np.float32)


def newton(
    design: Float[np.ndarray, "window column"],
    counts: Float[np.ndarray, " window"],
    start: Float[np.ndarray, " column"],
    penalty: Float[np.ndarray, " column"],
    offset: Float[np.ndarray, " window"] | None = None,
    steps: int = 25,
) -> Float[np.ndarray, " column"]:
    """The weights with the largest Poisson log-likelihood less penalty * weight^2 / 2.

    Args:
        design: float32.
        counts: float32.
        start: weights to start from.
        penalty: of each weight.
        offset: added to the logarithm of the expected count.
        steps: at the most; it stops where the objective falls by less than one in 10^5.
    """
    shift = np.zeros(len(counts), np.float32) if offset is None else offset.astype(np.float32)

    def looked(weights: np.ndarray) -> tuple[float, np.ndarray]:
        log_mean = np.minimum(design @ weights.astype(np.float32) + shift, 20.0)
        mean = np.exp(log_mean)
        loss = float(mean.sum(dtype=np.float64)) - float(counts.astype(np.float64) @ log_mean)
        return loss + 0.5 * float(penalty @ weights**2), mean

    weights, (loss, mean) = start, looked(start)
    for _ in range(steps):
        slope = design.T @ (mean - counts) + penalty * weights
        curvature = (design * mean[:, None]).T @ design + np.diag(penalty + 1e-6)
        step, size = np.linalg.solve(curvature, slope), 1.0
        new_loss, new_mean = looked(weights - step)
        while new_loss > loss and size > 1e-3:
            size /= 2.0
            new_loss, new_mean = looked(weights - size * step)
        if new_loss > loss:
            break
        weights, fallen = weights - size * step, loss - new_loss
        loss, mean = new_loss, new_mean
        if fallen < 1e-5 * abs(loss):
            break
    return weights
