"""The claims and scores of a calibration: each rule from a figure to a verdict, and the rows of report.json."""

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.calibration.scores import NEAREST, SweepScore, mean_coincidence, pooled_rmse_mv
from experiments.calibration.verify import Verified
from twin.judge import Claim, Interval
from twin.judge.inference import bootstrap
from twin.judge.verdicts import beats_claim, not_testable_claim
from twin.report import MetricNote

if TYPE_CHECKING:
    from experiments.calibration.command import Found

CONDITION = "sweeps"
SEPARATION = "held-out sweeps of the same recording"
UNIT = "trial"  # a sweep
NOTES = {
    "rate_error_hz": MetricNote(
        "Rate error", "Root-mean-square difference of the firing rates of sweeps.", "lower", "Hz"
    )
}


def claims(found: "Found") -> list[Claim]:
    """All claims, from the lowest rung of the ladder to the highest."""
    return [_runs(found.verified), _voltage(found), *_timing(found), _identified(found)]


def _runs(verified: Verified) -> Claim:
    name, separation = "brian2_alone_reproduces_the_fitted_cell", "same sweeps"
    if verified.largest_mv is None:
        return not_testable_claim("L0", name, unit=UNIT, separation=separation, reason=verified.reason)
    verdict = "pass" if verified.agrees else "fail"
    return Claim(
        "L0",
        name,
        verdict,
        verified.largest_mv,
        None,
        None,
        verified.n_sweeps,
        UNIT,
        separation,
        verified.margin_mv,
        verified.reason,
    )


def _voltage(found: "Found") -> Claim:
    name = "predicts_held_out_voltage_better_than_the_nearest_sweep"
    if found.other is None:
        return not_testable_claim("L1", name, unit=UNIT, separation=SEPARATION, reason=_nothing_held_out(found))
    return _beats(name, found, lambda row: -row.rmse_mv, "rmse")


def _timing(found: "Found") -> list[Claim]:
    if not found.has_spikes or not found.fit.model.threshold:
        return []
    name = "predicts_held_out_spike_times_better_than_the_nearest_sweep"
    if found.other is None:
        return [not_testable_claim("L1", name, unit=UNIT, separation=SEPARATION, reason=_nothing_held_out(found))]
    return [_beats(name, found, lambda row: row.coincidence, "coincidence factor")]


def _nothing_held_out(found: "Found") -> str:
    return f"no sweep was held out ({found.material.held_out_reason})"


def _beats(name: str, found: "Found", value: Callable[[SweepScore], float], what: str) -> Claim:
    assert found.other is not None
    pairs = [(value(mine), value(base)) for mine, base in zip(found.other.rows, found.other.nearest, strict=True)]
    gains = np.array([mine - base for mine, base in pairs if math.isfinite(mine) and math.isfinite(base)])
    if len(gains) == 0:
        reason = f"no held-out sweep defines a {what}"
        return not_testable_claim("L1", name, unit=UNIT, separation=SEPARATION, reason=reason)
    interval = Interval(float("nan"), float("nan"), len(gains), UNIT)
    if len(gains) > 1:
        terms = np.column_stack([gains, np.ones(len(gains))])
        interval = bootstrap(lambda sums: sums[:, 0] / sums[:, 1], terms, unit=UNIT, seed=found.asked.seed)
    return beats_claim(name, float(gains.mean()), interval, separation=SEPARATION)


def _identified(found: "Found") -> Claim:
    """L5: every parameter is known to within half of what its bounds leave, at 90 %."""
    name, fit = "every_parameter_is_pinned_down", found.fit
    if fit.curvature is None:
        reason = (
            "the objective is no likelihood, so a spread of parameters is no interval; "
            f"{len(fit.sets)} equally good sets were found"
        )
        return not_testable_claim("L5", name, unit=UNIT, separation="same sweeps", reason=reason)
    undecided = fit.curvature.undecided
    share = 1.0 - len(undecided) / len(fit.space.free)
    verdict = "fail" if undecided else "pass"
    reason = f"not decided by these sweeps: {', '.join(undecided)}" if undecided else "all are, by the curvature"
    n = len(found.scored.target.sweeps)
    return Claim("L5", name, verdict, share, None, None, n, UNIT, "same sweeps", 1.0, reason)


def scores(found: "Found") -> list[dict[str, Any]]:
    """The rows of report.json: train for fitted sweeps, validation for held-out ones."""
    rows = _rows("train", found.scored.rows, found)
    if found.other is not None:
        rows += _rows("validation", found.other.rows, found) + _rows("validation", found.other.nearest, found)
    return rows


def _rows(split: str, swept: tuple[SweepScore, ...], found: "Found") -> list[dict[str, Any]]:
    figures: Mapping[str, float] = {"rmse_mv": pooled_rmse_mv(swept)}
    if found.has_spikes and (found.fit.model.threshold or swept[0].model == NEAREST):
        errors = [(row.n_model - row.n_recorded) / found.scored.target.duration_s for row in swept]
        figures = {
            **figures,
            "coincidence_factor": mean_coincidence(swept),
            "rate_error_hz": float(np.sqrt(np.mean(np.square(errors)))),
        }
    return [
        {
            "split": split,
            "condition": CONDITION,
            "model": swept[0].model,
            "metric": metric,
            "value": value if math.isfinite(value) else None,
            "low": None,
            "high": None,
            "n": len(swept),
            "unit": UNIT,
        }
        for metric, value in figures.items()
    ]
