"""Bridge and pipette in current clamp: stated numbers, the analytic step, exact inverses, gradients, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from biophys.corrections import (
    add_bridge_error,
    bridge_error_sd,
    charge_pipette,
    discharge_pipette,
    pipette_time_constant_ms,
    remove_bridge_error,
)
from twin.errors import InputError

NOISE = np.random.default_rng(1).standard_normal((3, 400))


def test_the_stated_example_of_the_bridge() -> None:
    """0.2 nA through 15 MOhm: a bridge of 10 MOhm shows -59 mV of -60 mV, one of 20 MOhm shows -61 mV."""
    assert add_bridge_error(-60.0, 0.2, 15.0, 10.0) == pytest.approx(-59.0)
    assert add_bridge_error(-60.0, 0.2, 15.0, 20.0) == pytest.approx(-61.0)
    assert remove_bridge_error(-59.0, 0.2, 15.0, 10.0) == pytest.approx(-60.0)
    assert bridge_error_sd(-0.2, 3.0) == pytest.approx(0.6)
    assert bridge_error_sd(np.array([0.2, -0.2]), 3.0, 4.0) == pytest.approx([1.0, 1.0])


def test_twenty_megaohms_and_five_picofarads_are_a_tenth_of_a_millisecond() -> None:
    """MOhm times pF is microseconds, and the time constant is in milliseconds."""
    assert pipette_time_constant_ms(20.0, 5.0) == pytest.approx(0.1)


def test_a_step_charges_the_pipette_as_the_exponential_does() -> None:
    """After one time constant a step of 10 mV shows 6.32 mV, and at every sample 10 (1 - exp(-t / tau))."""
    dt_ms, tau_ms = 0.01, 0.1
    step = np.concatenate([[0.0], np.full(100, 10.0)])
    shown = charge_pipette(step, tau_ms, dt_ms)
    np.testing.assert_allclose(shown, 10 * (1 - np.exp(-dt_ms * np.arange(101) / tau_ms)), atol=1e-12)
    assert shown[10] == pytest.approx(6.32, abs=1e-2)


def test_numpy_and_jax_agree_and_both_are_undone_exactly() -> None:
    """Charging by scipy and by a scan is the same, and discharging returns what went in."""
    for tau_ms in (0.0, 0.02, 0.5):
        by_scipy = charge_pipette(NOISE, tau_ms, 0.05)
        by_scan = charge_pipette(jnp.asarray(NOISE), tau_ms, 0.05)
        np.testing.assert_allclose(by_scan, by_scipy, atol=1e-12)
        np.testing.assert_allclose(discharge_pipette(by_scipy, tau_ms, 0.05), NOISE, atol=1e-10)
        np.testing.assert_allclose(discharge_pipette(by_scan, tau_ms, 0.05), NOISE, atol=1e-10)


def test_single_precision_stays_single() -> None:
    """A float32 trace on the accelerator stays float32 under strict promotion."""
    trace = jnp.asarray(NOISE, jnp.float32)
    assert charge_pipette(trace, 0.1, 0.05).dtype == discharge_pipette(trace, 0.1, 0.05).dtype == jnp.float32


def test_the_gradient_in_the_time_constant_is_that_of_finite_differences() -> None:
    """Also at 0, where exp(-dt / tau) has no slope at all."""

    def power(tau_ms: jax.Array) -> jax.Array:
        return jnp.sum(charge_pipette(jnp.asarray(NOISE), tau_ms, 0.05) ** 2)

    finite = (power(jnp.asarray(0.1 + 1e-5)) - power(jnp.asarray(0.1 - 1e-5))) / 2e-5
    assert jax.grad(power)(jnp.asarray(0.1)) == pytest.approx(float(finite), rel=1e-6)
    assert jax.grad(power)(jnp.asarray(0.0)) == 0.0


def test_impossible_electrodes_are_refused() -> None:
    """Negative resistances, capacitances and times are refused with what they are."""
    with pytest.raises(InputError, match="bridge balance is -1.0 MOhm"):
        add_bridge_error(-60.0, 0.1, 10.0, -1.0)
    with pytest.raises(InputError, match="series resistance is -10.0 MOhm"):
        remove_bridge_error(-60.0, 0.1, -10.0, 0.0)
    with pytest.raises(InputError, match="pipette capacitance is -1.0 pF"):
        pipette_time_constant_ms(10.0, -1.0)
    with pytest.raises(InputError, match="time constant of the pipette is -0.1 ms"):
        charge_pipette(NOISE, -0.1, 0.05)
    with pytest.raises(InputError, match="sampling interval is 0 ms"):
        discharge_pipette(NOISE, 0.1, 0)
    with pytest.raises(InputError, match="standard deviation of the bridge"):
        bridge_error_sd(0.1, 1.0, -1.0)
