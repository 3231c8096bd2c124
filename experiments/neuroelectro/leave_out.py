"""Leave one lab (or article) out: how well a new lab's values are predicted, with and without its conditions."""

import dataclasses
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from experiments.neuroelectro.additive import Measured, fit
from experiments.neuroelectro.coding import METADATA
from experiments.neuroelectro.stepwise import stepwise
from twin.judge import Interval, percentile_interval, resampling_weights

PENALTY = 3.0  # ridge on the effects of conditions, as in the published baselines of this table; not tuned
N_RESAMPLES = 2000
MODELS = {
    "type_only": "the mean of the neuron type; conditions are ignored",
    "type_and_chosen_terms": "type and the conditions that a stepwise search in the training rows keeps",
    "type_and_metadata": "type and all six recorded conditions, least squares",
    "type_and_metadata_ridge": "the same, its effects shrunk by a ridge of 3",
}


@dataclasses.dataclass(frozen=True, eq=False)
class Predictions:
    """What each model predicts of rows that it was not fitted to.

    Attributes:
        data: the rows.
        predicted: for each model, `(row,)`.
        baseline: the mean of the rows that were fitted, `(row,)`: what R2 compares with.
        scored: rows that are scored.
    """

    data: Measured
    predicted: Mapping[str, Float[np.ndarray, " row"]]
    baseline: Float[np.ndarray, " row"]
    scored: np.ndarray

    @property
    def labs(self) -> np.ndarray:
        """The lab of each scored row, as 0, 1, ..."""
        return np.unique(self.data.labs[self.scored], return_inverse=True)[1]

    def r2(self, model: str) -> float:
        """1 - squared error of the model / squared error of the training mean, over the scored rows."""
        return float(_r2(self._sums(model).sum(axis=0)[None])[0])

    def resampled(self, model: str, seed: int) -> Float[np.ndarray, " resample"]:
        """R2 when labs are drawn with replacement; equal seeds draw the same labs for every model."""
        sums = self._sums(model)
        return _r2(resampling_weights(len(sums), N_RESAMPLES, seed) @ sums)

    def interval(self, model: str, seed: int) -> Interval:
        """Bootstrap interval of R2 over labs."""
        return percentile_interval(self.resampled(model, seed), int(self.labs.max()) + 1, unit="lab")

    def gain(self, model: str, baseline: str, seed: int, level: float = 0.95) -> tuple[float, Interval]:
        """R2 of a model less that of another one on the same rows, with its paired interval over labs."""
        values, n_labs = self.resampled(model, seed) - self.resampled(baseline, seed), int(self.labs.max()) + 1
        return self.r2(model) - self.r2(baseline), percentile_interval(values, n_labs, unit="lab", level=level)

    def _sums(self, model: str) -> np.ndarray:
        """For each lab the squared error of the model and of the training mean: (lab, 2)."""
        errors = np.stack([self.predicted[model], self.baseline], axis=1)[self.scored]
        squared = (self.data.values[self.scored, None] - errors) ** 2
        return np.stack([np.bincount(self.labs, column) for column in squared.T], axis=1)


def leave_one_lab_out(data: Measured) -> Predictions:
    """Predict each lab from all others; `data` should hold types that two labs or more have measured."""
    conditions = data.conditions(METADATA)
    nothing = conditions[:, :0]
    return Predictions(
        data,
        {
            "type_only": predict_left_out(data, data.labs, nothing),
            "type_and_chosen_terms": _predict_chosen(data, data.labs),
            "type_and_metadata": predict_left_out(data, data.labs, conditions),
            "type_and_metadata_ridge": predict_left_out(data, data.labs, conditions, PENALTY),
        },
        _training_mean(data, data.labs),
        np.ones(len(data.values), bool),
    )


def permuted_gains(data: Measured, n_permutations: int, seed: int) -> Float[np.ndarray, " permutation"]:
    """The null: the gain in R2 over types alone when all conditions change places between rows together."""
    rng = np.random.default_rng(seed)
    conditions, baseline = data.conditions(METADATA), _training_mean(data, data.labs)
    left_out = {"type_only": predict_left_out(data, data.labs, conditions[:, :0])}
    for index in range(n_permutations):
        order = rng.permutation(len(conditions))
        left_out[f"permuted_{index}"] = predict_left_out(data, data.labs, conditions[order])
    found = Predictions(data, left_out, baseline, np.ones(len(data.values), bool))
    return np.array([found.r2(name) - found.r2("type_only") for name in list(left_out)[1:]])


LADDER = {
    "type_only": "none",
    "type_and_lab": "lab",
    "type_and_metadata_ridge": "conditions",
    "type_lab_and_metadata": "lab and conditions",
}


def ladder(data: Measured) -> dict[str, Predictions]:
    """Nothing, batch identity, conditions, and both; each when the lab is known by another article, and when it is new.

    The rows are the same at both separations: those of labs with two articles or more, of types that the rest still
    holds when the lab is left out. All effects beside the types are shrunk by `PENALTY`.
    """
    conditions, labs = data.conditions(METADATA), np.eye(len(data.lab_names))[data.labs]
    steps = (conditions[:, :0], labs, conditions, np.hstack([labs, conditions]))
    columns = dict(zip(LADDER, steps, strict=True))
    n_articles = np.array([len(set(data.articles[data.labs == lab])) for lab in range(len(data.lab_names))])
    scored = n_articles[data.labs] >= 2
    return {
        separation: Predictions(
            data,
            {name: predict_left_out(data, groups, one, PENALTY, only=scored) for name, one in columns.items()},
            _training_mean(data, groups),
            scored,
        )
        for separation, groups in {"other article": data.articles, "other lab": data.labs}.items()
    }


def predict_left_out(
    data: Measured,
    groups: np.ndarray,
    conditions: np.ndarray,
    penalty: float = 0.0,
    only: np.ndarray | None = None,
) -> Float[np.ndarray, " row"]:
    """Predict the rows of each group from a fit to all other groups.

    Args:
        data: the rows.
        groups: index of the group of each row.
        conditions: columns beside the types.
        penalty: ridge on their effects.
        only: rows that have to be predicted; the others stay NaN. All by default.
    """
    predicted = np.full(len(data.values), np.nan)
    for group in np.unique(groups if only is None else groups[only]):
        left = groups == group
        model = fit(data, conditions, weights=(~left).astype(np.float64), penalty=penalty)
        predicted[left] = model.predict(data.types[left], conditions[left])
    return predicted


def _predict_chosen(data: Measured, groups: np.ndarray) -> Float[np.ndarray, " row"]:
    predicted = np.full(len(data.values), np.nan)
    for group in np.unique(groups):
        left = groups == group
        chosen = stepwise(data, weights=(~left).astype(np.float64))
        predicted[left] = chosen.model.predict(data.types[left], data.conditions(chosen.terms)[left])
    return predicted


def _training_mean(data: Measured, groups: np.ndarray) -> np.ndarray:
    total, count = np.bincount(groups, data.values), np.bincount(groups)
    return ((data.values.sum() - total) / (len(data.values) - count))[groups]


def _r2(sums: np.ndarray) -> np.ndarray:
    return 1.0 - sums[:, 0] / sums[:, 1]
