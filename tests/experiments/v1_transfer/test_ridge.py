"""Banded ridge for all neurons at once, against one plain regression for each neuron."""

import numpy as np
import pytest

from experiments.v1_transfer import ridge
from experiments.v1_transfer.ridge import Design, Search

N, T, NEURONS = 12, 9, 4


@pytest.fixture(scope="module")
def planted():
    """A design with every kind of band, a target, and the design of one neuron as a plain matrix."""
    random = np.random.default_rng(0)
    activity = random.normal(size=(N, T, NEURONS))
    around = activity + 0.3 * random.normal(size=activity.shape)
    shared = (random.normal(size=(N, T, 3)), random.normal(size=(N, T, 2)))
    own = (random.normal(size=(N, T, NEURONS, 2)), random.normal(size=(N, T, NEURONS, 1)))
    target = activity + shared[0][..., :1] + 0.5 * own[0][..., 0]
    return Design(shared, own, (activity, around)), target


def _plain(design, target, trials, asked, penalties, neuron):
    """The prediction of one neuron by the normal equations of its own columns alone."""
    keep = [other for other in range(NEURONS) if other != neuron]
    bands = [
        *design.shared,
        *(one[..., keep] for one in design.populations),
        *(one[:, :, neuron] for one in design.own),
    ]
    sizes = [band.shape[-1] for band in bands]
    x = np.concatenate(bands, axis=-1)
    fitted = x[trials].reshape(-1, sum(sizes))
    y = target[trials][..., neuron].reshape(-1)
    mean = fitted.mean(axis=0)
    gram = (fitted - mean).T @ (fitted - mean) + np.diag(np.repeat(penalties, sizes))
    weights = np.linalg.solve(gram, (fitted - mean).T @ (y - y.mean()))
    return (x[asked] - mean) @ weights + y.mean()


def test_every_neuron_is_its_own_regression_without_itself(planted):
    """Shared, own and population bands, each with its penalty: as the normal equations of each neuron alone."""
    design, target = planted
    penalties, trials, asked = np.array([0.1, 2.0, 3.0, 5.0, 0.7, 1.3]), np.arange(9), np.arange(9, N)
    found = ridge.Sums(design, target, trials).fit(penalties).predict(asked)
    for neuron in range(NEURONS):
        expected = _plain(design, target, trials, asked, penalties, neuron)
        np.testing.assert_allclose(found[..., neuron], expected, rtol=1e-6, atol=1e-7)


def test_a_neuron_never_sees_itself_among_the_others():
    """Independent neurons cannot be predicted from each other, though each is among the features."""
    activity = np.random.default_rng(1).normal(size=(40, 20, 3))
    design, trials, asked = Design((np.zeros((40, 20, 1)),), (), (activity,)), np.arange(30), np.arange(30, 40)
    predicted = ridge.Sums(design, activity, trials).fit(np.array([1.0, 1e-3])).predict(asked)
    for neuron in range(3):
        assert abs(np.corrcoef(predicted[..., neuron].ravel(), activity[asked][..., neuron].ravel())[0, 1]) < 0.2


def test_cross_validation_shrinks_what_is_noise():
    """Of a band with the answer and one of noise, the chosen penalties keep the first; no scored value is looked at."""
    random = np.random.default_rng(2)
    signal, noise = random.normal(size=(40, 10, 1)), random.normal(size=(40, 10, 60))
    target = np.repeat(signal, 2, axis=-1) + 0.5 * random.normal(size=(40, 10, 2))
    trials, asked = np.arange(24), np.arange(24, 40)
    hidden = target.copy()
    hidden[asked] = np.nan
    chosen = ridge.choose_and_predict(Design((signal, noise)), hidden, trials, asked, Search(30, 2, 4, 3))
    error = ((chosen.predicted - target[asked]) ** 2).mean()
    assert error < 0.25 * 1.25  # 0.25 is the variance of the noise that no one can predict
    assert chosen.weights[0] == pytest.approx([1.0, 1.0], abs=0.1) and np.abs(chosen.weights[1:]).max() < 0.1
