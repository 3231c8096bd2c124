"""Low-pass filters: scipy's recursion, the analog gain and delay, gradients, sampling, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import signal

from biophys.corrections import LowPass, decimate
from twin.errors import InputError

TRACE = np.random.default_rng(2).standard_normal((2, 500)).cumsum(axis=-1)
FILTERS = [
    LowPass("bessel", 4, 2000.0, 50_000.0),
    LowPass("bessel", 8, 10_000, 100_000),
    LowPass("bessel", 3, 1000.0, 20_000.0, norm="phase"),
    LowPass("butterworth", 4, 5000.0, 50_000.0),
    LowPass("butterworth", 1, 3000.0, 50_000.0),
]


@pytest.mark.parametrize("low_pass", FILTERS, ids=lambda one: f"{one.family}-{one.n_poles}")
def test_the_scan_is_scipys_recursion(low_pass: LowPass) -> None:
    """JAX and `scipy.signal.sosfilt` give the same samples, and start in equilibrium."""
    sections = low_pass.sections
    start = signal.sosfilt_zi(sections)[:, None, :] * TRACE[None, :, :1]
    expected = signal.sosfilt(sections, TRACE, axis=-1, zi=start)[0]
    np.testing.assert_allclose(low_pass(jnp.asarray(TRACE)), expected, atol=1e-9)
    np.testing.assert_allclose(low_pass(TRACE), expected, atol=1e-12)
    np.testing.assert_allclose(low_pass(np.full(50, -65.0)), -65.0, rtol=1e-9)
    np.testing.assert_allclose(low_pass(jnp.full(50, -65.0)), -65.0, rtol=1e-9)


@pytest.mark.parametrize("low_pass", FILTERS, ids=lambda one: f"{one.family}-{one.n_poles}")
def test_the_gain_at_the_corner_is_the_analog_one(low_pass: LowPass) -> None:
    """Prewarping puts the corner where it belongs: -3 dB, or for the phase norm the gain of the analog filter."""
    at_corner = abs(low_pass.response(low_pass.corner_hz)[0])
    assert at_corner == pytest.approx(abs(low_pass.analog_response(low_pass.corner_hz)[0]), rel=1e-9)
    if low_pass.norm == "magnitude":
        assert at_corner == pytest.approx(0.5**0.5, rel=1e-9)
    else:
        assert at_corner < 0.6


def test_a_magnitude_corner_taken_for_a_phase_corner_is_seen() -> None:
    """The planted defect: an eight-pole Bessel filter normalised by phase passes 20 % of the power at its corner."""
    assert abs(LowPass("bessel", 8, 2000.0, 50_000.0, norm="phase").response(2000.0)[0]) ** 2 < 0.3


def test_sines_come_out_with_the_stated_gain() -> None:
    """Filtering sines and asking for the response is the same thing."""
    low_pass, time_s = FILTERS[0], np.arange(20_000) / 50_000.0
    for frequency in (500.0, 2000.0, 5000.0):
        out = low_pass(np.sin(2 * np.pi * frequency * time_s))[5000:15_000]
        assert np.sqrt(2) * out.std() == pytest.approx(abs(low_pass.response(frequency)[0]), rel=1e-3)


def test_the_recursion_converges_to_the_analog_filter_in_second_order() -> None:
    """Response and delay: halving the interval divides the error by four."""
    frequencies = np.linspace(100.0, 4000.0, 20)
    errors, delays = [], []
    for rate in (20_000.0, 40_000.0, 80_000.0, 160_000.0):
        low_pass = LowPass("bessel", 4, 2000.0, rate)
        errors.append(np.abs(low_pass.response(frequencies) - low_pass.analog_response(frequencies)).max())
        delays.append(abs(low_pass.delay_ms - low_pass.analog_delay_ms))
    for series in (errors, delays):
        orders = np.log2(np.array(series[:-1]) / np.array(series[1:]))
        np.testing.assert_allclose(orders, 2.0, atol=0.15)


def test_the_delay_is_that_of_a_slow_pulse() -> None:
    """A slow pulse comes out late by `delay_ms`; for 4 poles at 2 kHz that is 0.168 ms in the analog filter."""
    low_pass = LowPass("bessel", 4, 2000.0, 100_000.0)
    assert low_pass.analog_delay_ms == pytest.approx(0.168, abs=5e-4)
    time_ms = np.arange(2000) / 100.0
    pulse = np.exp(-0.5 * ((time_ms - 8) / 1.0) ** 2)
    centre = [float(time_ms @ one / one.sum()) for one in (pulse, low_pass(pulse))]
    assert centre[1] - centre[0] == pytest.approx(low_pass.delay_ms, rel=1e-6)
    shortened = LowPass("bessel", 4, 2000.0, 20_000.0)
    x = np.pi * 0.1
    assert shortened.delay_ms / shortened.analog_delay_ms == pytest.approx(x / np.tan(x), rel=1e-9)


def test_the_gradient_runs_backwards_through_the_filter() -> None:
    """The gradient of one sample is the impulse response read backwards, and agrees with finite differences."""
    low_pass = FILTERS[0]
    gradient = jax.grad(lambda trace: low_pass(trace)[200])(jnp.zeros(300))
    impulse = low_pass(np.eye(1, 300, 50)[0])
    np.testing.assert_allclose(gradient[51:201], impulse[50:200][::-1], atol=1e-12)
    assert not gradient[201:].any(), "a causal filter knows nothing of later samples"


def test_sampling_keeps_every_nth_and_folds_what_no_filter_took() -> None:
    """9 kHz sampled at 10 kHz appears at 1 kHz; an anti-alias filter takes it away, and not a sine of 500 Hz."""
    time_s = np.arange(50_000) / 50_000.0
    fast, slow = np.sin(2 * np.pi * 9000 * time_s), np.sin(2 * np.pi * 500 * time_s)
    anti_alias = LowPass("butterworth", 8, 4000.0, 50_000.0)
    folded = decimate(fast, 5, None)
    np.testing.assert_array_equal(folded, fast[::5])
    assert np.abs(np.fft.rfft(folded)).argmax() == 1000
    assert decimate(fast, 5, anti_alias)[100:].std() < 0.01
    assert decimate(slow, 5, anti_alias)[100:].std() == pytest.approx(0.5**0.5, rel=1e-3)
    assert decimate(jnp.asarray(TRACE), 5, None).shape == (2, 100)


def test_single_precision_is_close_to_double() -> None:
    """A float32 trace at a fiftieth of the rate loses less than a thousandth of its spread."""
    low_pass = LowPass("bessel", 4, 2000.0, 100_000.0)
    single = low_pass(jnp.asarray(TRACE, jnp.float32))
    assert single.dtype == jnp.float32
    assert np.abs(np.asarray(single) - low_pass(TRACE)).max() < 1e-3 * TRACE.std()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("bessel", 4, 12_000.0, 20_000.0), "faster than 24000 Hz"),
        (("bessel", 0, 2000.0, 20_000.0), "0 poles"),
        (("chebyshev", 4, 2000.0, 20_000.0), "'chebyshev'"),
        (("bessel", 4, -1.0, 20_000.0), "corner of the low-pass filter is -1.0 Hz"),
    ],
)
def test_impossible_filters_are_refused(arguments: tuple, said: str) -> None:
    """A filter that does not exist, or that this rate cannot show, is refused with the way out."""
    with pytest.raises(InputError, match=said):
        LowPass(*arguments)
    with pytest.raises(InputError, match="positive whole number"):
        decimate(TRACE, 0, None)
