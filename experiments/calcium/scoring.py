"""Figures of every model, and their intervals."""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from experiments.calcium.models import FROM_FIRST_HALF, FROM_OTHERS, REFERENCE, Predicted
from experiments.calcium.predicting import by_cell, by_data_set, correlation, part
from twin.judge import Interval
from twin.judge.inference import percentile_interval

LEVELS = (0.5, 0.8, 0.95)
HALF_WIDTHS = (0.6745, 1.2816, 1.9600)
ALL, SECOND, NEXT = "all frames", "second half", "second half, earlier frames known"
R = "single_trial_correlation"
Values = Mapping[str, np.ndarray]
Row = dict[str, str | int | float | None]


@dataclasses.dataclass(frozen=True)
class Figure:
    """A value with its interval."""

    value: float
    interval: Interval


@dataclasses.dataclass(frozen=True)
class Figures:
    """All of one split.

    Attributes:
        cells: (condition, model) -> cell -> correlation.
        table: (condition, model, metric) -> median over data sets (or mean, for what is no correlation).
        sets: (condition, model) -> data set -> median of its cells.
        coverage: cell -> share of frames within the 50, 80 and 95 % intervals, given earlier frames.
        coverage_spikes: the same from the spikes alone.
    """

    cells: Mapping[tuple[str, str], Mapping[str, float]]
    table: Mapping[tuple[str, str, str], Figure]
    sets: Mapping[tuple[str, str], Mapping[str, Figure]]
    coverage: Mapping[str, np.ndarray]
    coverage_spikes: Mapping[str, np.ndarray]


def score(predicted: Predicted, horizon_s: float, n: int, seed: int) -> Figures:
    """All figures of one split."""
    corpus, cells = predicted.corpus, {}
    for model in (*FROM_OTHERS, REFERENCE):
        cells[ALL, model] = by_cell(corpus, predicted.traces[model], late=False)
    for model in (*FROM_OTHERS, *FROM_FIRST_HALF):
        cells[SECOND, model] = by_cell(corpus, predicted.traces[model], late=True)
    cells[ALL, "ceiling"] = _by_cell(predicted, {n: _white_ceiling(one.dff) for n, one in enumerate(corpus.segments)
                                                 if one.is_scored(slice(None))}, late=False)  # fmt: skip
    cells |= _known_past(predicted, horizon_s)
    table = {(*key, R): over_sets(by_data_set(one), n, seed) for key, one in cells.items()}
    sets = {key: {name: _median(one, n, seed) for name, one in by_data_set(cells[key]).items()} for key in cells}
    for model, name in (("adapted", "log_prob"), ("adapted_white_noise", "white")):
        each = {f.segment: float(getattr(f, name).mean()) for f in predicted.forecasts}
        table[NEXT, model, "log_prob"] = over_sets(by_data_set(_by_cell(predicted, each, late=True)), n, seed)
    covered = _coverage(predicted, "next_frame", "deviation"), _coverage(predicted, "spikes_only", "spikes_deviation")
    for condition, one in zip((NEXT, SECOND), covered, strict=True):
        for index, level in enumerate(LEVELS):
            values = by_data_set({cell: float(shares[index]) for cell, shares in one.items()})
            table[condition, "adapted", f"coverage_{100 * level:.0f}"] = over_sets(values, n, seed)
    return Figures(cells, table, sets, *covered)


def _known_past(predicted: Predicted, horizon_s: float) -> dict[tuple[str, str], dict[str, float]]:
    """With the fluorescence up to the frame before, or up to the horizon before; and a held last value beside it."""
    each: dict[tuple[str, str], dict[int, float]] = {}
    later = f"second half, frames known until {horizon_s:g} s before"
    for one in predicted.forecasts:
        segment = predicted.corpus.segments[one.segment]
        frames = part(segment, late=True)
        value = segment.dff[frames]
        for condition, trace, lag in (
            (NEXT, one.next_frame, 1),
            (later, one.ahead, max(1, round(horizon_s / segment.frame_s))),
        ):
            held = np.concatenate([np.full(lag, segment.dff[0]), segment.dff])[: len(segment.dff)][frames]
            each.setdefault((condition, "adapted"), {})[one.segment] = correlation(value, trace)
            each.setdefault((condition, "no_change"), {})[one.segment] = correlation(value, held)
    return {key: _by_cell(predicted, values, late=True) for key, values in each.items()}


