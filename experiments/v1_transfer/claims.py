"""What the figures say: goals, pairs with the linear model of the same inputs, and what cannot be tested."""

import dataclasses

from experiments.v1_transfer.pairs import PAIRS
from experiments.v1_transfer.recipes import ADAPTED, GLM, NO_PAST, NO_PAST_OTHERS, SAME_INPUTS, WITH_OTHERS, Recipe
from experiments.v1_transfer.scoring import FEVE, FLATTENED, WITHIN, Figures, finite
from experiments.v1_transfer.transfer import inputs_of
from experiments.v1_transfer.words import spoken
from twin.judge import Claim
from twin.judge.verdicts import beats_claim, not_testable_claim

SEPARATION = "other animal"
WORDS = {FLATTENED: "flattened", WITHIN: "within_trial"}
# Mean of mice. The same figures are asked of models with and without the neuron's own past, and told apart by name.
GOALS = {
    "without_other_neurons": (ADAPTED, {FLATTENED: 0.29, WITHIN: 0.15}),
    "with_other_neurons": (WITH_OTHERS, {FLATTENED: 0.34, WITHIN: 0.18}),
    "without_other_neurons_or_own_past": (NO_PAST, {FLATTENED: 0.29, WITHIN: 0.15}),
    "with_other_neurons_without_own_past": (NO_PAST_OTHERS, {FLATTENED: 0.34, WITHIN: 0.18}),
}


def claims(figures: Figures) -> list[Claim]:
    """All claims."""
    every = [
        _goal(figures, name, recipe, metric, goal)
        for name, (recipe, goals) in GOALS.items()
        for metric, goal in goals.items()
    ]
    for model, linear in SAME_INPUTS.items():
        for metric, word in WORDS.items():
            name = f"{model}_beats_the_linear_model_of_the_same_inputs_{word}"
            every.append(_beats(figures, name, (model, "full"), (linear, "full"), metric))
    for pair in PAIRS:
        for metric, word in WORDS.items():
            if SAME_INPUTS.get(pair.fair) != pair.model:
                name = f"{pair.fair}_beats_{pair.model}_{pair.amount}_{word}"
                every.append(_beats(figures, name, (pair.fair, pair.amount), (pair.model, pair.amount), metric))
    for model in ("adapted_encoding", "adapted_no_past", ADAPTED.model):
        for metric, word in WORDS.items():
            every.append(_quarter(figures, model, metric, word))
    return [*every, *_feve(figures)]


def _goal(figures: Figures, name: str, recipe: Recipe, metric: str, goal: float) -> Claim:
    one = figures.table["test", "mean_of_mice", "full", recipe.model, metric]
    linear = SAME_INPUTS[recipe.model]
    reason = (
        f"{recipe.model}, which uses {spoken(recipe.inputs)}, mean over mice; the linear model of the same inputs "
        f"reaches {figures.value(linear, metric):.3f}; the figure itself is held against {goal:g}, the interval "
        "resamples mice and neurons"
    )
    verdict = "pass" if one.value >= goal else "fail"
    interval = one.interval
    return Claim(
        "L3", f"{name}_reaches_the_goal_{WORDS[metric]}", verdict, one.value, finite(interval.low),
        finite(interval.high), interval.n, interval.unit, SEPARATION, goal, reason,
    )  # fmt: skip


def _beats(figures: Figures, name: str, first: tuple[str, str], second: tuple[str, str], metric: str) -> Claim:
    one = figures.difference(first, second, metric)
    claim = beats_claim(name, one.value, one.interval, separation=SEPARATION)
    told = " against ".join(
        f"{figures.value(model, metric, amount=amount):.3f} of {model} ({spoken(inputs_of(model))})"
        for model, amount in (first, second)
    )
    return dataclasses.replace(
        claim, level="L3", low=finite(claim.low or 0.0) if claim.low is not None else None,
        high=None if claim.high is None else finite(claim.high), reason=f"{told}; {claim.reason}",
    )  # fmt: skip


def _quarter(figures: Figures, model: str, metric: str, word: str) -> Claim:
    """The figure of a quarter of the trials against that of the linear model with all of them."""
    one = figures.difference((model, "quarter"), (GLM, "full"), metric)
    few, all_of_it = figures.value(model, metric, amount="quarter"), figures.value(GLM, metric)
    verdict = "pass" if few >= all_of_it else "fail"
    reason = (
        f"{few:.3f} with a quarter of the trials ({spoken(inputs_of(model))}) against {all_of_it:.3f} of {GLM} "
        "(stimulus, behaviour) with all; the figure is the paired difference, held against 0 itself"
    )
    return Claim(
        "L3", f"{model}_with_a_quarter_reaches_the_glm_{word}", verdict, one.value, finite(one.interval.low),
        finite(one.interval.high), one.interval.n, one.interval.unit, SEPARATION, 0.0, reason,
    )  # fmt: skip


def _feve(figures: Figures) -> list[Claim]:
    made = []
    for name, one in figures.reliability.items():
        told = f"mean reliability of the response over the fitted trials {one.mean_response.mean():.2f}"
        claim = f"more_explainable_variance_than_the_glm_in_{name}"
        if one.testable:
            value = figures.table["test", name, "full", "adapted_encoding", FEVE]
            linear = figures.table["test", name, "full", GLM, FEVE].value
            interval = value.interval
            verdict = "pass" if interval.low > linear else "fail"
            made.append(
                Claim(
                    "L3", claim, verdict, value.value, None, None, 1, "animal", SEPARATION, linear,
                    f"{told}; FEVE of adapted_encoding, over neurons [{interval.low:.2f}, {interval.high:.2f}], whose "
                    f"lower end is held against that of {GLM}; both use stimulus and behaviour",
                )
            )  # fmt: skip
        else:
            reason = f"{told}: a share of next to nothing is no figure"
            made.append(not_testable_claim("L3", claim, unit="trial", separation=SEPARATION, reason=reason))
    return made
