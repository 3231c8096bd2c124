"""Figures of every model on every stimulus, and the claims that follow from them."""

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np

from experiments.qsnmc.fitting import ESCAPE_NAME, VOTE, Predicted
from experiments.qsnmc.stimuli import Stimuli
from experiments.spike_fits import trains
from experiments.spike_fits.trains import Figure, Repeats
from twin.judge import Claim, Interval
from twin.judge.verdicts import not_testable_claim

if TYPE_CHECKING:
    from experiments.qsnmc.experiment import Found

BEST_SIMPLE, BLOCK_S = 0.70, 2.0  # mean of three left-out stimuli, adaptive LIF with moving threshold
HANDED_IN = "another_stimulus"
Row = dict[str, str | int | float | None]
Key = tuple[str, str, str, str]  # split, stimulus, model, metric


@dataclasses.dataclass(frozen=True)
class Figures:
    """All of them.

    Attributes:
        table: (split, stimulus, model, metric) -> figure; stimulus "mean" is the mean of those with repeatable times.
        restarts: split -> stimulus -> model -> Gamma / intrinsic of each restart.
        rates_hz: split -> stimulus -> the recorded rate.
        reliability: split -> stimulus -> intrinsic Gamma.
    """

    table: dict[Key, Figure]
    restarts: dict[str, dict[str, dict[str, list[float]]]]
    rates_hz: dict[str, dict[str, float]]
    reliability: dict[str, dict[str, float]]

    @property
    def singles(self) -> tuple[str, ...]:
        """Models of which a single fit predicts spike times."""
        models = dict.fromkeys(model for _, _, model, metric in self.table if metric == "rate_error")
        return tuple(model for model in models if model not in (VOTE, ESCAPE_NAME))

    @property
    def models(self) -> tuple[str, ...]:
        """All that predict."""
        return VOTE, *self.singles, ESCAPE_NAME

    def value(self, split: str, stimulus: str, model: str, metric: str) -> float:
        """One figure."""
        return self.table[split, stimulus, model, metric].value


def score(found: "Found") -> Figures:
    """All figures."""
    figures = Figures({}, {}, {}, {})
    for split, predicted in found.predicted.items():
        stimuli = found.of(split)
        figures.rates_hz[split] = {name: stimuli.real(name).rate_hz for name in predicted}
        figures.reliability[split] = {name: stimuli.reliability(name) for name in predicted}
        figures.restarts[split] = {}
        for name, one in predicted.items():
            _rates(figures, split, name, stimuli, one)
            if stimuli.is_testable(name):
                _times(figures, split, name, stimuli, one, found.seed)
                _handed_in(figures, split, name, stimuli, found)
        _means(figures, split, [name for name in predicted if stimuli.is_testable(name)])
    return figures


def _rates(figures: Figures, split: str, name: str, stimuli: Stimuli, predicted: Predicted) -> None:
    real = stimuli.real(name)
    spread = [len(train) / real.duration_s for train in real.trains]
    interval = Interval(min(spread), max(spread), len(spread), "trial")
    figures.table[split, name, "ceiling", "rate_hz"] = Figure(real.rate_hz, interval)
    every = {model: list(each) for model, each in predicted.trains().items() if model != VOTE}
    # a vote has no rate of its own where spike times do not repeat: nothing agrees there
    every[VOTE] = [train for each in predicted.restarts.values() for train in each] + list(predicted.trials)
    for model, each in every.items():
        rate = float(np.mean([len(train) for train in each])) / real.duration_s
        figures.table[split, name, model, "rate_hz"] = _plain(rate, len(each))
        figures.table[split, name, model, "rate_error"] = _plain(rate / real.rate_hz - 1.0, len(each))


def _times(figures: Figures, split: str, name: str, stimuli: Stimuli, predicted: Predicted, seed: int) -> None:
    real = stimuli.real(name)
    figures.table[split, name, "ceiling", "coincidence_factor"] = trains.intrinsic(real, seed)
    for model, each in predicted.trains().items():
        cut = Repeats.cut(each, real.start_s, real.stop_s)
        figures.table[split, name, model, "coincidence_factor"] = trains.coincidence(real, cut, seed)
        figures.table[split, name, model, "relative_coincidence"] = trains.relative_by_blocks(real, cut, BLOCK_S, seed)
        figures.table[split, name, model, "md_star"] = trains.md_star(real, cut, seed, model != ESCAPE_NAME)
    intrinsic = figures.value(split, name, "ceiling", "coincidence_factor")
    figures.restarts[split][name] = {
        model: [float(real.gamma(Repeats.cut([one], real.start_s, real.stop_s)).mean()) / intrinsic for one in each]
        for model, each in predicted.restarts.items()
    }


