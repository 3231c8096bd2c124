"""Recording solutions: free ions in mM, read from a recipe such as `K-gluconate 130, KCl 4, MgCl2 2, HEPES 5`.

What counts for the junction potential is free ions. A salt is split only where its formula balances in one way with
the valences of the ion table; everything that would need a guess (titrants, chelates, total phosphate, formulas that do
not balance) is refused with the way out. Whether the charges add up is a separate question: `require_neutral`.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import digits
from typing import TypeAlias

from biophys.corrections.ions import IONS, Ion, ion, look_up, named, plain_text, refuse_ambiguous
from twin.errors import InputError

NEUTRALITY_TOLERANCE = 0.05
"""Imbalance that is accepted, as a fraction of the larger side: rounding of a recipe, not a missing ion."""

NON_ELECTROLYTES = frozenset(
    {"glucose", "d-glucose", "dextrose", "sucrose", "mannitol", "d-mannitol", "sorbitol", "raffinose", "trehalose"}
    | {"inositol", "myo-inositol", "urea", "glycerol", "taurine", "glycine", "alanine", "glutamine", "creatine"}
    | {"dmso", "ethanol"}
)

_CHELATED_METALS = frozenset({"Ca", "Mg", "Ba", "Sr", "Mn", "Co", "Ni", "Cu", "Zn", "Cd", "La", "Gd"})
_TITRANT = re.compile(r"(K|Na|Cs|Li|NMDG|TEA|TMA|NH4)[\s-]*OH|(Ca|Ba|Mg)\(OH\)2|H(Cl|NO3|2SO4|3PO4|F|Br|I)|.*[\s-]HCl")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_ENTRY_FORMS = (
    rf"(?P<name>\S.*?)(?:\s+|\s*[=:]\s*)(?P<mm>{_NUMBER})\s*(?:mM)?",
    rf"(?P<mm>{_NUMBER})\s*(?:mM)?\s+(?P<name>\S.*)",
)
_WATER_OF_CRYSTALLISATION = re.compile(r"\s*[\u00b7\u2022.*]\s*\d*\s*H2O$")

_Counted: TypeAlias = tuple[Ion, int]


@dataclass(frozen=True)
class Solution:
    """What is dissolved, as free ions.

    Attributes:
        concentrations_mm: free concentration of each ion, mM.
        non_electrolytes: what was in the recipe and carries no charge, such as glucose.

    Raises:
        InputError: a concentration is negative or not a number.
    """

    concentrations_mm: Mapping[Ion, float]
    non_electrolytes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for one, mm in self.concentrations_mm.items():
            if not (math.isfinite(mm) and mm >= 0):
                raise InputError(f"The solution has {mm} mM of {one.symbol}; a number of zero or more was wanted.")

    @property
    def cation_charge_mm(self) -> float:
        """Positive charge, mM: 2 mM of Mg carry 4."""
        return math.fsum(one.valence * mm for one, mm in self.concentrations_mm.items() if one.valence > 0)

    @property
    def anion_charge_mm(self) -> float:
        """Negative charge, mM, as a positive number."""
        return math.fsum(-one.valence * mm for one, mm in self.concentrations_mm.items() if one.valence < 0)

    @property
    def charge_mm(self) -> float:
        """Net charge, mM: positive where anions are missing, zero where the solution is electroneutral."""
        return self.cation_charge_mm - self.anion_charge_mm

    @property
    def notes(self) -> tuple[str, ...]:
        """How the concentrations were taken, where that is easily mistaken (HEPES, EGTA, ATP, sugars)."""
        taken = tuple(f"{one.symbol}: {one.note}" for one in self.concentrations_mm if one.note)
        return taken + tuple(f"{name}: carries no charge, left out" for name in self.non_electrolytes)

    def __str__(self) -> str:
        ions = ", ".join(f"{one.symbol} {mm:.12g}" for one, mm in self.concentrations_mm.items())
        return ions or "no ions"


def solution_of(given: Solution | Mapping[str, float | int]) -> Solution:
    """The solution itself, or one made of mM by ion name, as in `{"K": 140, "gluconate": 140}`.

    Raises:
        InputError: an ion is unknown or named twice, or a concentration is negative or not a number.
    """
    if isinstance(given, Solution):
        return given
    concentrations: dict[Ion, float] = {}
    for name, mm in given.items():
        found = ion(name)
        if found in concentrations:
            raise InputError(f"The solution names {found.symbol} twice, again as '{name}': name each ion once.")
        concentrations[found] = float(mm)
    return Solution(concentrations)


def parse_solution(recipe: str, extra_ions: Iterable[Ion] = ()) -> Solution:
    """Read a recipe: entries separated by commas, each a name and a concentration in mM, in either order.

    A name is an ion (`K 130`, `Ca2+ 2`, `gluconate 110`), a salt (`K-gluconate 130`, `MgCl2 2`, `NaH2PO4 1.2`, `Na2ATP
    2`, `choline chloride 10`) or a non-electrolyte (`glucose 10`). Entries add up: `KCl 4, K 5` has 9 mM K. Buffers and
    chelators are free, ionised concentrations: 10 mM HEPES at pH 7.4 is `HEPES 5`.

    Args:
        recipe: the text.
        extra_ions: ions that the table lacks; they go before it.

    Raises:
        InputError: an entry cannot be read, names an unknown ion, is repeated, or would need a guess.
    """
    table = (*extra_ions, *IONS)
    concentrations: dict[Ion, float] = {}
    non_electrolytes: list[str] = []
    seen: set[str] = set()
    for entry in re.split(r"[,;\n]", plain_text(recipe)):
        if not entry.strip():
            continue
        name, mm = _read_entry(entry.strip())
        if name in seen:
            raise InputError(f"The recipe '{recipe}' has '{name}' twice: give it once, with the total.")
        seen.add(name)
        if name.casefold() in NON_ELECTROLYTES:
            non_electrolytes.append(name)
            continue
        for one, count in _ions_in(name, table):
            concentrations[one] = concentrations.get(one, 0.0) + count * mm
    if not concentrations:
        raise InputError(f"The recipe '{recipe}' has no ions; something like 'K 130, gluconate 110, Cl 20' was wanted.")
    return Solution(concentrations, tuple(non_electrolytes))


def require_neutral(solution: Solution, name: str, tolerance: float | int = NEUTRALITY_TOLERANCE) -> None:
    """Refuse a solution whose charges do not add up.

    Args:
        solution: what to check.
        name: what to call it in the error, such as `pipette`.
        tolerance: imbalance that is accepted, as a fraction of the larger of the two charges.

    Raises:
        InputError: the imbalance is larger; the message says how large in mM, and which side is missing.
    """
    positive, negative = solution.cation_charge_mm, solution.anion_charge_mm
    larger, imbalance = max(positive, negative), abs(positive - negative)
    if imbalance <= tolerance * larger:
        return
    missing = "negative charge (anions)" if positive > negative else "positive charge (cations)"
    raise InputError(
        f"The {name} solution is not electroneutral: cations carry {positive:.6g} mM and anions {negative:.6g} mM of "
        f"charge, so {imbalance:.6g} mM of {missing} is missing ({imbalance / larger:.1%} of the larger side, "
        f"{tolerance:.1%} is allowed): complete the recipe ({solution})."
    )


def neutralised(pipette: Solution, bath: Solution) -> tuple[Solution, Solution]:
    """Both solutions with the missing charge of each filled up exactly, for equations that need electroneutrality.

    What is missing on a side is added there as the ion of that sign which is the most concentrated over both sides
    together, so that swapping the sides changes nothing. A pipette of 130 mM K and 9 mM Na that lacks 2 mM of positive
    charge gets Na 11 where the bath is a sodium solution.

    Raises:
        InputError: charge is missing and no ion of its sign is on either side.
    """
    both = {one: 0.0 for one in (*pipette.concentrations_mm, *bath.concentrations_mm)}
    for side in (pipette, bath):
        for one, mm in side.concentrations_mm.items():
            both[one] += mm
    return _filled_up(pipette, both), _filled_up(bath, both)


def _filled_up(solution: Solution, both_mm: Mapping[Ion, float]) -> Solution:
    """The solution with its missing charge added as the most concentrated ion of that sign in `both_mm`."""
    excess = solution.charge_mm
    if excess == 0:
        return solution
    missing = [one for one in both_mm if one.valence * excess < 0]
    if not missing:
        raise InputError(f"The solution ({solution}) has no counter-ions: complete the recipe.")
    filler = max(missing, key=lambda one: (both_mm[one], one.symbol))
    before = solution.concentrations_mm.get(filler, 0.0)
    concentrations = {**solution.concentrations_mm, filler: before - excess / filler.valence}
    return Solution(concentrations, solution.non_electrolytes)


def _read_entry(entry: str) -> tuple[str, float]:
    for form in _ENTRY_FORMS:
        match = re.fullmatch(form, entry)
        if match is not None:
            mm = float(match["mm"])
            if mm < 0:
                raise InputError(f"The entry '{entry}' has a negative concentration; zero or more mM was wanted.")
            return match["name"], mm
    raise InputError(
        f"The entry '{entry}' was not understood: write a name, a space and a number in mM, such as 'K 130', with a "
        "point for decimals and commas between entries."
    )


def _ions_in(name: str, table: tuple[Ion, ...]) -> tuple[_Counted, ...]:
    """The ions in one unit of `name`, with how many of each."""
    if named(name, table):
        return ((look_up(name, table), 1),)
    if _TITRANT.fullmatch(name):
        raise InputError(
            f"'{name}' is used up by titration: write the ion that stays and what it ionised, such as 'K 5, HEPES 5'."
        )
    readings = _salt_readings(_WATER_OF_CRYSTALLISATION.sub("", name), table)
    if not readings:
        return ((look_up(name, table), 1),)
    balanced = {parts for parts in readings if sum(one.valence * count for one, count in parts) == 0}
    if not balanced:
        raise InputError(_not_balanced(name, readings))
    if len(balanced) > 1:
        raise InputError(f"The salt '{name}' can be read in {len(balanced)} ways that balance: write its ions.")
    (cation, n_cations), (anion, n_anions) = balanced.pop()
    if cation.symbol in _CHELATED_METALS and {"EGTA", "ATP"} & set(anion.names):
        raise InputError(
            f"In '{name}' {cation.symbol} is bound: write the ions that remain free, such as '{cation.symbol} 0.1, "
            f"{anion.symbol} 0.1'."
        )
    return (cation, n_cations), (anion, n_anions)


def _salt_readings(name: str, table: tuple[Ion, ...]) -> set[tuple[_Counted, _Counted]]:
    """Every way to read `name` as a cation with a count followed by an anion with a count; acids are no salts."""
    readings = set()
    for cation, spelling in _spellings(one for one in table if one.valence > 0 and one.symbol != "H"):
        if not _same(name[: len(spelling)], spelling):
            continue
        rest = name[len(spelling) :]
        tail = rest.lstrip(digits)
        count = rest[: len(rest) - len(tail)]
        tail = tail.lstrip(" -")
        refuse_ambiguous(tail)
        for anion, n_anions in _anions(tail, table):
            readings.add(((cation, int(count or 1)), (anion, n_anions)))
    return readings


def _anions(text: str, table: tuple[Ion, ...]) -> list[_Counted]:
    """The anions that `text` may mean with their counts: `SO4` is one sulphate, `Cl2` and `(NO3)2` are two anions."""
    spellings = list(_spellings(one for one in table if one.valence < 0))
    whole = [(one, 1) for one, spelling in spellings if _same(text, spelling)]
    counted = re.fullmatch(r"\((.+)\)(\d*)", text) or re.fullmatch(r"(.*?)(\d+)", text)
    if whole or counted is None:
        return whole
    return [(one, int(counted[2] or 1)) for one, spelling in spellings if _same(counted[1], spelling)]


def _spellings(ions: Iterable[Ion]) -> Iterable[tuple[Ion, str]]:
    return ((one, spelling) for one in ions for spelling in (one.symbol, *one.names))


def _same(text: str, spelling: str) -> bool:
    """Equal as written or, for words, without regard to case; chemical symbols keep theirs, for Co is not CO."""
    return text == spelling or (len(spelling) > 4 and text.casefold() == spelling.casefold())


def _not_balanced(name: str, readings: set[tuple[_Counted, _Counted]]) -> str:
    options = sorted({_balanced_formula(cation, anion) for (cation, _), (anion, _) in readings})
    return (
        f"The salt '{name}' does not balance as it is written: write a formula that does, such as "
        f"{' or '.join(options)}, or its ions."
    )


def _balanced_formula(cation: Ion, anion: Ion) -> str:
    shared = math.gcd(cation.valence, anion.valence)
    n_cations, n_anions = -anion.valence // shared, cation.valence // shared
    base = anion.symbol.rstrip("-" + digits) if anion.symbol.endswith("-") else anion.symbol
    tail = base if n_anions == 1 else f"{base}{n_anions}" if len(base) < 3 else f"({base}){n_anions}"
    return f"{cation.symbol}{n_cations if n_cations > 1 else ''}{'-' if base[0].islower() else ''}{tail}"
