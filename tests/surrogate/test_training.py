"""Training: it learns a known rate, goes on exactly, compiles once a bucket, and keeps the last good checkpoint."""

import dataclasses
import resource
import shutil

import jax
import numpy as np
import pytest

import surrogate
from surrogate import Surrogate, checkpoint, fit
from surrogate.config import Training
from surrogate.files import replace_folder
from surrogate.run_state import NAME
from surrogate.train import look_at
from twin import recording
from twin.errors import InputError, NeurotwinError


@pytest.fixture(scope="module")
def trained(trees, changed, tmp_path_factory):
    """A surrogate of two sessions, trained for a few seconds, and its folder."""
    folder = tmp_path_factory.mktemp("run") / "run"
    config = changed(training={"steps": 150, "check_every": 50, "learning_rate": 1e-2})
    return fit(config, trees, out=folder), folder


def weights_of(fitted):
    return fitted.surrogate.checkpoint.weights


def same(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one) and set(one) == set(other)


def test_it_learns_the_stimulus(trained, population):
    """On validation windows of a population driven by its stimulus it gains half a bit a response over the mean."""
    fitted, _ = trained
    assert fitted.curve[fitted.best].validation_bits > 0.5
    assert fitted.curve[fitted.best].validation_loss == min(look.validation_loss for look in fitted.curve)


def test_a_step_compiles_once_for_each_bucket(trained):
    """150 steps over two buckets compile two steps."""
    assert trained[0].compilations == {(32, 8): 1, (32, 16): 1}


def test_a_run_holds_all_that_is_promised(trained):
    """Checkpoint, state, curve as table and picture; the checkpoint says hashes, split, protocol and versions."""
    _, folder = trained
    assert {path.name for path in folder.iterdir()} == {"checkpoint", NAME, "curve.csv", "curve.png"}
    assert len((folder / "curve.csv").read_text().splitlines()) == 4
    told = checkpoint.describe(folder / "checkpoint")
    assert told["versions"]["jax"] and told["metric_protocol"]["hash"] and told["weights_sha256"]
    assert len(told["vocabulary"]["sessions"][0]["digest"]) == 64 and set(told["parts"]) == {"one", "two"}


def test_a_resumed_run_is_the_run_itself(trained, trees, tmp_path):
    """Stopped after 100 of 150 steps and gone on with, a run ends with the same weights and curve, to the bit."""
    whole, folder = trained
    config = whole.surrogate.config
    first = fit(config, trees, out=tmp_path / "run", stop_after=100)
    assert not same(weights_of(whole), weights_of(first)) or whole.best < 2
    resumed = fit(config, trees, out=tmp_path / "run")
    assert same(weights_of(whole), weights_of(resumed)) and whole.curve == resumed.curve
    one, two = (dict(np.load(path / NAME)) for path in (folder, tmp_path / "run"))
    assert same(one, two)


def test_a_run_of_another_configuration_is_not_gone_on_with(trained, trees, changed, tmp_path):
    """Another learning rate over the same folder is refused, and nothing is lost."""
    shutil.copytree(trained[1], tmp_path / "run")
    with pytest.raises(InputError, match="holds a run of another configuration"):
        fit(changed(training={"learning_rate": 1e-4}), trees, out=tmp_path / "run")
    assert Surrogate.from_checkpoint(tmp_path / "run" / "checkpoint")


def test_a_loaded_surrogate_is_the_trained_one(trained, trees):
    """Predictions from the folder are those of the trained object, to the bit."""
    fitted, folder = trained
    loaded = Surrogate.from_checkpoint(folder / "checkpoint")
    one, two = (it.predict(trees[1]) for it in (fitted.surrogate, loaded))
    assert one.data.equals(two.data)
    assert one.data["mean"].shape == (5, 41, 11) and np.isfinite(one.mean).all()


def test_predictions_are_those_of_the_right_windows(trained, trees):
    """Over windows that no training saw, the mean correlates with the response it is for, and less when shifted."""
    found = trained[0].surrogate.predict(trees[0], part="validation").data
    there = np.isfinite(found["mean"].values)
    assert there.any(axis=(0, 2)).sum() == 12, "a fifth of 60 windows"
    np.testing.assert_array_equal(found["response"].values[there], trees[0]["counts"]["count"].values[there])
    mean, response = (found[name].values[:, 48:] for name in ("mean", "response"))
    right = np.corrcoef(mean.ravel(), response.ravel())[0, 1]
    late = np.corrcoef(np.roll(mean, 1, axis=1).ravel(), response.ravel())[0, 1]
    assert right > late + 0.1 and right > 0.5


