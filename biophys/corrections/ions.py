"""The ions of recording solutions: valence, relative mobility and where each figure comes from.

Mobilities are generalised mobilities relative to potassium, `u = limiting equivalent conductivity / (|z| * 73.5)`, so
that K is 1 and Ca is 0.405. Sources:

- Ng & Barry 1995, J Neurosci Methods 56:37-41, with the values of Barry & Lynch 1991, J Membr Biol 121:101-117.
- UNSW ionic mobility tables, the list that goes with the program JPCalcW of P. H. Barry.
- CRC Handbook limiting conductivity of methanesulfonate, 48.8 / 73.5.
"""

import difflib
import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from twin.errors import InputError

NG_BARRY = "Ng & Barry 1995"
UNSW = "UNSW ionic mobility tables"
CRC = "CRC Handbook, 48.8 / 73.5"


@dataclass(frozen=True)
class Ion:
    """An ion in water.

    Attributes:
        symbol: what it is called in results, such as `K`, `gluconate` or `EGTA2-`.
        valence: signed charge number, such as 2 for Ca and -1 for Cl.
        mobility: generalised mobility relative to K (K is 1).
        source: where the mobility comes from.
        names: other names it may be given by, without a charge.
        note: what a concentration of it means, where that is easily mistaken.

    Raises:
        InputError: the valence is zero, or the mobility is not a positive number.
    """

    symbol: str
    valence: int
    mobility: float
    source: str
    names: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if not self.symbol:
            raise InputError("An Ion was given an empty symbol; a name such as 'K' was wanted.")
        if self.valence == 0:
            raise InputError(f"The ion '{self.symbol}' has valence 0; leave a non-electrolyte out of the ions.")
        if not (math.isfinite(self.mobility) and self.mobility > 0):
            raise InputError(
                f"The ion '{self.symbol}' has relative mobility {self.mobility}; a positive number was wanted (K is 1)."
            )


_HALF = "the ionised form; of the total HEPES about half is ionised at pH 7.4"
_EGTA = "free EGTA, taken as 2- (its main form at pH 7.4) unless the charge is written; Ca-EGTA is bound and not free"
_ATP = "free ATP, taken as 2- unless the charge is written; Mg-ATP is bound and not free"
_FREE = "the free form only; what has bound a metal is not free"
_BUFFER = "the ionised form only"

# Where several ions share a name (ATP, EGTA), the first is the one that the bare name means.
IONS: tuple[Ion, ...] = (
    Ion("K", 1, 1.0, NG_BARRY, ("potassium",)),
    Ion("Na", 1, 0.682, NG_BARRY, ("sodium",)),
    Ion("Cs", 1, 1.05, NG_BARRY, ("caesium", "cesium")),
    Ion("Li", 1, 0.525, NG_BARRY, ("lithium",)),
    Ion("Rb", 1, 1.059, NG_BARRY, ("rubidium",)),
    Ion("Tl", 1, 1.02, NG_BARRY, ("thallium",)),
    Ion("NH4", 1, 1.0, NG_BARRY, ("ammonium",)),
    Ion("H", 1, 4.757, UNSW, ("proton",)),
    Ion("Ag", 1, 0.842, UNSW, ("silver",)),
    Ion("choline", 1, 0.51, NG_BARRY),
    Ion("TEA", 1, 0.444, NG_BARRY, ("tetraethylammonium",)),
    Ion("TMA", 1, 0.611, NG_BARRY, ("tetramethylammonium",)),
    Ion("NMDG", 1, 0.33, NG_BARRY, ("N-methyl-D-glucamine",)),
    Ion("Tris", 1, 0.40, NG_BARRY, note=_BUFFER),
    Ion("Ca", 2, 0.405, NG_BARRY, ("calcium",)),
    Ion("Mg", 2, 0.361, NG_BARRY, ("magnesium",)),
    Ion("Ba", 2, 0.433, NG_BARRY, ("barium",)),
    Ion("Sr", 2, 0.404, NG_BARRY, ("strontium",)),
    Ion("Co", 2, 0.370, NG_BARRY, ("cobalt",)),
    Ion("Zn", 2, 0.359, NG_BARRY, ("zinc",)),
    Ion("Mn", 2, 0.364, UNSW, ("manganese",)),
    Ion("Ni", 2, 0.337, UNSW, ("nickel",)),
    Ion("Cd", 2, 0.37, UNSW, ("cadmium",)),
    Ion("Cu", 2, 0.365, UNSW, ("copper",)),
    Ion("La", 3, 0.316, UNSW, ("lanthanum",)),
    Ion("Gd", 3, 0.305, UNSW, ("gadolinium",)),
    Ion("Cl", -1, 1.039, NG_BARRY, ("chloride",)),
    Ion("Br", -1, 1.063, NG_BARRY, ("bromide",)),
    Ion("I", -1, 1.045, NG_BARRY, ("iodide",)),
    Ion("F", -1, 0.753, NG_BARRY, ("fluoride",)),
    Ion("ClO4", -1, 0.916, NG_BARRY, ("perchlorate",)),
    Ion("NO3", -1, 0.972, NG_BARRY, ("nitrate",)),
    Ion("SCN", -1, 0.90, NG_BARRY, ("thiocyanate",)),
    Ion("HCO3", -1, 0.605, NG_BARRY, ("bicarbonate", "hydrogencarbonate")),
    Ion("H2PO4", -1, 0.45, NG_BARRY, ("dihydrogenphosphate",)),
    Ion("HPO4", -2, 0.390, NG_BARRY, ("hydrogenphosphate",)),
    Ion("SO4", -2, 0.544, NG_BARRY, ("sulfate", "sulphate")),
    Ion("acetate", -1, 0.556, NG_BARRY, ("OAc", "CH3COO")),
    Ion("aspartate", -1, 0.30, NG_BARRY, ("Asp",)),
    Ion("benzoate", -1, 0.441, NG_BARRY),
    Ion("butyrate", -1, 0.44, NG_BARRY, ("butanoate",)),
    Ion("gluconate", -1, 0.33, NG_BARRY),
    Ion("glutamate", -1, 0.26, NG_BARRY),
    Ion("isethionate", -1, 0.52, NG_BARRY),
    Ion("methanesulfonate", -1, 0.664, CRC, ("MeSO3", "CH3SO3", "methanesulphonate", "methylsulfonate", "mesylate")),
    Ion("methylsulfate", -1, 0.664, UNSW, ("MeSO4", "CH3SO4", "methylsulphate")),
    Ion("picrate", -1, 0.411, NG_BARRY),
    Ion("propionate", -1, 0.487, NG_BARRY, ("propanoate",)),
    Ion("formate", -1, 0.743, UNSW),
    Ion("lactate", -1, 0.528, UNSW),
    Ion("oxalate", -2, 0.504, UNSW),
    Ion("succinate", -2, 0.4, UNSW),
    Ion("citrate", -3, 0.318, UNSW),
    Ion("HEPES", -1, 0.30, NG_BARRY, note=_HALF),
    Ion("MES", -1, 0.37, NG_BARRY, note=_BUFFER),
    Ion("MOPS", -1, 0.35, NG_BARRY, note=_BUFFER),
    Ion("EGTA2-", -2, 0.24, NG_BARRY, ("EGTA",), _EGTA),
    Ion("EGTA3-", -3, 0.25, NG_BARRY, ("EGTA",), _FREE),
    Ion("ATP2-", -2, 0.15, UNSW, ("ATP",), _ATP),
    Ion("ATP3-", -3, 0.15, UNSW, ("ATP",), _FREE),
    Ion("ATP4-", -4, 0.15, UNSW, ("ATP",), _FREE),
)

