"""Voltage clamp behind a series resistance: what the membrane saw, and the current that a perfect clamp had recorded.

Sign convention: a positive current flows out of the cell. It drops voltage on its way through the pipette, so the
membrane is left behind the command: 1 nA through 10 MOhm, uncompensated, at a command of 0 mV and with a junction
potential of +14 mV leaves the membrane at -24 mV.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from biophys.corrections.electrical import (
    Numbers,
    array_module,
    capacitive_current_na,
    concrete,
    require_not_negative,
    require_percent,
    require_positive,
    time_constant_ms,
)
from twin.errors import InputError


def residual_resistance_mohm(series_resistance_mohm: Numbers, compensation_percent: Numbers) -> Numbers:
    """Series resistance that the amplifier left uncompensated, MOhm: 10 MOhm at 70 % leave 3 MOhm.

    Raises:
        InputError: the resistance is negative, or the compensation lies outside 0 to 100 %.
    """
    require_not_negative("series resistance", series_resistance_mohm, "MOhm")
    require_percent("series resistance compensation", compensation_percent)
    return series_resistance_mohm * (1.0 - compensation_percent / 100.0)


def clamped_voltage(
    v_command_mv: Numbers,
    i_na: Numbers,
    series_resistance_mohm: Numbers,
    *,
    compensation_percent: Numbers,
    junction_potential_mv: Numbers,
) -> Numbers:
    """Membrane potential under voltage clamp, mV: `V_m = V_command - I Rs (1 - compensation) - junction potential`.

    Armstrong & Gilly 1992 (Methods Enzymol 207:100) for the drop, Neher 1992 (Methods Enzymol 207:123) for the junction
    potential. A command of 0 mV, 1 nA outward, 10 MOhm compensated to 70 % and a junction potential of +14 mV give
    -17 mV.

    Args:
        v_command_mv: command, mV; a number or an array like `i_na`.
        i_na: recorded current, nA, positive out of the cell.
        series_resistance_mohm: the whole series resistance, MOhm.
        compensation_percent: share of it that the amplifier compensated, 0 to 100 %.
        junction_potential_mv: E_bath - E_pipette, mV; 0 where the amplifier or a reader removed it already.

    Raises:
        InputError: as `residual_resistance_mohm`.
    """
    drop_mv = i_na * residual_resistance_mohm(series_resistance_mohm, compensation_percent)
    return v_command_mv - drop_mv - junction_potential_mv


def clamped_voltage_sd(
    i_na: Numbers,
    series_resistance_mohm: Numbers,
    *,
    compensation_percent: Numbers,
    series_resistance_sd_mohm: Numbers,
    compensation_sd_percent: Numbers = 0.0,
    junction_potential_sd_mv: Numbers = 0.0,
) -> Numbers:
    """One standard deviation of `clamped_voltage`, mV, to first order and for independent errors.

    1 nA behind 10 +/- 1 MOhm at 70 +/- 5 % and a junction potential known to 1 mV: sqrt(0.3^2 + 0.5^2 + 1^2) = 1.16 mV.

    Raises:
        InputError: a standard deviation is negative, or as `residual_resistance_mohm`.
    """
    require_not_negative("standard deviation of the series resistance", series_resistance_sd_mohm, "MOhm")
    require_not_negative("standard deviation of the compensation", compensation_sd_percent, "%")
    require_not_negative("standard deviation of the junction potential", junction_potential_sd_mv, "mV")
    by_resistance = i_na * residual_resistance_mohm(series_resistance_sd_mohm, compensation_percent)
    by_compensation = i_na * series_resistance_mohm * compensation_sd_percent / 100.0
    return (by_resistance**2 + by_compensation**2 + junction_potential_sd_mv**2) ** 0.5


def clamp_current(
    v_command_mv: Numbers,
    v_mv: Numbers,
    series_resistance_mohm: Numbers,
    *,
    compensation_percent: Numbers,
    junction_potential_mv: Numbers,
) -> Numbers:
    """The current that flows through the pipette while the membrane is at `v_mv`, nA: the inverse of `clamped_voltage`.

    A membrane at -17 mV under a command of 0 mV, 10 MOhm at 70 % and +14 mV of junction potential: 1 nA outward.

    Raises:
        InputError: nothing is left of the series resistance, so voltage and command say nothing of the current; or as
            `residual_resistance_mohm`.
    """
    residual_mohm = residual_resistance_mohm(series_resistance_mohm, compensation_percent)
    require_positive("series resistance left by the compensation", residual_mohm, "MOhm")
    return (v_command_mv - junction_potential_mv - v_mv) / residual_mohm


def clamp_bandwidth_hz(series_resistance_mohm: Numbers, capacitance_pf: Numbers) -> Numbers:
    """The -3 dB frequency of the clamp itself, Hz: `1 / (2 pi Rs Cm)`; 10 MOhm and 33 pF give 482 Hz.

    The series resistance is what the compensation leaves. Above this frequency the membrane does not follow.

    Raises:
        InputError: the resistance or the capacitance is not positive.
    """
    require_positive("series resistance", series_resistance_mohm, "MOhm")
    require_positive("membrane capacitance", capacitance_pf, "pF")
    return 1000.0 / (2.0 * math.pi * time_constant_ms(series_resistance_mohm, capacitance_pf))


@dataclass(frozen=True)
class CorrectedCurrent:
    """A current with the error of the series resistance removed.

    Attributes:
        i_na: the current that a perfect clamp had recorded, nA, same shape as what was recorded.
        v_mv: the membrane potential that there was instead of the wanted one, mV.
        near_reversal: True where the membrane was so near to the reversal potential that its current says nothing of
            the conductance; there only the capacitive current is removed and the driving force is left as it was.
    """

    i_na: Any
    v_mv: Any
    near_reversal: Any


def correct_clamp_current(
    i_na: Numbers,
    dt_ms: float | int,
    *,
    v_wanted_mv: Numbers,
    reversal_mv: Numbers,
    series_resistance_mohm: Numbers,
    compensation_percent: Numbers,
    capacitance_pf: Numbers,
    guard_mv: float | int,
) -> CorrectedCurrent:
    """The current that a perfect clamp had recorded, point by point, for one conductance with a linear I-V curve.

    Traynelis 1998 (J Neurosci Methods 86:25): with `V_m = V_wanted - I Rs`, the current that charged the membrane,
    `Cm dV_m/dt`, is taken off, and what is left is scaled to the wanted driving force by `(V_wanted - E_rev) / (V_m -
    E_rev)`. The slope is the central difference, so the current has to be low-pass filtered before. -1 nA at -70 mV
    through 10 MOhm left the membrane at -60 mV; for a reversal potential of 0 mV the corrected current is -1.167 nA.

    Args:
        i_na: current above the holding current, nA, positive out of the cell; time is the last axis.
        dt_ms: sampling interval, ms.
        v_wanted_mv: membrane potential that the command stood for: command minus junction potential, mV.
        reversal_mv: reversal potential of the conductance, mV.
        series_resistance_mohm: the whole series resistance, MOhm.
        compensation_percent: share of it that the amplifier compensated, 0 to 100 %.
        capacitance_pf: membrane capacitance, pF; 0 leaves the capacitive current in.
        guard_mv: within this distance of the reversal potential the driving force is not corrected.

    Raises:
        InputError: fewer than two samples, a wanted potential at the reversal potential, or a number out of its range.
    """
    require_positive("sampling interval", dt_ms, "ms")
    require_positive("guard around the reversal potential", guard_mv, "mV")
    require_not_negative("membrane capacitance", capacitance_pf, "pF")
    wanted_force = concrete(v_wanted_mv - reversal_mv)
    if wanted_force is not None and np.any(np.abs(wanted_force) < guard_mv):
        raise InputError(
            f"The wanted potential of {v_wanted_mv} mV lies at the reversal potential of {reversal_mv} mV, where no "
            "current tells of the conductance: correct a recording at another potential."
        )
    xp = array_module(i_na)
    i_na = xp.asarray(i_na)
    if i_na.ndim == 0 or i_na.shape[-1] < 2:
        raise InputError(f"The current has the shape {i_na.shape}; two samples or more were wanted on the last axis.")
    v_mv = clamped_voltage(
        v_wanted_mv,
        i_na,
        series_resistance_mohm,
        compensation_percent=compensation_percent,
        junction_potential_mv=0.0,
    )
    ionic_na = i_na - capacitive_current_na(capacitance_pf, xp.gradient(v_mv, dt_ms, axis=-1))
    force_mv = v_mv - reversal_mv
    near = xp.abs(force_mv) < guard_mv
    # The inner `where` keeps the quotient finite on the side that is not taken, and with it the gradient.
    scale = xp.where(near, 1.0, (v_wanted_mv - reversal_mv) / xp.where(near, 1.0, force_mv))
    return CorrectedCurrent(ionic_na * scale, v_mv, near)
