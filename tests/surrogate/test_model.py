"""The model: causal, blind to the unit itself where it must be, the same in one go and step by step."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from surrogate.batches import Loader, session_of
from surrogate.config import Inputs
from surrogate.model import Foundation, Shown
from surrogate.objectives import generate, total
from surrogate.objectives.free_running import moments, squared_mean
from surrogate.objectives.masked import hidden_responses
from surrogate.population import ahead, coupled, others_mean
from surrogate.prediction import predicted
from surrogate.survey import survey
from surrogate.taps import Taps, replaced, silenced, steered
from surrogate.traces import advanced, traces
from surrogate.train import parts_of
from surrogate.weights import fresh_weights
from twin.errors import InputError


def shaken(trees, config, seed=1):
    """A model whose every weight is random, so that no path is silent, its structure, and a batch."""
    sessions = [session_of(tree, config.data) for tree in trees]
    parts = [parts_of(one, config) for one in sessions]
    vocabulary = survey(sessions, parts, config)
    structure, weights = fresh_weights(config, vocabulary)
    random = np.random.default_rng(seed)
    moved = {
        name: jnp.asarray(np.asarray(value) + 0.2 * random.normal(size=value.shape).astype(np.float32))
        for name, value in weights.items()
    }
    return structure, moved, Loader(sessions, parts, vocabulary, config).batch(0)


def run(structure, weights, batch, *arguments, **options):
    """The model's parameters, compiled."""
    return np.asarray(jax.jit(lambda one: structure.merge(weights)(one, *arguments, **options))(batch))


def changed_at(batch, window, unit=None):
    """The batch with other responses from a window on (of one unit)."""
    response = batch.response.copy()
    response[:, window:, slice(None) if unit is None else unit] += 2.0
    return dataclasses.replace(batch, response=response)


@pytest.mark.parametrize("core", ["gru", "transformer"])
def test_step_by_step_is_all_at_once(trees, changed, core):
    """Windows one after another, with the recorded responses noted, give the parameters of the teacher-forced pass."""
    structure, weights, batch = shaken(trees, changed(model={"core": core, "layers": 2}))
    whole = run(structure, weights, batch)

    @jax.jit
    def stepped(batch):
        model = structure.merge(weights)
        encoded = model.encode(batch, model.inputs)

        def window(state, index):
            raw, state = model.step(encoded.window(index), state, model.inputs)
            there = batch.valid[:, index].astype(jnp.float32)
            return model.noted(state, batch.response[:, index] * there), raw[:, 0]

        return jax.lax.scan(window, model.begin(batch), jnp.arange(batch.response.shape[1]))[1]

    given = jax.tree.map(jnp.asarray, batch)
    one_by_one = np.moveaxis(np.asarray(stepped(given)), 0, 1)
    there = batch.valid[..., None]
    np.testing.assert_allclose(one_by_one * there, whole * there, atol=2e-5)


@pytest.mark.parametrize("core", ["gru", "transformer"])
def test_nothing_of_the_future_gets_in(trees, changed, core):
    """Responses, streams and behaviour from window 12 on change nothing before it; a response nothing in 12 either."""
    structure, weights, batch = shaken(trees, changed(model={"core": core}))
    before = run(structure, weights, batch)
    after = run(structure, weights, changed_at(batch, 12))
    np.testing.assert_array_equal(before[:, :13], after[:, :13])
    assert np.abs(before[:, 13:] - after[:, 13:]).max() > 1e-3
    for name in ("stimulus", "behaviour"):
        values = getattr(batch, name).copy()
        values[:, 12:] += 1.0
        after = run(structure, weights, dataclasses.replace(batch, **{name: values}))
        np.testing.assert_array_equal(before[:, :12], after[:, :12])
        assert np.abs(before[:, 12] - after[:, 12]).max() > 1e-3


def test_each_input_is_one_flag(trees, small):
    """With a flag off, that input changes nothing; with it on, it does: stimulus, behaviour, trial, protocol."""
    structure, weights, batch = shaken(trees, small)
    random = np.random.default_rng(0)

    def other(values):
        return values + random.normal(size=values.shape).astype(np.float32)

    changes = {
        "stimulus": {"stimulus": other(batch.stimulus)},
        "behaviour": {"behaviour": other(batch.behaviour)},
        "trial_index": {"drift": other(batch.drift)},
        "covariates": {"number": other(batch.number), "known": np.ones_like(batch.known)},
    }
    # One compiled function for all: the inputs that are off are told apart by value.
    for name, change in changes.items():
        for on in (True, False):
            inputs = Inputs(**{name: on})
            there, gone = (
                run(structure, weights, one, inputs=inputs) for one in (batch, dataclasses.replace(batch, **change))
            )
            assert (np.abs(there - gone).max() > 1e-4) == on, (name, on)


