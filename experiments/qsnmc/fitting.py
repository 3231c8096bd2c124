"""Models fitted to some stimuli, and what they predict of another."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from biophys.calibrate import Coincidence, Evolution, PointProcess, calibrate
from experiments.qsnmc.electrode import series_resistance_mohm, without_drop
from experiments.qsnmc.settings import Settings
from experiments.qsnmc.stimuli import LEAST_RELIABILITY, Stimuli
from experiments.spike_fits.consensus import consensus
from experiments.spike_fits.coupled_gif import ESCAPE, FREE, start_values
from experiments.spike_fits.coupled_lif import SPIKING
from experiments.spike_fits.restarts import Restarts, best_of_each, fit_restarts
from experiments.spike_fits.simulate import own_spikes

ESCAPE_NAME, VOTE = ESCAPE.name, "vote"
_REFRACTORY_MS = 4.0
_LEAST_WIDTH_MV = 1.0  # of the threshold at the start: at 1 kHz the regression takes it for sharper than it is


@dataclasses.dataclass(frozen=True)
class Fitted:
    """Models fitted to the same stimuli.

    Attributes:
        stimuli: that were fitted.
        restarts: model -> every restart.
        escape: the escape-noise model.
    """

    stimuli: tuple[str, ...]
    restarts: Mapping[str, Restarts]
    escape: Restarts


@dataclasses.dataclass(frozen=True)
class Predicted:
    """Free spikes under a current.

    Attributes:
        restarts: model -> a train for each restart, the best fit first.
        trials: of the best fit of the escape-noise model.
        vote: where most of the restarts and trials agree.
    """

    restarts: Mapping[str, tuple[np.ndarray, ...]]
    trials: tuple[np.ndarray, ...]
    vote: np.ndarray

    def trains(self) -> dict[str, tuple[np.ndarray, ...]]:
        """model -> its trains: one of the best fit, or the trials."""
        return {name: fits[:1] for name, fits in self.restarts.items()} | {
            VOTE: (self.vote,),
            ESCAPE_NAME: self.trials,
        }


def fit(stimuli: Stimuli, names: tuple[str, ...], key: Any, settings: Settings) -> Fitted:
    """Fit every model to some stimuli: spike times where they repeat, rates elsewhere."""
    keys = jax.random.split(key, len(settings.models) + 1)
    objective = Coincidence(rate_weight=settings.rate_weight, min_reliability=LEAST_RELIABILITY)
    restarts = {
        name: fit_restarts(
            stimuli.to_fit(names, settings),
            SPIKING[name],
            one,
            restarts=settings.restarts,
            population=settings.population,
            budget=settings.simulations,
            objective=objective,
            dt_s=settings.dt_s,
        )
        for name, one in zip(settings.models, keys[1:], strict=True)
    }
    return Fitted(names, restarts, _fit_escape(stimuli, names, keys[0], settings))


def _fit_escape(stimuli: Stimuli, names: tuple[str, ...], key: Any, settings: Settings) -> Restarts:
    """The likelihood of the spikes alone; the voltage, which holds a drop over the electrode, gives start values."""
    target = stimuli.to_force(names, settings)
    begin = start_values(without_drop(target, series_resistance_mohm(target)), _REFRACTORY_MS)
    begin["Delta_V"] = max(begin["Delta_V"], _LEAST_WIDTH_MV)
    # from spikes alone a conductance after them cannot be told from a current
    held = {"t_ref": _REFRACTORY_MS, "a_spike": 0.0, "tau_spike": ESCAPE.parameter("tau_spike").value}
    found = calibrate(
        target,
        ESCAPE,
        {one.name: one.bounds for one in ESCAPE.fitted if one.bounds is not None and one.name not in held},
        PointProcess(),
        Evolution(restarts=1, population=settings.escape_population, step=0.05),
        settings.escape_simulations,
        key,
        start={name: begin[name] for name in FREE if name not in held},
        fixed=held,
        dt_s=settings.dt_s,
        intervals=False,
    )
    return best_of_each(found, ESCAPE, 1, settings.escape_population, fixed=held)


def predict(fitted: Fitted, current_na: np.ndarray, key: Any, settings: Settings) -> Predicted:
    """What fitted models do under a current."""
    stop_s = len(current_na) * settings.dt_s
    free = {name: one.trains(current_na, settings.dt_s) for name, one in fitted.restarts.items()}
    best = {name: np.full(settings.trials, values[0]) for name, values in fitted.escape.values.items()}
    trials = own_spikes(ESCAPE, best, current_na, settings.dt_s, key)
    voters = [train for trains in free.values() for train in trains]
    return Predicted(free, trials, consensus([*voters, *trials[: len(voters)]], stop_s))
