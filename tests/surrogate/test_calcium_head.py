"""The observation model from spikes to fluorescence: kinetics, exact likelihood under drift, draws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from surrogate.heads import calcium
from surrogate.heads.calcium import Kinetics, Noise

STEP_S = 0.01


def kinetics(rise_s=0.05, decay_s=0.6, exponent=1.0, saturation=0.0, slow=0.0, slow_s=3.0):
    values = (np.log(rise_s), np.log(decay_s), np.log(exponent), np.log(max(saturation, 1e-9)), slow, np.log(slow_s))
    return Kinetics(*(jnp.full(1, value, jnp.float32) for value in values))


def noise(drift=0.4, drift_s=2.0, deviation=0.3, growth=0.1):
    values = (0.2, 1.5, np.log(drift), np.log(drift_s), np.log(deviation), np.log(growth))
    return Noise(*(jnp.full(1, value, jnp.float32) for value in values))


def train(n, *spikes):
    return (
        jnp.zeros((n, 1), jnp.float32)
        .at[jnp.array([one[0] for one in spikes]), 0]
        .add(jnp.array([one[1] for one in spikes], jnp.float32))
    )


def test_without_cooperativity_it_is_a_kernel_of_two_exponentials():
    """One spike gives exp(-t/decay) - exp(-t/rise) up to scale, by the closed form."""
    shape = np.asarray(calcium.response(kinetics(), train(400, (0, 1.0)), STEP_S))[:, 0]
    time = np.arange(1, 401) * STEP_S
    wanted = np.exp(-time / 0.6) - np.exp(-time / 0.05)
    assert np.corrcoef(shape[5:], wanted[5:])[0, 1] > 0.999
    twice = np.asarray(calcium.response(kinetics(), train(400, (0, 2.0)), STEP_S))[:, 0]
    np.testing.assert_allclose(twice, 2 * shape, rtol=2e-3, atol=1e-5)


def test_cooperativity_and_saturation_bend_bursts_apart():
    """Two spikes give more than twice one with an exponent of 2, and less with saturation."""

    def gain(**given):
        one, two = (
            np.asarray(calcium.response(kinetics(**given), train(400, (0, n)), STEP_S)).max() for n in (1.0, 2.0)
        )
        return two / one

    assert gain() == pytest.approx(2.0, abs=0.01)
    assert gain(exponent=2.0) == pytest.approx(4.0, abs=0.05)
    assert gain(saturation=1.0) < 1.6


def test_the_slow_share_is_another_filter_of_the_same_response():
    """The area under a response grows by exactly the slow share."""
    spikes = train(6000, (0, 1.0))
    plain, more = (float(calcium.response(kinetics(slow=slow), spikes, STEP_S).sum()) for slow in (0.0, 0.7))
    assert more / plain == pytest.approx(1.7, rel=1e-3)


def test_log_density_is_that_of_the_joint_normal_distribution():
    """The filter's product over frames equals the multivariate normal of drift and noise, which SciPy computes."""
    random = np.random.default_rng(0)
    shape, value = random.random((30, 1)), random.normal(size=(30, 1))
    lags = np.abs(np.arange(30)[:, None] - np.arange(30)[None]) * 0.1
    covariance = 0.16 * np.exp(-lags / 2.0) + np.diag(0.09 + 0.1 * shape[:, 0])
    wanted = stats.multivariate_normal(0.2 + 1.5 * shape[:, 0], covariance).logpdf(value[:, 0])
    arrays = [jnp.asarray(one, jnp.float32) for one in (shape, value, np.array([0.1]))]
    assert float(calcium.log_prob(noise(), *arrays).sum()) == pytest.approx(wanted, abs=1e-3)
    # a frame that is not there is integrated out
    gap = arrays[1].at[10].set(jnp.nan)
    rest = np.arange(30) != 10
    wanted = stats.multivariate_normal(0.2 + 1.5 * shape[rest, 0], covariance[np.ix_(rest, rest)]).logpdf(
        value[rest, 0]
    )
    assert float(calcium.log_prob(noise(), arrays[0], gap, arrays[2]).sum()) == pytest.approx(wanted, abs=1e-3)


def test_draws_have_the_mean_the_variance_and_the_autocorrelation():
    """20,000 frames of draws: moments within sampling error, and intervals that cover what they should."""
    n = 20_000
    shape = jnp.full((n, 4), 0.5, jnp.float32)
    four = Noise(*(jnp.repeat(one, 4) for one in noise(drift_s=0.5)))
    frame_s = jnp.full(4, 0.1, jnp.float32)
    drawn = calcium.sample(four, shape, frame_s, jax.random.key(1))
    away = np.asarray(drawn) - (0.2 + 1.5 * 0.5)
    assert away.mean() == pytest.approx(0.0, abs=0.02)
    assert away.var() == pytest.approx(0.16 + 0.09 + 0.05, rel=0.05)
    lagged = (away[1:] * away[:-1]).mean()
    assert lagged == pytest.approx(0.16 * np.exp(-0.1 / 0.5), rel=0.07)
    told = calcium.filtered(four, shape, drawn, frame_s)
    within = np.abs(np.asarray(drawn) - np.asarray(told.mean)) < 1.2816 * np.sqrt(np.asarray(told.variance))
    assert within.mean() == pytest.approx(0.8, abs=0.01)


def test_gradients_are_finite_for_silent_cells():
    """No spike at all: the response is about 0 and every derivative is finite."""

    def total(values):
        return calcium.response(Kinetics(*values), jnp.zeros((50, 1), jnp.float32), STEP_S).sum()

    slopes = jax.grad(total)(jnp.stack(kinetics(exponent=0.5)))
    assert np.isfinite(np.asarray(slopes)).all()
