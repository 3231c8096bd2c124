"""The drop over the electrode, read off jumps of the current: only start values of a fit depend on it."""

import dataclasses

import numpy as np

from biophys.calibrate import Target

_BEFORE_S, _AFTER_S = 0.002, 0.012  # of a spike


def series_resistance_mohm(target: Target) -> float:
    """Resistance of what follows the current at once, MOhm.

    V = V_m + Rs I, where V_m follows the current slowly, so dV[n] = a + b V[n] + c I[n] + Rs (I[n + 1] - I[n]): a least
    squares fit away from spikes. At 1 kHz a part of a millisecond of the membrane is in it, so it is no measurement.
    """
    voltage = target.voltage("the drop over the electrode")
    square, product = np.zeros((4, 4)), np.zeros(4)
    for row, current, spikes in zip(voltage, target.current_na, target.raster(), strict=True):
        used = target.scored & np.isfinite(row)
        used[-1] = False
        for step in np.flatnonzero(spikes):
            used[max(step - round(_BEFORE_S / target.dt_s), 0) : step + round(_AFTER_S / target.dt_s)] = False
        jump = np.diff(current, append=current[-1])
        columns = np.column_stack([np.ones(len(row)), row, current, jump])[used]
        square += columns.T @ columns
        product += columns.T @ np.diff(row, append=row[-1])[used]
    return max(float(np.linalg.lstsq(square, product, rcond=None)[0][3]), 0.0)


def without_drop(target: Target, resistance_mohm: float) -> Target:
    """The target with the drop taken out of its voltage."""
    voltage = target.voltage("taking out the drop over the electrode")
    return dataclasses.replace(target, voltage_mv=voltage - resistance_mohm * target.current_na)
