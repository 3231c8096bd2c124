"""Encoders and the readout: convolutions that are what they say, causal, and a receptive field where it is put."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from surrogate.batches import Loader, session_of
from surrogate.encoders import StreamEncoder, VideoEncoder
from surrogate.encoders.spectrum import convolved
from surrogate.encoders.video import last_frames, over_frames
from surrogate.envelope import outside
from surrogate.objectives import total
from surrogate.readout import at_places
from surrogate.survey import survey
from surrogate.train import parts_of
from surrogate.weights import fresh_weights
from twin import recording
from twin.recording import Stream


def test_stacked_frames_are_a_causal_3d_convolution():
    """The 2-D convolution over stacked frames is JAX's 3-D convolution with the same numbers, padded in the past."""
    random = np.random.default_rng(0)
    video = jnp.asarray(random.normal(size=(2, 6, 7, 8, 2)), jnp.float32)
    layer = nnx.Conv(3 * 2, 4, (5, 5), rngs=nnx.Rngs(0))
    found = over_frames(layer, last_frames(video, 3))
    # (height, width, 3 frames x 2 channels, 4) -> (frames, height, width, 2, 4)
    kernel = jnp.moveaxis(layer.kernel[...].reshape(5, 5, 3, 2, 4), 2, 0)
    wanted = jax.lax.conv_general_dilated(
        video, kernel, (1, 1, 1), ((2, 0), (2, 2), (2, 2)), dimension_numbers=("NTHWC", "THWIO", "NTHWC")
    )
    np.testing.assert_allclose(found, wanted + layer.bias[...].reshape(1, 1, 1, 1, -1), atol=1e-5)


