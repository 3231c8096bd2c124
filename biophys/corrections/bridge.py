"""Current clamp through one electrode: the drop that the bridge leaves, and the capacitance of the pipette.

Sign convention: a positive current flows into the cell. It lifts the recorded voltage above the membrane by the
resistance that the bridge does not take away: 0.2 nA through 15 MOhm with a bridge of 10 MOhm shows +1 mV too much.
(In voltage clamp, `series_resistance`, a positive current flows out.)
"""

import jax
import jax.numpy as jnp
import numpy as np
from scipy import signal

from biophys.corrections.electrical import (
    Numbers,
    array_module,
    require_not_negative,
    require_positive,
    time_constant_ms,
)


def add_bridge_error(v_mv: Numbers, i_na: Numbers, series_resistance_mohm: Numbers, bridge_mohm: Numbers) -> Numbers:
    """What the amplifier shows of a membrane potential, mV: `V_recorded = V_m + I (Rs - bridge)`.

    -60 mV with 0.2 nA, 15 MOhm and a bridge of 10 MOhm shows -59 mV; a bridge of 20 MOhm, too much, shows -61 mV.

    Raises:
        InputError: a resistance is negative.
    """
    return v_mv + i_na * _unbalanced_mohm(series_resistance_mohm, bridge_mohm)


def remove_bridge_error(
    v_recorded_mv: Numbers, i_na: Numbers, series_resistance_mohm: Numbers, bridge_mohm: Numbers
) -> Numbers:
    """Membrane potential, mV: `V_m = V_recorded - I (Rs - bridge)`; a recorded -59 mV of the example above is -60 mV.

    It takes the electrode for a resistor, which is right for slow currents. For noise and steps, estimate its kernel
    with `estimate_electrode_kernel`.

    Raises:
        InputError: a resistance is negative.
    """
    return v_recorded_mv - i_na * _unbalanced_mohm(series_resistance_mohm, bridge_mohm)


def bridge_error_sd(i_na: Numbers, series_resistance_sd_mohm: Numbers, bridge_sd_mohm: Numbers = 0.0) -> Numbers:
    """One standard deviation of a voltage from `remove_bridge_error`, mV, for independent errors of both resistances.

    0.2 nA and a series resistance known to 3 MOhm: 0.6 mV.

    Raises:
        InputError: a standard deviation is negative.
    """
    require_not_negative("standard deviation of the series resistance", series_resistance_sd_mohm, "MOhm")
    require_not_negative("standard deviation of the bridge", bridge_sd_mohm, "MOhm")
    return array_module(i_na).abs(i_na) * (series_resistance_sd_mohm**2 + bridge_sd_mohm**2) ** 0.5


def _unbalanced_mohm(series_resistance_mohm: Numbers, bridge_mohm: Numbers) -> Numbers:
    require_not_negative("series resistance", series_resistance_mohm, "MOhm")
    require_not_negative("bridge balance", bridge_mohm, "MOhm")
    return series_resistance_mohm - bridge_mohm


def pipette_time_constant_ms(series_resistance_mohm: Numbers, pipette_capacitance_pf: Numbers) -> Numbers:
    """How fast the pipette charges, ms: series resistance times the pipette capacitance left uncompensated.

    20 MOhm and 5 pF give 0.1 ms.

    Raises:
        InputError: one of the two is negative.
    """
    require_not_negative("series resistance", series_resistance_mohm, "MOhm")
    require_not_negative("pipette capacitance", pipette_capacitance_pf, "pF")
    return time_constant_ms(series_resistance_mohm, pipette_capacitance_pf)


def charge_pipette(v_mv: Numbers, tau_ms: Numbers, dt_ms: float | int) -> Numbers:
    """Voltage at the amplifier's end of a pipette with capacitance, mV: `tau dV_pipette/dt = V - V_pipette`.

    Here V = V_m + Rs I is what the pipette would show without capacitance. Every sample of V holds through the interval
    that it ends, `p[n] = a p[n-1] + (1 - a) V[n]` with `a = exp(-dt / tau)`, which `discharge_pipette` inverts exactly;
    the pipette starts in equilibrium with the first sample. A step of 10 mV shows 6.32 mV after one time constant.

    Args:
        v_mv: voltage, mV; time is the last axis. A JAX array stays differentiable, in `tau_ms` too, 0 included.
        tau_ms: time constant, ms; one number.
        dt_ms: sampling interval, ms.

    Raises:
        InputError: the time constant is negative, or the interval is not positive.
    """
    kept = _kept_share(v_mv, tau_ms, dt_ms)
    if not isinstance(v_mv, jax.Array) and not isinstance(kept, jax.Array):
        v_mv = np.asarray(v_mv)
        start = kept * v_mv[..., :1]
        return signal.lfilter([1.0 - kept], [1.0, -kept], v_mv, axis=-1, zi=start)[0]

    def advance(p: jax.Array, v: jax.Array) -> tuple[jax.Array, jax.Array]:
        p = v + kept * (p - v)
        return p, p

    by_time = jnp.moveaxis(jnp.asarray(v_mv), -1, 0)
    return jnp.moveaxis(jax.lax.scan(advance, by_time[0], by_time)[1], 0, -1)


def discharge_pipette(v_pipette_mv: Numbers, tau_ms: Numbers, dt_ms: float | int) -> Numbers:
    """The inverse of `charge_pipette`, mV: `V = V_pipette + tau dV_pipette/dt`, in the same discrete form.

    It differentiates, so it multiplies the fastest noise by (1 + a) / (1 - a), about 2 tau / dt.

    Raises:
        InputError: the time constant is negative, or the interval is not positive.
    """
    kept = _kept_share(v_pipette_mv, tau_ms, dt_ms)
    xp = array_module(v_pipette_mv, kept)
    v_pipette_mv = xp.asarray(v_pipette_mv)
    before = xp.concatenate([v_pipette_mv[..., :1], v_pipette_mv[..., :-1]], axis=-1)
    return (v_pipette_mv - kept * before) / (1.0 - kept)


def _kept_share(v_mv: Numbers, tau_ms: Numbers, dt_ms: float | int) -> Numbers:
    """exp(-dt / tau), which is 0 for a time constant of 0, with the derivative 0 that belongs to it."""
    require_not_negative("time constant of the pipette", tau_ms, "ms")
    require_positive("sampling interval", dt_ms, "ms")
    xp = array_module(v_mv, tau_ms)
    some = tau_ms > 0
    return xp.where(some, xp.exp(-dt_ms / xp.where(some, tau_ms, 1.0)), 0.0)
