"""The history GLM: a rate that is the exponential of the filtered current and of the filtered own spikes."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy import signal

BIN_S = 0.001
N_COSINES, CURRENT_S, HISTORY_S, DEAD_BINS = 14, 0.15, 0.5, 3
RIDGES = (0.1, 1.0, 10.0, 100.0)
SILENT = 1e-9  # expected spikes of a bin within the dead time
_HIGHEST = 1.0  # of the log rate of a bin: a spike is certain long before


def cosines(n: int, n_bins: int) -> Float[np.ndarray, "bin cosine"]:
    """Raised cosines of the logarithm of the lag (Pillow et al. 2008, Nature 454:995), the first at lag 0."""
    lag = np.log(np.arange(n_bins) + 1.0)
    centres = np.linspace(lag[0], lag[-1], n)
    width = centres[1] - centres[0]
    return 0.5 * (1.0 + np.cos(np.clip((lag[:, None] - centres) * np.pi / (2.0 * width), -np.pi, np.pi)))


@dataclasses.dataclass(frozen=True)
class HistoryGlm:
    """A fitted model.

    Attributes:
        weights: constant, current, history (none where the model has no memory).
        current_mean: subtracted from the current, nA.
        with_history: whether the own spikes matter, with a dead time of 3 ms.
        ridge: penalty that was chosen.
    """

    weights: Float[np.ndarray, " weight"]
    current_mean: float
    with_history: bool
    ridge: float

    @property
    def n_current(self) -> int:
        """Weights of constant and current."""
        return 1 + N_COSINES

    def drive(self, current_na: Float[np.ndarray, " bin"]) -> Float[np.ndarray, " bin"]:
        """The log rate without history."""
        return _current_columns(current_na - self.current_mean) @ self.weights[: self.n_current]

    def expected(
        self, current_na: np.ndarray, counts: Float[np.ndarray, "repeat bin"]
    ) -> Float[np.ndarray, "repeat bin"]:
        """Expected spikes of each bin, given the spikes of all earlier bins."""
        log_rate = np.broadcast_to(self.drive(current_na), counts.shape).copy()
        if not self.with_history:
            return np.exp(np.minimum(log_rate, _HIGHEST))
        log_rate += np.stack([_history_columns(row) @ self.weights[self.n_current :] for row in counts])
        rate = np.exp(np.minimum(log_rate, _HIGHEST))
        return np.where(np.stack([_dead(row) for row in counts]), SILENT, rate)

    def trials(self, current_na: np.ndarray, n: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Spike times, s, of trials that run freely, at the middle of their bin."""
        drive = self.drive(current_na)
        kernel = cosines(N_COSINES, round(HISTORY_S / BIN_S)) @ self.weights[self.n_current :]
        kernel[:DEAD_BINS] = -np.inf
        memory = np.zeros((n, len(drive) + len(kernel) + 1))
        spikes = np.zeros((n, len(drive)), bool)
        for at, value in enumerate(drive):
            chance = -np.expm1(-np.exp(np.minimum(value + memory[:, at], _HIGHEST)))
            spikes[:, at] = rng.random(n) < chance
            if spikes[:, at].any():
                memory[spikes[:, at], at + 1 : at + 1 + len(kernel)] += kernel
        return tuple((np.flatnonzero(row) + 0.5) * BIN_S for row in spikes)


def fit_glm(
    current_na: Float[np.ndarray, " bin"],
    counts: Float[np.ndarray, "repeat bin"],
    train: tuple[float, float],
    validation: tuple[float, float],
    with_history: bool = True,
) -> HistoryGlm:
    """Fit with the ridge that the validation stretch prefers, then again on both stretches with that ridge.

    Args:
        current_na: mean of the repeats in bins of 1 ms.
        counts: spikes in the same bins.
        train: start and stop of the stretch that is fitted, s.
        validation: of the one that chooses.
        with_history: whether the own spikes matter.
    """
    scores = {}
    for ridge in RIDGES:
        model = _fit(current_na, counts, train, ridge, with_history)
        chosen = _bins(validation)
        rate, seen = model.expected(current_na, counts)[:, chosen], counts[:, chosen]
        scores[ridge] = float(np.sum(seen * np.log(rate) - rate))
    best = max(scores, key=lambda ridge: scores[ridge])
    return _fit(current_na, counts, (train[0], validation[1]), best, with_history)


