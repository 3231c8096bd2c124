"""Every model's prediction for every segment of a corpus, with what other data sets teach."""

import dataclasses
from collections.abc import Callable, Mapping

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from experiments.calcium import drift, fitting, kernels
from experiments.calcium.corpus import Corpus
from experiments.calcium.drift import Fitted, Forecast
from experiments.calcium.fitting import Prior
from experiments.calcium.kernels import Linear
from experiments.calcium.predicting import Trace, at_frames, predict, shuffled
from experiments.calcium.settings import Settings

FROM_OTHERS = ("surrogate", "surrogate_without_facts", "one_kernel", "indicator_kernel", "linear", "shuffled_spikes")
REFERENCE = "fitted_to_the_scored_frames"  # no prediction: how near this model can come when it has seen the answer
FROM_FIRST_HALF = ("adapted", "adapted_without_prior", "own_kernel", "own_linear")


@dataclasses.dataclass(frozen=True, eq=False)
class Taught:
    """What a folder teaches: the kinetics of its cells, and how each simple kernel does on them."""

    corpus: Corpus
    kinetics: Float[np.ndarray, "cell parameter"]
    losses: Float[np.ndarray, "kernel cell"]
    linear: Linear


@dataclasses.dataclass(frozen=True, eq=False)
class Predicted:
    """Predictions for a corpus.

    Attributes:
        corpus: what was predicted.
        traces: model -> segment -> trace at the frames; those of `FROM_FIRST_HALF` saw the first half of the cell.
        prior: of each cell, from other data sets.
        kinetics: of each cell, adapted on its first half.
        noise: drift and noise of each cell, from its first half.
        forecasts: of the second halves, from spikes and earlier frames.
    """

    corpus: Corpus
    traces: Mapping[str, list[Trace]]
    prior: Prior
    kinetics: Float[np.ndarray, "cell parameter"]
    noise: Fitted
    forecasts: list[Forecast]


def teach(corpus: Corpus, settings: Settings) -> Taught:
    """Fit every cell of a folder, by itself."""
    kinetics = fitting.adapt(corpus, fitting.broad(len(corpus.cells)), settings, early=False)
    return Taught(corpus, kinetics, kernels.losses(corpus, settings, early=False), Linear.of(corpus, settings))


def predict_all(corpus: Corpus, teacher: Taught, settings: Settings, tell: Callable[[str], None]) -> Predicted:
    """All models. Where the corpus teaches itself, each data set is predicted by the others."""
    n = len(corpus.cells)
    itself = teacher.corpus is corpus
    grid = kernels.candidates(settings)
    linear = teacher.linear if itself else Linear.of(corpus, settings)
    kinetics = {name: np.zeros((n, fitting.LOW.size)) for name in FROM_OTHERS[:4]}
    precision = np.zeros((n, fitting.LOW.size, fitting.LOW.size))
    weights = {name: np.zeros((n, len(settings.basis_s))) for name in ("linear", "own_linear")}
    for name in dict.fromkeys(corpus.data_set):
        cells, known = corpus.data_set == name, teacher.corpus.data_set
        others = teacher.corpus.teaches & (known != name if itself else True)
        facts = corpus.facts[cells]
        prior = fitting.taught(teacher.kinetics, teacher.corpus, others, facts, settings.ridge)
        kinetics["surrogate"][cells], precision[cells] = prior.mean, prior.precision
        kinetics["surrogate_without_facts"][cells] = fitting.average(teacher.kinetics, teacher.corpus, others)
        kinetics["one_kernel"][cells] = grid[kernels.best(teacher.losses, known, others)]
        same = others & (teacher.corpus.indicator == corpus.indicator[cells][0])
        kinetics["indicator_kernel"][cells] = grid[kernels.best(teacher.losses, known, same if same.any() else others)]
        weights["linear"][cells] = kernels.weights_of(teacher.linear.whole[others])
    prior = Prior(kinetics["surrogate"], precision)
    tell("adapting")
    adapted = fitting.adapt(corpus, prior, settings, early=True)
    kinetics["adapted"] = adapted
    kinetics["adapted_without_prior"] = fitting.adapt(corpus, fitting.broad(n), settings, early=True)
    whole = teacher.kinetics if itself else fitting.adapt(corpus, fitting.broad(n), settings, early=False)
    kinetics[REFERENCE] = whole
    tell("simple models")
    kinetics["own_kernel"] = grid[kernels.losses(corpus, settings, early=True).argmin(axis=0)]
    weights["own_linear"] = np.array([kernels.weights_of(one[None]) for one in linear.early])
    tell("predicting")
    traces = {name: predict(corpus, one) for name, one in kinetics.items()}
    traces["shuffled_spikes"] = predict(corpus, kinetics["surrogate"], shuffled(corpus))
    for name, one in weights.items():
        rows = jnp.asarray(one[corpus.cell[corpus.grid.segment]].T, jnp.float32)
        traces[name] = at_frames(corpus, jnp.einsum("atp,ap->tp", linear.traces, rows))
    tell("drift and noise")
    noise = drift.fit(corpus, traces["adapted"], settings)
    forecasts = drift.forecast(corpus, traces["adapted"], noise, settings)
    return Predicted(corpus, traces, prior, adapted, noise, forecasts)
