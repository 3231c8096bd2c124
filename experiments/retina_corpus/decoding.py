"""How well a forest names the study of a recording, from six numbers or from what a network makes of it."""

import dataclasses

import numpy as np
from jaxtyping import Float
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import LeaveOneOut, StratifiedKFold

from experiments.retina_corpus.settings import Settings
from twin.judge import Interval, percentile_interval

FOLDS, LEAVE_ONE_BELOW, N_RESAMPLES = 5, 60, 1000


@dataclasses.dataclass(frozen=True, eq=False)
class Named:
    """Who was named.

    Attributes:
        truth: study of each recording.
        named: what the forest says of it, when it was left out.
        balanced: balanced accuracy.
        interval: of it, over recordings.
    """

    truth: np.ndarray
    named: np.ndarray
    balanced: float
    interval: Interval

    @property
    def chance(self) -> float:
        """One over the number of studies."""
        return 1.0 / len(np.unique(self.truth))


def name_studies(
    features: Float[np.ndarray, "recording feature"], studies: np.ndarray, settings: Settings, seed: int
) -> Named | None:
    """Balanced accuracy of naming the study of recordings that were left out; None for fewer than two studies.

    Leave-one-out below 60 recordings, stratified folds over recordings otherwise.
    """
    _, counts = np.unique(studies, return_counts=True)
    if len(counts) < 2 or counts.min() < 2:
        return None
    few = len(studies) < LEAVE_ONE_BELOW
    splits = LeaveOneOut() if few else StratifiedKFold(min(FOLDS, int(counts.min())), shuffle=True, random_state=seed)
    named = np.empty_like(studies)
    for train, left in splits.split(features, studies):
        forest = RandomForestClassifier(settings.trees, class_weight="balanced", random_state=seed)
        named[left] = forest.fit(features[train], studies[train]).predict(features[left])
    return Named(studies, named, _balanced(studies, named), _interval(studies, named, seed))


def _balanced(truth: np.ndarray, named: np.ndarray) -> float:
    return float(balanced_accuracy_score(truth, named))


def _interval(truth: np.ndarray, named: np.ndarray, seed: int) -> Interval:
    random, values = np.random.default_rng(seed), []
    groups = [np.flatnonzero(truth == study) for study in np.unique(truth)]
    for _ in range(N_RESAMPLES):
        drawn = [named[random.choice(group, len(group))] == truth[group[0]] for group in groups]
        values.append(float(np.mean([one.mean() for one in drawn])))
    return percentile_interval(np.array(values), len(truth), unit="session")
