"""Evolution of any function: its losses have their analytic values, and it finds what it was not told."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from biophys.calibrate import Free, count_loss, evolve, expected_count, rate_loss
from twin.errors import InputError, NeurotwinError


def test_rate_loss_of_a_two_level_rate_is_minus_one_bit():
    """Twice the mean rate where the spikes are and none elsewhere is one bit per spike; the mean itself is zero."""
    counts = jnp.tile(jnp.array([1.0, 0.0]), 200)
    np.testing.assert_allclose(rate_loss(counts + 1e-12, counts), -1.0, atol=1e-5)
    np.testing.assert_allclose(rate_loss(jnp.full((400,), 0.5), counts), 0.0, atol=1e-6)
    # A rate that is wrong by a factor r costs (r - 1 - ln r)/ln 2 bits.
    np.testing.assert_allclose(rate_loss(jnp.full((400,), 1.0), counts), (1 - np.log(2)) / np.log(2), rtol=1e-5)


def test_count_loss_is_the_squared_log_ratio():
    """Ten percent too many spikes cost ln(1.1) squared, and ten percent too few nearly as much."""
    counts = jnp.full((50,), 0.2)
    np.testing.assert_allclose(count_loss(1.1 * counts, counts), np.log(1.1) ** 2, rtol=1e-5)
    np.testing.assert_allclose(count_loss(counts / 1.1, counts), np.log(1.1) ** 2, rtol=1e-5)


def test_expected_count_keeps_the_mean_and_is_positive():
    """Smoothing and mixing leave the mean of a train where it was, away from the edges, and leave no zero."""
    spikes = np.zeros((2, 100, 5, 1), bool)
    spikes[0, 50, 2], spikes[1, 30, 1] = True, True
    expected = expected_count(jnp.asarray(spikes), 1.5)
    np.testing.assert_allclose(expected.sum(), 1.0, rtol=1e-3)
    assert float(expected.min()) > 0 and expected.shape == (100,)


def test_evolution_finds_a_hidden_minimum_and_repeats_itself():
    """A valley over four decades in one direction is found within 2 %, the same way twice."""

    def loss(values, key):
        del key
        return jnp.log(values["a"] / 3.0) ** 2 + (values["b"] + 0.4) ** 2

    space = [Free("a", 1.0, 0.01, 100.0), Free("b", 0.0, -1.0, 1.0, "linear")]
    found, again = (evolve(loss, space, key=jax.random.key(1), generations=60) for _ in range(2))
    assert found.values["a"] == pytest.approx(3.0, rel=0.02) and found.values["b"] == pytest.approx(-0.4, abs=0.01)
    assert found.values == again.values and found.simulations == 24 * len(found.best_loss)


def test_spread_tells_what_the_data_do_not_decide():
    """A direction in which the loss is flat keeps a wide search distribution; the other narrows."""
    space = [Free("known", 0.3, 0.0, 1.0, "linear"), Free("free", 0.5, 0.0, 1.0, "linear")]
    found = evolve(lambda values, key: (values["known"] - 0.6) ** 2 + 0 * values["free"], space, key=jax.random.key(0))
    assert found.spread["free"] > 20 * found.spread["known"]


def test_impossible_searches_are_refused():
    """A start outside its bounds, a log scale through zero, and a loss that is never finite."""
    with pytest.raises(InputError, match="starts at 5 within"):
        Free("a", 5.0, 0.1, 1.0)
    with pytest.raises(InputError, match="low > 0 for a log scale"):
        Free("a", 0.5, -1.0, 1.0)
    with pytest.raises(NeurotwinError, match="not finite; narrow the bounds of a"):
        evolve(lambda values, key: values["a"] * jnp.float32(np.nan), [Free("a", 0.5, 0.1, 1.0)], key=jax.random.key(0))