def test_own_past_and_others_are_apart(trees, changed):
    """Unit 0's past changes unit 0 by `own_past` and the other units by `others`, each alone."""
    structure, weights, batch = shaken(trees, changed(model={"latents": 0}))
    other = changed_at(batch, 5, unit=0)
    for own_past, others in ((True, False), (False, True), (False, False)):
        inputs = Inputs(own_past=own_past, others=others)
        moved = np.abs(run(structure, weights, batch, inputs=inputs) - run(structure, weights, other, inputs=inputs))
        assert (moved[:, :, 0].max() > 1e-4) == own_past
        assert (moved[:, :, 1:3].max() > 1e-4) == others


@pytest.mark.parametrize(("until", "tokens"), [(0, False), (2, True)])
def test_cosmoothing_never_sees_the_unit_itself(trees, changed, until, tokens):
    """Looking at the others' present or future, a unit's own present and future never reach its own prediction."""
    config = changed(inputs={"others_until": until, "tokens_look_ahead": tokens}, objective={"hidden_share": 0.5})
    structure, weights, batch = shaken(trees, config)
    predict = jax.jit(lambda one: predicted(structure.merge(weights), one, 0.5))
    before, after = (np.asarray(predict(one)) for one in (batch, changed_at(batch, 12, unit=1)))
    np.testing.assert_allclose(before[:, :13, 1], after[:, :13, 1], atol=1e-6)
    assert np.abs(before[:, 12 - until, 0] - after[:, 12 - until, 0]).max() > 1e-4, "the others do see it"
    np.testing.assert_array_equal(before[:, : 12 - until], after[:, : 12 - until])


def test_the_coupling_is_the_sum_over_the_others():
    """Term by term, with the unit itself and the padding left out."""
    random = np.random.default_rng(0)
    past, into, out_of = (random.normal(size=shape) for shape in ((1, 2, 4, 3), (1, 4, 2), (1, 4, 3, 2, 1)))
    there = np.array([[True, True, True, False]])
    found = np.asarray(coupled(*(jnp.asarray(one) for one in (past, into, out_of, there))))
    for unit in range(3):
        others = [j for j in range(3) if j != unit]
        wanted = sum(np.einsum("r,tm,mrd->td", into[0, j], past[0, :, j], out_of[0, unit]) for j in others)
        np.testing.assert_allclose(found[0, :, unit], wanted / np.sqrt(3), rtol=1e-6)
    mean = np.asarray(others_mean(jnp.asarray(past), jnp.asarray(there)))
    np.testing.assert_allclose(mean[0, :, 0], past[0, :, 1:3].mean(axis=1), rtol=1e-6)
    np.testing.assert_array_equal(ahead(jnp.asarray(past), 1)[0, 0], past[0, 1])


def test_traces_are_the_convolution_with_exponentials():
    """The product with a matrix, the recursion and the sum that they stand for agree; a steady input gives itself."""
    taus, features = (0.5, 3.0), np.random.default_rng(1).normal(size=(1, 9, 2, 1))
    start = jnp.asarray(np.random.default_rng(2).normal(size=(1, 2, 2)))
    all_at_once, state = np.asarray(traces(jnp.asarray(features), taus, start)), start
    for window in range(9):
        np.testing.assert_allclose(state, all_at_once[:, window], atol=1e-12)
        state = advanced(state, jnp.asarray(features[:, window]), taus)
    decay = np.exp(-1 / 3.0)
    by_hand = sum((1 - decay) * decay ** (3 - s) * features[0, s, 1, 0] for s in range(4)) + decay**4 * start[0, 1, 1]
    np.testing.assert_allclose(all_at_once[0, 4, 1, 1], by_hand)
    steady = traces(jnp.ones((1, 60, 1, 1)), taus, jnp.zeros((1, 1, 2)))
    np.testing.assert_allclose(steady[0, -1, 0], 1.0, atol=1e-6)


def test_training_starts_from_each_units_mean(trees, small):
    """Fresh weights predict roughly the mean of every unit, whatever its size."""
    structure, weights, batch = shaken(trees, small, seed=1)
    sessions = [session_of(tree, small.data) for tree in trees]
    vocabulary = survey(sessions, [parts_of(one, small) for one in sessions], small)
    structure, weights = fresh_weights(small, vocabulary)
    raw = run(structure, weights, batch, inputs=Inputs(stimulus=False, behaviour=False, own_past=False, others=False))
    expected = np.log(np.array(vocabulary.unit_mean))[batch.unit]
    assert np.abs(np.where(batch.valid.any(1), raw[..., 0].mean(axis=1) - expected, 0.0)).max() < 0.5


