"""Named recipes: every one readable, neutral and sourced, and no name that could be a recipe."""

import pytest

from biophys.corrections import (
    RECIPES,
    henderson,
    ion,
    nernst_planck,
    parse_solution,
    require_neutral,
    solution_named,
    with_mobilities,
)
from twin.errors import InputError


@pytest.mark.parametrize("name", RECIPES)
def test_recipe_is_electroneutral_as_free_ions(name: str) -> None:
    """The charges of every recipe add up to zero, not just to within the tolerance for users' recipes."""
    solution = solution_named(name)
    assert solution.charge_mm == pytest.approx(0, abs=1e-9)
    require_neutral(solution, name, tolerance=1e-9)
    assert RECIPES[name].source


@pytest.mark.parametrize("name", RECIPES)
def test_name_can_never_be_read_as_a_recipe(name: str) -> None:
    """No name parses as ions with concentrations, so a recipe's text always means itself."""
    with pytest.raises(InputError):
        parse_solution(name)


def test_name_may_be_written_freely_and_text_is_a_recipe() -> None:
    """Case, spaces and underscores do not matter in a name; anything with a number is ions with mM."""
    assert (
        solution_named(" K_Gluconate ") == solution_named("k gluconate") == parse_solution(RECIPES["k-gluconate"].text)
    )
    assert solution_named("KCl 140").concentrations_mm == {ion("K"): 140, ion("Cl"): 140}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("k-glukonate", "did you mean k-gluconate"),
        ("coffee", r"the names are k-gluconate, .*\) nor ions with their mM"),
        ("", "has no ions"),
        ("K, Cl", "The entry 'K' was not understood"),
    ],
)
def test_unknown_name_is_refused(text: str, message: str) -> None:
    """A name that is none says which are near, or what a recipe looks like."""
    with pytest.raises(InputError, match=message):
        solution_named(text)


@pytest.mark.parametrize(
    ("pipette", "bath", "expected_mv"),
    [("k-gluconate", "acsf", 13.4588), ("k-methanesulfonate", "acsf", 8.5886)],
)
def test_names_give_the_published_potentials(pipette: str, bath: str, expected_mv: float) -> None:
    """The recipes of Walz 2007 by name have the converged Nernst-Planck potentials of the validation table."""
    sides = [with_mobilities(solution_named(name), "ljpcalc") for name in (pipette, bath)]
    assert nernst_planck(*sides, 25) == pytest.approx(expected_mv, abs=2e-4)


def test_named_axobits_pair_gives_its_published_value() -> None:
    """Figl, Lewis & Barry print 15.6 mV for theirs at 20 C."""
    value = henderson(solution_named("k-gluconate-axobits"), solution_named("hepes-saline"), 20)
    assert f"{value:.1f}" == "15.6"


def test_acsf_is_the_published_bath() -> None:
    """The salts of the bath add up to the ions that are published for it."""
    ions = {one.symbol: mm for one, mm in solution_named("acsf").concentrations_mm.items()}
    published = {"K": 3, "Cl": 133.8, "Mg": 1.5, "Na": 152.2, "SO4": 1.5, "H2PO4": 1.2, "Ca": 2.4, "HCO3": 25}
    assert ions == pytest.approx(published)