_AMBIGUOUS = {
    "glu": "gluconate, glutamate or glucose",
    "gluc": "gluconate or glucose",
    "phosphate": "H2PO4 or HPO4",
    "po4": "H2PO4 or HPO4",
    "pi": "H2PO4 or HPO4",
}


def ion(name: str, extra_ions: Iterable[Ion] = ()) -> Ion:
    """Look an ion up by symbol or name, with or without its charge: `K`, `Na+`, `Ca2+`, `sulfate`, `EGTA3-`.

    The spelling as written is tried first, then without regard to case.

    Args:
        name: symbol or name.
        extra_ions: ions of your own, which go before the table.

    Raises:
        InputError: the name is not in the table (near matches are listed), means several ions, or carries another
            charge than the ion.
    """
    return look_up(name, (*extra_ions, *IONS))


def look_up(name: str, table: tuple[Ion, ...]) -> Ion:
    """The ion of `table` that `ion` would find.

    Raises:
        InputError: as `ion`.
    """
    wanted = plain_text(name)
    refuse_ambiguous(wanted)
    found = named(wanted, table)
    if found:
        return found[0]
    charged = _with_charge(wanted, table)
    if charged is not None:
        return charged
    raise InputError(_unknown(name, wanted, table))


def refuse_ambiguous(name: str) -> None:
    """Refuse a name that means several ions.

    Raises:
        InputError: the name does; the message lists them.
    """
    if name.casefold() in _AMBIGUOUS:
        raise InputError(f"'{name}' may mean {_AMBIGUOUS[name.casefold()]}: write the one that is meant.")


def named(name: str, table: Iterable[Ion]) -> list[Ion]:
    """All ions of the table called `name`: as written if any is, otherwise without regard to case."""
    candidates = [(spelling, one) for one in table for spelling in (one.symbol, *one.names)]
    exact = [one for spelling, one in candidates if spelling == name]
    return exact or [one for spelling, one in candidates if spelling.casefold() == name.casefold()]


def plain_text(text: str) -> str:
    """The text with sub- and superscripts, dashes and the minus sign as plain characters: `Ca²⁺` becomes `Ca2+`."""
    return re.sub("[\u2010-\u2015\u2212]", "-", unicodedata.normalize("NFKC", text)).strip()


def _with_charge(name: str, table: tuple[Ion, ...]) -> Ion | None:
    """The ion of a name that ends in a charge; `NO3-` is tried as NO with 3- and as NO3 with 1-."""
    bare: list[Ion] = []
    for pattern in (r"(.+?)\s*(\d)([+-])", r"(.+?)\s*()([+-]+)"):
        match = re.fullmatch(pattern, name)
        if match is None:
            continue
        base, digits, signs = match.groups()
        valence = int(digits or len(signs)) * (1 if signs[0] == "+" else -1)
        candidates = named(base, table)
        for candidate in candidates:
            if candidate.valence == valence:
                return candidate
        bare = candidates or bare
    if bare:
        known = " or ".join(f"{candidate.valence:+d}" for candidate in bare)
        raise InputError(f"'{name}' carries another charge than the table, where '{bare[0].symbol}' has {known}.")
    return None


def _unknown(name: str, wanted: str, table: tuple[Ion, ...]) -> str:
    spellings = {spelling.casefold(): spelling for one in table for spelling in (one.symbol, *one.names)}
    near = [spellings[match] for match in difflib.get_close_matches(wanted.casefold(), spellings, n=3)]
    hint = f"did you mean {' or '.join(near)}?" if near else "no name in the table is close to it."
    return (
        f"The ion '{name}' has no known mobility: {hint} For an ion of your own give Ion(symbol, valence, mobility "
        "relative to K, source) in extra_ions; a trace of it may be left out together with its counter-ion."
    )
