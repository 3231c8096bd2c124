"""Temperature: how rates and reversal potentials change from one temperature to another.

Rates scale by a factor (Q10, Arrhenius or MMRT); time constants divide by it. A reversal potential follows absolute
temperature. Every function takes floats, numpy arrays or JAX arrays and returns the same kind: floats give a Python
float, which never changes the precision of what it multiplies.
"""

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from scipy import constants

from biophys.corrections.ions import ion
from twin.errors import InputError, UnsupportedError

Numbers: TypeAlias = Any
"""A float, a numpy array or a JAX array; what goes in comes out."""

ZERO_CELSIUS_K = constants.zero_Celsius
GAS_CONSTANT = constants.R  # J / (mol K), CODATA through scipy
FARADAY_CONSTANT = constants.physical_constants["Faraday constant"][0]  # C / mol
COLDEST_C, WARMEST_C = -20.0, 100.0  # outside, water is no liquid and the number was probably in kelvin


def kelvin(temperature_c: Numbers, zero_celsius_k: float = ZERO_CELSIUS_K) -> Numbers:
    """Absolute temperature, K: 25 C gives 298.15 K.

    Raises:
        InputError: the temperature is outside -20 to 100 C, as when kelvin are given for degrees Celsius.
    """
    concrete = _concrete(temperature_c)
    if concrete is not None and not np.all((concrete >= COLDEST_C) & (concrete <= WARMEST_C)):
        raise InputError(
            f"The temperature {temperature_c} is outside {COLDEST_C:g} to {WARMEST_C:g} C: give it in degrees Celsius."
        )
    return temperature_c + zero_celsius_k


def thermal_voltage_mv(temperature_c: Numbers, zero_celsius_k: float = ZERO_CELSIUS_K) -> Numbers:
    """RT/F in mV: 25.693 mV at 25 C."""
    return 1000.0 * GAS_CONSTANT / FARADAY_CONSTANT * kelvin(temperature_c, zero_celsius_k)


def q10_factor(q10: Numbers, from_c: Numbers, to_c: Numbers) -> Numbers:
    """How much faster a rate is at `to_c` than at `from_c`, by its Q10: `q10 ** ((to_c - from_c) / 10)`.

    Hodgkin & Huxley 1952: 3 from 6.3 to 16.3 C for Q10 = 3; Hay et al. 2011: 2.953 from 21 to 34 C for Q10 = 2.3.

    Raises:
        InputError: the Q10 is not positive, or a temperature is not in degrees Celsius.
    """
    _require_positive("Q10", q10)
    return q10 ** ((kelvin(to_c) - kelvin(from_c)) / 10.0)


def arrhenius_factor(activation_energy_kj_mol: Numbers, from_c: Numbers, to_c: Numbers) -> Numbers:
    """How much faster a rate is at `to_c` than at `from_c`, by Arrhenius: `exp(Ea / R * (1 / T_from - 1 / T_to))`.

    An activation energy of 50 kJ/mol gives 1.967 from 20 to 30 C.

    Raises:
        InputError: a temperature is not in degrees Celsius.
    """
    inverse_difference = 1.0 / kelvin(from_c) - 1.0 / kelvin(to_c)
    return _exp(1000.0 / GAS_CONSTANT * activation_energy_kj_mol * inverse_difference)


def activation_energy_kj_mol(factor: Numbers, from_c: Numbers, to_c: Numbers) -> Numbers:
    """The Arrhenius activation energy (kJ/mol) of a rate that is `factor` times faster at `to_c` than at `from_c`.

    The inverse of `arrhenius_factor`; with temperatures 10 C apart the factor is the Q10 measured there, and a Q10 of 3
    between 20 and 30 C is 81.18 kJ/mol.

    Raises:
        InputError: the factor is not positive, the two temperatures are equal, or they are not in degrees Celsius.
    """
    _require_positive("factor", factor)
    inverse_difference = 1.0 / kelvin(from_c) - 1.0 / kelvin(to_c)
    concrete = _concrete(inverse_difference)
    if concrete is not None and np.any(concrete == 0):
        raise InputError(f"From {from_c} C to {to_c} C no activation energy shows: give two different temperatures.")
    return GAS_CONSTANT / 1000.0 * _log(factor) / inverse_difference


