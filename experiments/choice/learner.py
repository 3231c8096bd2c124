"""The mechanistic baseline: a learner whose parameters are found for each subject by maximum likelihood.

Log odds of choice 1 = bias + what is seen + beta (Q1 - Q0) + prior_weight log(K / (1 - K)), between two lapse rates.
Q are values with a learning rate and forgetting of the arm not chosen; K is a decaying trace of the subject's own
choices (the action kernel of Findling et al. 2025). What is seen is each column, linear and saturating as
tanh(5 x / max|x|) (Roy et al. 2021). Both simulated learners are members of this family.
"""

import dataclasses
from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize

from experiments.choice.sessions import Session

# bias, beta, learning, forgetting, prior weight, trace rate, two lapses; rates and lapses as logits
START = np.array([0.0, 0.5, -0.5, -1.5, 0.5, -1.5, -3.0, -3.0])
FIXED = len(START)
PENALTY = 0.02  # on the squared distance from START, in nats: it decides only what the choices do not
EDGE = 0.02  # of the trace, whose log odds would otherwise be infinite


@dataclasses.dataclass(frozen=True, eq=False)
class Learner:
    """A fitted learner.

    Attributes:
        values: parameters in the order of `START`, then two weights a column.
        scale: largest absolute value of each column among the fitted sessions.
    """

    values: np.ndarray
    scale: np.ndarray

    def predict(self, sessions: Sequence[Session], shape: tuple[int, int]) -> list[np.ndarray]:
        """The chance of choice 1 in each trial of each session, given the choices before it.

        Args:
            sessions: to predict.
            shape: (sessions, trials) to pad to, so that calls of one shape compile once.
        """
        choice, reward, _, seen = _padded(sessions, self.scale, shape)
        odds, values = _log_odds(jnp.asarray(self.values, jnp.float32), choice, reward, seen)
        chance = np.asarray(_chance(odds, values), np.float64)
        return [chance[k, : len(one)] for k, one in enumerate(sessions)]


def fit(sessions: Sequence[Session], starts: int, seed: int, shape: tuple[int, int]) -> Learner:
    """The most likely learner of these sessions, the best of some starts."""
    scale = np.array([max(np.abs(np.concatenate([one.task[name] for one in sessions])).max(), 1e-9)
                      for name in sessions[0].task])  # fmt: skip
    arrays = _padded(sessions, scale, shape)
    start = np.concatenate([START, np.tile([0.5, 0.5], len(scale))])
    random = np.random.default_rng(seed)
    best = None
    for number in range(starts):
        first = start + (0.3 * random.normal(size=len(start)) if number else 0.0)
        found = minimize(_loss, first, args=(arrays, start), jac=True, method="L-BFGS-B", options={"maxiter": 150})
        if best is None or found.fun < best.fun:
            best = found
    assert best is not None
    return Learner(best.x, scale)


def _loss(values: np.ndarray, arrays: tuple, start: np.ndarray) -> tuple[float, np.ndarray]:
    loss, gradient = _value_and_gradient(jnp.asarray(values, jnp.float32), *arrays)
    apart = values - start
    total = float(loss) + PENALTY * float(apart @ apart)
    return total, np.asarray(gradient, np.float64) + 2 * PENALTY * apart


def _padded(sessions: Sequence[Session], scale: np.ndarray, shape: tuple[int, int]) -> tuple:
    choice, reward, counted = (np.zeros(shape, np.float32) for _ in range(3))
    seen = np.zeros((*shape, 2 * len(scale)), np.float32)
    for k, one in enumerate(sessions):
        choice[k, : len(one)], reward[k, : len(one)], counted[k, : len(one)] = one.choice, one.rewarded, 1.0
        for column, name in enumerate(one.task):
            shown = one.task[name] / scale[column]
            seen[k, : len(one), 2 * column], seen[k, : len(one), 2 * column + 1] = shown, np.tanh(5.0 * shown)
    return tuple(jnp.asarray(one) for one in (choice, reward, counted, seen))


@jax.jit
def _log_odds(values: jax.Array, choice: jax.Array, reward: jax.Array, seen: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(session, trial) log odds before lapses, and the values themselves."""
    learning, forgetting, rate = (jax.nn.sigmoid(values[k]) for k in (2, 3, 5))

    def trial(state: tuple, now: tuple) -> tuple[tuple, jax.Array]:
        low, high, trace = state
        chosen, paid = now
        kept = jnp.clip(trace, EDGE, 1.0 - EDGE)
        odds = values[1] * (high - low) + values[4] * jnp.log(kept / (1.0 - kept))
        other = 1.0 - chosen
        high = high + chosen * learning * (paid - high) - other * forgetting * high
        low = low + other * learning * (paid - low) - chosen * forgetting * low
        return (low, high, trace + rate * (chosen - trace)), odds

    n = choice.shape[0]
    first = (jnp.zeros(n, values.dtype), jnp.zeros(n, values.dtype), jnp.full(n, 0.5, values.dtype))
    _, odds = jax.lax.scan(trial, first, (choice.T, reward.T), unroll=8)
    return odds.T + values[0] + seen @ values[FIXED:], values


def _chance(odds: jax.Array, values: jax.Array) -> jax.Array:
    # Each lapse is at most one half, so that the two leave room for what is seen.
    low, high = 0.5 * jax.nn.sigmoid(values[6]), 0.5 * jax.nn.sigmoid(values[7])
    return low + (1.0 - low - high) * jax.nn.sigmoid(odds)


@partial(jax.jit)
@jax.value_and_grad
def _value_and_gradient(
    values: jax.Array, choice: jax.Array, reward: jax.Array, counted: jax.Array, seen: jax.Array
) -> jax.Array:
    odds, values = _log_odds(values, choice, reward, seen)
    chance = jnp.clip(_chance(odds, values), 1e-6, 1.0 - 1e-6)
    return -jnp.sum(counted * jnp.where(choice > 0.5, jnp.log(chance), jnp.log1p(-chance)))