def test_samples_and_free_runs_are_recordings(trained, trees):
    """Both have the schema of a recording, whole counts near the recorded rate, and say how they were made."""
    one = trained[0].surrogate
    sampled, free = one.sample(trees[0], seed=1), one.unroll(trees[0], seed=1, n=2, context_s=0.2)
    for made, n in ((sampled, 4), (free, 8)):
        recording.validate(made)
        counts = made["counts"]["count"].values
        assert counts.shape == (n, 60, 5) and (counts == np.round(counts)).all()
        assert 0.5 < counts.mean() / trees[0]["counts"]["count"].values.mean() < 2.0
    np.testing.assert_array_equal(free["counts"]["count"][4:, :4], trees[0]["counts"]["count"][:, :4])
    again = one.unroll(trees[0], seed=1, n=2, context_s=0.2)
    assert again.equals(free)
    assert free.attrs["provenance"][-1]["parameters"]["how"] == "free-running after 4 windows"


def test_a_query_outside_of_training_is_flagged(trained, trees, population):
    """A new lab, an age beyond, a stimulus ten times as strong and a longer run are named; training's own is not."""
    one = trained[0].surrogate
    assert one.predict(trees[0]).outside == ()
    other = population("one", seed=0)
    other["protocol"].attrs["lab"] = {**other["protocol"].attrs["lab"], "value": "east"}
    other["protocol"].attrs["age"] = {**other["protocol"].attrs["age"], "value": 80.0}
    other["stimulus/level"]["value"][:] *= 10.0
    told = {flag.what: str(flag) for flag in one.predict(other).outside}
    assert told["covariate lab"] == "covariate lab: east, training had north, south"
    assert "80.0, training had 10 to 11" in told["covariate age"] and "stimulus stream 'level'" in told
    made = one.sample(other, seed=0)
    assert len(made.attrs["provenance"][-1]["parameters"]["outside_of_training"]) >= 3


def test_adapting_freezes_all_that_is_shared(trained, trees, population):
    """A new session's rows are fitted; every shared weight and every old row stays, and so do old predictions."""
    base, new = trained[0].surrogate, population("new", n_units=7, seed=3)
    given = Training(steps=60, check_every=30, batch=8, learning_rate=2e-2, patience=0)
    adapted = surrogate.adapt(base, [new], training=given)
    old, found = base.checkpoint.weights, weights_of(adapted)
    owned = base.checkpoint.structure.owned
    for name, value in old.items():
        np.testing.assert_array_equal(found[name][: len(value)] if name in owned else found[name], value)
    assert adapted.curve[-1].validation_bits > 0.2
    np.testing.assert_array_equal(adapted.surrogate.predict(trees[0]).mean, base.predict(trees[0]).mean)
    assert adapted.surrogate.predict(new).mean.shape == (4, 60, 7)
    with pytest.raises(InputError, match="has a readout for a session of that name"):
        surrogate.adapt(adapted.surrogate, [new])


@pytest.mark.slow
def test_more_minutes_are_more_data(trained, population):
    """The points of the curve are the stated minutes of training data, with the validation part left alone."""
    given = Training(steps=4, check_every=2, batch=8, patience=0)
    points = surrogate.minutes_curve(trained[0].surrogate, population("new", seed=4), [0.02, 5.0], training=given)
    np.testing.assert_allclose([one.minutes for one in points], [24 * 0.05 / 60, 192 * 0.05 / 60])


@pytest.mark.slow
def test_fine_tuning_starts_from_the_checkpoint(trained, population, changed):
    """Shared weights are taken over, the units are new, and another architecture is refused."""
    folder = str(trained[1] / "checkpoint")
    tuned = fit(
        changed(start_from=folder, training={"steps": 1, "check_every": 1, "learning_rate": 1e-9}),
        [population("x", seed=5)],
    )
    name = "core/layers/0/gates/kernel"
    np.testing.assert_allclose(weights_of(tuned)[name], trained[0].surrogate.checkpoint.weights[name], atol=1e-6)
    with pytest.raises(InputError, match=r"has another \[model\]"):
        fit(changed(start_from=folder, model={"width": 12}), [population("x", seed=5)])


