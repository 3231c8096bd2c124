"""Brian2's feature tests, by the tolerance that it calls strict.

Their own runner starts a process with code for Python 2, and their own comparison takes the sign of the reference into
the relative error and negates truth values by a minus, so each feature is run and compared here.
"""

from collections.abc import Iterator
from typing import Any

import brian2
import numpy as np
import pytest
from brian2.tests.features import input as inputs
from brian2.tests.features import monitors, neurongroup, synapses
from brian2.tests.features.base import FeatureTest

import biophys  # noqa: F401  (it brings the device)

FEATURES = [
    kind
    for module in (inputs, monitors, neurongroup, synapses)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, FeatureTest) and kind.__module__ == module.__name__
]
STRICT = 1e-5  # relative; what is worse is "poor" in Brian2's tables


@pytest.fixture(autouse=True)
def as_brian2_found_it(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """NumPy as the features knew it, and afterwards the device that was there."""
    # One feature draws connections by a function that NumPy 2.0 took away.
    old = lambda low, high, size: np.random.randint(low, high + 1, size)  # noqa: E731, NPY002
    monkeypatch.setattr(np.random, "random_integers", old, raising=False)
    yield
    brian2.set_device("runtime")
    brian2.device.reinit()
    brian2.start_scope()


def results_on(device: str, feature: type[FeatureTest]) -> Any:
    """What a feature says when it runs on a device."""
    brian2.start_scope()
    brian2.set_device(device)
    one = feature()
    one.run()
    return one.results()


def worst(said: Any, expected: Any) -> float:
    """The largest relative difference within results of any form; where the reference is zero, any difference is."""
    if isinstance(expected, dict):
        return max(worst(said[key], expected[key]) for key in expected)
    if isinstance(expected, tuple | list):
        return max(worst(one, other) for one, other in zip(said, expected, strict=True))
    said, expected = np.asarray(said, float), np.asarray(expected, float)
    if said.shape != expected.shape:
        return np.inf
    scale = np.where(expected == 0, np.finfo(float).tiny, np.abs(expected))
    return float((np.abs(said - expected) / scale).max(initial=0.0))


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.__name__)
def test_features_are_accurate(feature: type[FeatureTest]) -> None:
    """Every feature is "OK" in the words of Brian2's tables."""
    said, expected = results_on("jax", feature), results_on("runtime", feature)
    assert worst(said, expected) < STRICT
    if feature.check is not FeatureTest.check:
        feature().check(STRICT, said)  # an analytic solution


def test_the_comparison_can_fail() -> None:
    """Membranes that are a thousandth off are not OK, whatever their sign."""
    expected = results_on("runtime", neurongroup.NeuronGroupLIF)
    assert worst(expected, expected) == 0 and worst(1.001 * np.asarray(expected), expected) > STRICT
    assert worst(np.zeros(3), np.array([-1.0, 0.0, 1.0])) > STRICT
