"""Linear readouts of one mouse: from a recipe to predictions of the trials that are scored."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from experiments.v1_transfer import features, ridge
from experiments.v1_transfer.mice import Mouse
from experiments.v1_transfer.network import Read
from experiments.v1_transfer.recipes import FEW, GLM_BANDS, MANY, Recipe
from experiments.v1_transfer.ridge import Chosen, Design
from experiments.v1_transfer.settings import Settings

Reading = Callable[[str, Sequence[str]], Read]  # of a network by its kind, with these inputs


def design_of(
    recipe: Recipe, mouse: Mouse, trials: np.ndarray, directions: np.ndarray, settings: Settings, reading: Reading
) -> Design:
    """The features of a recipe; whatever is scaled is scaled by what `trials` hold."""
    activity = mouse.standardised(trials)
    shared: Mapping[str, Callable[[], np.ndarray]] = {
        "clock": lambda: features.clock(mouse),
        "direction": lambda: features.direction_by_time(mouse, directions),
        "behaviour": lambda: features.behaviour(mouse, trials),
        "trial_index": lambda: features.trial_index(mouse, FEW),
        "fine_trial_index": lambda: features.trial_index(mouse, MANY),
    }
    bands = [make() for name, make in shared.items() if name in recipe.bands]
    own, populations = [], []
    if "own_past" in recipe.bands:
        own.append(features.past(activity, settings.own_lags))
    if "others" in recipe.bands:
        populations.append(activity)
    if "others_around" in recipe.bands:
        populations += features.neighbours(activity)
    if "shared_gain" in recipe.bands:
        glm = Design(tuple(make() for name, make in shared.items() if name in GLM_BANDS))
        chosen = ridge.choose_and_predict(glm, activity, trials, mouse.scored, settings.search)
        own.append(features.shared_gain(activity, chosen, trials, mouse.scored))
    if recipe.network is not None:
        read = reading(recipe.network, recipe.inputs)
        bands.append(read.core)
        own.append(read.average_neuron[..., None])
    return Design(tuple(bands), tuple(own), tuple(populations))


def predict(
    recipe: Recipe, mouse: Mouse, trials: np.ndarray, directions: np.ndarray, settings: Settings, reading: Reading
) -> Chosen:
    """Fit a recipe to `trials` and predict the scored ones, in deviations of each neuron."""
    design = design_of(recipe, mouse, trials, directions, settings, reading)
    return ridge.choose_and_predict(design, mouse.standardised(trials), trials, mouse.scored, settings.search)


def condition_mean(mouse: Mouse, trials: np.ndarray) -> np.ndarray:
    """The mean of the fitted trials of the same direction, not shrunk, in deviations of each neuron."""
    activity = mouse.standardised(trials)
    same = mouse.direction[mouse.scored][:, None] == mouse.direction[trials][None]
    return np.einsum("st,tbn->sbn", same / same.sum(axis=1, keepdims=True), activity[trials])


def average_neuron(weights: Sequence[np.ndarray], design: Design, mouse: Mouse) -> np.ndarray:
    """Zero shot: the mean weights of the neurons of other mice, applied to a mouse's stimulus and behaviour."""
    mean = np.mean([one.mean(axis=1) for one in weights], axis=0)
    features_of = np.concatenate(design.shared, axis=-1)
    centred = features_of[mouse.scored] - features_of[mouse.fitted].mean(axis=(0, 1))
    expected = centred @ mean
    return np.repeat(expected[..., None], mouse.n_neurons, axis=-1)
