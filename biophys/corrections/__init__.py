"""Corrections: junction potential, temperature, electrode and amplifier, as pure functions in canonical units."""

from biophys.corrections.bridge import (
    add_bridge_error,
    bridge_error_sd,
    charge_pipette,
    discharge_pipette,
    pipette_time_constant_ms,
    remove_bridge_error,
)
from biophys.corrections.electrode_artefact import EarlyVariance, early_variance
from biophys.corrections.electrode_kernel import ElectrodeKernel, compensate, estimate_electrode_kernel
from biophys.corrections.filtering import LowPass, decimate
from biophys.corrections.henderson import JPCALC_ZERO_CELSIUS_K, henderson, henderson_parts
from biophys.corrections.ions import IONS, Ion, ion
from biophys.corrections.junction import (
    InputUncertainty,
    JunctionPotential,
    junction_potential,
    remove_junction_potential,
)
from biophys.corrections.membrane_fit import StepFit, fit_step_test
from biophys.corrections.membrane_test import StepTest, ramp_capacitance_pf, step_test
from biophys.corrections.mobilities import MOBILITY_SETS, with_mobilities
from biophys.corrections.nernst_planck import nernst_planck
from biophys.corrections.recipes import RECIPES, Recipe, solution_named
from biophys.corrections.series_resistance import (
    CorrectedCurrent,
    clamp_bandwidth_hz,
    clamp_current,
    clamped_voltage,
    clamped_voltage_sd,
    correct_clamp_current,
    residual_resistance_mohm,
)
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
    "CorrectedCurrent",
    "EarlyVariance",
    "ElectrodeKernel",
    "InputUncertainty",
    "Ion",
    "JunctionPotential",
    "LowPass",
    "Propagated",
    "Recipe",
    "Solution",
    "StepFit",
    "StepTest",
    "Uncertain",
    "activation_energy_kj_mol",
    "add_bridge_error",
    "arrhenius_factor",
    "bridge_error_sd",
    "charge_pipette",
    "clamp_bandwidth_hz",
    "clamp_current",
    "clamped_voltage",
    "clamped_voltage_sd",
    "compensate",
    "correct_clamp_current",
    "decimate",
    "discharge_pipette",
    "early_variance",
    "estimate_electrode_kernel",
    "fit_step_test",
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
    "pipette_time_constant_ms",
    "propagate",
    "q10_factor",
    "ramp_capacitance_pf",
    "remove_bridge_error",
    "remove_junction_potential",
    "require_neutral",
    "residual_resistance_mohm",
    "solution_named",
    "solution_of",
    "step_test",
    "thermal_voltage_mv",
    "with_mobilities",
]
