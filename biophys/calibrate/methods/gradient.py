"""Descent along the gradient, from many starts at once."""

import dataclasses
from typing import Any

import jax
import numpy as np
import optax
from scipy.special import expit, logit
from scipy.stats import qmc

from biophys.calibrate.methods.method import Ending, Search, worst_for_nan
from biophys.calibrate.space import Space
from twin.errors import InputError

_EDGE = 1e-4  # a start this near to a bound has almost no slope on the unbounded scale


@dataclasses.dataclass(frozen=True)
class Gradient:
    """Multi-start Adam (Kingma & Ba 2015, arXiv:1412.6980) on the logit of the position, which has no bounds.

    All starts advance together in one batch: the first from the start, the others spread over the bounds (Sobol). The
    search has converged when no start has gained for `patience` steps.

    Attributes:
        starts: how many.
        learning_rate: of Adam, on the logit scale.
        decay: the learning rate at the end of the budget, relative to the first.
        patience: steps without gain until a start has converged.
        spike_width_mv: for losses that look at the model's own spikes, over how many mV around the threshold a spike
            has a derivative; an approximation, and no derivative goes through a reset.
        least_gain: what counts as a gain, relative to the spread of losses of the first step.
    """

    starts: int = 16
    learning_rate: float = 0.1
    decay: float = 0.05
    patience: int = 25
    least_gain: float = 1e-4
    spike_width_mv: float | None = None

    gradient = True

    def __post_init__(self) -> None:
        if self.starts < 1 or not self.learning_rate > 0 or not 0 < self.decay <= 1 or self.patience < 1:
            raise InputError(
                f"Gradient has {self.starts} starts, the learning rate {self.learning_rate:g}, the decay "
                f"{self.decay:g} and the patience {self.patience}; wanted 1 start or more, a rate above 0, a decay "
                "between 0 and 1, and a patience of 1 or more."
            )

    def size(self, space: Space) -> int:
        """All starts."""
        del space
        return self.starts

    def search(self, space: Space, seed: int, budget: int) -> Search:
        """See `Method`."""
        n_steps = budget // self.starts
        schedule = optax.exponential_decay(self.learning_rate, max(n_steps, 1), self.decay)
        optimizer = optax.adam(schedule)
        spread = qmc.Sobol(len(space.free), rng=np.random.default_rng(seed)).random(_power_of_two(self.starts))
        positions = np.concatenate([space.start[None], spread])[: self.starts]
        unbounded = logit(np.clip(positions, _EDGE, 1 - _EDGE)).astype(np.float32)
        state: Any = optimizer.init(unbounded)
        best, since, scale = np.full(self.starts, np.inf), np.zeros(self.starts, int), 0.0
        for step in range(n_steps):
            positions = expit(unbounded.astype(np.float64))
            scores = worst_for_nan((yield positions))
            if step == 0:
                scale = max(float(np.ptp(scores.loss)), float(np.abs(scores.loss).min()), 1e-12)
            gained = scores.loss < best - self.least_gain * scale
            best, since = np.where(gained, scores.loss, best), np.where(gained, 0, since + 1)
            if (since >= self.patience).all():
                return Ending(
                    True, f"no start gained for {self.patience} steps; {step + 1} of {n_steps} steps were used"
                )
            assert scores.gradient is not None
            slope = (scores.gradient * positions * (1 - positions)).astype(np.float32)
            with jax.numpy_dtype_promotion("standard"):  # optax counts its steps in integers and multiplies with them
                update, state = optimizer.update(slope, state)
            unbounded = np.asarray(unbounded + np.asarray(update), np.float32)
        still = int((since < self.patience).sum())
        return Ending(False, f"the budget of {n_steps} steps ended while {still} of {self.starts} starts still gained")


def _power_of_two(n: int) -> int:
    return 1 << max(n - 1, 0).bit_length()
