"""Common recording solutions by name, as free ions that add up to zero charge, each with its source.

Buffers and chelators are given as what is ionised, with the titrant that ionised it: 10 mM HEPES at pH 7.2 to 7.4 is
`HEPES 5` with 5 mM of sodium or potassium, 1 mM EGTA is `Na2EGTA 1`. What has no known mobility (GTP, phosphocreatine)
is in none of them.
"""

import difflib
import re
from dataclasses import dataclass
from typing import Literal

from biophys.corrections.solutions import Solution, parse_solution
from twin.errors import InputError

_WALZ = "Walz (ed.) 2007, Patch-Clamp Analysis, 2nd ed., p. 191, as in the program LJPcalc"
_AXOBITS = "Figl, Lewis & Barry 2003, AxoBits 39, p. 8"
_JPCALC = "Barry, manual of JPCalcWin, p. 10"


@dataclass(frozen=True)
class Recipe:
    """A recording solution.

    Attributes:
        name: lower case, without digits, so that it can never be read as a recipe.
        side: which side it is made for.
        text: what `parse_solution` reads.
        source: where it is published, and what was changed.
    """

    name: str
    side: Literal["pipette", "bath"]
    text: str
    source: str


_RECIPES = (
    Recipe("k-gluconate", "pipette", "K-gluconate 110, KCl 20, MgCl2 2, Na2ATP 2, Na2EGTA 1, Na 5, HEPES 5", _WALZ),
    Recipe(
        "cs-gluconate",
        "pipette",
        "Cs-gluconate 110, CsCl 20, MgCl2 2, Na2ATP 2, Na2EGTA 1, Na 5, HEPES 5",
        f"{_WALZ}; caesium for potassium",
    ),
    Recipe(
        "k-methanesulfonate",
        "pipette",
        "K-methanesulfonate 110, KCl 20, MgCl2 2, Na2ATP 2, Na2EGTA 1, Na 5, HEPES 5",
        f"{_WALZ}; methanesulfonate for gluconate",
    ),
    Recipe(
        "cs-methanesulfonate",
        "pipette",
        "Cs-methanesulfonate 110, CsCl 20, MgCl2 2, Na2ATP 2, Na2EGTA 1, Na 5, HEPES 5",
        f"{_WALZ}; caesium for potassium, methanesulfonate for gluconate",
    ),
    Recipe(
        "k-methylsulfate",
        "pipette",
        "K-methylsulfate 110, KCl 20, MgCl2 2, Na2ATP 2, Na2EGTA 1, Na 5, HEPES 5",
        f"{_WALZ}; methylsulfate for gluconate",
    ),
    Recipe(
        "k-gluconate-axobits",
        "pipette",
        "K-gluconate 145, MgCl2 1, NaCl 8, Na 5, HEPES 5",
        _AXOBITS,
    ),
    Recipe(
        "kcl",
        "pipette",
        "KCl 140, K 5, HEPES 5, Na2ATP 0.5",
        "Cold Spring Harb Protoc 2013, pdb.rec075317; without its 0.5 mM of calcium chelator",
    ),
    Recipe("cs-fluoride", "pipette", "CsF 125, CsCl 20", _JPCALC),
    Recipe("acsf", "bath", "NaCl 126, KCl 3, NaH2PO4 1.2, NaHCO3 25, CaCl2 2.4, MgSO4 1.5", _WALZ),
    Recipe(
        "ringer",
        "bath",
        "NaCl 116, KCl 1.2, CaCl2 1, NaHCO3 2.7",
        "Ringer's solution for frogs, Biological Bulletin Compendium, table 7A, Am1",
    ),
    Recipe(
        "hepes-tyrode",
        "bath",
        "NaCl 140, KCl 5.4, CaCl2 2.5, MgCl2 0.5, Na 2.5, HEPES 2.5, glucose 5.5",
        "Harvey & Agarwal, Cardiac action potential protocol, protocols.io; HEPES 5 mM titrated with NaOH",
    ),
    Recipe("hepes-saline", "bath", "NaCl 140, KCl 2.8, MgCl2 2, CaCl2 1, Na 5, HEPES 5", _AXOBITS),
    Recipe("nacl", "bath", "NaCl 145", _JPCALC),
)
RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in _RECIPES}
"""Every recipe by its name."""


def solution_named(text: str) -> Solution:
    """The solution of a recipe's name such as `k-gluconate`, or of the recipe itself such as `KCl 140, HEPES 5`.

    A name may be written in any case, with spaces or underscores for hyphens; text with a digit or a comma is a recipe.

    Raises:
        InputError: no recipe has that name (near ones are listed), or the recipe cannot be read.
    """
    name = re.sub(r"[\s_]+", "-", text.strip().casefold())
    if name in RECIPES:
        return parse_solution(RECIPES[name].text)
    if not name or re.search(r"[\d,;]", name):
        return parse_solution(text)
    near = difflib.get_close_matches(name, RECIPES, n=3)
    known = f"did you mean {' or '.join(near)}?" if near else f"the names are {', '.join(RECIPES)}."
    raise InputError(
        f"'{text.strip()}' is neither the name of a recipe ({known.rstrip('.')}) nor ions with their mM, such as "
        "'K 130, gluconate 110, Cl 20'."
    )
