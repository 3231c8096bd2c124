"""Batches: the right numbers in the right place, a pure function of the step, and memory that does not grow."""

import dataclasses
import tracemalloc

import jax
import numpy as np
import pytest

from surrogate.batches import Loader, open_session, session_of
from surrogate.batches.cache import Cache
from surrogate.survey import Moments, survey
from surrogate.train import parts_of
from twin import recording, split
from twin.errors import InputError
from twin.recording import Stream

CHUNK_MB = 12.0  # 2 million values of 4 bytes, and what they are compressed to


def loader_of(trees, config):
    """Of recordings in memory, and their vocabulary."""
    sessions = [session_of(tree, config.data) for tree in trees]
    parts = [parts_of(one, config) for one in sessions]
    vocabulary = survey(sessions, parts, config)
    return Loader(sessions, parts, vocabulary, config)


def test_a_batch_is_a_function_of_seed_and_step(trees, small):
    """The same step gives the same batch in any order of asking; another step or another seed gives another one."""
    one, other = loader_of(trees, small), loader_of(trees, small)
    later = one.batch(7)
    again = [other.batch(step) for step in (3, 7)][1]
    assert jax.tree.all(jax.tree.map(np.array_equal, later, again))
    assert not np.array_equal(later.response, one.batch(8).response)
    reseeded = loader_of(trees, dataclasses.replace(small, seed=1))
    assert not np.array_equal(later.response, reseeded.batch(7).response)


def test_items_hold_what_the_recording_holds(trees, small):
    """Every scored response of a pass over the training part is the recorded one, once; padding is never scored."""
    loader, found = loader_of(trees, small), [np.zeros(tree["counts"]["count"].shape) for tree in trees]
    seen = [np.zeros(one.shape, int) for one in found]
    for batch, items in loader.tiles("train"):
        assert not (batch.scored[len(items) :]).any()
        for number, item in enumerate(items):
            keep = batch.scored[number][: item.stop - item.start]
            windows = np.arange(item.start, item.stop)[keep]
            found[item.session][item.trial, windows] = batch.response[number][: len(keep)][keep][:, : len(item.units)]
            seen[item.session][item.trial, windows] += 1
    for tree, part, response, times in zip(trees, loader.parts, found, seen, strict=True):
        inside = np.zeros_like(times)
        for one in part.train:
            inside[one.trial, one.start : one.stop] = 1
        np.testing.assert_array_equal(times, inside)
        np.testing.assert_array_equal(response, tree["counts"]["count"].values * inside)


def test_sessions_of_all_sizes_share_a_few_shapes(population, small):
    """Seven sessions of 3 to 40 units fall into four shapes, powers of two each."""
    trees = [population(f"n{n}", n_units=n, seed=n) for n in (3, 5, 8, 9, 14, 30, 40)]
    shapes = {(bucket.length, bucket.units) for bucket in loader_of(trees, small).buckets}
    assert shapes == {(32, 8), (32, 16), (32, 32), (32, 64)}


def test_spikes_counts_and_fluorescence_bin_alike(changed):
    """Spike times, their finer counts, and their rate as fluorescence give the same windows; computed by histogram."""
    random = np.random.default_rng(0)
    trains = [[np.sort(random.uniform(0, 2.0, 40)) for _ in range(3)] for _ in range(2)]
    wanted = np.stack([[np.histogram(units, 20, (0, 2.0))[0] for units in trial] for trial in trains]).transpose(
        0, 2, 1
    )
    fine = np.stack([[np.histogram(units, 100, (0, 2.0))[0] for units in trial] for trial in trains]).transpose(0, 2, 1)
    data = changed(data={"window_s": 0.1, "streams": (), "behaviour": ()}).data
    made = [
        recording.from_spikes(trains, start_s=0.0, stop_s=2.0, name="spikes"),
        recording.from_counts(fine, 0.02, name="counts"),
        recording.from_fluorescence(fine * 5.0, name="light", unit="1", sampling_hz=50.0),
    ]
    for tree in made:
        session = session_of(tree, data)
        read = np.stack([session.read(trial, 0, 20).response for trial in range(2)])
        np.testing.assert_allclose(read, wanted, atol=1e-5)
        np.testing.assert_allclose(session.read(1, 7, 11).response, wanted[1, 7:11], atol=1e-5)


def test_fast_streams_are_averaged_and_slow_ones_held(changed):
    """A stream four times faster than a window is averaged, one half as fast is held; one value a trial is repeated."""
    fast, slow = np.arange(80.0).reshape(2, 40), np.arange(10.0).reshape(2, 5)
    streams = {
        "fast": Stream(fast, 40.0, "1", leading=("trial", "time")),
        "slow": Stream(slow, 5.0, "1", leading=("trial", "time")),
        "word": Stream(np.array(["up", "down"], dtype=object), None, "1", leading=("trial",)),
    }
    tree = recording.from_counts(np.ones((2, 10, 1), int), 0.1, name="streams", stimuli=streams)
    config = changed(data={"window_s": 0.1, "streams": ("fast", "slow", "word"), "behaviour": (), "validation": 0.0})
    session = session_of(tree, config.data)
    read = session.read(1, 2, 6).streams
    np.testing.assert_allclose(read["stimulus", "fast"], [49.5, 53.5, 57.5, 61.5])
    np.testing.assert_allclose(read["stimulus", "slow"], [6.0, 6.0, 7.0, 7.0])
    vocabulary = survey([session], [parts_of(session, config)], config)
    word = vocabulary.streams[2]
    assert word.levels == ("down", "up")
    np.testing.assert_array_equal(word.encode(read["stimulus", "word"])[0], [1.0, 0.0])


