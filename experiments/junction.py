"""The command `twin ljp`: the liquid junction potential between two solutions."""

import math
from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape

from biophys.corrections import (
    RECIPES,
    InputUncertainty,
    Solution,
    henderson_parts,
    junction_potential,
    solution_named,
    with_mobilities,
)
from biophys.corrections.junction import METHODS, Method
from biophys.corrections.mobilities import Mobilities
from twin.errors import InputError, NeurotwinError

ASSUMED_TEMPERATURE_C = 25.0
_OTHER: dict[Method, Method] = {"henderson": "nernst_planck", "nernst_planck": "henderson"}
_SETS = {"ng_barry": "Ng & Barry", "ljpcalc": "LJPcalc"}


def show(
    pipette: str | None,
    bath: str | None,
    temperature_c: float | None,
    method: Method,
    mobilities: Mobilities,
    console: Console,
) -> None:
    """Print the junction potential with its convention and uncertainty, the other method's, and each ion's part.

    Raises:
        InputError: a side is not given, a recipe is unknown or cannot be read, a solution is not electroneutral, or the
            temperature is not in degrees Celsius.
        NeurotwinError: the Nernst-Planck equation did not converge.
    """
    at_c = ASSUMED_TEMPERATURE_C if temperature_c is None else _celsius(temperature_c)
    sides = _solution(pipette, "pipette"), _solution(bath, "bath")
    result = junction_potential(*sides, at_c, method=method, mobilities=mobilities)
    lines = [
        f"[bold]{result.value_mv:+.2f} mV[/bold] +- {result.uncertainty_mv:.2f} mV (SD)  {result.convention}",
        f"a recorded -60 mV is a membrane potential of {-60.0 - result.value_mv:.2f} mV",
        f"{result.method} equation at {at_c:g} degC, mobilities of {_SETS[mobilities]}, concentrations for activities",
        _other_method(sides, at_c, method, mobilities),
        f"SD from {_listed(result.uncertainty_parts_mv, '.2f')} mV",
        f"part of each ion (Henderson): {_listed(_parts_mv(sides, at_c, mobilities), '+.2f')} mV",
        *(f"pipette: {escape(note)}" for note in sides[0].notes),
        *(f"bath: {escape(note)}" for note in sides[1].notes),
        *result.notes,
    ]
    if temperature_c is None:
        lines.append(f"no --temperature was given: {at_c:g} degC is assumed, a degree changes the value by 0.34 %")
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def list_recipes(console: Console) -> None:
    """Print the recipes that have a name, with their sources."""
    for recipe in RECIPES.values():
        console.print(f"[bold]{recipe.name}[/bold] ({recipe.side}): {recipe.text}", highlight=False, soft_wrap=True)
        console.print(f"    {escape(recipe.source)}", highlight=False, soft_wrap=True)


def _solution(text: str | None, side: str) -> Solution:
    if text is None:
        raise InputError(
            f"The {side} solution is missing: give --{side} a recipe such as 'K 130, gluconate 110, Cl 20', or the "
            "name of one that `twin ljp --recipes` lists."
        )
    try:
        return solution_named(text)
    except InputError as error:
        raise InputError(f"--{side}: {error}") from error


def _celsius(temperature_c: float) -> float:
    """The temperature, where it is no kelvin; other absurd ones are refused where they are used."""
    if math.isfinite(temperature_c) and 250.0 <= temperature_c <= 373.15:
        raise InputError(
            f"The temperature {temperature_c:g} looks like kelvin: give it in degrees Celsius, here "
            f"{temperature_c - 273.15:.4g}."
        )
    return temperature_c


def _listed(parts_mv: Mapping[str, float], form: str) -> str:
    return ", ".join(f"{escape(name)} {part:{form}}" for name, part in parts_mv.items())


def _other_method(sides: tuple[Solution, Solution], at_c: float, method: Method, mobilities: Mobilities) -> str:
    """The value of the method that was not asked for; that it has none is no reason to withhold the other."""
    other, exact = _OTHER[method], InputUncertainty(0.0, 0.0, 0.0)
    try:
        result = junction_potential(*sides, at_c, method=other, mobilities=mobilities, uncertainty=exact)
    except NeurotwinError as error:
        return f"{METHODS[other]} equation: none ({escape(str(error))})"
    return f"{result.method} equation: {result.value_mv:+.2f} mV"


def _parts_mv(sides: tuple[Solution, Solution], at_c: float, mobilities: Mobilities) -> dict[str, float]:
    pipette, bath = (with_mobilities(side, mobilities) for side in sides)
    return {one.symbol: part for one, part in henderson_parts(pipette, bath, at_c).items()}
