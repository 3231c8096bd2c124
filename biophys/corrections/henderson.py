"""The generalised Henderson equation, and the part of each ion in it."""

import math
from collections.abc import Mapping

from biophys.corrections.ions import Ion
from biophys.corrections.solutions import Solution, solution_of
from biophys.corrections.temperature import ZERO_CELSIUS_K, thermal_voltage_mv
from twin.errors import InputError

JPCALC_ZERO_CELSIUS_K = 273.0
"""Zero Celsius as JPCalcW and Ng & Barry 1995 round it; their printed numbers need it."""


def henderson(
    pipette: Solution | Mapping[str, float | int],
    bath: Solution | Mapping[str, float | int],
    temperature_c: float | int,
    *,
    zero_celsius_k: float | int = ZERO_CELSIUS_K,
) -> float:
    """Liquid junction potential E_bath - E_pipette in mV, by the generalised Henderson equation.

    `RT/F * S * ln(sum z^2 u c_pipette / sum z^2 u c_bath)` with `S = sum z u (c_bath - c_pipette) / sum z^2 u (c_bath -
    c_pipette)` (Barry & Lynch 1991, J Membr Biol 121:101-117). 150 mM NaCl in the pipette against 150 mM KCl gives
    -4.28 mV at 20 C.

    Concentrations stand for activities, so both sides should have a similar ionic strength. Electroneutrality is not
    looked at: `biophys.corrections.require_neutral` does that.

    Args:
        pipette: free ions in the pipette, as a `Solution` or as mM by ion name.
        bath: free ions in the bath, likewise.
        temperature_c: temperature of the junction, C.
        zero_celsius_k: 273.15, or 273 for the numbers that JPCalcW prints.

    Raises:
        InputError: an ion is unknown, a concentration is negative, a side has no ions, or the temperature is not in
            degrees Celsius.
    """
    return math.fsum(henderson_parts(pipette, bath, temperature_c, zero_celsius_k=zero_celsius_k).values())


def henderson_parts(
    pipette: Solution | Mapping[str, float | int],
    bath: Solution | Mapping[str, float | int],
    temperature_c: float | int,
    *,
    zero_celsius_k: float | int = ZERO_CELSIUS_K,
) -> dict[Ion, float]:
    """The part of each ion in the junction potential of `henderson`, mV; the parts add up to it.

    Raises:
        InputError: as `henderson`.
    """
    inside, outside = solution_of(pipette).concentrations_mm, solution_of(bath).concentrations_mm
    strength_inside = _weighted_strength("pipette", inside)
    relative_step = _weighted_strength("bath", outside) / strength_inside - 1.0
    # S * ln(...) rewritten with log1p(x) / x, which stays exact where both sides conduct alike and x is zero.
    slope = math.log1p(relative_step) / relative_step if relative_step else 1.0
    scale_mv = -thermal_voltage_mv(temperature_c, zero_celsius_k) * slope / strength_inside
    return {
        one: scale_mv * one.valence * one.mobility * (outside.get(one, 0.0) - inside.get(one, 0.0))
        for one in {**inside, **outside}
    }


def _weighted_strength(side: str, concentrations_mm: Mapping[Ion, float]) -> float:
    """Sum of z^2 u c, which is proportional to the conductivity of the solution."""
    strength = math.fsum(one.valence**2 * one.mobility * mm for one, mm in concentrations_mm.items())
    if strength <= 0:
        raise InputError(f"The {side} solution has no ions, so no junction potential is defined: give its ions in mM.")
    return strength
