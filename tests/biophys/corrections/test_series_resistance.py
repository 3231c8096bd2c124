"""Series resistance in voltage clamp: stated numbers, a simulated clamp as the truth, and what is refused."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from biophys.corrections import (
    clamp_bandwidth_hz,
    clamp_current,
    clamped_voltage,
    clamped_voltage_sd,
    correct_clamp_current,
    remove_junction_potential,
)
from twin.errors import InputError

DT_MS = 0.005
HOLD_MV, REVERSAL_MV, RS_MOHM, CM_PF = -70.0, 0.0, 12.0, 40.0


def synapse() -> tuple[np.ndarray, np.ndarray]:
    """A conductance of 60 nS at its peak behind the series resistance: what is recorded, and a perfect clamp's.

    The membrane's equation is integrated by midpoint steps a tenth of the sampling interval long.
    """
    n_fine = 10
    time_ms = np.arange(0, 12, DT_MS / n_fine)
    since = np.clip(time_ms - 1, 0, None) / 0.5
    conductance_us = 0.06 * since * np.exp(1 - since)

    def slope(v: float, g: float) -> float:
        return 1e3 * ((HOLD_MV - v) / RS_MOHM - g * (v - REVERSAL_MV)) / CM_PF

    v, voltage, step = HOLD_MV, [], DT_MS / n_fine
    for now, later in pairwise(conductance_us):
        voltage.append(v)
        v += step * slope(v + 0.5 * step * slope(v, now), 0.5 * (now + later))
    recorded = ((HOLD_MV - np.array(voltage)) / RS_MOHM)[::n_fine]
    return recorded, (conductance_us * (HOLD_MV - REVERSAL_MV))[: len(voltage)][::n_fine]


def corrected(recorded_na: np.ndarray, **changes: float):
    settings = {
        "v_wanted_mv": HOLD_MV,
        "reversal_mv": REVERSAL_MV,
        "series_resistance_mohm": RS_MOHM,
        "compensation_percent": 0.0,
        "capacitance_pf": CM_PF,
        "guard_mv": 1.0,
    }
    return correct_clamp_current(recorded_na, DT_MS, **{**settings, **changes})


def test_the_stated_example_of_the_clamped_voltage() -> None:
    """A command of 0 mV, 1 nA, 10 MOhm at 70 % and +14 mV of junction potential leave the membrane at -17 mV."""
    v_mv = clamped_voltage(0.0, 1.0, 10.0, compensation_percent=70.0, junction_potential_mv=14.0)
    assert v_mv == pytest.approx(-17.0, abs=1e-12)
    assert clamped_voltage(0.0, 1.0, 10.0, compensation_percent=0.0, junction_potential_mv=14.0) == pytest.approx(-24.0)
    uncorrected = clamped_voltage(0.0, 1.0, 10.0, compensation_percent=70.0, junction_potential_mv=0.0)
    assert v_mv == pytest.approx(remove_junction_potential(uncorrected, 14.0)), "the sign of the junction potential"


def test_the_current_is_the_inverse_of_the_voltage() -> None:
    """Voltage from current and current from voltage undo one another, on numpy and on JAX arrays."""
    i_na = np.linspace(-3, 3, 31)
    for current in (i_na, jnp.asarray(i_na)):
        settings = {"compensation_percent": 60.0, "junction_potential_mv": 9.0}
        v_mv = clamped_voltage(-70.0, current, 8.0, **settings)
        np.testing.assert_allclose(clamp_current(-70.0, v_mv, 8.0, **settings), i_na, atol=1e-12)


def test_the_standard_deviation_is_that_of_random_draws() -> None:
    """First order and a hundred thousand draws agree within 1 %."""
    draws = np.random.default_rng(0).standard_normal((3, 100_000))
    stated = clamped_voltage_sd(
        1.0,
        10.0,
        compensation_percent=70.0,
        series_resistance_sd_mohm=1.0,
        compensation_sd_percent=5.0,
        junction_potential_sd_mv=1.0,
    )
    assert stated == pytest.approx((0.3**2 + 0.5**2 + 1.0) ** 0.5)
    drawn = clamped_voltage(
        0.0, 1.0, 10.0 + draws[0], compensation_percent=70.0 + 5.0 * draws[1], junction_potential_mv=draws[2]
    )
    assert drawn.std() == pytest.approx(stated, rel=0.01)


def test_a_simulated_synapse_is_corrected_to_that_of_a_perfect_clamp() -> None:
    """Through 12 MOhm the peak loses over a third and comes late; corrected it is right to 1 % at every point."""
    recorded, perfect = synapse()
    assert perfect.min() / recorded.min() > 1.5
    restored = corrected(recorded)
    assert np.abs(restored.i_na - perfect).max() < 0.01 * np.abs(perfect).max()
    assert restored.i_na.min() == pytest.approx(perfect.min(), rel=1e-3)
    assert not restored.near_reversal.any()
    assert abs(recorded.argmin() - perfect.argmin()) > 10 * abs(restored.i_na.argmin() - perfect.argmin())


@pytest.mark.parametrize(
    "defect",
    [{"capacitance_pf": 0.0}, {"series_resistance_mohm": 6.0}, {"reversal_mv": -20.0}, {"compensation_percent": 50.0}],
    ids=lambda defect: next(iter(defect)),
)
def test_a_planted_defect_of_the_correction_is_seen(defect: dict[str, float]) -> None:
    """A capacitance left out, or a wrong resistance, reversal potential or compensation, misses by more than 5 %."""
    recorded, perfect = synapse()
    assert np.abs(corrected(recorded, **defect).i_na - perfect).max() > 0.05 * np.abs(perfect).max()


def test_near_the_reversal_potential_nothing_is_divided_by_nothing() -> None:
    """Where the membrane reaches the reversal potential the current is finite, flagged and not scaled."""
    i_na = np.linspace(0.0, -70.0 / 12.0, 50)  # drives V_m from -70 mV up to 0
    restored = corrected(i_na, capacitance_pf=0.0)
    assert restored.near_reversal[-1] and not restored.near_reversal[:-1].all()
    assert restored.i_na[-1] == i_na[-1]

    def summed(resistance: float) -> jax.Array:
        return jnp.sum(corrected(jnp.asarray(i_na), series_resistance_mohm=resistance).i_na)

    assert np.isfinite(jax.grad(summed)(12.0))
    np.testing.assert_allclose(corrected(jnp.asarray(i_na)).i_na, corrected(i_na).i_na, rtol=1e-12)


def test_the_bandwidth_of_the_clamp_is_where_a_sine_loses_three_decibels() -> None:
    """10 MOhm and 33 pF: 482 Hz, at which the membrane follows with 0.7071 of the amplitude."""
    corner_hz = clamp_bandwidth_hz(10.0, 33.0)
    assert corner_hz == pytest.approx(482.3, abs=0.05)
    assert abs(1 / (1 + 2j * np.pi * corner_hz * 10e6 * 33e-12)) == pytest.approx(0.5**0.5)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"series_resistance_mohm": -1.0}, "series resistance is -1.0 MOhm"),
        ({"compensation_percent": 110.0}, "between 0 and 100 %"),
        ({"compensation_percent": -5.0}, "between 0 and 100 %"),
        ({"series_resistance_mohm": float("nan")}, "series resistance is nan"),
        ({"capacitance_pf": -3.0}, "membrane capacitance is -3.0 pF"),
        ({"guard_mv": 0.0}, "guard around the reversal potential is 0.0 mV"),
        ({"reversal_mv": -70.0}, "at the reversal potential"),
    ],
)
def test_impossible_numbers_are_refused(changes: dict[str, float], said: str) -> None:
    """A number that no electrode has is refused with what it is and what was wanted."""
    with pytest.raises(InputError, match=said):
        corrected(np.zeros(5), **changes)


def test_a_fully_compensated_resistance_says_nothing_of_the_current() -> None:
    """With nothing left of the resistance, the current cannot be read off the voltage."""
    with pytest.raises(InputError, match="left by the compensation"):
        clamp_current(0.0, -5.0, 10.0, compensation_percent=100.0, junction_potential_mv=0.0)
    with pytest.raises(InputError, match="two samples or more"):
        corrected(np.zeros(1))
