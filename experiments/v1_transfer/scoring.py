"""Figures of every model on every mouse, paired over mice and neurons, and their intervals."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from experiments.v1_transfer.reliability import Reliability, correlation, feve, of_response
from experiments.v1_transfer.transfer import LeftOut
from twin.judge.inference import Interval, percentile_interval

FLATTENED, WITHIN, VARIANCE, FEVE = (
    "single_trial_correlation",
    "within_trial_correlation",
    "explained_variance",
    "feve",
)
METRICS = (FLATTENED, WITHIN, VARIANCE)
MEAN, CEILING = "mean_of_mice", "ceiling"
Row = dict[str, str | int | float | None]


@dataclasses.dataclass(frozen=True)
class Figure:
    """A value and its interval."""

    value: float
    interval: Interval


@dataclasses.dataclass(frozen=True, eq=False)
class Figures:
    """All of them.

    Attributes:
        neurons: (split, amount, model, metric) -> one array (neuron) for each mouse, in the order of `mice`.
        table: (split, condition, amount, model, metric) -> figure; the condition is a mouse or `MEAN`.
        mice: names.
        reliability: of each mouse.
        resamples: of every interval.
        seed: of them.
    """

    neurons: dict[tuple[str, str, str, str], list[np.ndarray]]
    table: dict[tuple[str, str, str, str, str], Figure]
    mice: tuple[str, ...]
    reliability: Mapping[str, Reliability]
    resamples: int
    seed: int

    def value(self, model: str, metric: str, *, amount: str = "full", condition: str = MEAN) -> float:
        """A figure of the test split."""
        return self.table["test", condition, amount, model, metric].value

    def has(self, model: str, metric: str, *, amount: str = "full", condition: str = MEAN) -> bool:
        """Whether the test split has that figure."""
        return ("test", condition, amount, model, metric) in self.table

    def difference(
        self, first: tuple[str, str], second: tuple[str, str], metric: str, *, condition: str = MEAN
    ) -> Figure:
        """(model, amount) less another, paired over mice and neurons of the test split, or over those of one mouse."""
        ones, others = (self.neurons["test", amount, model, metric] for model, amount in (first, second))
        differences = [a - b for a, b in zip(ones, others, strict=True)]
        if condition == MEAN:
            return over_mice(differences, self.resamples, self.seed)
        return over_neurons(differences[self.mice.index(condition)], self.resamples, self.seed)


def score(left_out: Sequence[LeftOut], resamples: int, seed: int) -> Figures:
    """All figures; the scored trials are compared here, after everything was fitted and chosen."""
    reliability = {one.mouse.name: of_response(one.mouse) for one in left_out}
    figures = Figures({}, {}, tuple(reliability), reliability, resamples, seed)
    for one in left_out:
        _collect(figures, "test", one, one.predicted)
        _collect(figures, "validation", one, one.validation)
    for (split, amount, model, metric), values in figures.neurons.items():
        figures.table[split, MEAN, amount, model, metric] = over_mice(values, resamples, seed)
        for name, own in zip(figures.mice, values, strict=True):
            figures.table[split, name, amount, model, metric] = over_neurons(own, resamples, seed)
    _feve(figures, left_out)
    ceilings = [one.single_trial for one in reliability.values()]
    for name, own in zip(figures.mice, ceilings, strict=True):
        figures.table["test", name, "full", CEILING, FLATTENED] = over_neurons(own, resamples, seed)
    figures.table["test", MEAN, "full", CEILING, FLATTENED] = over_mice(ceilings, resamples, seed)
    return figures


def _collect(figures: Figures, split: str, one: LeftOut, predictions: Mapping[tuple[str, str], np.ndarray]) -> None:
    trials = {"full": one.mouse.fitted, "quarter": one.mouse.quarter}
    for (amount, model), predicted in predictions.items():
        recorded = one.mouse.activity[one.mouse.scored if split == "test" else trials[amount]]
        for metric, values in by_neuron(recorded, predicted).items():
            figures.neurons.setdefault((split, amount, model, metric), []).append(values)


def by_neuron(recorded: np.ndarray, predicted: np.ndarray) -> dict[str, np.ndarray]:
    """The metrics of (trial, time, neuron) predictions, each (neuron).

    Flattened: one correlation over all trials and windows. Within trial: over the windows of a trial, then the mean
    over trials. A constant prediction counts 0. Explained variance: 1 - MSE / variance over the same points.
    """
    n = recorded.shape[-1]
    error = ((recorded - predicted) ** 2).mean(axis=(0, 1))
    return {
        FLATTENED: correlation(recorded.reshape(-1, n), predicted.reshape(-1, n), axis=0),
        WITHIN: correlation(recorded, predicted, axis=1).mean(axis=0),
        VARIANCE: 1.0 - error / np.maximum(recorded.var(axis=(0, 1)), 1e-12),
    }


def _feve(figures: Figures, left_out: Sequence[LeftOut]) -> None:
    for one in left_out:
        if not figures.reliability[one.mouse.name].testable:
            continue
        recorded, direction = one.mouse.activity[one.mouse.scored], one.mouse.direction[one.mouse.scored]
        for (amount, model), predicted in one.predicted.items():
            value = feve(recorded, predicted, direction)
            random = np.random.default_rng(figures.seed)
            drawn = [
                feve(recorded[..., some], predicted[..., some], direction)
                for some in random.integers(0, recorded.shape[-1], (min(figures.resamples, 500), recorded.shape[-1]))
            ]
            low, high = (float(np.quantile(drawn, tail)) for tail in (0.025, 0.975))
            interval = Interval(low, high, recorded.shape[-1], "neuron")
            figures.table["test", one.mouse.name, amount, model, FEVE] = Figure(value, interval)


def over_neurons(values: np.ndarray, resamples: int, seed: int) -> Figure:
    """Mean over the neurons of one mouse; the interval resamples neurons."""
    drawn = np.random.default_rng(seed).integers(0, len(values), (resamples, len(values)))
    means = values[drawn].mean(axis=1)
    low, high = (float(np.quantile(means, tail)) for tail in (0.025, 0.975))
    return Figure(float(values.mean()), Interval(low, high, len(values), "neuron"))


def over_mice(values: Sequence[np.ndarray], resamples: int, seed: int) -> Figure:
    """Mean over mice of the mean over neurons; the interval resamples mice, and neurons within each.

    With one mouse there is no interval over mice.
    """
    random, n = np.random.default_rng(seed), len(values)
    # One set of neurons is drawn for each place among the resampled mice.
    means = np.stack(
        [
            np.stack([own[random.integers(0, len(own), (resamples, len(own)))].mean(axis=1) for own in values])
            for _ in range(n)
        ]
    )
    chosen = random.integers(0, n, (resamples, n))
    drawn = np.mean([means[place, chosen[:, place], np.arange(resamples)] for place in range(n)], axis=0)
    return Figure(float(np.mean([own.mean() for own in values])), percentile_interval(drawn, n, unit="animal"))


def rows(figures: Figures) -> list[Row]:
    """The rows of report.json; of the validation split the mean of mice alone."""
    return [
        {
            "split": split,
            "condition": condition if amount == "full" else f"{condition}_{amount}",
            "model": model,
            "metric": metric,
            "value": float(one.value),
            "low": finite(one.interval.low),
            "high": finite(one.interval.high),
            "n": one.interval.n,
            "unit": one.interval.unit,
        }
        for (split, condition, amount, model, metric), one in figures.table.items()
        if split == "test" or condition == MEAN
    ]


def finite(value: float) -> float | None:
    """The value, or None where there is none."""
    return float(value) if math.isfinite(value) else None