@pytest.mark.parametrize(
    "size, kernel, stride, frames", [((7, 8), 5, 1, 3), ((8, 7), 5, 2, 2), ((9, 6), 4, 2, 1), ((3, 3), 9, 1, 1)]
)
def test_a_product_of_spectra_is_the_convolution(size, kernel, stride, frames):
    """Odd and even kernels, one larger than the image, with strides: XLA's own sum and its gradients, to rounding."""
    random = np.random.default_rng(0)
    video = jnp.asarray(random.normal(size=(2, 5, *size, 2)), jnp.float32)
    weights = jnp.asarray(random.normal(size=(kernel, kernel, frames * 2, 3)), jnp.float32)

    def by_sum(video, weights):
        flat = last_frames(video, frames).reshape(10, *size, -1)
        return jax.lax.conv_general_dilated(
            flat, weights, (stride, stride), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    def by_spectrum(video, weights):
        planes = convolved(jnp.transpose(video, (3, 2, 4, 0, 1)), weights, frames, stride)
        return jnp.transpose(planes, (3, 4, 1, 0, 2)).reshape(10, *planes.shape[1::-1], -1)

    def with_gradients(made):
        def squared(*given):
            result = made(*given)
            return (result**2).sum(), result

        gradients, result = jax.jit(jax.grad(squared, (0, 1), has_aux=True))(video, weights)
        return [result, *gradients]

    for one, other in zip(with_gradients(by_spectrum), with_gradients(by_sum), strict=True):
        np.testing.assert_allclose(one, other, atol=3e-6 * float(np.abs(other).max()))


def test_a_video_is_the_same_by_sum_and_by_spectrum():
    """What a CPU computes is what a GPU is given to compute, layers with kernels of their own included."""
    encode = VideoEncoder(1, (3, 4), [(3, 5), (1, 3)], 2, False, jnp.float32, nnx.Rngs(0))
    video = jnp.asarray(np.random.default_rng(1).normal(size=(2, 6, 7, 8, 1)), jnp.float32)
    by_sum = jax.jit(lambda given: encode.by_sum(given))(video)
    np.testing.assert_allclose(jax.jit(lambda given: encode.by_spectrum(given))(video), by_sum, atol=1e-5)
    np.testing.assert_allclose(encode(video), by_sum, atol=1e-5)


@pytest.mark.parametrize("recurrent", [True, False])
def test_a_video_is_encoded_from_the_past(recurrent):
    """Another frame 4 changes no map before it and changes map 4; the recurrent layer carries it on to the end."""
    encode = VideoEncoder(1, (3, 4), [(2, 3), (2, 3)], 2, recurrent, jnp.float32, nnx.Rngs(0))
    video = np.random.default_rng(1).normal(size=(1, 12, 6, 8, 1)).astype(np.float32)
    other = video.copy()
    other[:, 4] += 1.0
    one, two = (np.asarray(jax.jit(lambda given: encode(given))(jnp.asarray(given))) for given in (video, other))
    assert one.shape == (1, 12, 3, 4, 4)
    moved = np.abs(one - two).max(axis=(0, 2, 3, 4))
    assert (moved[:4] == 0).all() and moved[4] > 1e-4 and (moved[11] > 0) == recurrent


def test_a_stream_is_encoded_from_the_past():
    """Three windows of memory: a change at 5 is seen at 5, 6 and 7."""
    encode = StreamEncoder(2, 4, 3, jnp.float32, nnx.Rngs(0))
    stream = np.random.default_rng(2).normal(size=(1, 12, 2)).astype(np.float32)
    other = stream.copy()
    other[:, 5] += 1.0
    moved = np.abs(np.asarray(encode(jnp.asarray(stream)) - encode(jnp.asarray(other)))).max(axis=(0, 2))
    np.testing.assert_array_equal(np.flatnonzero(moved > 1e-5), [5, 6, 7])
    assert not StreamEncoder(0, 4, 3, jnp.float32, nnx.Rngs(0))(jnp.zeros((1, 5, 0), jnp.float32)).any()


def test_a_receptive_field_is_where_it_is_put():
    """A narrow field reads the bright pixel that it lies on, and no other; a field is a mean of the maps."""
    maps = np.zeros((1, 1, 7, 9, 1), np.float32)
    maps[0, 0, 2, 8, 0] = 1.0
    places = jnp.asarray([[[1.0, -1 / 3], [-1.0, -1 / 3], [1.0, 1 / 3]]], jnp.float32)
    narrow = jnp.full((1, 3, 1), -2.0, jnp.float32)
    np.testing.assert_allclose(at_places(jnp.asarray(maps), places, narrow)[0, 0, :, 0], [1.0, 0.0, 0.0], atol=1e-3)
    wide = at_places(jnp.ones((1, 2, 7, 9, 3), jnp.float32), places, jnp.zeros((1, 3, 1), jnp.float32))
    np.testing.assert_allclose(wide, 1.0, rtol=1e-5)


def movie_of(name, seed, shape=(8, 10)):
    """Six units that each look at one pixel of a white-noise movie."""
    random = np.random.default_rng(seed)
    movie = random.normal(size=(2, 40, *shape)).astype(np.float32)
    seen = movie[..., random.integers(0, shape[0], 6), random.integers(0, shape[1], 6)]
    stream = Stream(movie, 20.0, "1", leading=("trial", "time"))
    return recording.from_counts(random.poisson(np.exp(seen - 0.5)), 0.05, name=name, stimuli={"movie": stream})


@pytest.mark.slow
def test_a_movie_reaches_the_units(changed):
    """A model of movies has finite gradients for the encoder and for places, in bfloat16; brighter frames are named."""
    config = changed(
        data={"streams": (), "behaviour": (), "covariates": (), "video": "movie"},
        model={"video_channels": (3, 4), "video_kernel": (2, 3)},
        training={"batch": 2, "precision": "bfloat16"},
    )
    sessions = [session_of(movie_of(f"m{seed}", seed), config.data) for seed in (0, 1)]
    parts = [parts_of(one, config) for one in sessions]
    vocabulary = survey(sessions, parts, config)
    assert vocabulary.video.shape == (8, 10) and abs(vocabulary.video.deviation[0] - 1.0) < 0.05
    structure, weights = fresh_weights(config, vocabulary)
    batch = jax.tree.map(jnp.asarray, Loader(sessions, parts, vocabulary, config).batch(0))
    assert batch.video.shape == (2, 32, 8, 10, 1)

    def loss(weights):
        return total(structure.merge(weights), batch, jax.random.key(0), config.objective)

    gradient = jax.jit(jax.grad(loss))(weights)
    assert all(np.isfinite(np.asarray(one, np.float32)).all() for one in gradient.values())
    for name in ("video/layers/0/kernel", "video/recurrent/gates/kernel", "units/place", "units/features"):
        assert np.abs(gradient[name]).max() > 0, name
    bright = movie_of("m0", 0)
    bright["stimulus/movie"]["value"][:] *= 4.0
    flags = outside(session_of(bright, config.data), vocabulary)
    assert [one.what for one in flags] == ["stimulus stream 'movie'"]
    assert outside(sessions[0], vocabulary) == ()
    assert dataclasses.astuple(flags[0])[2].startswith("-")
