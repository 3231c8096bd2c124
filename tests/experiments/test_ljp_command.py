"""The command `twin ljp`: what it prints, and one sentence with exit code 2 for every bad input."""

import re
import sys

import pytest

from biophys.corrections import RECIPES
from experiments.cli import main

WALZ = "K 130, gluconate 110, HEPES 5, EGTA 1, Cl 24, Mg 2, Na 9, ATP 2"


def printed(capsys, *arguments) -> str:
    main(["ljp", *arguments])
    return capsys.readouterr().out


def test_everything_is_said(capsys) -> None:
    """Value, uncertainty, convention with an example, method, mobilities, the other method, and each ion's part."""
    told = printed(capsys, "--pipette", "k-gluconate", "--bath", "acsf", "--temperature", "25")
    assert "+13.21 mV +- 0.20 mV" in told
    assert "E_bath - E_pipette" in told and "a recorded -60 mV is a membrane potential of -73.21 mV" in told
    assert "generalised Henderson equation at 25 degC, mobilities of Ng & Barry" in told
    assert "stationary Nernst-Planck equation: +13.46 mV" in told
    assert "K +13.79, gluconate -3.94" in told and "SD from mobilities 0.19" in told
    assert "assumed" not in told


def test_method_and_mobilities_are_chosen(capsys) -> None:
    """The published recipe by Nernst-Planck and LJPcalc's mobilities: what was filled up, and Henderson beside it."""
    chosen = ("--method", "nernst-planck", "--mobilities", "ljpcalc", "--temperature", "25")
    told = printed(capsys, "--pipette", WALZ, "--bath", "acsf", *chosen)
    assert told.startswith("+13.46 mV") and "mobilities of LJPcalc" in told
    assert "generalised Henderson equation: +13.10 mV" in told
    assert "Na raised by 2 to 11 mM" in told


def test_an_assumed_temperature_is_said(capsys) -> None:
    """Without a temperature 25 degC is taken, and the output says so."""
    told = printed(capsys, "--pipette", "KCl 140", "--bath", "NaCl 140")
    assert "no --temperature was given: 25 degC is assumed" in told


def test_recipes_are_listed(capsys) -> None:
    """`twin ljp --recipes` names every recipe with its text and source."""
    told = printed(capsys, "--recipes")
    for recipe in RECIPES.values():
        assert recipe.name in told and recipe.text in told and recipe.source in told


@pytest.mark.parametrize(
    ("pipette", "bath", "temperature", "message"),
    [
        ("Kalium 5, Cl 5", "acsf", "25", "--pipette: The ion 'Kalium' has no known mobility"),
        ("K 100, Cl 50", "acsf", "25", "pipette solution is not electroneutral: .* 50 mM of negative charge"),
        ("kcl", "Na 100, Cl 110", "25", "bath solution is not electroneutral: .* 10 mM of positive charge"),
        ("kcl", "acsf", "300", "300 looks like kelvin: give it in degrees Celsius, here 26.85"),
        ("kcl", "acsf", "-90", "outside -20 to 100 C"),
        ("kcl", "acsf", "nan", "outside -20 to 100 C"),
        ("K -3, Cl 3", "acsf", "25", "--pipette: The entry 'K -3' has a negative concentration"),
        ("kcl", "", "25", "--bath: The recipe '' has no ions"),
        ("kcl", "K 0, Cl 0", "25", "The bath solution has no ions"),
        ("k-glukonate", "acsf", "25", "neither the name of a recipe .did you mean k-gluconate"),
        ("K 2,5", "acsf", "25", "point for decimals"),
    ],
)
def test_bad_input_is_one_sentence(capsys, pipette: str, bath: str, temperature: str, message: str) -> None:
    """Each is told in one line on standard error with exit code 2, and nothing is printed as if it were a result."""
    with pytest.raises(SystemExit) as caught:
        main(["ljp", "--pipette", pipette, "--bath", bath, "--temperature", temperature])
    out, told = capsys.readouterr()
    assert caught.value.code == 2 and out == ""
    assert len(told.splitlines()) == 1 and told.startswith("twin: input error: ")
    assert re.search(message, told)


@pytest.mark.parametrize("given", [["--pipette", "kcl"], ["--bath", "acsf"]])
def test_a_missing_side_is_named(capsys, given: list[str]) -> None:
    """Without one of the solutions the sentence says which, and where the names are listed."""
    missing = "bath" if given[0] == "--pipette" else "pipette"
    with pytest.raises(SystemExit) as caught:
        main(["ljp", *given])
    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert f"The {missing} solution is missing" in told and "twin ljp --recipes" in told


def test_help_is_enough(capsys) -> None:
    """The help names every option with what it takes."""
    with pytest.raises(SystemExit) as caught:
        main(["ljp", "--help"])
    told = capsys.readouterr().out
    assert caught.value.code == 0
    for option in ("--pipette", "--bath", "--temperature", "--method", "--mobilities", "--recipes", "nernst-planck"):
        assert option in told


def test_the_other_method_may_fail(capsys, monkeypatch) -> None:
    """A Nernst-Planck equation that does not converge is told, and the Henderson value still stands."""
    monkeypatch.setattr(sys.modules["biophys.corrections.nernst_planck"], "_newton", lambda unknowns, junction: None)
    told = printed(capsys, "--pipette", "kcl", "--bath", "nacl", "--temperature", "25")
    assert "stationary Nernst-Planck equation: none (The Nernst-Planck equation did not converge" in told
    assert told.splitlines()[0].startswith("+")
