"""The waveform encoder: its basis covers every lag, and it looks at the past alone."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

from surrogate.single.config import SurrogateConfig
from surrogate.single.responses import past_of
from surrogate.single.waveform import WaveformEncoder, raised_cosines

CONFIG = SurrogateConfig(stimulus_memory_s=0.01, n_filters=5, n_hidden=4)


def test_the_basis_has_unit_columns_that_widen_with_the_lag():
    """Columns sum to one, peak later and later, and the late ones are wider."""
    basis = raised_cosines(100, 12)
    np.testing.assert_allclose(basis.sum(axis=0), 1.0, rtol=1e-5)
    peaks = basis.argmax(axis=0)
    widths = (basis > 0).sum(axis=0)
    assert (np.diff(peaks) > 0).all() and widths[-2] > 3 * widths[1]


def test_nothing_of_the_future_gets_in():
    """Changing the stimulus from window 30 on changes no window before it, and changes window 30 itself."""
    encoder = WaveformEncoder(CONFIG, 0.0, 1.0, 3, nnx.Rngs(0))
    wave = np.random.default_rng(1).normal(size=60).astype(np.float32)
    changed = wave.copy()
    changed[30:] += 1.0
    one, other = (np.asarray(encoder(jnp.asarray(past_of(w, CONFIG.n_lags)))) for w in (wave, changed))
    np.testing.assert_array_equal(one[:30], other[:30])
    assert abs(one[30] - other[30]) > 1e-6


def test_normalisation_makes_the_unit_of_the_stimulus_irrelevant():
    """A stimulus in other units with its own mean and deviation gives the same numbers."""
    wave = np.random.default_rng(2).normal(size=40).astype(np.float32)
    plain = WaveformEncoder(CONFIG, 0.0, 1.0, 3, nnx.Rngs(3))
    scaled = WaveformEncoder(CONFIG, -20.0, 6.0, 3, nnx.Rngs(3))
    one = plain(jnp.asarray(past_of(wave, CONFIG.n_lags)))
    other = scaled(jnp.asarray(past_of(6.0 * wave - 20.0, CONFIG.n_lags)))
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_the_direct_path_passes_the_stimulus_on_one_latency_late():
    """With only its direct weight the code is the normalised stimulus of three windows ago, times that weight."""
    encoder = WaveformEncoder(CONFIG, 1.0, 2.0, 3, nnx.Rngs(4))
    silent = encoder(jnp.ones((1, CONFIG.n_lags), jnp.float32))
    encoder.direct[...] = jnp.float32(1.5)
    wave = np.random.default_rng(3).normal(size=40).astype(np.float32)
    code = encoder(jnp.asarray(past_of(wave, CONFIG.n_lags)))
    encoder.direct[...] = jnp.float32(0.0)
    learned = encoder(jnp.asarray(past_of(wave, CONFIG.n_lags)))
    np.testing.assert_allclose((code - learned)[3:], 1.5 * (wave[:-3] - 1.0) / 2.0, atol=1e-5)
    assert silent.shape == (1,)


def test_sensitivity_is_the_variance_that_small_noise_adds():
    """Added white noise of 1 % moves the learned path by as much as the gradient says, to 5 %."""
    encoder = WaveformEncoder(CONFIG, 0.0, 1.0, 3, nnx.Rngs(5))
    random = np.random.default_rng(4)
    past = random.normal(size=(1, CONFIG.n_lags))
    noisy = np.repeat(past, 4000, axis=0) + 0.01 * random.normal(size=(4000, CONFIG.n_lags))
    spread = float(jnp.var(encoder(jnp.asarray(noisy, jnp.float32)))) / 0.01**2
    np.testing.assert_allclose(float(encoder.sensitivity(jnp.asarray(past, jnp.float32))[0]), spread, rtol=0.07)
