"""Fits of spike times with several restarts, each of which is kept: they are about as good and predict differently."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from biophys.calibrate import Coincidence, Evolution, Fit, Target, calibrate
from biophys.models.model import NeuronModel
from experiments.spike_fits.simulate import own_spikes


@dataclasses.dataclass(frozen=True)
class Restarts:
    """The best parameter set of each restart, the best first.

    Attributes:
        model: what was fitted.
        values: parameter -> (restart,).
        losses: (restart,) of the fit.
        n_simulations: of all restarts together.
        ending: why the search ended.
    """

    model: NeuronModel
    values: Mapping[str, np.ndarray]
    losses: np.ndarray
    n_simulations: int
    ending: str

    def trains(self, current_na: np.ndarray, dt_s: float) -> tuple[np.ndarray, ...]:
        """Spikes of each under a current, s."""
        return own_spikes(self.model, self.values, current_na, dt_s)


def fit_restarts(
    target: Target,
    model: NeuronModel,
    key: Any,
    *,
    restarts: int,
    population: int,
    budget: int,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    objective: Coincidence | None = None,
    dt_s: float | None = None,
) -> Restarts:
    """Fit spike times alone with CMA-ES from several starts."""
    fit = calibrate(
        target,
        model,
        bounds,
        Coincidence() if objective is None else objective,
        Evolution(restarts=restarts, population=population),
        budget,
        key,
        dt_s=target.dt_s if dt_s is None else dt_s,
        intervals=False,
    )
    return best_of_each(fit, model, restarts, population)


def best_of_each(
    fit: Fit, model: NeuronModel, restarts: int, population: int, fixed: Mapping[str, float] | None = None
) -> Restarts:
    """The best parameter set of each restart of a fit.

    Args:
        fit: by `Evolution` with so many restarts and such a population.
        model: that was fitted.
        restarts: side by side.
        population: of each.
        fixed: parameters that were held, to stand beside the free ones.
    """
    history = fit.history
    # each generation has the populations of all restarts, one after the other
    slot = np.arange(len(history.loss)) % (restarts * population) // population
    loss = np.where(np.isfinite(history.loss), history.loss, np.inf)
    best = np.array([np.flatnonzero(slot == one)[np.argmin(loss[slot == one])] for one in range(restarts)])
    best = best[np.argsort(loss[best], kind="stable")]
    values = fit.space.values(history.positions[best].astype(np.float32).astype(np.float64))
    held = {name: np.full(restarts, value) for name, value in (fixed or {}).items()}
    return Restarts(model, {**values, **held}, loss[best], len(history.loss), fit.reason)


def keys(seed: int, n: int) -> list[Any]:
    """Independent keys."""
    return list(jax.random.split(jax.random.key(seed), n))
