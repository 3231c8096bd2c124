"""Claims and scores of the experiment: medians over recordings, differences paired within a recording."""

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments.retina_corpus import gate
from experiments.retina_corpus.decoding import Named
from experiments.retina_corpus.pretraining import PAST, VARIANTS
from experiments.retina_corpus.rounds import ADAPTED, COUPLED, METRICS, PRETRAINED, Scored
from twin.judge import Claim, Interval, percentile_interval
from twin.judge.inference import clopper_pearson
from twin.judge.verdicts import beats_claim
from twin.report import MetricNote

if TYPE_CHECKING:
    from experiments.retina_corpus.experiment import Found

GOALS = {"bits_per_spike": 2.85, "co_bits_per_spike": 2.9}
SHARE_GOAL = 0.75
BY_STUDY = (COUPLED, PRETRAINED, ADAPTED)
N_RESAMPLES = 2000
SEPARATION = "other lab"
NOTES = {
    "bits_per_spike": MetricNote(
        "Bits per spike",
        "Median over recordings: log-likelihood of the last fifth beyond each unit's mean rate in it, per spike.",
        "higher",
    ),
    "co_bits_per_spike": MetricNote(
        "Bits per spike, co-smoothing",
        "The same where the others are also seen at the same time and two windows to either side.",
        "higher",
    ),
    "study_balanced_accuracy": MetricNote(
        "Study named",
        "Balanced accuracy with which a forest names the study of a recording that it has not seen.",
        "neither",
    ),
}


def medians(values: np.ndarray, seed: int) -> tuple[float, Interval]:
    """A median over recordings with its bootstrap interval."""
    random = np.random.default_rng(seed)
    drawn = np.median(values[random.integers(0, len(values), (N_RESAMPLES, len(values)))], axis=1)
    return float(np.median(values)), percentile_interval(drawn, len(values), unit="session")


def paired(scored: Sequence[Scored], metric: str, one: str, other: str) -> np.ndarray:
    """Differences of two models over the recordings that have both, in the order of the recordings."""
    return np.array(
        [each.bits[metric, one] - each.bits[metric, other] for each in scored if _has(each, metric, one, other)]
    )


def _has(each: Scored, metric: str, *models: str) -> bool:
    return all(math.isfinite(each.bits.get((metric, model), math.nan)) for model in models)


def claims(found: "Found") -> list[Claim]:
    """All claims, from the lowest rung of the ladder to the highest."""
    every = [*_goals(found), *_covariates(found), _gate(found), *_named(found)]
    return sorted(every, key=lambda claim: claim.level)


def _goals(found: "Found") -> list[Claim]:
    every = []
    for metric, goal in GOALS.items():
        values = np.array([each.bits[metric, ADAPTED] for each in found.scored if _has(each, metric, ADAPTED)])
        name = f"{metric}_on_left_out_studies_reach_the_goal"
        value, interval = medians(values, found.seed)
        verdict = "pass" if value >= goal else "fail"
        gain = paired(found.scored, metric, ADAPTED, COUPLED)
        glm = float(np.median([each.bits[metric, COUPLED] for each in found.scored]))
        reason = f"median of the adapted network; coupled GLM on the same recordings {glm:.2f}"
        every.append(_claim("L3", name, verdict, value, interval, goal, reason))
        better, n = int((gain > 0).sum()), len(gain)
        low, high = clopper_pearson(better, n)
        verdict = "pass" if better >= SHARE_GOAL * n else "fail"
        reason = f"{better} of {n} recordings; median gain {np.median(gain):+.2f} bits per spike"
        every.append(
            _claim(
                "L3", f"{metric}_better_than_the_coupled_glm_in_three_recordings_of_four", verdict, better / n,
                Interval(low, high, n, "session"), SHARE_GOAL, reason,
            )
        )  # fmt: skip
    return every


def _claim(
    level: str, name: str, verdict: str, value: float, interval: Interval, margin: float | None, reason: str
) -> Claim:
    low, high = (one if math.isfinite(one) else None for one in (interval.low, interval.high))
    return Claim(level, name, verdict, value, low, high, interval.n, interval.unit, SEPARATION, margin, reason)


