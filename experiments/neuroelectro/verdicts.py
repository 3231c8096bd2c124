"""The claims and scores of the experiment: each rule from a figure to a verdict, and the rows of report.json."""

import dataclasses
import math
from typing import TYPE_CHECKING

from experiments.neuroelectro.junction_effect import POTENTIALS, Shift, Subtraction
from experiments.neuroelectro.leave_out import Predictions
from experiments.neuroelectro.table import NAMES, PROPERTIES
from twin.judge import Claim, Interval
from twin.judge.verdicts import beats_claim, not_testable_claim
from twin.report import MetricNote

if TYPE_CHECKING:
    from experiments.neuroelectro.experiment import Found

NULL_MARGIN = 0.02  # of R2: more than this from permuted conditions would mean that the machinery leaks
CLASSIFIERS = ("adjusted", "adjusted_ridge")
NOTES = {
    f"adjusted_r2_{one.name}": MetricNote(
        f"Adjusted R², {one.label}",
        "Variance explained of the rows that were fitted, less what as many coefficients explain by chance.",
        "higher",
    )
    for one in PROPERTIES
}
NOTES |= {
    f"r2_{one.name}": MetricNote(
        f"R², {one.label}",
        "1 less the squared error over that of the mean of the training rows. 0 is no better than that mean.",
        "higher",
    )
    for one in PROPERTIES
}
NOTES |= {
    f"shift_mv_{name}": MetricNote(
        f"Shift, {name.replace('_', ' ')}",
        "Mean difference from potentials that were corrected for the junction potential.",
        "neither",
        "mV",
    )
    for name in POTENTIALS
}


def claims(found: "Found") -> list[Claim]:
    """All claims, from the lowest rung of the ladder to the highest."""
    every = [_null(found), *_shifts(found), *_gains(found), *_classified(found), _comparable(found), CAUSES]
    return sorted(every, key=lambda claim: claim.level)


def _null(found: "Found") -> Claim:
    name, separation = "permuted_conditions_bring_nothing", "other lab"
    means = {one: float(gains.mean()) for one, gains in found.null.items()}
    if not means:
        return not_testable_claim("L0", name, unit="lab", separation=separation, reason="no type has two labs")
    worst = max(means, key=lambda one: means[one])
    verdict = "pass" if means[worst] <= NULL_MARGIN else "fail"
    n = len(next(iter(found.null.values())))
    reason = f"largest mean gain in R2 of {n} permutations over {len(means)} properties ({_spoken(worst)})"
    return Claim("L0", name, verdict, means[worst], None, None, n, "lab", separation, NULL_MARGIN, reason)


def _shifts(found: "Found") -> list[Claim]:
    return [_shift_claim(found.junction.shift(name)) for name in POTENTIALS] + [
        _subtraction_claim(name, found.junction.subtractions) for name in POTENTIALS
    ]


def _shift_claim(shift: Shift) -> Claim:
    name = f"uncorrected_junction_potential_raises_{shift.property}"
    if not math.isfinite(shift.value_mv):
        reason = "no neuron type has a corrected and an uncorrected report"
        return not_testable_claim("L1", name, unit="lab", separation="same neuron type", reason=reason)
    claim = beats_claim(name, shift.value_mv, shift.interval, separation="same neuron type")
    reason = f"mV above corrected; {shift.n} rows, {shift.n_types} types with both; t test over rows p = {shift.p:.2g}"
    return dataclasses.replace(claim, reason=reason)


def _subtraction_claim(property_name: str, subtractions: tuple[Subtraction, ...]) -> Claim:
    name = f"subtracting_stated_offsets_shrinks_the_shift_of_{property_name}"
    found = [one for one in subtractions if one.property == property_name]
    if not found:
        reason = "no uncorrected row states an offset beside corrected rows of its neuron type"
        return not_testable_claim("L1", name, unit="lab", separation="same neuron type", reason=reason)
    one = found[0]
    claim = beats_claim(name, one.shrunk_mv, one.shrunk, separation="same neuron type")
    reason = f"mV nearer to 0: {one.before_mv:+.1f} mV before, {one.after_mv:+.1f} mV after, {one.n} rows"
    return dataclasses.replace(claim, reason=reason)


def _gains(found: "Found") -> list[Claim]:
    """One claim for each property, with intervals that hold for all of them together (Bonferroni)."""
    tests = {
        "in_a_new_lab": ("other lab", found.left_out),
        "in_the_test_folder": ("other articles", found.held_out or {}),
    }
    every = []
    for where, (separation, predictions) in tests.items():
        if where == "in_the_test_folder" and found.held_out is None:
            continue
        for name in NAMES:
            claim_name = f"conditions_predict_{name}_{where}"
            if name in predictions:
                every.append(_gain_claim(claim_name, predictions[name], separation, found.seed, len(predictions)))
            else:
                reason = "too few rows of neuron types that both sides have"
                every.append(not_testable_claim("L3", claim_name, unit="lab", separation=separation, reason=reason))
    return every


def _gain_claim(name: str, predictions: Predictions, separation: str, seed: int, n_claims: int) -> Claim:
    gain, interval = predictions.gain("type_and_metadata", "type_only", seed, level=1.0 - 0.05 / n_claims)
    claim = beats_claim(name, gain, interval, separation=separation)
    r2 = [predictions.r2(model) for model in ("type_only", "type_and_metadata")]
    detail = f"R2 {r2[0]:.2f} by type, {r2[1]:.2f} with conditions; bounds are simultaneous over {n_claims} properties"
    return dataclasses.replace(claim, level="L3", reason=f"{claim.reason}; {detail}")


