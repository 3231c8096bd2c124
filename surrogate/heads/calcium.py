"""From the spikes of a cell to its fluorescence: kinetics of calcium and indicator, then drift and noise.

Calcium c jumps by one with each spike and decays with `decay_s`. The indicator follows the Hill curve
g(c) = (1 + k) c^n / (k c^n + 1), which is 1 for a single spike, through a first-order filter of `rise_s`; a share of it
passes a second, slow filter. k = 0 and n = 1 leave a kernel of two exponentials, exp(-t/decay) - exp(-t/rise).

Unlike the other heads this one describes a whole recording: frames depend on each other through the drift. `mean` knows
the spikes only; `Filtered` also knows the earlier frames, and so does `log_prob`, which is the product of its terms.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

HALF_LOG_TWO_PI = 0.9189385332046727


class Kinetics(NamedTuple):
    """Kinetics of the indicator in a cell, each an array over cells (or segments) and unbounded.

    Attributes:
        log_rise_s: time constant with which the indicator follows.
        log_decay_s: time constant of calcium.
        log_cooperativity: logarithm of the exponent n of the Hill curve; 0 is linear.
        log_saturation: logarithm of k, the inverse of the half-saturating c^n; minus infinity never saturates.
        slow_share: share of the slow component, in units of the fast one; negative is an undershoot.
        log_slow_s: time constant of the slow component.
    """

    log_rise_s: Float[Array, " row"]
    log_decay_s: Float[Array, " row"]
    log_cooperativity: Float[Array, " row"]
    log_saturation: Float[Array, " row"]
    slow_share: Float[Array, " row"]
    log_slow_s: Float[Array, " row"]


def response(kinetics: Kinetics, spikes: Float[Array, "time row"], step_s: float) -> Float[Array, "time row"]:
    """Fluorescence without scale, baseline and noise: about 1 at the peak of a slow response to a single spike.

    Args:
        kinetics: of each row.
        spikes: how many fell within each step.
        step_s: length of a step.
    """
    n, k = jnp.exp(kinetics.log_cooperativity), jnp.exp(kinetics.log_saturation)
    constants = (kinetics.log_decay_s, kinetics.log_rise_s, kinetics.log_slow_s)
    keep = [jnp.exp(-step_s * jnp.exp(-log_s)) for log_s in constants]

    def step(state, arrived):
        calcium, bound, slow = state
        calcium = keep[0] * calcium + arrived
        power = jnp.exp(n * jnp.log(calcium + 1e-6))
        bound = keep[1] * bound + (1.0 - keep[1]) * (1.0 + k) * power / (1.0 + k * power)
        slow = keep[2] * slow + (1.0 - keep[2]) * bound
        return (calcium, bound, slow), bound + kinetics.slow_share * slow

    start = jnp.zeros_like(n)
    return jax.lax.scan(step, (start, start, start), spikes)[1]


class Noise(NamedTuple):
    """Scale, baseline, drift and noise of a recording, each an array over rows; in units of the fluorescence.

    Attributes:
        baseline: without spikes.
        scale: fluorescence for a response of 1.
        log_drift: standard deviation of the drift, an Ornstein-Uhlenbeck process.
        log_drift_s: its time constant, s.
        log_noise: standard deviation of the noise of a frame without response.
        log_growth: logarithm of how much the variance of a frame grows with each unit of its response.
    """

    baseline: Float[Array, " row"]
    scale: Float[Array, " row"]
    log_drift: Float[Array, " row"]
    log_drift_s: Float[Array, " row"]
    log_noise: Float[Array, " row"]
    log_growth: Float[Array, " row"]


class Filtered(NamedTuple):
    """What is known of each frame from the spikes and the frames before it.

    Attributes:
        mean: of the frame.
        variance: of the frame.
        drift: mean of the drift once the frame itself is known.
    """

    mean: Float[Array, "time row"]
    variance: Float[Array, "time row"]
    drift: Float[Array, "time row"]


def mean(noise: Noise, shape: Float[Array, "time row"]) -> Float[Array, "time row"]:
    """Expected fluorescence of a response, from the spikes alone."""
    return noise.baseline[None] + noise.scale[None] * shape


def variance(noise: Noise, shape: Float[Array, "time row"]) -> Float[Array, "time row"]:
    """Of the noise of each frame, without the drift."""
    return jnp.exp(2.0 * noise.log_noise)[None] + jnp.exp(noise.log_growth)[None] * jnp.maximum(shape, 0.0)


def filtered(
    noise: Noise, shape: Float[Array, "time row"], value: Float[Array, "time row"], frame_s: Float[Array, " row"]
) -> Filtered:
    """Every frame as it was predicted from the ones before it: a Kalman filter (Kalman 1960) of the drift.

    Args:
        noise: of each row.
        shape: `response` at the frames.
        value: fluorescence; NaN where there is no frame.
        frame_s: time between frames.
    """
    keep = jnp.exp(-frame_s * jnp.exp(-noise.log_drift_s))
    power = jnp.exp(2.0 * noise.log_drift)

    def step(state, now):
        drift, uncertain = state
        expected, noisy, seen = now
        drift, uncertain = keep * drift, keep**2 * uncertain + (1.0 - keep**2) * power
        total = uncertain + noisy
        known = jnp.isfinite(seen)
        gain = jnp.where(known, uncertain / total, 0.0)
        after = drift + gain * jnp.where(known, seen - expected - drift, 0.0)
        return (after, (1.0 - gain) * uncertain), Filtered(expected + drift, total, after)

    start = (jnp.zeros_like(keep), power)
    return jax.lax.scan(step, start, (mean(noise, shape), variance(noise, shape), value))[1]


def log_prob(
    noise: Noise, shape: Float[Array, "time row"], value: Float[Array, "time row"], frame_s: Float[Array, " row"]
) -> Float[Array, "time row"]:
    """Log-density of each frame given the spikes and the frames before it, in nats; 0 where there is no frame.

    The sum over time is the log-density of the recording.
    """
    known = jnp.isfinite(value)
    told = filtered(noise, shape, value, frame_s)
    away = jnp.where(known, value - told.mean, 0.0)
    density = -0.5 * away**2 / told.variance - 0.5 * jnp.log(told.variance) - HALF_LOG_TWO_PI
    return jnp.where(known, density, 0.0)


def sample(
    noise: Noise, shape: Float[Array, "time row"], frame_s: Float[Array, " row"], key: Any
) -> Float[Array, "time row"]:
    """A draw of the fluorescence: response, drift and noise."""
    keep = jnp.exp(-frame_s * jnp.exp(-noise.log_drift_s))
    first_key, drift_key, noise_key = jax.random.split(key, 3)
    moves = jnp.sqrt(1.0 - keep**2)[None] * jax.random.normal(drift_key, shape.shape, shape.dtype)

    def step(drift, move):
        drift = keep * drift + move
        return drift, drift

    start = jax.random.normal(first_key, keep.shape, shape.dtype)
    drift = jnp.exp(noise.log_drift)[None] * jax.lax.scan(step, start, moves)[1]
    fluctuation = jnp.sqrt(variance(noise, shape)) * jax.random.normal(noise_key, shape.shape, shape.dtype)
    return mean(noise, shape) + drift + fluctuation