def _covariates(found: "Found") -> list[Claim]:
    """Whether conditioning helps, before and after adaptation."""
    every = []
    for variant in [name for name in VARIANTS if name != "none"]:
        for stage, words in ((PRETRAINED, "before_adaptation"), (ADAPTED, "after_adaptation")):
            gain = paired(found.scored, METRICS[PAST], f"{stage}_{variant}", stage)
            value, interval = medians(gain, found.seed)
            claim = beats_claim(f"conditioning_on_{variant}_helps_{words}", value, interval, separation=SEPARATION)
            reason = (
                f"median gain in bits per spike over no covariates; better in {int((gain > 0).sum())} of {len(gain)}"
            )
            every.append(dataclasses.replace(claim, level="L3", reason=f"{reason}; {claim.reason}"))
    return every


def by_round(found: "Found") -> list[tuple[tuple[str, ...], list[str], np.ndarray]]:
    """For each round the covariates that the gate lets pass, and what the protocol brought before adaptation."""
    rows = []
    for one in found.rounds:
        own = [each for each in found.scored if each.recording.name in {recording.name for recording in one.scored}]
        passed = [
            answer.covariate
            for answer in found.answers
            if answer.left_out == one.left_out and answer.verdict == gate.IDENTIFIABLE
        ]
        rows.append((one.left_out, passed, paired(own, METRICS[PAST], f"{PRETRAINED}_protocol", PRETRAINED)))
    return rows


def _gate(found: "Found") -> Claim:
    """Where the gate lets nothing pass, conditioning must bring nothing.

    The identity of a laboratory never passes: training has not seen the one that is left out. The protocol does not
    where no covariate is identifiable.
    """
    metric = METRICS[PAST]
    closed = [paired(found.scored, metric, f"{PRETRAINED}_lab", PRETRAINED)]
    closed += [gains for _, passed, gains in by_round(found) if not passed]
    gains = np.concatenate(closed)
    value, interval = medians(gains, found.seed)
    verdict = "fail" if interval.low > 0 else "pass" if math.isfinite(interval.low) else "not_testable"
    n_open = sum(bool(passed) for _, passed, _ in by_round(found))
    reason = (
        f"median gain of conditioning before adaptation where the gate lets nothing pass: laboratory identity in all "
        f"rounds, the protocol in {len(found.rounds) - n_open} of {len(found.rounds)}"
    )
    name = "the_gate_says_beforehand_where_conditioning_brings_nothing"
    return _claim("L3", name, verdict, value, interval, 0.0, reason)


def _named(found: "Found") -> list[Claim]:
    """Whether the embedding hides the study: a shortcut that is open as long as a forest can name it."""
    every = []
    for feature, one in found.named.items():
        if feature == "six_numbers":
            continue
        verdict = "fail" if one.interval.low > one.chance else "pass"
        six = found.named.get("six_numbers")
        beside = f"; six numbers {six.balanced:.2f}" if six else ""
        reason = f"balanced accuracy of naming the study; chance {one.chance:.2f}{beside}"
        name = f"{feature}_does_not_tell_the_study"
        every.append(_claim("L3", name, verdict, one.balanced, one.interval, one.chance, reason))
    return every


Row = dict[str, str | int | float | None]


def scores(found: "Found") -> list[Row]:
    """All rows of the table of scores."""
    condition = "test_folder" if found.has_test else "study_left_out"
    rows: list[Row] = []
    for metric in GOALS:
        models = dict.fromkeys(model for each in found.scored for own, model in each.bits if own == metric)
        for model in models:
            values = np.array([each.bits[metric, model] for each in found.scored if _has(each, metric, model)])
            rows.append(_row("test", condition, model, metric, *medians(values, found.seed)))
            for study in sorted({each.recording.study for each in found.scored}) if model in BY_STUDY else ():
                own = [each for each in found.scored if each.recording.study == study and _has(each, metric, model)]
                within = np.array([each.bits[metric, model] for each in own])
                rows.append(_row("test", f"{condition}_{study}", model, metric, *medians(within, found.seed)))
    return rows + [_named_row(feature, one) for feature, one in found.named.items()]


def _named_row(feature: str, one: Named) -> Row:
    return _row("validation", "recording_left_out", feature, "study_balanced_accuracy", one.balanced, one.interval)


def _row(split: str, condition: str, model: str, metric: str, value: float, interval: Interval) -> Row:
    low, high = (one if math.isfinite(one) else None for one in (interval.low, interval.high))
    place: Row = {"split": split, "condition": condition, "model": model, "metric": metric}
    return {**place, "value": value, "low": low, "high": high, "n": interval.n, "unit": interval.unit}
