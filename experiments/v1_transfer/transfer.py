"""One mouse left out: all models of it, from all of its fitted trials and from a quarter of them."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from experiments.v1_transfer import network, readouts
from experiments.v1_transfer.mice import Mouse
from experiments.v1_transfer.network import Read
from experiments.v1_transfer.recipes import (
    ADAPTED,
    CONDITION_MEAN,
    CONTROLS,
    ENCODING,
    FULL,
    GLM,
    LINEAR,
    QUARTER,
    QUARTER_LINEAR,
    ZERO_SHOT,
    Recipe,
)
from experiments.v1_transfer.settings import Settings
from surrogate import Surrogate

AMOUNTS = ("full", "quarter")
GRADIENT, SCRATCH, UNSEEN, UNSEEN_PAST = "adapted_by_gradient", "from_scratch", "zero_shot", "zero_shot_past"
# Inputs of the models that are no readouts of `recipes`.
INPUTS_OF: Mapping[str, tuple[str, ...]] = {
    CONDITION_MEAN: ("stimulus",),
    ZERO_SHOT: ("stimulus", "behaviour"),
    UNSEEN: ENCODING.inputs,
    UNSEEN_PAST: (*ENCODING.inputs, "own_past"),
    GRADIENT: ADAPTED.inputs,
    SCRATCH: ADAPTED.inputs,
}


@dataclasses.dataclass(frozen=True, eq=False)
class LeftOut:
    """Predictions of one mouse.

    Attributes:
        mouse: that was left out.
        pretrained_on: names of the mice that the core knows.
        predicted: (amount, model) -> (trial, time, neuron) of the scored trials, as recorded.
        validation: the same of the fitted trials, each by a fit that had not seen it; linear readouts only.
    """

    mouse: Mouse
    pretrained_on: tuple[str, ...]
    predicted: Mapping[tuple[str, str], np.ndarray]
    validation: Mapping[tuple[str, str], np.ndarray]


def pretrain(mice: Sequence[Mouse], whole: bool, settings: Settings, seed: int) -> list[Surrogate]:
    """Networks of these mice, of all of their trials or of those that may be fitted."""
    trials = [np.arange(len(mouse.direction)) if whole else mouse.fitted for mouse in mice]
    return [network.pretrain(mice, trials, settings, seed + number) for number in range(settings.seeds)]


def glm_weights(mouse: Mouse, directions: np.ndarray, settings: Settings) -> np.ndarray:
    """(feature, neuron) weights of the linear model of a mouse, for the zero shot on another."""
    recipe = next(one for one in LINEAR if one.model == GLM)
    return readouts.predict(recipe, mouse, mouse.fitted, directions, settings, _no_network).weights


def leave_out(
    mouse: Mouse,
    known: Sequence[Mouse],
    networks: Sequence[Surrogate],
    weights: Sequence[np.ndarray],
    directions: np.ndarray,
    settings: Settings,
    seed: int,
    told: Callable[[str], None],
) -> LeftOut:
    """Everything about a mouse that `networks`, which know the mice `known`, have not seen.

    Args:
        mouse: left out.
        known: mice of the networks.
        networks: pretrained.
        weights: of the linear model of each known mouse.
        directions: of all mice.
        settings: sizes.
        seed: of the networks that are fitted here.
        told: is told the name of each step.
    """
    predicted: dict[tuple[str, str], np.ndarray] = {}
    validation: dict[tuple[str, str], np.ndarray] = {}
    for amount, trials in (("full", mouse.fitted), ("quarter", mouse.quarter)):
        reading = _Reading(mouse, trials, networks, seed)
        recipes: tuple[Recipe, ...] = (*LINEAR, *FULL) if amount == "full" else (*QUARTER_LINEAR, *QUARTER)
        found = {CONDITION_MEAN: readouts.condition_mean(mouse, trials)}
        for recipe in recipes:
            told(f"{mouse.name}, {amount}: {recipe.model}")
            chosen = readouts.predict(recipe, mouse, trials, directions, settings, reading)
            found[recipe.model] = chosen.predicted
            validation[amount, recipe.model] = mouse.as_recorded(chosen.validation, trials)
        if amount == "full":
            glm = next(one for one in LINEAR if one.model == GLM)
            design = readouts.design_of(glm, mouse, trials, directions, settings, reading)
            found[ZERO_SHOT] = readouts.average_neuron(weights, design, mouse)
            for model in (UNSEEN, UNSEEN_PAST):
                found[model] = reading("pretrained", INPUTS_OF[model]).average_neuron[mouse.scored]
        predicted |= {(amount, model): mouse.as_recorded(one, trials) for model, one in found.items()}
        told(f"{mouse.name}, {amount}: by gradient")
        by_gradient = network.adapted(networks[0], mouse, trials, settings, seed)
        scratch = network.from_scratch(mouse, trials, settings, seed)
        for model, one in ((GRADIENT, by_gradient), (SCRATCH, scratch)):
            predicted[amount, model] = network.predicted(one, mouse, INPUTS_OF[model])[mouse.scored]
    return LeftOut(mouse, tuple(one.name for one in known), predicted, validation)


class _Reading:
    """Reads pretrained and untrained networks on a mouse once for each set of inputs."""

    def __init__(self, mouse: Mouse, trials: np.ndarray, networks: Sequence[Surrogate], seed: int) -> None:
        pretrained = [network.introduced(one, mouse, trials) for one in networks]
        self._networks = {
            "pretrained": pretrained,
            "untrained": [network.untrained(one, seed + number) for number, one in enumerate(pretrained)],
        }
        self._mouse = mouse
        self._found: dict[tuple[str, tuple[str, ...]], Read] = {}

    def __call__(self, kind: str, inputs: Sequence[str]) -> Read:
        # The network does not see the others, and an average neuron has no drift.
        seen = tuple(one for one in inputs if one not in ("others", "trial_index"))
        if (kind, seen) not in self._found:
            self._found[kind, seen] = network.read(self._networks[kind], self._mouse, seen)
        return self._found[kind, seen]


def _no_network(kind: str, inputs: Sequence[str]) -> Read:
    raise AssertionError(f"a linear model asked for a {kind} network with {', '.join(inputs)}")


def inputs_of(model: str) -> tuple[str, ...]:
    """The inputs that a model uses."""
    recipes = {one.model: one for one in (*LINEAR, *FULL, *CONTROLS)}
    return recipes[model].inputs if model in recipes else INPUTS_OF.get(model, ())
