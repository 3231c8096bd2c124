"""A surrogate in the role that a twin couples."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from surrogate import Surrogate
from surrogate.batches import session_of
from surrogate.checkpoint import Checkpoint
from surrogate.stepper import Stepper
from surrogate.survey import survey
from surrogate.train import parts_of
from surrogate.weights import fresh_weights
from twin import ports
from twin.errors import UnsupportedError


def untrained(trees, config):
    """Random weights on every path."""
    sessions = [session_of(tree, config.data) for tree in trees]
    vocabulary = survey(sessions, [parts_of(one, config) for one in sessions], config)
    _, weights = fresh_weights(config, vocabulary)
    random = np.random.default_rng(0)
    moved = {k: np.asarray(one) + 0.2 * random.normal(size=one.shape).astype(np.float32) for k, one in weights.items()}
    return Surrogate(Checkpoint(config, vocabulary, moved, {}))


def test_stepped_by_a_twin_it_predicts_as_in_one_go(trees, changed):
    """Handed the recorded stimulus and counts window by window, its log counts are those of `predict`."""
    data = {"behaviour": (), "clock_bumps": 0, "trial_bumps": 0, "length": 64}
    one = untrained(trees, changed(data=data, inputs={"trial_index": False}))
    wanted = one.predict(trees[1]).mean[2]
    stepper = Stepper(one, trees[1])
    assert isinstance(stepper, ports.Surrogate)
    assert stepper.stimulus_ports == (ports.Port("level", "1", 2),) and stepper.drive_ports[0].size == 11
    level, counts = trees[1]["stimulus/level"]["value"].values[2], trees[1]["counts"]["count"].values[2]
    # The circuit's count of a window arrives with the next one.
    before = np.concatenate([np.zeros((1, 11)), counts[:-1]])

    def window(state, given):
        state, drive = stepper.advance(state, {"spike_count": given[0]}, {"level": given[1]}, None)
        return state, drive["log_count"]

    start = stepper.init(None)
    _, found = jax.jit(lambda: jax.lax.scan(window, start, (jnp.asarray(before), jnp.asarray(level))))()
    np.testing.assert_allclose(found, np.log(wanted), atol=2e-3)
    assert np.abs(found[1:] - np.log(wanted)[:-1]).max() > 0.1, "one window late is seen"


def test_what_a_twin_cannot_hand_over_is_refused(trees, changed):
    """Behaviour, the clock and a look ahead are refused with the reason."""
    for values, words in (
        ({}, "it sees the clock"),
        ({"data": {"clock_bumps": 0, "trial_bumps": 0}}, "it sees behaviour"),
        ({"inputs": {"others_until": 0}}, "it looks at other units' present"),
        ({"model": {"head": "gaussian"}}, "its likelihood is not of counts"),
    ):
        with pytest.raises(UnsupportedError, match=words):
            Stepper(untrained(trees, changed(**values)), trees[0])
