"""A network of units: the past is carried into short items, the nearest units are seen, and new units need no fit."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import lfilter

from surrogate import Surrogate, fit, introduce
from surrogate.batches import Items, Loader, session_of
from surrogate.batches.items import near_weights
from surrogate.config import Config, Data, Inputs, Model, Training
from surrogate.population import windows_until
from surrogate.survey import survey
from surrogate.traces import decays
from surrogate.train import parts_of
from twin import recording
from twin.errors import InputError
from twin.recording import UnitTable
from twin.split import Parts, Segment

WINDOW_S = 0.05
ALONE = Config(
    data=Data(window_s=WINDOW_S, length=32, burn_in=2, carried=True, validation=0.0, test=0.0, fewest_units=8),
    inputs=Inputs(others_near=2, others_until=2, others_windows=5),
    model=Model(
        core="none", width=4, attention_heads=1, embedding=1, decoder=6, decoder_layers=1, log_history=True, latents=0,
        coupling_rank=1, history_taus=(1.5, 40.0),
    ),
    training=Training(steps=4, batch=4, check_every=4, warm_up=1, learning_rate=0.05, fit_units=False),
)  # fmt: skip


def line(name="line", n_windows=400, n_units=5, seed=0):
    """Counts of units in a row, 100 um apart."""
    counts = np.random.default_rng(seed).poisson(0.3 + 0.1 * seed, size=(1, n_windows, n_units))
    places = {"x": (100.0 * np.arange(n_units), "um"), "y": (np.zeros(n_units), "um")}
    units = UnitTable([str(unit) for unit in range(n_units)], places)
    return recording.from_counts(counts, WINDOW_S, name=name, unit_ids=units)


@pytest.fixture(scope="module")
def fitted():
    """Four steps on two recordings."""
    return fit(ALONE, [line("one"), line("two", seed=1)])


def items_of(config=ALONE):
    session = session_of(line(), config.data)
    vocabulary = survey([session], [parts_of(session, config)], config)
    return session, vocabulary, Items([session], vocabulary, config)


@pytest.mark.parametrize("start", [0, 1, 63, 64, 65, 200, 399])
def test_carried_traces_are_those_of_the_whole_past(start):
    """Before any window they are what an exponential filter of all earlier windows gives."""
    session, _, items = items_of()
    counts = session.read(0, 0, 400).response
    for place, decay in enumerate(decays(ALONE.model.history_taus)):
        filtered = lfilter([1 - decay], [1, -decay], np.log1p(counts), axis=0)
        wanted = filtered[start - 1] if start else np.zeros(5)
        found = items._carried.before(0, 0, start, 400, np.arange(5))
        np.testing.assert_allclose(found[:, place], wanted, atol=1e-5)


def test_a_prediction_does_not_depend_on_where_items_begin_and_end(fitted):
    """With what is carried, and what is to come, items of 32 and of 256 windows predict the same."""
    long = dataclasses.replace(ALONE, data=dataclasses.replace(ALONE.data, length=256))
    wide = Surrogate(dataclasses.replace(fitted.surrogate.checkpoint, config=long))
    one, other = (model.predict(line("one")).mean for model in (fitted.surrogate, wide))
    np.testing.assert_allclose(one, other, rtol=2e-4)
    bare = dataclasses.replace(ALONE, data=dataclasses.replace(ALONE.data, carried=False))
    cut = Surrogate(dataclasses.replace(fitted.surrogate.checkpoint, config=bare)).predict(line("one")).mean
    assert np.abs(cut - one).max() > 1e-3


def test_no_unit_sees_its_own_present(fitted):
    """Another count of one unit in one window moves its own prediction later alone, and the others' two before too."""
    tree = line("one")
    counts = tree["counts"]["count"].values.copy()
    counts[0, 200, 2] += 5
    units = UnitTable([str(unit) for unit in range(5)], {axis: (tree["counts"][axis].values, "um") for axis in "xy"})
    moved = recording.from_counts(counts, WINDOW_S, name="one", unit_ids=units)
    one, other = (fitted.surrogate.predict(each).mean[0] for each in (tree, moved))
    changed = np.abs(one - other) > 1e-6
    assert np.flatnonzero(changed[:, 2]).min() == 201
    assert np.flatnonzero(changed[:, 1]).min() == 198


