"""Corrections: the liquid junction potential and temperature, as pure functions of numbers in canonical units."""

from biophys.corrections.ions import IONS, Ion, ion
from biophys.corrections.junction import (
    JPCALC_ZERO_CELSIUS_K,
    JunctionPotential,
    henderson,
    junction_potential,
    remove_junction_potential,
)
from biophys.corrections.solutions import Solution, parse_solution, require_neutral, solution_of
from biophys.corrections.temperature import (
    activation_energy_kj_mol,
    arrhenius_factor,
    ghk_voltage,
    mmrt_factor,
    nernst,
    nernst_at,
    q10_factor,
    thermal_voltage_mv,
)

__all__ = [
    "IONS",
    "JPCALC_ZERO_CELSIUS_K",
    "Ion",
    "JunctionPotential",
    "Solution",
    "activation_energy_kj_mol",
    "arrhenius_factor",
    "ghk_voltage",
    "henderson",
    "ion",
    "junction_potential",
    "mmrt_factor",
    "nernst",
    "nernst_at",
    "parse_solution",
    "q10_factor",
    "remove_junction_potential",
    "require_neutral",
    "solution_of",
    "thermal_voltage_mv",
]
