"""Nearest-centroid classification of neuron types, raw and adjusted, from articles and labs that were left out.

Effects of conditions, centroids and scales come from the training rows alone. Because the model is additive, a value is
adjusted by its own conditions and without its type, so that nothing of the answer enters.
"""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr
from jaxtyping import Float

from experiments.neuroelectro.additive import Measured, fit
from experiments.neuroelectro.coding import ALL_TERMS, METADATA, Coding
from experiments.neuroelectro.leave_out import N_RESAMPLES, PENALTY
from experiments.neuroelectro.stepwise import stepwise
from experiments.neuroelectro.table import NAMES, distinct_within, texts
from twin.judge import Interval, percentile_interval, resampling_weights

LEAST_PROPERTIES = 3
LEAST_ARTICLES = (10, 6)
SEPARATIONS = {"other article": "article", "other lab": "lab"}
MODELS = {
    "raw": "values as published",
    "adjusted": "values adjusted by the stepwise model that the training rows choose",
    "adjusted_ridge": "values adjusted by all conditions, effects shrunk by a ridge of 3",
    "conditions_alone": "no values at all: the types' mean recording conditions",
}


@dataclasses.dataclass(frozen=True, eq=False)
class Classified:
    """Who was recognised.

    Attributes:
        n_types: types to choose from.
        n_articles: articles that each has at least.
        separation: what was left out at a time.
        correct: for each model, whether each row was recognised.
        labs: lab of each row, as 0, 1, ...
        largest_share: accuracy of always naming the most frequent type.
    """

    n_types: int
    n_articles: int
    separation: str
    correct: Mapping[str, np.ndarray]
    labs: np.ndarray
    largest_share: float

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.labs)

    def accuracy(self, model: str, seed: int) -> tuple[float, Interval]:
        """Share of rows that were recognised, with its interval over labs."""
        return self._figure(self.correct[model].astype(float), seed)

    def gain(self, model: str, seed: int) -> tuple[float, Interval]:
        """Accuracy less that of the raw values, with its paired interval over labs."""
        return self._figure(self.correct[model].astype(float) - self.correct["raw"], seed)

    def _figure(self, scores: np.ndarray, seed: int) -> tuple[float, Interval]:
        sums = np.stack([np.bincount(self.labs, scores), np.bincount(self.labs)], axis=1)
        drawn = resampling_weights(len(sums), N_RESAMPLES, seed) @ sums
        return float(scores.mean()), percentile_interval(drawn[:, 0] / drawn[:, 1], len(sums), unit="lab")


def classify(rows: xr.Dataset, coding: Coding) -> tuple[Classified, ...]:
    """Every set of types at every separation; a set of fewer than two types, or the same set again, is left out."""
    n_articles = distinct_within(texts(rows, "article"), texts(rows, "neuron_type"))
    n_values = np.isfinite(_properties(rows)).sum(axis=1)
    found: list[Classified] = []
    for least in LEAST_ARTICLES:
        chosen = (n_articles >= least) & (n_values >= LEAST_PROPERTIES)
        types = texts(rows, "neuron_type")[chosen]
        if len(set(types)) < 2 or len(set(types)) in {one.n_types for one in found}:
            continue
        labs = np.unique(texts(rows, "lab")[chosen], return_inverse=True)[1]
        share = np.unique(types, return_counts=True)[1].max() / len(types)
        for separation, column in SEPARATIONS.items():
            correct = _recognised(rows, chosen, texts(rows, column), coding)
            found.append(Classified(len(set(types)), least, separation, correct, labs, float(share)))
    return tuple(found)


def _properties(rows: xr.Dataset) -> Float[np.ndarray, "row property"]:
    return np.stack([rows[name].values for name in NAMES], axis=1)


def _recognised(rows: xr.Dataset, chosen: np.ndarray, groups: np.ndarray, coding: Coding) -> dict[str, np.ndarray]:
    types = texts(rows, "neuron_type")
    correct = {model: np.zeros(len(types), bool) for model in MODELS}
    look = _Features(rows, coding)
    for group in np.unique(groups[chosen]):
        left, training = chosen & (groups == group), chosen & (groups != group)
        for model, features in look.learned_from(groups != group).items():
            named = _nearest(features[training], types[training], features[left])
            correct[model][left] = named == types[left]
    return {model: one[chosen] for model, one in correct.items()}


class _Features:
    """What each model looks at, for all rows, with effects of conditions that the training rows teach."""

    def __init__(self, rows: xr.Dataset, coding: Coding) -> None:
        self._coding, self._every_condition = coding, coding.encode(rows, ALL_TERMS)
        self._values = _properties(rows)
        self._measured = [Measured.of(rows, name, coding) for name in NAMES]

    def learned_from(self, training: np.ndarray) -> dict[str, Float[np.ndarray, "row feature"]]:
        return {
            "raw": self._values,
            "adjusted": self._values - self._effects(training, _chosen),
            "adjusted_ridge": self._values - self._effects(training, _shrunk),
            "conditions_alone": self._every_condition[:, self._coding.places(METADATA)],
        }

    def _effects(self, training: np.ndarray, learn: "Learn") -> Float[np.ndarray, "row property"]:
        """What the conditions of every row add to each property."""
        added = []
        for data, value in zip(self._measured, self._values.T, strict=True):
            terms, effects = learn(data, training[np.isfinite(value)].astype(np.float64))
            added.append(self._every_condition[:, self._coding.places(terms)] @ effects)
        return np.stack(added, axis=1)


Learn = Callable[[Measured, np.ndarray], tuple[tuple[str, ...], np.ndarray]]  # terms, and the effects of their columns


def _chosen(data: Measured, weights: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    found = stepwise(data, weights=weights)
    return found.terms, found.model.effects


def _shrunk(data: Measured, weights: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    return METADATA, fit(data, data.conditions(METADATA), weights=weights, penalty=PENALTY).effects


def _nearest(training: np.ndarray, types: np.ndarray, features: np.ndarray) -> np.ndarray:
    """The type whose centroid is nearest, as the mean square over the features that both have, in training SDs."""
    names, at = np.unique(types, return_inverse=True)
    known = np.isfinite(training)
    centre = _mean(training, known)
    spread = np.sqrt(_mean((training - centre) ** 2, known))
    scale = np.where(spread > 0, spread, 1.0)
    centroids = np.stack([_mean(training[at == one], known[at == one]) for one in range(len(names))])
    squared = ((features[:, None] - centroids) / scale) ** 2
    distance = _mean(np.moveaxis(squared, 2, 0), np.isfinite(np.moveaxis(squared, 2, 0)))
    return names[np.argmin(np.where(np.isfinite(distance), distance, np.inf), axis=1)]


def _mean(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Mean over the first axis of what is known; NaN where nothing is."""
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, values, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