def _handed_in(figures: Figures, split: str, name: str, stimuli: Stimuli, found: "Found") -> None:
    """The best of the trains that the cell itself had under another stimulus: the stimuli share their noise."""
    real, best = stimuli.real(name), None
    others = [found.stimuli.real(one) for one in found.stimuli.names if stimuli is not found.stimuli or one != name]
    for other in others:
        if math.isclose(other.duration_s, real.duration_s):
            one = trains.relative_by_blocks(real, other, BLOCK_S, found.seed)
            best = one if best is None or one.value > best.value else best
    if best is not None:
        figures.table[split, name, HANDED_IN, "relative_coincidence"] = best


def _means(figures: Figures, split: str, testable: list[str]) -> None:
    """Mean over stimuli; its interval combines the stimuli's own, which share no blocks."""
    models = dict.fromkeys(model for where, _, model, metric in figures.table if where == split)
    for model in models:
        each = [figures.table.get((split, name, model, "relative_coincidence")) for name in testable]
        known = [one for one in each if one is not None]
        if len(known) == len(testable) and known:
            value = float(np.mean([one.value for one in known]))
            low = value - math.sqrt(sum((one.value - one.interval.low) ** 2 for one in known)) / len(known)
            high = value + math.sqrt(sum((one.interval.high - one.value) ** 2 for one in known)) / len(known)
            n = sum(one.interval.n for one in known)
            figures.table[split, "mean", model, "relative_coincidence"] = Figure(value, Interval(low, high, n, "block"))


def _plain(value: float, n: int) -> Figure:
    return Figure(value, Interval(math.nan, math.nan, n, "trial"))


def rows(figures: Figures) -> list[Row]:
    """The rows of report.json."""
    return [
        {
            "split": split,
            "condition": f"stimulus_{stimulus}" if stimulus != "mean" else "mean_of_repeatable_stimuli",
            "model": model,
            "metric": metric,
            "value": _finite(one.value),
            "low": _finite(one.interval.low),
            "high": _finite(one.interval.high),
            "n": one.interval.n,
            "unit": one.interval.unit,
        }
        for (split, stimulus, model, metric), one in figures.table.items()
    ]


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def claims(found: "Found", figures: Figures) -> list[Claim]:
    """All claims."""
    separation = "other mean and deviation, same noise"
    every = [_beats(figures, split, separation) for split in found.predicted if split != "train"]
    every += [_rate(figures, found, split, separation) for split in found.predicted if split != "train"]
    new_noise = not_testable_claim(
        "L1",
        "fits_predict_new_noise",
        unit="block",
        separation="other noise",
        reason="the noisy stimuli are one realisation, scaled: a stimulus that was left out is no new noise",
    )
    return [*every, new_noise]


def _beats(figures: Figures, split: str, separation: str) -> Claim:
    name = f"{split}_stimuli_beat_the_best_simple_method_in_spike_times"
    one = figures.table.get((split, "mean", VOTE, "relative_coincidence"))
    if one is None:
        return not_testable_claim(
            "L1", name, unit="block", separation=separation, reason="no stimulus has spike times that repeat"
        )
    handed = figures.table.get((split, "mean", HANDED_IN, "relative_coincidence"))
    told = "" if handed is None else f"; the cell's own trains under another stimulus reach {handed.value:.2f}"
    verdict = "pass" if one.value > BEST_SIMPLE else "fail"
    singles = ", ".join(
        f"{model} {figures.value(split, 'mean', model, 'relative_coincidence'):.2f}" for model in figures.singles
    )
    reason = (
        f"mean coincidence factor over intrinsic reliability of the vote; best fits alone: {singles}{told}; the figure "
        f"itself is held against {BEST_SIMPLE:g}, the interval resamples blocks of {BLOCK_S:g} s"
    )
    interval = one.interval
    return Claim(
        "L1", name, verdict, one.value, _finite(interval.low), _finite(interval.high), interval.n, "block", separation,
        BEST_SIMPLE, reason,
    )  # fmt: skip


def _rate(figures: Figures, found: "Found", split: str, separation: str) -> Claim:
    """Rates of stimuli without repeatable times, against those of the best simple method's mean error."""
    name = f"{split}_rates_without_repeatable_times_are_within_a_fifth"
    stimuli = found.of(split)
    errors = {
        one: figures.value(split, one, ESCAPE_NAME, "rate_error")
        for one in found.predicted[split]
        if not stimuli.is_testable(one)
    }
    if not errors:
        return not_testable_claim("L1", name, unit="trial", separation=separation, reason="all stimuli have such times")
    worst = max(errors, key=lambda one: abs(errors[one]))
    verdict = "pass" if abs(errors[worst]) <= 0.2 else "fail"
    told = ", ".join(f"{one} {value:+.2f}" for one, value in errors.items())
    reason = f"largest relative rate error of {ESCAPE_NAME}; by stimulus: {told}"
    return Claim("L1", name, verdict, abs(errors[worst]), None, None, len(errors), "trial", separation, 0.2, reason)
