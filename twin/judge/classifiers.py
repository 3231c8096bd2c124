"""Held-out predictions of three classifier families for many labellings of the same rows at once.

A permutation test refits the classifier for every labelling. Scaling, folds and neighbours do not depend on the labels
and are made once; the logistic family is fitted to all labellings together.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int

from twin.errors import InputError

_N_TREES = 30
_LABELLINGS_AT_ONCE = 256
_LOGISTIC_STEPS = 500
_LOGISTIC_TOLERANCE = 1e-3


def held_out_predictions(
    features: Float[np.ndarray, "row feature"],
    labels: Bool[np.ndarray, "row labelling"],
    folds: Int[np.ndarray, " row"],
    *,
    family: str,
    seed: int,
) -> Bool[np.ndarray, "row labelling"]:
    """Predicts each row from the rows of the other folds, for each labelling on its own.

    Args:
        features: one row per window.
        labels: True where the labelling calls the row generated.
        folds: rows of one fold are predicted together.
        family: one of `FAMILIES`.
        seed: of the forest.

    Raises:
        InputError: unknown family.
    """
    if family not in FAMILIES:
        raise InputError(f"The classifier family {family!r} is unknown; name one of {', '.join(FAMILIES)}.")
    predicted = np.zeros_like(labels)
    for fold in np.unique(folds):
        test = folds == fold
        mean, sd = np.mean(features[~test], axis=0), np.std(features[~test], axis=0)
        # A feature that is constant up to rounding in the training rows carries nothing there and must not explode.
        constant = sd <= 1e-9 * np.maximum(np.abs(mean), 1e-300)
        scaled = np.where(constant, 0.0, (features - mean) / np.where(constant, 1.0, sd))
        for at in range(0, labels.shape[1], _LABELLINGS_AT_ONCE):
            chosen = slice(at, at + _LABELLINGS_AT_ONCE)
            predicted[test, chosen] = FAMILIES[family](scaled[~test], labels[~test, chosen], scaled[test], seed)
    return predicted


def logistic_weights(
    features: Float[np.ndarray, "row feature"], labels: Bool[np.ndarray, "row labelling"]
) -> Float[np.ndarray, "weight labelling"]:
    """Ridge logistic regression (penalty |w|^2 / 2, free intercept in the last row), one column per labelling.

    Steps with the fixed upper bound of the Hessian, which never overshoots and is the same for every labelling
    (Boehning and Lindsay 1988, Ann. Inst. Stat. Math. 40).
    """
    design = np.column_stack([features, np.ones(len(features))])
    penalty = np.append(np.ones(features.shape[1]), 0.0)
    step = np.linalg.inv(0.25 * design.T @ design + np.diag(penalty))
    weights = np.zeros((design.shape[1], labels.shape[1]))
    moving = np.arange(labels.shape[1])
    for _ in range(_LOGISTIC_STEPS):
        now = weights[:, moving]
        gradient = design.T @ (labels[:, moving] - _sigmoid(design @ now)) - penalty[:, None] * now
        change = step @ gradient
        weights[:, moving] = now + change
        moving = moving[np.max(np.abs(change), axis=0) > _LOGISTIC_TOLERANCE]
        if moving.size == 0:
            break
    return weights


def _logistic(train: np.ndarray, labels: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    del seed
    return np.column_stack([test, np.ones(len(test))]) @ logistic_weights(train, labels) > 0


def _nearest_neighbours(train: np.ndarray, labels: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    """Majority of the k = sqrt(n) nearest rows (Lopez-Paz and Oquab 2017), made odd so that there is no tie."""
    del seed
    from sklearn.neighbors import NearestNeighbors

    k = int(np.sqrt(len(train)))
    k = min(k + 1 - k % 2, len(train) - 1 + len(train) % 2)
    near = NearestNeighbors(n_neighbors=k).fit(train).kneighbors(test, return_distance=False)
    votes = np.zeros((len(test), labels.shape[1]), dtype=np.int64)
    for column in near.T:
        votes += labels[column]
    return 2 * votes > k


def _random_forest(train: np.ndarray, labels: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.ensemble import RandomForestClassifier

    predicted = np.zeros((len(test), labels.shape[1]), dtype=bool)
    for i in range(labels.shape[1]):
        forest = RandomForestClassifier(n_estimators=_N_TREES, min_samples_leaf=2, random_state=seed)
        predicted[:, i] = forest.fit(train, labels[:, i]).predict(test)
    return predicted


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1.0 + np.tanh(0.5 * x))


FAMILIES: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]] = {
    "logistic": _logistic,
    "random_forest": _random_forest,
    "knn": _nearest_neighbours,
}
