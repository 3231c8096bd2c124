"""The named sets of mobilities, and a solution under another set.

`ng_barry` is the table in `biophys.corrections.ions`. `ljpcalc` is the library of the program LJPcalc (Harden, MIT
licence; the file IonLibrary.cs): limiting equivalent conductivities at 25 C from Lange's Handbook of Chemistry, 15th
edition, table 8.32, as generalised mobilities `u = conductivity / (|z| * 73.5)`, and the UNSW ionic mobility tables for
the ions that the handbook lacks. Of two entries for one ion the handbook's goes first, as in that library.

The library enters the UNSW mobilities of polyvalent ions (EGTA, ATP) as if they were conductivities, which halves or
quarters them; they are taken here as the tables give them.
"""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from biophys.corrections.ions import IONS, Ion
from biophys.corrections.solutions import Solution

Mobilities: TypeAlias = Literal["ng_barry", "ljpcalc"]

_LANGE = "LJPcalc library: Lange's Handbook of Chemistry, table 8.32"
_UNSW = "LJPcalc library: UNSW ionic mobility tables"
_POTASSIUM_CONDUCTIVITY = 73.5

# Limiting equivalent conductivities at 25 C, 1e-4 m^2 S / mol. HPO4 is the handbook's 33; Ng & Barry have 57.
_CONDUCTIVITIES = {
    **{"K": 73.5, "Na": 50.11, "Cs": 77.3, "Li": 38.69, "Rb": 77.8, "Tl": 74.9, "H": 350.1, "Ag": 61.9},
    **{"Ca": 59.5, "Mg": 53.06, "Ba": 63.9, "Sr": 59.46, "Co": 53.0, "Zn": 52.8, "Mn": 53.5, "Ni": 50.0, "Cd": 54.0},
    **{"Cu": 56.6, "La": 69.6, "Gd": 67.4, "Cl": 76.31, "Br": 78.1, "I": 76.9, "F": 55.4, "ClO4": 67.3, "NO3": 71.42},
    **{"SCN": 66.5, "HCO3": 44.5, "H2PO4": 33.0, "HPO4": 33.0, "SO4": 80.0, "acetate": 41.0, "benzoate": 32.4},
    **{"picrate": 30.37, "formate": 54.6, "lactate": 38.8, "oxalate": 74.11, "succinate": 58.8, "citrate": 70.2},
}
_RELATIVE = {"NH4": 1.001, "methanesulfonate": 0.664}


def _as_in_ljpcalc(one: Ion) -> Ion:
    if one.symbol in _CONDUCTIVITIES:
        mobility = _CONDUCTIVITIES[one.symbol] / (abs(one.valence) * _POTASSIUM_CONDUCTIVITY)
        return dataclasses.replace(one, mobility=mobility, source=_LANGE)
    return dataclasses.replace(one, mobility=_RELATIVE.get(one.symbol, one.mobility), source=_UNSW)


MOBILITY_SETS: Mapping[str, tuple[Ion, ...]] = MappingProxyType(
    {"ng_barry": IONS, "ljpcalc": tuple(_as_in_ljpcalc(one) for one in IONS)}
)
"""The ions under each named set."""


def with_mobilities(solution: Solution, mobilities: Mobilities) -> Solution:
    """The same solution with the mobilities of a named set; ions of your own stay as they are.

    Na is 0.682 in `ng_barry` and 50.11 / 73.5 = 0.6818 in `ljpcalc`.

    Args:
        solution: the solution.
        mobilities: name of the set, `ng_barry` or `ljpcalc`.
    """
    tabled = {one for table in MOBILITY_SETS.values() for one in table}
    wanted = {one.symbol: one for one in MOBILITY_SETS[mobilities]}
    concentrations = {
        wanted[one.symbol] if one in tabled else one: mm for one, mm in solution.concentrations_mm.items()
    }
    return dataclasses.replace(solution, concentrations_mm=concentrations)
