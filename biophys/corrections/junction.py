"""The liquid junction potential between pipette and bath, and its removal from a recorded voltage.

Sign convention, the same everywhere in this project: the junction potential is the potential of the bath minus that of
the pipette solution, `E_bath - E_pipette`. In whole-cell recording the membrane potential is the recorded one minus the
junction potential. Example: potassium gluconate in an ordinary bath gives about +14 mV, so V_m = V_rec - 14 mV.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import jax
import numpy as np

from biophys.corrections.ions import Ion
from biophys.corrections.solutions import Solution, solution_of
from biophys.corrections.temperature import ZERO_CELSIUS_K, thermal_voltage_mv
from twin.errors import InputError

METHOD = "generalised Henderson"
CONVENTION = "E_bath - E_pipette; whole-cell V_m = V_recorded - junction potential"
JPCALC_ZERO_CELSIUS_K = 273.0
"""Zero Celsius as JPCalcW and Ng & Barry 1995 round it; their printed numbers need it."""

Voltage = TypeVar("Voltage", float, np.ndarray, jax.Array)


@dataclass(frozen=True)
class JunctionPotential:
    """A computed liquid junction potential.

    Attributes:
        value_mv: E_bath - E_pipette, mV; about +14 for potassium gluconate in the pipette.
        temperature_c: temperature it holds at, C.
        contributions_mv: part of each ion, by symbol, mV; they add up to `value_mv`.
        method: name of the equation.
        convention: the sign convention in words.
    """

    value_mv: float
    temperature_c: float
    contributions_mv: Mapping[str, float]
    method: str = METHOD
    convention: str = CONVENTION


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
    return math.fsum(_contributions_mv(pipette, bath, temperature_c, zero_celsius_k).values())


def junction_potential(
    pipette: Solution | Mapping[str, float | int],
    bath: Solution | Mapping[str, float | int],
    temperature_c: float | int,
) -> JunctionPotential:
    """The junction potential of `henderson` together with its temperature, convention and the part of each ion.

    Raises:
        InputError: as `henderson`.
    """
    parts = _contributions_mv(pipette, bath, temperature_c, ZERO_CELSIUS_K)
    by_symbol = {one.symbol: part for one, part in parts.items()}
    return JunctionPotential(math.fsum(parts.values()), float(temperature_c), by_symbol)


def remove_junction_potential(v_recorded_mv: Voltage, junction_potential_mv: Voltage | float) -> Voltage:
    """Membrane potential in whole-cell recording, mV: recorded voltage minus junction potential.

    A recorded -60 mV with a junction potential of +14 mV is a membrane potential of -74 mV.

    Args:
        v_recorded_mv: recorded voltage, mV; a float, a numpy array or a JAX array of any shape, left as it is.
        junction_potential_mv: E_bath - E_pipette, mV; one number, or an array of the same shape.
    """
    return v_recorded_mv - junction_potential_mv


def _contributions_mv(
    pipette: Solution | Mapping[str, float | int],
    bath: Solution | Mapping[str, float | int],
    temperature_c: float | int,
    zero_celsius_k: float | int,
) -> dict[Ion, float]:
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