def counts_of(trains: Sequence[np.ndarray], n_bins: int) -> Float[np.ndarray, "repeat bin"]:
    """Spikes in bins of 1 ms."""
    index = [np.floor(train / BIN_S + 1e-6).astype(np.int64) for train in trains]
    return np.stack([np.bincount(one[one < n_bins], minlength=n_bins) for one in index]).astype(np.float64)


def _bins(stretch: tuple[float, float]) -> slice:
    return slice(round(stretch[0] / BIN_S), round(stretch[1] / BIN_S))


def _fit(
    current_na: np.ndarray, counts: np.ndarray, stretch: tuple[float, float], ridge: float, with_history: bool
) -> HistoryGlm:
    """Newton's method on the Poisson likelihood, columns of unit deviation, a constant that is not penalised."""
    mean = float(current_na.mean())
    shared = _current_columns(current_na - mean)
    used, rows, seen = _bins(stretch), [], []
    for row in counts:
        columns = np.hstack([shared, _history_columns(row)]) if with_history else shared
        alive = ~_dead(row)[used] if with_history else np.ones(used.stop - used.start, bool)
        rows.append(columns[used][alive])
        seen.append(row[used][alive])
    weights = poisson_regression(np.concatenate(rows), np.concatenate(seen), ridge)
    return HistoryGlm(weights, mean, with_history, ridge)


def poisson_regression(columns: np.ndarray, counts: np.ndarray, ridge: float, n_steps: int = 60) -> np.ndarray:
    """Weights of an exponential rate of most likelihood less ridge / 2 times the squared weights of unit columns.

    The first column is the constant. Newton's method with steps of limited length.
    """
    scale = columns.std(axis=0)
    scale = np.where(scale > 1e-12, scale, 1.0)
    centre = columns.mean(axis=0)
    scale[0], centre[0] = 1.0, 0.0
    unit = (columns - centre) / scale
    penalty = np.full(unit.shape[1], ridge)
    penalty[0] = 0.0
    weights = np.zeros(unit.shape[1])
    weights[0] = np.log(max(float(counts.mean()), 1e-12))
    for _ in range(n_steps):
        rate = np.exp(np.clip(unit @ weights, -40.0, _HIGHEST))
        slope = unit.T @ (counts - rate) - penalty * weights
        curvature = (unit * rate[:, None]).T @ unit + np.diag(penalty + 1e-9)
        step = np.linalg.solve(curvature, slope)
        largest = float(np.abs(step).max())
        weights = weights + step * min(1.0, 3.0 / largest)
        if largest < 1e-6:
            break
    weights = weights / scale
    weights[0] -= float(weights[1:] @ centre[1:])
    return weights


def _current_columns(current: np.ndarray) -> np.ndarray:
    basis = cosines(N_COSINES, round(CURRENT_S / BIN_S))
    seen = [signal.lfilter(column, [1.0], current) for column in basis.T]
    return np.stack([np.ones_like(current), *seen], axis=1)


def _history_columns(counts: np.ndarray) -> np.ndarray:
    basis = cosines(N_COSINES, round(HISTORY_S / BIN_S))
    before = np.concatenate([[0.0], counts[:-1]])
    return np.stack([signal.lfilter(column, [1.0], before) for column in basis.T], axis=1)


def _dead(counts: np.ndarray) -> np.ndarray:
    before = np.concatenate([[0.0], counts[:-1]])
    return signal.lfilter(np.ones(DEAD_BINS), [1.0], before) > 0
