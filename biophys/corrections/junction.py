"""The liquid junction potential between pipette and bath, and its removal from a recorded voltage.

Sign convention, the same everywhere in this project: the junction potential is the potential of the bath minus that of
the pipette solution, `E_bath - E_pipette`. In whole-cell recording the membrane potential is the recorded one minus the
junction potential. Example: potassium gluconate in an ordinary bath gives about +14 mV, so V_m = V_rec - 14 mV.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

import jax
import numpy as np

from biophys.corrections.henderson import henderson, henderson_parts
from biophys.corrections.ions import Ion
from biophys.corrections.mobilities import Mobilities, with_mobilities
from biophys.corrections.nernst_planck import nernst_planck
from biophys.corrections.solutions import Solution, neutralised, require_neutral, solution_of
from biophys.corrections.temperature import kelvin
from biophys.corrections.uncertainty import Propagated, Uncertain, propagate
from twin.errors import InputError

CONVENTION = "E_bath - E_pipette; whole-cell V_m = V_recorded - junction potential"

Method: TypeAlias = Literal["henderson", "nernst_planck"]
METHODS: Mapping[Method, str] = {"henderson": "generalised Henderson", "nernst_planck": "stationary Nernst-Planck"}
"""The name of each equation in full."""

Voltage = TypeVar("Voltage", float, np.ndarray, jax.Array)
_Equation: TypeAlias = Callable[[Solution, Solution, float | int], float]
_EQUATIONS: Mapping[Method, _Equation] = {"henderson": henderson, "nernst_planck": nernst_planck}


@dataclass(frozen=True)
class InputUncertainty:
    """Standard deviations of what a junction potential is computed from.

    Attributes:
        mobility: of each mobility, relative. 0.01: so much, root mean square, do the two sets of this project differ
            where both have a source of their own (HPO4 apart), and two printed digits are 0.9 % for gluconate.
        concentration: of each free concentration on each side, relative; the ions of the other sign go with it, as in a
            salt. 0.01: weighing, water of crystallisation and titration, an assumption.
        temperature_c: of the temperature, C. 1: room temperature or a heated bath, an assumption.

    Raises:
        InputError: one of them is negative or no number.
    """

    mobility: float | int = 0.01
    concentration: float | int = 0.01
    temperature_c: float | int = 1.0

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            sd = getattr(self, field.name)
            if not (math.isfinite(sd) and sd >= 0):
                raise InputError(f"The uncertainty of the {field.name} is {sd}; zero or more was wanted.")


DEFAULT_UNCERTAINTY = InputUncertainty()


@dataclass(frozen=True)
class JunctionPotential:
    """A computed liquid junction potential.

    Attributes:
        value_mv: E_bath - E_pipette, mV; about +14 for potassium gluconate in the pipette.
        uncertainty_mv: standard deviation of it from the inputs, mV; what the equation neglects is not in it.
        temperature_c: temperature it holds at, C.
        contributions_mv: part of each ion, by symbol, mV; they add up to `value_mv`; Henderson only.
        method: name of the equation.
        mobilities: name of the set of mobilities.
        uncertainty_parts_mv: share of mobilities, concentrations and temperature in `uncertainty_mv`, mV; their squares
            add up to its square.
        notes: what was done to the solutions to compute it.
        convention: the sign convention in words.
    """

    value_mv: float
    uncertainty_mv: float
    temperature_c: float
    contributions_mv: Mapping[str, float]
    method: str
    mobilities: str
    uncertainty_parts_mv: Mapping[str, float]
    notes: tuple[str, ...] = ()
    convention: str = CONVENTION


def junction_potential(
    pipette: Solution | Mapping[str, float | int],
    bath: Solution | Mapping[str, float | int],
    temperature_c: float | int,
    *,
    method: Method = "henderson",
    mobilities: Mobilities = "ng_barry",
    uncertainty: InputUncertainty = DEFAULT_UNCERTAINTY,
) -> JunctionPotential:
    """The liquid junction potential E_bath - E_pipette with its uncertainty and everything it was computed from.

    150 mM NaCl in the pipette against 150 mM KCl gives -4.28 mV at 20 C.

    Args:
        pipette: free ions in the pipette, as a `Solution` or as mM by ion name.
        bath: free ions in the bath, likewise.
        temperature_c: temperature of the junction, C.
        method: `henderson`, or `nernst_planck` for the converged stationary Nernst-Planck equation.
        mobilities: `ng_barry` or `ljpcalc`; ions of your own keep theirs.
        uncertainty: standard deviations of the inputs.

    Raises:
        InputError: an ion is unknown, a concentration is negative, a side has no ions or is not electroneutral, or the
            temperature is not in degrees Celsius.
        NeurotwinError: the Nernst-Planck equation did not converge.
    """
    inside, outside = (with_mobilities(solution_of(side), mobilities) for side in (pipette, bath))
    parts = henderson_parts(inside, outside, temperature_c)
    for side, name in ((inside, "pipette"), (outside, "bath")):
        require_neutral(side, name)
    spread = _propagated(_EQUATIONS[method], inside, outside, temperature_c, uncertainty)
    is_henderson = method == "henderson"
    return JunctionPotential(
        value_mv=math.fsum(parts.values()) if is_henderson else spread.value,
        uncertainty_mv=spread.sd,
        temperature_c=float(temperature_c),
        contributions_mv={one.symbol: part for one, part in parts.items()} if is_henderson else {},
        method=METHODS[method],
        mobilities=mobilities,
        uncertainty_parts_mv=_grouped(spread),
        notes=() if is_henderson else _filled_up_notes(inside, outside),
    )


def remove_junction_potential(v_recorded_mv: Voltage, junction_potential_mv: Voltage | float) -> Voltage:
    """Membrane potential in whole-cell recording, mV: recorded voltage minus junction potential.

    A recorded -60 mV with a junction potential of +14 mV is a membrane potential of -74 mV.

    Args:
        v_recorded_mv: recorded voltage, mV; a float, a numpy array or a JAX array of any shape, left as it is.
        junction_potential_mv: E_bath - E_pipette, mV; one number, or an array of the same shape.
    """
    return v_recorded_mv - junction_potential_mv


def _propagated(
    equation: _Equation, pipette: Solution, bath: Solution, temperature_c: float | int, uncertainty: InputUncertainty
) -> Propagated:
    """The equation with the uncertainty of its inputs, which are relative factors around 1 and the temperature in K."""
    sides = {"pipette": pipette, "bath": bath}
    ions = {one: None for side in sides.values() for one in side.concentrations_mm}
    given_k = float(kelvin(temperature_c))
    inputs = {f"mobility {one.symbol}": Uncertain(1.0, uncertainty.mobility) for one in ions}
    for name, side in sides.items():
        for one in side.concentrations_mm:
            inputs[f"{name} {one.symbol}"] = Uncertain(1.0, uncertainty.concentration)
    inputs["temperature"] = Uncertain(given_k, uncertainty.temperature_c)

    def value_mv(factors: Mapping[str, float]) -> float:
        varied = {name: _varied(side, name, factors) for name, side in sides.items()}
        # Every equation here is proportional to absolute temperature.
        return equation(varied["pipette"], varied["bath"], temperature_c) * factors["temperature"] / given_k

    return propagate(value_mv, inputs)


def _varied(solution: Solution, name: str, factors: Mapping[str, float]) -> Solution:
    """The solution with concentrations and mobilities multiplied; what that adds in charge, the other sign gains."""
    added = {one: mm * (factors[f"{name} {one.symbol}"] - 1.0) for one, mm in solution.concentrations_mm.items()}
    charge = {1: solution.cation_charge_mm, -1: solution.anion_charge_mm}
    gained = {
        sign: math.fsum(sign * one.valence * mm for one, mm in added.items() if sign * one.valence > 0)
        for sign in charge
    }
    concentrations: dict[Ion, float] = {}
    for one, mm in solution.concentrations_mm.items():
        sign = 1 if one.valence > 0 else -1
        mobility = one.mobility * factors[f"mobility {one.symbol}"]
        with_counter_ions = gained[-sign] / charge[sign] if charge[sign] else 0.0
        concentrations[dataclasses.replace(one, mobility=mobility)] = mm * (1.0 + with_counter_ions) + added[one]
    return Solution(concentrations)


def _grouped(spread: Propagated) -> dict[str, float]:
    groups: dict[str, list[float]] = {"mobilities": [], "concentrations": [], "temperature": []}
    for name, part in spread.parts.items():
        kind = name.split()[0]
        groups[{"mobility": "mobilities", "temperature": "temperature"}.get(kind, "concentrations")].append(part)
    return {group: math.hypot(*parts) for group, parts in groups.items()}


def _filled_up_notes(pipette: Solution, bath: Solution) -> tuple[str, ...]:
    """What `neutralised` adds, where it is more than rounding."""
    notes = []
    for name, before, after in zip(("pipette", "bath"), (pipette, bath), neutralised(pipette, bath), strict=True):
        for one, mm in after.concentrations_mm.items():
            added = mm - before.concentrations_mm.get(one, 0.0)
            if added > 1e-6 * after.cation_charge_mm:
                notes.append(f"{name}: {one.symbol} raised by {added:.4g} to {mm:.4g} mM to make it electroneutral")
    return tuple(notes)
