"""A pretrained network on a recording of a study that it never saw: as it is, and adapted on the part to fit.

Adapting leaves the network as it is and adds, for each unit, a regression on the features of the coupled GLM and on the
network's own prediction. Its ridge, from none of it to that of the GLM, is chosen on the end of the part to fit.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from experiments.retina_corpus import glm
from experiments.retina_corpus.corpus import Recorded
from experiments.retina_corpus.settings import Settings
from surrogate import Surrogate, introduce

PREDICTED_LENGTH, PREDICTED_ITEMS = 256, 8
Logs = Float[np.ndarray, "window unit"]


def zero_shot(surrogate: Surrogate, recordings: Sequence[Recorded]) -> dict[str, Logs]:
    """Logarithm of the expected count of every window, by name; of the units only their mean in the fitted part."""
    known = introduce(surrogate, [one.tree for one in recordings], parts={one.name: one.parts for one in recordings})
    wide = for_prediction(known)
    return {one.name: np.log(wide.predict(one.tree).mean[0]).astype(np.float32) for one in recordings}


def for_prediction(surrogate: Surrogate) -> Surrogate:
    """The same weights with items in which all units of a recording fit, so that each sees all others."""
    config = surrogate.config
    data = dataclasses.replace(config.data, length=PREDICTED_LENGTH, fewest_units=32, max_units=256)
    training = dataclasses.replace(config.training, batch=PREDICTED_ITEMS)
    config = dataclasses.replace(config, data=data, training=training)
    return Surrogate(dataclasses.replace(surrogate.checkpoint, config=config))


@dataclasses.dataclass(frozen=True, eq=False)
class Adapted:
    """A recording's units after adaptation.

    Attributes:
        log_counts: logarithm of the expected count.
        ridge: that was chosen; infinity is the network as it is.
        tried: ridge -> bits per spike on the end of the fitted part.
    """

    log_counts: Logs
    ridge: float
    tried: Mapping[float, float]


def adapt(
    one: Recorded,
    network: Logs,
    kind: glm.Kind,
    settings: Settings,
    progress: Callable[[float], None] = lambda share: None,
) -> Adapted:
    """Fit each unit's regression beside the network's prediction of a recording."""
    chosen_from = one.fitted - int(settings.chosen_share * one.fitted)
    weak = settings.calibration_ridge
    found = glm.features(one.counts, one.places_um, kind)
    found = np.concatenate([network[..., None], found], axis=-1)
    early = regressed(one.counts[: one.fitted], network, found, chosen_from, settings.ridges, weak, progress)
    late = slice(chosen_from, one.fitted)
    tried = {ridge: bits(logs[late], one.counts[late]) for ridge, logs in early.items()}
    best = max(tried, key=lambda ridge: tried[ridge])
    final = regressed(one.counts, network, found, one.fitted, (best,), weak)[best] if np.isfinite(best) else network
    return Adapted(final, best, tried)


def regressed(
    counts: np.ndarray,
    network: Logs,
    features: np.ndarray,
    n_train: int,
    ridges: Sequence[float],
    calibration: float,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[float, Logs]:
    """For each ridge the prediction of regressions on the first windows, with the network's prediction as offset."""
    every = glm.standardised(features[: len(counts)], n_train)
    logs = {ridge: np.empty(counts.shape, np.float32) for ridge in ridges}
    for unit in range(counts.shape[1]):
        offset = network[: len(counts), unit]
        design = np.concatenate([np.ones((len(counts), 1), np.float32), every[:, unit]], axis=1)
        train, observed = design[:n_train], counts[:n_train, unit]
        weights = np.zeros(design.shape[1])
        for ridge in sorted(ridges, reverse=True):
            if np.isfinite(ridge):
                penalty = np.full(len(weights), ridge)
                penalty[:2] = min(ridge, calibration)  # level and gain of the network's prediction
                weights = glm.newton(train, observed, weights, penalty, offset[:n_train])
            logs[ridge][:, unit] = offset + design @ weights.astype(np.float32)
        progress((unit + 1) / counts.shape[1])
    return {ridge: np.minimum(one, glm.LARGEST) for ridge, one in logs.items()}


def bits(log_counts: Logs, counts: Float[np.ndarray, "window unit"]) -> float:
    """Bits per spike over each unit's mean in the same windows; NaN without a spike."""
    totals = counts.sum(axis=0, dtype=np.float64)
    if not totals.sum():
        return float("nan")
    null = totals * np.log(np.where(totals > 0, totals, 1.0) / len(counts)) - totals
    model = (counts * log_counts - np.exp(log_counts)).sum(axis=0, dtype=np.float64)
    return float((model - null).sum() / totals.sum() / np.log(2.0))