def test_masks_hide_units_time_or_everything(trees, small):
    """Each item hides whole units, one stretch of the stated share, or all; what is hidden changes no prediction."""
    structure, weights, batch = shaken(trees, small)
    many = jax.tree.map(lambda one: np.concatenate([one] * 20), batch)
    hidden = np.asarray(hidden_responses(many, 0.25, jax.random.key(0)))
    whole = hidden.all(axis=(1, 2))
    by_time = ~whole & (hidden == hidden[:, :, :1]).all(axis=(1, 2)) & hidden.any(axis=(1, 2))
    by_unit = (hidden == hidden[:, :1]).all(axis=(1, 2)) & ~whole
    assert whole.any() and by_time.any() and by_unit.any() and (whole | by_time | by_unit).all()
    assert set(hidden[by_time][:, :, 0].sum(axis=1)) == {8.0}
    seen = jnp.asarray(1.0 - hidden[: len(batch.response)])
    other = dataclasses.replace(batch, response=batch.response + 3.0 * np.asarray(1.0 - seen))
    one, two = (run(structure, weights, given, Shown(seen, seen, seen)) for given in (batch, other))
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_generated_windows_follow_the_given_ones(trees, small):
    """Context is passed through, draws are whole numbers, and another key gives other draws."""
    structure, weights, batch = shaken(trees, small)
    given = jax.tree.map(jnp.asarray, batch)
    draw = jax.jit(lambda key: generate(structure.merge(weights), given, key, 20))
    one, other = (np.asarray(draw(jax.random.key(seed))) for seed in (0, 1))
    assert one.shape == (8, 20, batch.response.shape[2])
    np.testing.assert_allclose(one, np.round(one), atol=1e-5)
    assert not np.array_equal(one, other) and not (one[~batch.valid[:, -20:]]).any()


def test_free_running_teaches_the_weights(trees, changed):
    """The distance of generated from recorded moments has a gradient for own past and coupling, through the draws."""
    free = {"supervised": 0.0, "free_running": 1.0, "free_windows": 6}
    config = changed(model={"core": "none", "latents": 0}, objective=free)
    structure, weights, batch = shaken(trees, config)
    given = jax.tree.map(jnp.asarray, batch)
    gradient = jax.jit(jax.grad(lambda one: total(structure.merge(one), given, jax.random.key(0), config.objective)))
    found = gradient(weights)
    for name in ("units/history", "units/out_of", "units/start"):
        assert np.isfinite(found[name]).all() and np.abs(found[name]).max() > 0, name


def test_moments_tell_noise_from_drift():
    """White activity and a slow oscillation of the same mean and variance differ in the covariance over lags."""
    slow = 1.0 + np.sin(np.arange(200) / 15.0)[None, :, None] * np.ones((1, 1, 5))
    weight = jnp.ones((1, 200, 5), jnp.float32)
    fast = np.random.default_rng(0).permutation(slow, axis=1)
    one, two = (moments(jnp.asarray(values, jnp.float32), weight) for values in (slow, fast))
    np.testing.assert_allclose(one[0], two[0], rtol=1e-5)
    assert float(one[3][0, 1]) > 0.4 > 0.2 > abs(float(two[3][0, 1]))


def test_matching_moments_does_not_teach_to_vary_less():
    """Of two samples of one law the squared distance is 0 on average; a square of the mean would be above 0."""
    apart = jnp.asarray(np.random.default_rng(0).normal(size=(8, 4000)), jnp.float32)
    assert abs(float(squared_mean(apart).mean())) < 5 * 0.25 / np.sqrt(4000)
    assert float(jnp.square(apart.mean(axis=0)).mean()) > 0.1


def test_taps_read_patch_and_steer(trees, small):
    """A patch of the core by its own activation changes nothing, by zeros or a push it does; a wrong name fails."""
    structure, weights, batch = shaken(trees, small)
    model, given = structure.merge(weights), jax.tree.map(jnp.asarray, batch)

    @jax.jit
    def reading(batch):
        taps = Taps(read=("core", "drive"))
        return model(batch, taps=taps), taps.found

    plain, found = reading(given)
    for change, same in ((replaced(found["core"]), True), (silenced, False), (steered(np.eye(8)[2], 3.0), False)):
        patched = run(structure, weights, batch, taps=Taps({"core": change}))
        assert np.allclose(patched, plain, atol=1e-5) == same
    with pytest.raises(InputError, match="no activation 'cor'; give one of stimulus"):
        Taps({"cor": silenced})


def test_bfloat16_stays_close(trees, changed):
    """In bfloat16 the parameters are those of float32 to its three digits, and still float32 themselves."""
    structure, weights, batch = shaken(trees, changed())
    half, _, _ = shaken(trees, changed(training={"precision": "bfloat16"}))
    one, two = run(structure, weights, batch), run(half, weights, batch)
    assert two.dtype == np.float32
    there = batch.valid[..., None]
    assert 0 < np.abs((one - two) * there).max() < 0.1 * np.abs(one * there).max()


def test_a_model_of_nothing_is_possible(trees, changed):
    """Without streams, behaviour, covariates or bumps the model is of spontaneous activity."""
    nothing = {"streams": (), "behaviour": (), "covariates": (), "trial_bumps": 0, "clock_bumps": 0}
    structure, weights, batch = shaken(trees, changed(data=nothing))
    assert isinstance(structure.merge(weights), Foundation) and np.isfinite(run(structure, weights, batch)).all()