def test_moments_add_up():
    """Mean, deviation and range piece by piece are NumPy's of the whole."""
    rows, moments = np.random.default_rng(1).normal(3.0, 2.0, (100, 4)), Moments()
    for piece in np.array_split(rows, 7):
        moments.add(piece)
    np.testing.assert_allclose(moments.mean, rows.mean(axis=0))
    np.testing.assert_allclose(moments.deviation, rows.std(axis=0))
    np.testing.assert_array_equal(moments.high, rows.max(axis=0))


def test_the_cache_keeps_to_its_budget():
    """The least recently used value goes first, and a value is read once while it is held."""
    reads, cache = [], Cache(budget=20, size_of=lambda value: 10)
    for key in "abacab":
        cache.get(key, lambda key=key: reads.append(key) or key)
    assert reads == ["a", "b", "c", "b"] and cache.held == 20


def test_a_corpus_larger_than_memory_is_streamed(tmp_path, changed):
    """Of a corpus of 40 MB, a pass and 20 batches take no more than the cache of 2 MB, the batches and one chunk."""
    config = changed(
        data={"streams": (), "behaviour": (), "covariates": (), "cache_mb": 2.0, "validation": 0.0, "length": 64}
    )
    random = np.random.default_rng(0)
    for number in range(4):
        counts = random.poisson(0.5, (1, 50_000, 50)).astype(np.int32)
        recording.write(recording.from_counts(counts, 0.05, name=f"long{number}"), tmp_path / f"{number}.zarr")
    del counts
    sessions = [open_session(tmp_path / f"{number}.zarr", config.data) for number in range(4)]
    parts = [split.by_time(one.n_windows.tolist(), 0.0, 0.0) for one in sessions]
    tracemalloc.start()
    vocabulary = survey(sessions, parts, config)
    loader = Loader(sessions, parts, vocabulary, config)
    for step in range(20):
        batch = loader.batch(step)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    per_batch = sum(one.nbytes for one in jax.tree.leaves(batch)) / 1e6
    # A chunk of the store (see `twin.recording.store`) is decoded as a whole, beside its compressed bytes.
    assert peak < 2.0 + 2 * per_batch + 2 * CHUNK_MB, f"{peak:.1f} MB"


BAD = {
    "an empty session": (
        lambda: recording.from_counts(np.zeros((1, 0, 2), int), 0.05, name="empty"), "empty: is empty: 2 units and 0"),
    "bins that do not fit": (
        lambda: recording.from_counts(np.zeros((1, 9, 2), int), 0.03, name="odd"), "to a multiple of 0.03"),
    "bins longer than a window": (
        lambda: recording.from_counts(np.zeros((1, 9, 2), int), 0.2, name="slow"), "to a multiple of 0.2"),
    "no signal": (
        lambda: recording.from_voltage(np.zeros((1, 9)), 1000.0, name="cell"), "has no counts, spikes or fluorescence"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_recording_that_cannot_be_used_is_named(case, small):
    """The sentence has the recording's name, what was found and the way out."""
    made, words = BAD[case]
    with pytest.raises(InputError, match=words):
        session_of(made(), small.data)


def test_a_gap_is_named(population, small):
    """NaN in a response or a stream is refused with the unit, the trial and the time."""
    light = np.ones((2, 20, 3))
    tree = recording.from_fluorescence(light, name="gap", unit="dF/F", sampling_hz=20.0, unit_ids=["a", "b", "c"])
    tree["fluorescence"]["fluorescence"][1, 4, 2] = np.nan
    with pytest.raises(InputError, match="gap: unit 'c' is not finite in trial 1 at 0.2 s"):
        session_of(tree, small.data).read(1, 0, 20)
    tree = population("holes")
    tree["stimulus/level"]["value"][0, 3] = np.nan
    with pytest.raises(
        InputError, match="holes: the stimulus stream 'level' has values that are not finite in trial 0"
    ):
        session_of(tree, small.data).read(0, 0, 10)


def test_a_stimulus_that_ends_early_is_named(small):
    """A stream that does not cover the recording is refused with both spans."""
    stream = Stream(np.zeros((1, 12, 2)), 20.0, "1", leading=("trial", "time"))
    tree = recording.from_counts(np.ones((1, 20, 1), int), 0.05, name="cut", stimuli={"level": stream})
    with pytest.raises(InputError, match="cut: the stimulus stream 'level' lasts from 0 to 0.6 s"):
        session_of(tree, small.data).read(0, 0, 20)
