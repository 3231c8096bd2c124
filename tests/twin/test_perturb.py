"""Interventions: they change what they say, compose, and are read back from their own text."""

import numpy as np
import pytest

from twin import perturb
from twin.errors import InputError, UnsupportedError
from twin.ports import Handles

HANDLES = Handles({"na": "cell.g_na", "k": "cell.g_k"}, "cell.temperature_c", "cell.I", current_scale=1e-9)
PARAMS = {
    "cell.g_na": np.array([1.2]),
    "cell.g_k": np.array([0.2]),
    "cell.temperature_c": np.array([28.0]),
    "cell.I": 0.0,
}


def test_each_intervention_changes_only_its_parameter():
    """A block scales one conductance, temperature shifts, a current in nA is added in the circuit's unit."""
    done = [perturb.ChannelBlock("na", 0.75), perturb.Temperature(-5.0), perturb.CurrentOffset(0.2)]
    changed = perturb.apply_all(done, PARAMS, HANDLES)
    np.testing.assert_allclose(changed["cell.g_na"], 0.3)
    np.testing.assert_allclose(changed["cell.temperature_c"], 23.0)
    np.testing.assert_allclose(changed["cell.I"], 2e-10)
    assert changed["cell.g_k"] is PARAMS["cell.g_k"] and PARAMS["cell.g_na"][0] == 1.2


def test_blocks_compose_as_independent_blockers():
    """Two blocks of one half leave a quarter."""
    changed = perturb.apply_all([perturb.ChannelBlock("na", 0.5)] * 2, PARAMS, HANDLES)
    np.testing.assert_allclose(changed["cell.g_na"], 0.3)


@pytest.mark.parametrize(
    "done", [perturb.ChannelBlock("na", 0.5), perturb.Temperature(-5.0), perturb.CurrentOffset(0.25)]
)
def test_text_round_trip(done):
    """What an intervention writes is read back as the same value."""
    assert perturb.parse(str(done)) == done


@pytest.mark.parametrize("text", ["channel_block:na", "channel_block:na:much", "temperature", "magic:1", "current:a"])
def test_text_that_is_no_intervention_is_refused(text):
    """The error shows the forms that are wanted."""
    with pytest.raises(InputError, match="wanted channel_block:CHANNEL:SHARE"):
        perturb.parse(text)


def test_impossible_interventions_are_refused():
    """More than all of a channel, a channel that is not there, a circuit without temperature or current."""
    with pytest.raises(InputError, match="wanted 0"):
        perturb.parse("channel_block:na:1.5")
    with pytest.raises(InputError, match="its channels: na, k"):
        perturb.ChannelBlock("ca", 0.5).apply(PARAMS, HANDLES)
    bare = Handles({})
    with pytest.raises(UnsupportedError, match="no temperature"):
        perturb.Temperature(1.0).apply(PARAMS, bare)
    with pytest.raises(UnsupportedError, match="no injected current"):
        perturb.CurrentOffset(1.0).apply(PARAMS, bare)
