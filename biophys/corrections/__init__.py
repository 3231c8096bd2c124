"""Corrections: junction potential, temperature, electrode and amplifier, as pure functions in canonical units."""

from biophys.corrections.henderson import JPCALC_ZERO_CELSIUS_K, henderson, henderson_parts
from biophys.corrections.ions import IONS, Ion, ion
from biophys.corrections.junction import (
    InputUncertainty,
    JunctionPotential,
    junction_potential,
    remove_junction_potential,
)
from biophys.corrections.mobilities import MOBILITY_SETS, with_mobilities
from biophys.corrections.nernst_planck import nernst_planck
from biophys.corrections.recipes import RECIPES, Recipe, solution_named
from biophys.corrections.solutions import Solution, neutralised, parse_solution, require_neutral, solution_of
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
from biophys.corrections.uncertainty import Propagated, Uncertain, propagate

__all__ = [
    "IONS",
    "JPCALC_ZERO_CELSIUS_K",
    "MOBILITY_SETS",
    "RECIPES",
    "InputUncertainty",
    "Ion",
    "JunctionPotential",
    "Propagated",
    "Recipe",
    "Solution",
    "Uncertain",
    "activation_energy_kj_mol",
    "arrhenius_factor",
    "ghk_voltage",
    "henderson",
    "henderson_parts",
    "ion",
    "junction_potential",
    "mmrt_factor",
    "nernst",
    "nernst_at",
    "nernst_planck",
    "neutralised",
    "parse_solution",
    "propagate",
    "q10_factor",
    "remove_junction_potential",
    "require_neutral",
    "solution_named",
    "solution_of",
    "thermal_voltage_mv",
    "with_mobilities",
]