def test_windows_as_they_are():
    """Two windows before to two after, zeros beyond the ends."""
    values = jnp.arange(1.0, 5.0, dtype=jnp.float32)[None, :, None, None]
    found = np.asarray(windows_until(values, 2, 5))[0, :, 0]
    np.testing.assert_array_equal(found[0], [0, 0, 1, 2, 3])
    np.testing.assert_array_equal(found[3], [2, 3, 4, 0, 0])


def test_nearest_units_and_their_absence():
    """The weights of each row sum to 1, ties count, and a recording without places is refused by name."""
    session, _, _ = items_of()
    near = near_weights(session, 1)
    np.testing.assert_allclose(near[0], [0, 1, 0, 0, 0])
    np.testing.assert_allclose(near[2], [0, 0.5, 0, 0.5, 0])
    counts = recording.from_counts(np.ones((1, 64, 3), int), WINDOW_S, name="nowhere")
    with pytest.raises(InputError, match="nowhere: does not say where its units are"):
        near_weights(session_of(counts, ALONE.data), 1)


def test_what_is_to_come_is_there_for_all_that_is_scored():
    """The last windows of an item are context alone, but at the end of a part; each window is scored once."""
    session, vocabulary, _ = items_of()
    parts = Parts((), (), (Segment(0, 10, 300),))
    scored = np.zeros(400, int)
    for _, items in Loader([session], [parts], vocabulary, ALONE).tiles("test"):
        for item in items:
            assert item.scored_to == item.stop - 3 or item.stop == 300
            scored[item.scored_from : item.scored_to] += 1
    assert scored[10:300].tolist() == [1] * 290 and scored.sum() == 290


def test_rows_of_units_are_left_as_they_were(fitted):
    """Without fit_units only what is shared has moved, and a new session is predicted at once, its rows drawn alone."""
    weights, owned = fitted.surrogate.checkpoint.weights, fitted.surrogate.checkpoint.structure.owned
    means = np.array(fitted.surrogate.vocabulary.unit_mean)
    np.testing.assert_allclose(weights["units/start"][:, 0], np.log(means), rtol=1e-5)
    assert not weights["units/history"].any() and "units/history" in owned
    assert np.abs(weights["decoder/out/kernel"]).max() > 0
    new = introduce(fitted.surrogate, [line("three", n_units=7, seed=2)], parts={"three": Parts((Segment(0, 0, 200),))})
    predicted = new.predict(line("three", n_units=7, seed=2)).mean[0]
    assert predicted.shape == (400, 7) and np.isfinite(predicted).all()
    np.testing.assert_array_equal(new.checkpoint.weights["decoder/out/kernel"], weights["decoder/out/kernel"])
    with pytest.raises(InputError, match="has a readout for a session of that name"):
        introduce(fitted.surrogate, [line("one")])


def test_a_mean_activation_is_one_row_for_a_recording(fitted):
    """Hidden features averaged over windows and units, of the parts that are asked for alone."""
    one, other = (
        fitted.surrogate.mean_activation(line("one"), "decoder", (Segment(0, start, start + 64),)) for start in (0, 200)
    )
    assert one.shape == (6,) and np.abs(one - other).max() > 0


def test_windows_as_they_are_want_a_model_that_looks_ahead():
    """What cannot be generated window by window is refused when it is configured."""
    with pytest.raises(InputError, match="others_windows = 5 and inputs.others_until = -1"):
        Config(inputs=Inputs(others_windows=5))
