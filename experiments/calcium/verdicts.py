"""The claims of the experiment."""

import dataclasses
from typing import TYPE_CHECKING

from experiments.calcium.scoring import ALL, NEXT, SECOND, Figure, Figures, R, finite, paired
from twin.judge import Claim
from twin.judge.verdicts import beats_claim

if TYPE_CHECKING:
    from experiments.calcium.experiment import Found

GOAL, COVERAGE_MARGIN, NOTHING = 0.80, 0.05, 0.1
PAIRS = (
    (ALL, "surrogate", "one_kernel"),
    (ALL, "surrogate", "linear"),
    (ALL, "surrogate", "surrogate_without_facts"),
    (SECOND, "adapted", "one_kernel"),
    (SECOND, "adapted", "own_kernel"),
    (SECOND, "adapted", "own_linear"),
    (SECOND, "adapted", "adapted_without_prior"),
    (NEXT, "adapted", "no_change"),
)


def claims(found: "Found", figures: Figures) -> list[Claim]:
    """All claims, of the test split."""
    separation = "other data set" if found.test is None else "test folder"
    n, seed = found.settings.resamples, found.seed
    out = [
        _reaches(
            figures, ALL, "surrogate", "left_out_data_sets_reach_80", separation,
            "nothing of the data set was fitted; spikes and the protocol are known",
        ),
        _reaches(
            figures, SECOND, "adapted", "second_halves_reach_80_after_adapting_on_the_first", separation,
            "kinetics of each cell from its first half under a prior from other data sets; spikes are known, earlier "
            "fluorescence of the scored half is not",
        ),
    ]  # fmt: skip
    for condition, model, other in PAIRS:
        one = paired(figures, condition, model, other, n, seed)
        suffix = "_with_earlier_frames" if condition == NEXT else ""
        claim = beats_claim(f"{model}_beats_{other}{suffix}", one.value, one.interval, separation=separation)
        ours, theirs = (figures.table[condition, name, R].value for name in (model, other))
        reason = f"{condition}: {ours:.3f} against {theirs:.3f}; {claim.reason}"
        out.append(dataclasses.replace(claim, level="L3", reason=reason))
    return [*out, _no_leak(figures, separation), *_calibrated(figures, separation)]


def _reaches(figures: Figures, condition: str, model: str, name: str, separation: str, told: str) -> Claim:
    one = figures.table[condition, model, R]
    simple = figures.table[condition, "one_kernel", R].value
    reason = (
        f"{told}; one kernel of two exponentials has {simple:.3f} on the same frames; the figure itself is held "
        f"against {GOAL:g}, the interval resamples data sets and their cells"
    )
    return _claim("L3", name, one, one.value >= GOAL, separation, GOAL, reason)


def _no_leak(figures: Figures, separation: str) -> Claim:
    one = figures.table[ALL, "shuffled_spikes", R]
    reason = f"the same model with every train moved by half a minute; wanted within {NOTHING:g} of 0"
    name = "spikes_at_the_wrong_time_predict_nothing"
    return _claim("L0", name, one, abs(one.value) < NOTHING, separation, NOTHING, reason)


def _calibrated(figures: Figures, separation: str) -> list[Claim]:
    out = []
    for condition, told in ((NEXT, "given_earlier_frames"), (SECOND, "given_spikes_alone")):
        one = figures.table[condition, "adapted", "coverage_80"]
        name, reason = f"intervals_of_80_percent_cover_80_percent_{told}", "frames of the second half, median"
        near = abs(one.value - 0.8) <= COVERAGE_MARGIN
        out.append(_claim("L1", name, one, near, separation, COVERAGE_MARGIN, reason))
    return out


def _claim(level: str, name: str, one: Figure, holds: bool, separation: str, margin: float, reason: str) -> Claim:
    interval, verdict = one.interval, "pass" if holds else "fail"
    return Claim(
        level, name, verdict, one.value, finite(interval.low), finite(interval.high), interval.n, interval.unit,
        separation, margin, reason,
    )  # fmt: skip