def test_other_units_and_other_stimuli_are_named(trained, population):
    """A session of other units, an unknown one, and a stimulus of another size are refused with the way out."""
    one = trained[0].surrogate
    with pytest.raises(InputError, match="one: has 6 units and the surrogate was trained on 5 .*`twin adapt"):
        one.predict(population("one", n_units=6))
    with pytest.raises(InputError, match="new: the surrogate has no readout for it, it knows one, two; .*`twin adapt"):
        one.predict(population("new"))
    wide = population("one")
    stream = recording.Stream(np.zeros((4, 60, 3)), 20.0, "1", leading=("trial", "time")).to_dataset()
    wide["stimulus/level"] = recording.build.xr.DataTree(stream)
    with pytest.raises(InputError, match=r"samples of the shape \(3,\), training had \(2,\)"):
        one.predict(wide)


def test_what_is_no_checkpoint_is_named(trained, tmp_path):
    """A missing folder, another format, damaged weights, and weights of another model."""
    with pytest.raises(InputError, match="is no checkpoint"):
        Surrogate.from_checkpoint(tmp_path)
    path = trained[0].surrogate.save(tmp_path / "copy")
    told = (path / "checkpoint.json").read_text()
    (path / "checkpoint.json").write_text(told.replace('"format": 3', '"format": 9'))
    with pytest.raises(InputError, match="of the format 9 .* this version reads 3"):
        Surrogate.from_checkpoint(path)
    (path / "checkpoint.json").write_text(told.replace('"width": 8', '"width": 8, "depth": 3'))
    with pytest.raises(InputError, match=r"nothing reads the key 'model\.depth'"):
        Surrogate.from_checkpoint(path)
    (path / "checkpoint.json").write_text(told.replace('"latents": 2', '"latents": 0'))
    with pytest.raises(InputError, match="its weights are not those of this version's model"):
        Surrogate.from_checkpoint(path)
    (path / "checkpoint.json").write_text(told)
    with (path / "weights.npz").open("ab") as file:
        file.write(b"!")
    with pytest.raises(InputError, match="weights.npz is not the file that was saved"):
        Surrogate.from_checkpoint(path)


def test_a_full_disk_leaves_the_last_checkpoint(trained, tmp_path):
    """When the disk takes no more, the error says so, and the folder that was there loads as before."""
    one = trained[0].surrogate
    path = one.save(tmp_path / "kept")
    before = (path / "weights.npz").read_bytes()
    moved = {name: value + 1 for name, value in one.checkpoint.weights.items()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(NeurotwinError, match="the disk is full; the one that was there before is whole"):
            checkpoint.save(dataclasses.replace(one.checkpoint, weights=moved), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (path / "weights.npz").read_bytes() == before and Surrogate.from_checkpoint(path)
    assert [one.name for one in tmp_path.iterdir()] == ["kept"]


def test_an_interruption_between_the_two_moves_is_recovered(trained, tmp_path):
    """A folder that was moved away when the power went is found and put back."""
    path = trained[0].surrogate.save(tmp_path / "model")
    path.rename(tmp_path / ".model.before")
    assert Surrogate.from_checkpoint(path).config == trained[0].surrogate.config

    def fails(folder):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace_folder(path, fails)
    assert [one.name for one in tmp_path.iterdir()] == ["model"]


def test_a_loss_that_explodes_stops_the_run():
    """A loss that is no number ends with a sentence, not with weights that are none."""
    with pytest.raises(NeurotwinError, match="the loss is nan at step 30: lower training.learning_rate"):
        look_at(30, [1.0, float("nan")], None)


def test_the_batch_is_divided_by_the_devices(trees, changed):
    """A batch that the devices do not divide is refused with the multiple to give."""
    if jax.device_count() == 1:
        pytest.skip("one device divides every batch")
    with pytest.raises(InputError, match="set training.batch to a multiple"):
        fit(changed(training={"batch": 9}), trees)
