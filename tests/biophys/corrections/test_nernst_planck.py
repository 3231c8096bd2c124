"""The Nernst-Planck potential: against a boundary value solver, special cases, properties, and where it must refuse."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import constants, integrate

from biophys.corrections import (
    IONS,
    Ion,
    Solution,
    henderson,
    ion,
    nernst_planck,
    neutralised,
    parse_solution,
    with_mobilities,
)
from twin.errors import InputError, NeurotwinError

THERMAL_MV_25_C = 1000 * constants.R * 298.15 / constants.physical_constants["Faraday constant"][0]
ZINC = ("Zn 9, Cl 18", "Zn 0.0284, K 3, Cl 3.0568")
FIGL = ("K 145, Na 13, Cl 10, gluconate 145, Mg 1, HEPES 5", "K 2.8, Na 145, Cl 148.8, Mg 2, Ca 1, HEPES 5")


def by_boundary_value_solver(pipette: Solution, bath: Solution) -> float:
    """The same equations over the distance, concentrations as states and fluxes as parameters, by scipy's collocation.

    Shares nothing with the library but the ions: no valence classes, no change of variable, no matrix exponential.
    """
    inside, outside = pipette.concentrations_mm, bath.concentrations_mm
    ions = list({**inside, **outside})
    z = np.array([one.valence for one in ions], dtype=float)
    u = np.array([one.mobility for one in ions])
    start, end = (np.array([side.get(one, 0.0) for one in ions]) for side in (inside, outside))

    def slopes(x, states, fluxes):
        c = states[:-1]
        psi_slope = -np.sum(z * fluxes / u) / np.sum(z[:, None] ** 2 * c, axis=0)
        return np.vstack([-(fluxes / u)[:, None] - z[:, None] * c * psi_slope, psi_slope])

    def ends(first, last, fluxes):
        # The last concentration at the end follows from the others by electroneutrality; the current is zero.
        return np.concatenate([first[:-1] - start, last[:-2] - end[:-1], [first[-1], z @ fluxes]])

    x = np.linspace(0, 1, 41)
    guess = np.vstack([start[:, None] + (end - start)[:, None] * x, np.zeros_like(x)])
    solved = integrate.solve_bvp(slopes, ends, x, guess, p=u * (start - end), tol=1e-8, max_nodes=20_000)
    assert solved.success, solved.message
    return THERMAL_MV_25_C * float(solved.y[-1, -1])


@pytest.mark.parametrize(
    ("pipette", "bath"),
    [
        ZINC,
        FIGL,
        ("NaCl 100", "MgCl2 100"),
        ("NaCl 99.5", "NaCl 4.99"),
        ("La 1, citrate 1", "Na2SO4 20, MgCl2 3"),
        ("K 130, gluconate 110, HEPES 5, EGTA 1, Cl 24, Mg 2, Na 11, ATP 2", "NaCl 126, KCl 3, NaHCO3 25, CaCl2 2.4"),
    ],
)
def test_a_boundary_value_solver_agrees(pipette: str, bath: str) -> None:
    """Collocation over the distance gives the same potential to a microvolt, also at 300 to 1 and for valence 3."""
    for mobilities in ("ng_barry", "ljpcalc"):
        sides = [with_mobilities(parse_solution(side), mobilities) for side in (pipette, bath)]
        assert nernst_planck(*sides, 25) == pytest.approx(by_boundary_value_solver(*sides), abs=1e-3)


def test_steps_of_euler_converge_to_it() -> None:
    """The published -20.79558643 mV lies between us and Henderson: Euler steps away, not another equation."""
    zinc, potassium = (with_mobilities(parse_solution(side), "ljpcalc") for side in ZINC)
    value = nernst_planck(zinc, potassium, 25)
    assert value == pytest.approx(-20.8139, abs=1e-4)
    assert value < -20.79558643 < henderson(zinc, potassium, 25)


@pytest.mark.parametrize(
    ("pipette", "bath"),
    [
        ("NaCl 500", "NaCl 0.5"),
        ("CaCl2 290", "CaCl2 5.45"),
        ("ZnSO4 400", "ZnSO4 18.6"),
        ("La 1, citrate 1", "La 40, citrate 40"),
        ("NaCl 50", "KCl 50"),
        ("CaCl2 100", "MgCl2 100"),
        ("KCl 100, CaCl2 2", "LiCl 100, CaCl2 2"),
        ("K-gluconate 140", "KCl 140"),
    ],
)
def test_where_henderson_is_exact_it_is_henderson(pipette: str, bath: str) -> None:
    """One salt at two concentrations, and ions exchanged for others of their valence, have linear profiles."""
    sides = parse_solution(pipette), parse_solution(bath)
    assert nernst_planck(*sides, 25) == pytest.approx(henderson(*sides, 25), rel=1e-10)


def test_where_henderson_is_not_exact_it_differs() -> None:
    """Two salts at unlike concentrations have curved profiles: the check above can fail."""
    sides = parse_solution("NaCl 100"), parse_solution("KCl 10")
    assert abs(nernst_planck(*sides, 25) - henderson(*sides, 25)) > 0.1


def test_plancks_formula_for_two_uniunivalent_mixtures() -> None:
    """For monovalent ions Planck's transcendental equation of 1890 holds: the ratio xi = exp(psi) solves it.

    `(xi U2 - U1) / (V2 - xi V1) = (ln(C2/C1) - ln xi) / (ln(C2/C1) + ln xi) * (xi C2 - C1) / (C2 - xi C1)`, with U
    and V the sums of mobility times concentration of cations and anions, and C those of the concentrations of either.
    """
    one, two = {"Na": 100.0, "Cl": 100.0}, {"K": 10.0, "Cl": 4.0, "gluconate": 6.0}
    (u1, v1), (u2, v2) = (
        [sum(ion(name).mobility * mm for name, mm in side.items() if ion(name).valence == sign) for sign in (1, -1)]
        for side in (one, two)
    )
    c1, c2 = sum(one.values()) / 2, sum(two.values()) / 2
    psi = nernst_planck(one, two, 25, tolerance_mv=1e-9) / THERMAL_MV_25_C
    xi, ratio = np.exp(psi), np.log(c2 / c1)
    expected = (ratio - psi) / (ratio + psi) * (xi * c2 - c1) / (c2 - xi * c1)
    assert (xi * u2 - u1) / (v2 - xi * v1) == pytest.approx(expected, rel=1e-9)


amounts = st.dictionaries(st.sampled_from(IONS), st.floats(0.1, 200), min_size=1, max_size=6)


def neutral(concentrations_mm: dict[Ion, float]) -> Solution:
    """The ions with as much Na or Cl as makes them electroneutral."""
    balanced = {ion("Na"): 0.0, ion("Cl"): 0.0, **concentrations_mm}
    excess = Solution(balanced).charge_mm
    filler = ion("Cl") if excess > 0 else ion("Na")
    return Solution({**balanced, filler: balanced[filler] + abs(excess)})


@settings(max_examples=40, deadline=None, derandomize=True)
@given(amounts, amounts, st.floats(0.01, 100))
def test_properties_of_any_pair(inside: dict[Ion, float], outside: dict[Ion, float], factor: float) -> None:
    """Any two neutral solutions: swapped the sign flips, diluted alike nothing changes, and kelvins are a factor."""
    pipette, bath = neutral(inside), neutral(outside)
    value = nernst_planck(pipette, bath, 20)
    assert nernst_planck(bath, pipette, 20) == pytest.approx(-value, abs=1e-6)
    weaker = [Solution({one: factor * mm for one, mm in side.concentrations_mm.items()}) for side in (pipette, bath)]
    assert nernst_planck(*weaker, 20) == pytest.approx(value, abs=1e-6)
    assert nernst_planck(pipette, bath, 37) == pytest.approx(value * 310.15 / 293.15, abs=1e-6)


@pytest.mark.parametrize("dilution", [1e-2, 1e-4, 1e-6])
def test_steep_junctions_converge(dilution: float) -> None:
    """A million to one, with five valences: still found, and still antisymmetric."""
    pipette = parse_solution("K 130, gluconate 110, HEPES 5, EGTA3- 1, Cl 24, Mg 2, Na 16, ATP4- 2")
    bath = parse_solution("NaCl 126, KCl 3, NaHCO3 25, CaCl2 2.4, La 1, citrate 1")
    weak = Solution({one: dilution * mm for one, mm in bath.concentrations_mm.items()})
    value = nernst_planck(pipette, weak, 25)
    assert abs(value) < 200
    assert nernst_planck(weak, pipette, 25) == pytest.approx(-value, abs=1e-6)


def test_same_solution_on_both_sides_has_none() -> None:
    """Nothing changes across the junction, and nothing is divided by zero."""
    assert nernst_planck(parse_solution(FIGL[0]), parse_solution(FIGL[0]), 25) == pytest.approx(0, abs=1e-12)


def test_traces_of_an_ion_change_nothing() -> None:
    """An ion at zero, or at a nanomolar, leaves the value where it is."""
    pipette, bath = {"Na": 100.0, "Cl": 100.0}, {"K": 30.0, "Cl": 30.0}
    value = nernst_planck(pipette, bath, 25)
    assert nernst_planck({**pipette, "Mg": 0.0}, {**bath, "SO4": 0.0}, 25) == pytest.approx(value, abs=1e-9)
    traces = nernst_planck({**pipette, "Mg": 1e-6, "SO4": 1e-6}, bath, 25)
    assert traces == pytest.approx(value, abs=1e-5)


def test_unreached_tolerance_is_an_error_and_no_number() -> None:
    """Better than rounding allows is refused, with what remains and the Henderson value as the way out."""
    with pytest.raises(NeurotwinError, match=r"did not converge .* mV remains, 1e-20 mV was wanted.*Henderson.*-19\.8"):
        nernst_planck(*(parse_solution(side) for side in ZINC), 25, tolerance_mv=1e-20)


def test_a_search_that_fails_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """If no step of the search succeeds there is an error, whatever was last tried."""
    module = sys.modules["biophys.corrections.nernst_planck"]  # the package exports a function of the same name
    monkeypatch.setattr(module, "_newton", lambda unknowns, junction: None)
    with pytest.raises(NeurotwinError, match="an error of inf mV remains"):
        nernst_planck({"Na": 1, "Cl": 1}, {"K": 1, "Cl": 1}, 25)


def test_missing_charge_is_filled_with_the_commonest_ion() -> None:
    """2 mM of cations are missing in the pipette: sodium, the commonest over both sides, goes from 9 to 11 mM."""
    pipette = parse_solution("K 130, gluconate 110, HEPES 5, EGTA 1, Cl 24, Mg 2, Na 9, ATP 2")
    bath = parse_solution("NaCl 126, KCl 3, NaHCO3 25")
    for filled in (neutralised(pipette, bath)[0], neutralised(bath, pipette)[1]):
        assert filled.concentrations_mm[ion("Na")] == pytest.approx(11)
        assert filled.charge_mm == pytest.approx(0, abs=1e-12)
    assert neutralised(pipette, bath)[1] == bath
    by_hand = parse_solution("K 130, gluconate 110, HEPES 5, EGTA 1, Cl 24, Mg 2, Na 11, ATP 2")
    assert nernst_planck(pipette, bath, 25) == pytest.approx(nernst_planck(by_hand, bath, 25), abs=1e-9)


def test_one_sign_alone_cannot_be_filled_up() -> None:
    """Cations without any anion on either side are refused."""
    with pytest.raises(InputError, match="no counter-ions"):
        neutralised(Solution({ion("K"): 1.0}), Solution({ion("Na"): 1.0}))
