"""Likelihood heads against SciPy and against their own samples."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats

from surrogate.heads import Categorical, Gaussian, NegativeBinomial, Poisson, ZeroInflatedGamma, head_named
from twin.errors import InputError

COUNTS = np.arange(7)
# For each head: raw parameters, values, and SciPy's word for their probability (density).
KNOWN = {
    "poisson": (Poisson(), [np.log(2.5)], COUNTS, stats.poisson(2.5).logpmf(COUNTS)),
    "negative_binomial": (
        NegativeBinomial(), [np.log(4.0), np.log(2.0)], COUNTS, stats.nbinom(2.0, 2.0 / 6.0).logpmf(COUNTS),
    ),
    "zero_inflated_gamma": (
        ZeroInflatedGamma(), [np.log(0.3 / 0.7), np.log(2.0), np.log(0.5)], np.array([-0.1, 0.0, 0.2, 3.0]),
        np.concatenate([np.log([0.7, 0.7]), np.log(0.3) + stats.gamma(2.0, scale=0.5).logpdf([0.2, 3.0])]),
    ),
    "gaussian": (Gaussian(), [1.5, np.log(0.7)], np.array([-1.0, 1.5, 2.0]), stats.norm(1.5, 0.7).logpdf([-1, 1.5, 2])),
    "categorical": (Categorical(3), np.log([0.2, 0.5, 0.3]), np.arange(3), np.log([0.2, 0.5, 0.3])),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_log_probabilities_are_scipys(name):
    """Each head gives every value the log probability that SciPy gives it."""
    head, raw, values, expected = KNOWN[name]
    given = jnp.tile(jnp.asarray(raw, jnp.float64), (len(values), 1))
    np.testing.assert_allclose(head.log_prob(given, jnp.asarray(values, jnp.float64)), expected, rtol=1e-6)


@pytest.mark.parametrize("name", KNOWN)
def test_samples_follow_the_stated_mean_and_probability(name):
    """20 000 draws have the head's mean, to five standard errors, and its entropy under its own log probability."""
    head, raw, *_ = KNOWN[name]
    given = jnp.tile(jnp.asarray(raw, jnp.float32), (20_000, 1))
    drawn = head.sample(given, jax.random.key(0))
    error = float(drawn.std()) / np.sqrt(len(drawn))
    assert abs(float(drawn.mean()) - float(head.mean(given)[0])) < 5 * error
    other = head.sample(given, jax.random.key(1))
    one, two = (np.asarray(head.log_prob(given, values)) for values in (drawn, other))
    assert abs(one.mean() - two.mean()) < 5 * np.sqrt(2.0) * one.std() / np.sqrt(len(one))


def test_the_negative_binomial_is_more_variable_than_poisson():
    """A mean of 4 and a size of 2 give the variance 12 of the docstring; a planted Poisson would give 4."""
    raw = jnp.tile(jnp.log(jnp.array([4.0, 2.0], jnp.float32)), (40_000, 1))
    variance = float(NegativeBinomial.sample(raw, jax.random.key(2)).var())
    assert abs(variance - 12.0) < 0.6


def test_the_zero_inflated_gamma_is_a_distribution():
    """The probability of zero and the integral of the density add up to one."""
    raw = np.array([0.4, 0.8, -0.3])

    def density(value: float) -> float:
        return float(jnp.exp(ZeroInflatedGamma.log_prob(jnp.asarray(raw), jnp.asarray(value))))

    assert abs(density(0.0) + integrate.quad(density, 1e-9, 60.0, limit=200)[0] - 1.0) < 1e-5


@pytest.mark.parametrize("name", ["poisson", "negative_binomial", "zero_inflated_gamma"])
def test_training_starts_at_each_units_mean(name):
    """The starting parameters of a head have the mean that was measured, unit by unit."""
    means, deviations = np.array([0.2, 3.0]), np.array([0.6, 4.0])
    head = head_named(name)
    np.testing.assert_allclose(head.mean(jnp.asarray(head.start(means, deviations))), means, rtol=1e-6)


def test_features_have_the_stated_size():
    """What the model sees of a past response has `n_features` numbers, and a class is a flag."""
    for head, *_ in KNOWN.values():
        assert head.features(jnp.zeros((4, 2), jnp.float32)).shape == (4, 2, head.n_features)
    np.testing.assert_array_equal(Categorical(3).features(jnp.array([2.0, 0.0]))[0], [0.0, 0.0, 1.0])


def test_an_unknown_head_is_named():
    """A name that is none gives the list of those there are."""
    with pytest.raises(InputError, match="no likelihood 'posson'; give one of poisson"):
        head_named("posson")


@pytest.mark.parametrize("name", KNOWN)
def test_what_is_within_the_bound_is_left_as_it_is(name):
    """Parameters whose mean is below the largest response come back to the bit."""
    head, raw, *_ = KNOWN[name]
    given = jnp.tile(jnp.asarray(raw, jnp.float32), (3, 1))
    np.testing.assert_array_equal(head.bounded(given, jnp.array([5.0, 10.0, 1e3], jnp.float32)), given)


@pytest.mark.parametrize("name", [name for name in KNOWN if name != "categorical"])
def test_no_mean_runs_away(name):
    """However large the raw numbers, the mean is finite and at most e times the largest response (Gaussian: + 1)."""
    head, raw, *_ = KNOWN[name]
    driven = {"zero_inflated_gamma": 2}.get(name, 0)
    given = jnp.tile(jnp.asarray(raw, jnp.float32), (2, 1)).at[:, driven].set(jnp.float32(300.0))
    mean = np.asarray(head.mean(head.bounded(given, jnp.array([4.0, 40.0], jnp.float32))))
    most = np.array([5.0, 41.0]) if name == "gaussian" else np.e * np.array([4.0, 40.0])
    assert np.all(np.isfinite(mean)) and np.all(mean <= most + 1e-3) and np.all(mean >= 0.2 * most)


def test_the_bound_has_a_gradient_where_it_bends():
    """Just above the ceiling the slope is nearly one, so that a model that is too high is taught to come down."""
    slope = jax.grad(lambda raw: Poisson.bounded(raw, jnp.array(4.0, jnp.float32))[0])
    np.testing.assert_allclose(slope(jnp.array([np.log(4.0) + 0.1], jnp.float32)), [1 - np.tanh(0.1) ** 2], rtol=1e-4)


def test_a_negative_binomial_of_any_size_is_a_number():
    """Training drives the size of a regular unit up without end; the log probability stays that of Poisson counts."""
    raw = jnp.tile(jnp.array([np.log(2.5), 200.0], jnp.float32), (len(COUNTS), 1))
    bounded = NegativeBinomial.bounded(raw, jnp.full(len(COUNTS), 10.0, jnp.float32))
    found = NegativeBinomial.log_prob(bounded, jnp.asarray(COUNTS, jnp.float32))
    np.testing.assert_allclose(found, stats.poisson(2.5).logpmf(COUNTS), atol=0.01)
