"""The claims of the experiment: each rule from a figure to a verdict, once."""

import dataclasses
from typing import TYPE_CHECKING

from experiments.choice.scoring import BITS, POOLED_BITS, Scored, Value, score
from twin.judge import Claim
from twin.judge.verdicts import beats_claim, not_testable_claim

if TYPE_CHECKING:
    from experiments.choice.experiment import Found

SHORTFALL = 0.05  # of the true learner's gain over the base rate, within which the surrogate has to be
NOTHING = 0.01  # bits per choice: less than this is no skill
OTHER_SESSION, OTHER_ANIMAL = "other session", "other animal"


def claims(found: "Found") -> list[Claim]:
    """All claims, from the lowest rung to the highest."""
    every = [*_audit(found), *_new(found), _real(found)]
    if found.known is not None:
        every += _known(found, found.known)
    return sorted(every, key=lambda claim: claim.level)


def _known(found: "Found", known: Scored) -> list[Claim]:
    made = [
        _beats("beats_logistic_regression_with_history", known, "surrogate", "logistic"),
        _beats("task_information_is_used", known, "surrogate", "without_task"),
        _beats("history_is_used", known, "surrogate", "without_history"),
        _nothing_left(known),
    ]
    near = "has_95_percent_of_the_true_learners_gain"
    name = "beats_a_learner_fitted_to_each_subject"
    if not found.corpus.is_simulated:
        made.append(_beats(name, known, "surrogate", "learner"))
        why = "real subjects have no known learner"
        return [*made, not_testable_claim("L1", near, unit="session", separation=OTHER_SESSION, reason=why)]
    why = "the learner has the very form that made these choices, so that nothing can beat it by more than its fit"
    made.append(not_testable_claim("L1", name, unit="session", separation=OTHER_SESSION, reason=why))
    return [*made, _near(near, known, "surrogate", OTHER_SESSION)]


def _beats(name: str, scored: Scored, model: str, other: str, separation: str = OTHER_SESSION) -> Claim:
    one = scored.difference(model, other)
    claim = beats_claim(name, one.value, one.interval, separation=separation)
    values = [scored.table[key, BITS].value for key in (model, other)]
    told = f"bits per choice over the base rate: {model} {values[0]:.4f}, {other} {values[1]:.4f}"
    return dataclasses.replace(claim, reason=f"{claim.reason}; {told}")


def _near(name: str, scored: Scored, model: str, separation: str) -> Claim:
    """Above 0 the model has 95 % of the true learner's gain over the base rate."""
    one = scored.difference(model, "ceiling", SHORTFALL)
    claim = beats_claim(name, one.value, one.interval, separation=separation)
    gains = [scored.table[key, BITS].value for key in (model, "ceiling")]
    reason = f"{claim.reason}; {model} {gains[0]:.4f} of {gains[1]:.4f} bits per choice ({gains[0] / gains[1]:.1%})"
    return dataclasses.replace(claim, reason=reason)


def _nothing_left(known: Scored) -> Claim:
    name, one = "nothing_is_left_without_task_and_history", known.table["without_both", BITS]
    low, high = one.interval.low, one.interval.high
    verdict = "pass" if high <= NOTHING else "fail"
    reason = f"upper bound {high:.4f} bits per choice, wanted at most {NOTHING:g}: what is left would be a shortcut"
    if not high == high:  # NaN: one session
        verdict, reason = "not_testable", f"{one.interval.n} session(s) give no interval"
    return Claim(
        "L1", name, verdict, one.value, low, high, one.interval.n, one.interval.unit, OTHER_SESSION, NOTHING, reason
    )


def _audit(found: "Found") -> list[Claim]:
    """A shortcut that was planted is what the surrogate without task and history has to find."""
    made = []
    for kind, scored in found.planted.items():
        # Who it is cannot show over a base rate that is the subject's own.
        one = scored.table["without_both", BITS if kind == "trial_number" else POOLED_BITS]
        above = Value(one.value - NOTHING, dataclasses.replace(one.interval, low=one.interval.low - NOTHING))
        claim = beats_claim(
            f"a_planted_shortcut_by_{kind}_is_seen", above.value, above.interval, separation=OTHER_SESSION
        )
        reason = (
            f"without task and history {one.value:.4f} bits per choice where {found.share:.0%} of choices follow it"
        )
        made.append(
            dataclasses.replace(
                claim, level="L0", figure=one.value, low=one.interval.low, high=one.interval.high, margin=NOTHING,
                reason=reason,
            )
        )  # fmt: skip
    return made


def _new(found: "Found") -> list[Claim]:
    names = ("average_subject_beats_the_base_rate_in_new_subjects", "adapting_beats_the_average_subject")
    near = "adapted_has_95_percent_of_the_true_learners_gain"
    if found.zero_shot is None or not found.adapted:
        why = "no subject is new"
        return [not_testable_claim("L3", one, unit="animal", separation=OTHER_ANIMAL, reason=why) for one in names]
    made = [_beats(names[0], found.zero_shot, "average_subject", "pooled_base_rate", OTHER_ANIMAL)]
    last = found.adapted[-1]
    average = found.zero_shot.group.chances["average_subject"]
    both = dataclasses.replace(last.group, chances=last.group.chances | {"average_subject": average})
    made.append(_beats(names[1], score(both, last.seed), "adapted", "average_subject", OTHER_ANIMAL))
    if found.corpus.is_simulated:
        made.append(_near(near, last, "adapted", OTHER_ANIMAL))
    return [dataclasses.replace(one, level="L3") for one in made]


def _real(found: "Found") -> Claim:
    name = "the_subjects_are_simulated_learners"
    if found.corpus.is_simulated:
        name, why = "holds_for_choices_of_animals", "these choices are simulated: they say nothing about animals"
        return not_testable_claim("L3", name, unit="animal", separation=OTHER_ANIMAL, reason=why)
    why = "no chances of a generator were given, so that there is no ceiling"
    return not_testable_claim("L1", name, unit="animal", separation=OTHER_ANIMAL, reason=why)
