"""Features within two deviations: counts, scores and claims."""

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.cells.fitting import INTERPOLATED, NEAREST
from experiments.cells.tolerance import NAMES, WITHIN
from twin.judge import Claim, Interval
from twin.judge.inference import bootstrap
from twin.judge.verdicts import beats_claim, not_testable_claim
from twin.report import MetricNote

if TYPE_CHECKING:
    from experiments.cells.experiment import Done, Found

GOAL = 0.8
UNIT = "session"  # a cell
SEPARATION = "held-out amplitudes of the same cell"
METRIC = "features_within_2_sd"
NOTES = {
    METRIC: MetricNote(
        "Features within 2 SD",
        "Share of the cell's features that the model meets within two deviations. One that it lacks is not met.",
        "higher",
    )
}


@dataclasses.dataclass(frozen=True)
class Count:
    """How many features of one cell a model meets.

    Attributes:
        cell: its name.
        met: feature -> how many sweeps meet it.
        of: feature -> in how many sweeps the cell has it.
    """

    cell: str
    met: dict[str, int]
    of: dict[str, int]

    @property
    def total(self) -> tuple[int, int]:
        """Met, and of how many."""
        return sum(self.met.values()), sum(self.of.values())


def counts(found: "Found", split: str, model: str) -> list[Count]:
    """For each cell with something to score; `split` "train" takes the fitted sweeps."""
    every = [_count(done, split, model) for done in found.done if split in ("train", done.split)]
    return [one for one in every if one.total[1]]


def _count(done: "Done", split: str, model: str) -> Count:
    predicted = next(one for one in done.predicted if one.model == model)
    met, of = dict.fromkeys(NAMES, 0), dict.fromkeys(NAMES, 0)
    for row, values in (predicted.fitted if split == "train" else predicted.held_out).items():
        for name in NAMES:
            own, other = done.features[row][name], values[name]
            if own is None:
                continue
            of[name] += 1
            met[name] += other is not None and abs(other - own) <= WITHIN * done.deviation[row][name]
    return Count(done.cell.name, met, of)


def share(counted: list[Count], seed: int) -> tuple[float, Interval]:
    """Over all features of all cells, with an interval over cells."""
    terms = np.array([one.total for one in counted], float)
    value = float(terms[:, 0].sum() / terms[:, 1].sum())
    if len(terms) < 2:
        return value, Interval(float("nan"), float("nan"), len(terms), UNIT)
    return value, bootstrap(lambda sums: sums[:, 0] / sums[:, 1], terms, unit=UNIT, seed=seed)


def claims(found: "Found") -> list[Claim]:
    """For each model and split: four of five held-out features, and more of them than without a model."""
    rows = []
    for split in splits(found):
        for model in found.models:
            rows += [_enough(found, split, model), _beats(found, split, model, NEAREST)]
            rows.append(_beats(found, split, model, INTERPOLATED))
    return rows


def splits(found: "Found") -> list[str]:
    """Of the held-out amplitudes."""
    return list(dict.fromkeys(done.split for done in found.done))


def _name(split: str, text: str) -> str:
    return f"{text}_in_the_test_folder" if split == "test" else text


def _enough(found: "Found", split: str, model: str) -> Claim:
    name, counted = _name(split, f"{model}_meets_held_out_features"), counts(found, split, model)
    if not counted:
        reason = "no cell has an amplitude to hold out: each has one step"
        return not_testable_claim("L1", name, unit=UNIT, separation=SEPARATION, reason=reason)
    value, interval = share(counted, found.seed)
    met, of = (sum(one.total[k] for one in counted) for k in (0, 1))
    verdict = "pass" if value >= GOAL else "fail"
    reason = f"{met} of {of} features within {WITHIN:g} deviations, wanted {GOAL:.0%}"
    return Claim("L1", name, verdict, value, interval.low, interval.high, interval.n, UNIT, SEPARATION, GOAL, reason)


def _beats(found: "Found", split: str, model: str, baseline: str) -> Claim:
    name = _name(split, f"{model}_meets_more_features_than_{baseline}")
    mine, base = counts(found, split, model), counts(found, split, baseline)
    if not mine:
        reason = "no cell has an amplitude to hold out: each has one step"
        return not_testable_claim("L1", name, unit=UNIT, separation=SEPARATION, reason=reason)
    terms = np.array([(a.total[0] - b.total[0], a.total[1]) for a, b in zip(mine, base, strict=True)], float)
    interval = Interval(float("nan"), float("nan"), len(terms), UNIT)
    if len(terms) > 1:
        interval = bootstrap(lambda sums: sums[:, 0] / sums[:, 1], terms, unit=UNIT, seed=found.seed)
    return beats_claim(name, float(terms[:, 0].sum() / terms[:, 1].sum()), interval, separation=SEPARATION)


def scores(found: "Found") -> list[dict[str, Any]]:
    """The rows of report.json."""
    rows = []
    for split in ("train", *splits(found)):
        for model in (*found.models, NEAREST, INTERPOLATED):
            counted = [] if split == "train" and model not in found.models else counts(found, split, model)
            if not counted:
                continue
            value, interval = share(counted, found.seed)
            low, high = (edge if np.isfinite(edge) else None for edge in (interval.low, interval.high))
            rows.append(
                {
                    "split": split,
                    "condition": "fitted_amplitudes" if split == "train" else "held_out_amplitudes",
                    "model": model,
                    "metric": METRIC,
                    "value": value,
                    "low": low,
                    "high": high,
                    "n": interval.n,
                    "unit": UNIT,
                }
            )
    return rows