def mmrt_factor(
    enthalpy_kj_mol: Numbers,
    heat_capacity_kj_mol_k: Numbers,
    reference_c: Numbers,
    from_c: Numbers,
    to_c: Numbers,
) -> Numbers:
    """How much faster a rate is at `to_c` than at `from_c`, by macromolecular rate theory (MMRT).

    The ratio of two rates `ln k = ln(kB T / h) - (dH + dCp (T - T0)) / (R T) + (dS + dCp ln(T / T0)) / R`, in which
    the entropy of activation cancels (Hobbs et al. 2013, ACS Chem Biol 8:2388; used for channel gating by Pahlavan,
    Buitrago & Santamaria 2022, Biophys J). With a heat capacity of zero it is the Eyring equation; with a negative
    one the rate has an optimum. 50 kJ/mol at 25 C with -2 kJ/(mol K) gives 1.747 from 25 to 35 C; with zero, 1.989.

    Args:
        enthalpy_kj_mol: enthalpy of activation at the reference temperature.
        heat_capacity_kj_mol_k: change of heat capacity between ground and transition state.
        reference_c: the temperature T0 at which the enthalpy is given.
        from_c: temperature that the rate is known at.
        to_c: temperature that it is wanted at.

    Raises:
        InputError: a temperature is not in degrees Celsius.
    """
    reference_k, from_k, to_k = kelvin(reference_c), kelvin(from_c), kelvin(to_c)
    enthalpy, heat_capacity = 1000.0 * enthalpy_kj_mol, 1000.0 * heat_capacity_kj_mol_k
    # Both enthalpy terms are written as differences so that equal temperatures give exactly 1.
    enthalpic = (enthalpy - heat_capacity * reference_k) * (1.0 / from_k - 1.0 / to_k)
    return to_k / from_k * _exp((enthalpic + heat_capacity * _log(to_k / from_k)) / GAS_CONSTANT)


def nernst(valence: int, outside_mm: Numbers, inside_mm: Numbers, temperature_c: Numbers) -> Numbers:
    """Nernst potential in mV, inside against outside: `RT / (zF) * ln(outside / inside)`.

    Potassium at 3 mM outside and 140 mM inside gives -98.74 mV at 25 C.

    Raises:
        InputError: the valence is zero, a concentration is not positive, or the temperature is not in degrees Celsius.
    """
    if valence == 0:
        raise InputError("A Nernst potential was asked for valence 0; an ion with a charge was wanted.")
    _require_positive("concentration outside", outside_mm)
    _require_positive("concentration inside", inside_mm)
    return thermal_voltage_mv(temperature_c) / valence * _log(outside_mm / inside_mm)


def nernst_at(e_mv: Numbers, from_c: Numbers, to_c: Numbers) -> Numbers:
    """A reversal potential at another temperature and the same concentrations: it follows absolute temperature.

    E_K = -72 mV at 18 C becomes -74.473 mV at 28 C.

    Raises:
        InputError: a temperature is not in degrees Celsius.
    """
    return e_mv * (kelvin(to_c) / kelvin(from_c))


def ghk_voltage(
    permeability: Mapping[str, Numbers],
    outside_mm: Mapping[str, Numbers],
    inside_mm: Mapping[str, Numbers],
    temperature_c: Numbers,
) -> Numbers:
    """Goldman-Hodgkin-Katz voltage in mV, inside against outside, for monovalent ions.

    Squid axon at rest with P_K : P_Na : P_Cl = 1 : 0.04 : 0.45 (Hodgkin & Katz 1949, J Physiol 108:37), K 20 / 400,
    Na 440 / 50 and Cl 560 / 52 mM outside / inside gives -59.93 mV at 20 C.

    Args:
        permeability: permeability of each ion, by name; only their ratios matter.
        outside_mm: concentration outside of each of these ions.
        inside_mm: concentration inside of each of these ions.
        temperature_c: temperature, C.

    Raises:
        InputError: no ion is given, the three mappings name different ions, or one side is empty.
        UnsupportedError: an ion is not monovalent; this equation has no such term.
    """
    if not permeability or not set(permeability) == set(outside_mm) == set(inside_mm):
        raise InputError(
            f"The GHK voltage got permeabilities for {sorted(permeability)}, outside {sorted(outside_mm)} and inside "
            f"{sorted(inside_mm)}: give all three for the same ions."
        )
    numerator: Numbers = 0.0
    denominator: Numbers = 0.0
    for name, weight in permeability.items():
        valence = ion(name).valence
        if abs(valence) != 1:
            raise UnsupportedError(
                f"The GHK voltage equation holds for monovalent ions and '{name}' has valence {valence}: leave it out, "
                "or find the zero of the summed GHK currents."
            )
        outward, inward = (outside_mm, inside_mm) if valence > 0 else (inside_mm, outside_mm)
        numerator = numerator + weight * outward[name]
        denominator = denominator + weight * inward[name]
    _require_positive("permeability times concentration", numerator)
    _require_positive("permeability times concentration", denominator)
    return thermal_voltage_mv(temperature_c) * _log(numerator / denominator)


def _concrete(value: Numbers) -> np.ndarray | None:
    """The numbers in `value`, or None while JAX traces it and there are none to look at."""
    return None if isinstance(value, jax.core.Tracer) else np.asarray(value)


def _require_positive(name: str, value: Numbers) -> None:
    concrete = _concrete(value)
    if concrete is not None and not np.all(concrete > 0):
        raise InputError(f"The {name} is {value}; a positive number was wanted.")


def _exp(value: Numbers) -> Numbers:
    if isinstance(value, float):
        return math.exp(value)
    return jnp.exp(value) if isinstance(value, jax.Array) else np.exp(value)


def _log(value: Numbers) -> Numbers:
    if isinstance(value, float | int):
        return math.log(value)
    return jnp.log(value) if isinstance(value, jax.Array) else np.log(value)