def _by_cell(predicted: Predicted, each: Mapping[int, float], late: bool) -> dict[str, float]:
    """Frame-weighted mean over the segments of each cell."""
    gathered: dict[str, list[tuple[float, int]]] = {}
    for number, value in each.items():
        segment = predicted.corpus.segments[number]
        gathered.setdefault(segment.cell, []).append((value, len(segment.dff[part(segment, late)])))
    return {cell: float(np.average([v for v, _ in one], weights=[n for _, n in one])) for cell, one in gathered.items()}


def _white_ceiling(value: np.ndarray) -> float:
    """The largest r that noise of single frames leaves: its variance is half that of successive differences."""
    power = float(value.var())
    return math.sqrt(max(0.0, 1.0 - 0.5 * float(np.diff(value).var()) / power)) if power > 0 else 0.0


def _coverage(predicted: Predicted, mean: str, deviation: str) -> dict[str, np.ndarray]:
    shares: dict[str, list[np.ndarray]] = {}
    for one in predicted.forecasts:
        segment = predicted.corpus.segments[one.segment]
        away = np.abs(segment.dff[part(segment, late=True)] - getattr(one, mean)) / getattr(one, deviation)
        shares.setdefault(segment.cell, []).append(np.array([away <= width for width in HALF_WIDTHS]))
    return {cell: np.concatenate(one, axis=1).mean(axis=1) for cell, one in shares.items()}


def over_sets(values: Values, n: int, seed: int) -> Figure:
    """Median over data sets of the median over cells; resampled are data sets, and cells within them."""
    value = float(np.median([np.median(one) for one in values.values()]))
    return Figure(value, percentile_interval(_resampled(values, n, seed), len(values), unit="session"))


def _resampled(values: Values, n: int, seed: int) -> np.ndarray:
    random, lists = np.random.default_rng(seed), list(values.values())
    medians = np.array([np.median(random.choice(one, (n, len(one))), axis=1) for one in lists])
    chosen = random.integers(len(lists), size=(n, len(lists)))
    return np.median(medians[chosen, np.arange(n)[:, None]], axis=1)


def _median(values: np.ndarray, n: int, seed: int) -> Figure:
    random = np.random.default_rng(seed)
    draws = np.median(random.choice(values, (n, len(values))), axis=1)
    return Figure(float(np.median(values)), percentile_interval(draws, len(values), unit="session"))


def paired(figures: Figures, condition: str, model: str, other: str, n: int, seed: int) -> Figure:
    """Median over data sets of the cells' median difference of two models."""
    first, second = figures.cells[condition, model], figures.cells[condition, other]
    return over_sets(by_data_set({cell: value - second[cell] for cell, value in first.items()}), n, seed)


def rows(scored: Mapping[str, Figures]) -> list[Row]:
    """The rows of report.json: medians over data sets; each set is on the page, and each cell in the store.

    The reference that saw what it is scored on is no score.
    """
    out = []
    for split, figures in scored.items():
        for (condition, model, metric), one in figures.table.items():
            if model != REFERENCE:
                out.append(_row(split, f"median of data sets, {condition}", model, metric, one))
    return out


def _row(split: str, condition: str, model: str, metric: str, one: Figure) -> Row:
    interval = one.interval
    return {
        "split": split,
        "condition": condition,
        "model": model,
        "metric": metric,
        "value": finite(one.value),
        "low": finite(interval.low),
        "high": finite(interval.high),
        "n": interval.n,
        "unit": interval.unit,
    }


def finite(value: float) -> float | None:
    """None for what is no number."""
    return float(value) if math.isfinite(value) else None