def _classified(found: "Found") -> list[Claim]:
    every = []
    for one in found.classified:
        separation = one.separation.replace(" ", "_")
        gain, interval = one.gain("adjusted", found.seed)
        name = f"adjusting_improves_classification_of_{one.n_types}_types_{separation}"
        claim = beats_claim(name, gain, interval, separation=one.separation)
        shares = ", ".join(f"{model.replace('_', ' ')} {one.correct[model].mean():.3f}" for model in one.correct)
        every.append(
            dataclasses.replace(claim, level="L3", reason=f"{claim.reason}; accuracy of {one.n} rows: {shares}")
        )
    return every


def _comparable(found: "Found") -> Claim:
    graph = found.gate.labs
    n_pairs, n_all = graph.comparable_pairs
    name, share = "every_two_neuron_types_can_be_compared", n_pairs / n_all if n_all else math.nan
    if graph.n_components == 1 and n_all:
        return Claim("L3", name, "pass", 1.0, None, None, n_all, "lab", "same lab", 1.0, "one island of types and labs")
    reason = (
        f"types and labs fall into {graph.n_components} islands; {n_all - n_pairs} of {n_all} pairs lie across two, "
        "and their contrasts are refused"
    )
    return Claim("L3", name, "not_testable", share, None, None, n_all, "lab", "same lab", 1.0, reason)


CAUSES = not_testable_claim(
    "L4",
    "conditions_cause_the_differences",
    unit="lab",
    separation="intervention",
    reason="articles chose their conditions; no article measured the same cells under two of them",
)

Row = dict[str, str | int | float | None]


def scores(found: "Found") -> list[Row]:
    """All rows of the table of scores. Left-out scores are the test unless another folder is."""
    inner = "test" if found.held_out is None else "validation"
    return [*_fitted(found), *_shift_rows(found), *_left_out(found, inner), *_named(found, inner), *_test_rows(found)]


def _fitted(found: "Found") -> list[Row]:
    return [
        score_row("train", "fitted_rows", model, f"adjusted_r2_{name}", value, n)
        for name, (n, by_model) in found.adjusted_r2.items()
        for model, value in by_model.items()
    ]


def _shift_rows(found: "Found") -> list[Row]:
    rows = []
    for one in found.junction.shifts:
        condition = "equal_" + one.held_equal.replace(" ", "_").replace(",", "").replace("-", "_")
        model = one.contrast.lower().replace(" ", "_")
        rows.append(score_row("train", condition, model, f"shift_mv_{one.property}", one.value_mv, one.interval))
    for subtraction in found.junction.subtractions:
        metric, after = f"shift_mv_{subtraction.property}", subtraction.after_mv
        rows.append(
            score_row("train", "equal_neuron_type", "stated_offset_subtracted", metric, after, subtraction.after)
        )
    return rows


def _left_out(found: "Found", split: str) -> list[Row]:
    rows = []
    for name, predictions in found.left_out.items():
        rows += _r2_rows(split, "other_lab", name, predictions, found.seed)
        permuted = float(found.null[name].mean()) + predictions.r2("type_only")
        no_interval = Interval(math.nan, math.nan, len(predictions.data.lab_names), "lab")
        rows.append(score_row(split, "other_lab", "permuted_metadata", f"r2_{name}", permuted, no_interval))
    for name, steps in found.ladders.items():
        for separation, predictions in steps.items():
            condition = {"other article": "other_article_of_a_known_lab", "other lab": "the_same_rows_with_the_lab_new"}
            rows += _r2_rows(split, condition[separation], name, predictions, found.seed)
    return rows


def _named(found: "Found", split: str) -> list[Row]:
    rows = []
    for one in found.classified:
        condition = f"naming_types_from_an{one.separation.replace(' ', '_')}"
        metric = f"accuracy_{one.n_types}_types"
        for model in one.correct:
            rows.append(score_row(split, condition, model, metric, *one.accuracy(model, found.seed)))
        no_interval = Interval(math.nan, math.nan, int(one.labs.max()) + 1, "lab")
        rows.append(score_row(split, condition, "most_frequent_type", metric, one.largest_share, no_interval))
    return rows


def _test_rows(found: "Found") -> list[Row]:
    return [
        row
        for name, predictions in (found.held_out or {}).items()
        for row in _r2_rows("test", "test_folder", name, predictions, found.seed)
    ]


def _r2_rows(split: str, condition: str, name: str, predictions: Predictions, seed: int) -> list[Row]:
    return [
        score_row(split, condition, model, f"r2_{name}", predictions.r2(model), predictions.interval(model, seed))
        for model in predictions.predicted
    ]


def score_row(split: str, condition: str, model: str, metric: str, value: float, rests_on: Interval | int) -> Row:
    """One row, with an interval over labs or with the number of rows alone; what is not finite becomes None."""
    is_plain = isinstance(rests_on, int)
    low, high, n = (None, None, rests_on) if isinstance(rests_on, int) else (rests_on.low, rests_on.high, rests_on.n)
    low, high, figure = (None if one is None or not math.isfinite(one) else float(one) for one in (low, high, value))
    place: Row = {"split": split, "condition": condition, "model": model, "metric": metric}
    return {**place, "value": figure, "low": low, "high": high, "n": n, "unit": "row" if is_plain else "lab"}


def _spoken(name: str) -> str:
    return name.replace("_", " ")
