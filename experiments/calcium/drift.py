"""Drift and noise of each cell from its first half; later frames as they were predicted from the ones before."""

import dataclasses
from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array

from experiments.calcium.corpus import Corpus
from experiments.calcium.predicting import Trace, part
from experiments.calcium.settings import Settings
from surrogate.heads import calcium
from surrogate.heads.calcium import Noise

START = {
    "log_drift": -0.5,
    "log_drift_s": 1.0,
    "log_noise": -0.7,
    "log_growth": -3.0,
}  # in deviations of the first half
TRUST, LEARNING_RATE, SMALLEST_BUCKET = 2.0, 0.05, 512


@dataclasses.dataclass(frozen=True, eq=False)
class Forecast:
    """The second half of one segment.

    Attributes:
        segment: its number.
        next_frame: mean of each frame given the spikes and all earlier frames.
        deviation: of that.
        ahead: mean given the spikes and the frames up to the horizon before.
        log_prob: of each frame, nats, given the earlier ones.
        white: the same of a model whose noise is white, with the same response.
        spikes_only: mean given the spikes alone.
        spikes_deviation: of that.
    """

    segment: int
    next_frame: Trace
    deviation: Trace
    ahead: Trace
    log_prob: Trace
    white: Trace
    spikes_only: Trace
    spikes_deviation: Trace


@dataclasses.dataclass(frozen=True, eq=False)
class Fitted:
    """Noise of each cell.

    Attributes:
        centre, unit: (cell,) mean and deviation of the first half: what `noise` is in units of.
        noise: rows are cells.
    """

    centre: np.ndarray
    unit: np.ndarray
    noise: Noise


def fit(corpus: Corpus, shapes: Sequence[Trace], settings: Settings) -> Fitted:
    """Scale, baseline, drift and noise of each cell, from the longest stretch of its first half.

    Args:
        corpus: with the cells.
        shapes: the response of each segment.
        settings: how many frames and steps.
    """
    n, length = len(corpus.cells), settings.noise_frames
    value, shape, frame_s = np.full((length, n), np.nan), np.zeros((length, n)), np.ones(n)
    for number in range(n):
        mine = np.flatnonzero(corpus.cell == number)
        index = max(mine, key=lambda one: corpus.segments[one].half)
        segment = corpus.segments[index]
        used = slice(0, min(segment.half, length))
        value[used, number], shape[used, number] = segment.dff[used], shapes[index][used]
        frame_s[number] = segment.frame_s
    known = np.isfinite(value)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, value, 0.0).sum(axis=0) / count
    away = np.where(known, value - centre, 0.0)
    unit = np.sqrt((away**2).sum(axis=0) / count)
    unit = np.where(unit > 0, unit, 1.0)
    moved = np.where(known, shape - np.where(known, shape, 0).sum(axis=0) / count, 0.0)
    scale = np.maximum((away * moved).sum(axis=0), 0.0) / np.maximum((moved**2).sum(axis=0), 1e-9) / unit
    start = np.zeros((6, n), np.float32)
    start[0] = -scale * np.where(known, shape, 0.0).sum(axis=0) / count
    start[1] = scale
    start[2:] = np.array(list(START.values()))[:, None]
    start[5] += np.log(np.maximum(scale, 1e-3))
    arrays = [jnp.asarray(one, jnp.float32) for one in (shape, (value - centre) / unit, frame_s)]
    return Fitted(centre, unit, Noise(*_climb(jnp.asarray(start), *arrays, settings.noise_steps)))


@partial(jax.jit, static_argnames="n_steps")
def _climb(start: Array, shape: Array, value: Array, frame_s: Array, n_steps: int) -> Array:
    optimiser = optax.adam(LEARNING_RATE)

    def cost(parameters: Array) -> Array:
        likelihood = calcium.log_prob(Noise(*parameters), shape, value, frame_s).sum()
        return 0.5 * jnp.square((parameters - start) / TRUST).sum() - likelihood

    def step(state, _):
        parameters, inner = state
        slope = jax.grad(cost)(parameters)
        with jax.numpy_dtype_promotion("standard"):  # optax mixes its int32 step count with floats
            updates, inner = optimiser.update(slope, inner)
        return (optax.apply_updates(parameters, updates), inner), None

    return jax.lax.scan(step, (start, optimiser.init(start)), None, length=n_steps)[0][0]


_filtered = jax.jit(calcium.filtered)


def forecast(corpus: Corpus, shapes: Sequence[Trace], fitted: Fitted, settings: Settings) -> list[Forecast]:
    """Each segment with enough frames and spikes in the second half, filtered from its first frame on."""
    scored = [n for n, one in enumerate(corpus.segments) if one.is_scored(part(one, True))]
    out = []
    for bucket in sorted({_bucket(len(shapes[n])) for n in scored}):
        members = [n for n in scored if _bucket(len(shapes[n])) == bucket]
        cells = corpus.cell[members]
        value, shape = np.full((bucket, len(members)), np.nan), np.zeros((bucket, len(members)))
        for column, n in enumerate(members):
            dff, cell = corpus.segments[n].dff, cells[column]
            value[: len(dff), column] = (dff - fitted.centre[cell]) / fitted.unit[cell]
            shape[: len(dff), column] = shapes[n]
        frame_s = np.array([corpus.segments[n].frame_s for n in members])
        noise = Noise(*(one[cells] for one in fitted.noise))
        arrays = [jnp.asarray(one, jnp.float32) for one in (shape, value, frame_s)]
        told = jax.tree.map(np.asarray, _filtered(noise, *arrays))
        means = np.asarray(calcium.mean(noise, arrays[0]))
        spread = np.asarray(calcium.variance(noise, arrays[0]) + jnp.exp(2 * noise.log_drift)[None])
        keep = np.exp(-frame_s / np.exp(np.asarray(noise.log_drift_s)))
        for column, n in enumerate(members):
            lag = max(1, round(settings.horizon_s / frame_s[column]))
            held = np.concatenate([np.zeros(lag), told.drift[:, column]])[:bucket] * keep[column] ** lag
            pick = (slice(corpus.segments[n].half, len(shapes[n])), column)
            out.append(_forecast(n, fitted.centre[cells[column]], fitted.unit[cells[column]], value[pick],
                                 told.mean[pick], told.variance[pick], (means[:, column] + held)[pick[0]],
                                 means[pick], spread[pick]))  # fmt: skip
    return out


def _forecast(n, centre, unit, value, ahead_1, variance, ahead, mean, spread) -> Forecast:
    def density(away: np.ndarray, power: np.ndarray) -> np.ndarray:
        return -0.5 * away**2 / power - 0.5 * np.log(power) - calcium.HALF_LOG_TWO_PI - np.log(unit)

    return Forecast(
        n, centre + unit * ahead_1, unit * np.sqrt(variance), centre + unit * ahead,
        density(value - ahead_1, variance), density(value - mean, spread), centre + unit * mean, unit * np.sqrt(spread),
    )  # fmt: skip


def _bucket(length: int) -> int:
    bucket = SMALLEST_BUCKET
    while bucket < length:
        bucket *= 2
    return bucket
