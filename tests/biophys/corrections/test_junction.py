"""Junction potentials: published numbers, exact special cases, symmetries and the sign of the correction."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import constants

from biophys.corrections import (
    JPCALC_ZERO_CELSIUS_K,
    henderson,
    ion,
    junction_potential,
    parse_solution,
    remove_junction_potential,
)
from twin.errors import InputError

FARADAY = constants.e * constants.N_A
K_GLUCONATE = "K 130, gluconate 110, HEPES 5, EGTA 1, Cl 24, Mg 2, Na 9, ATP 2"
BICARBONATE_BATH = "K 3, Cl 133.8, Mg 1.5, Na 152.2, SO4 1.5, H2PO4 1.2, Ca 2.4, HCO3 25"
HEPES_BATH = "Na 145, K 2.8, Ca 2, Mg 1, Cl 153.8, HEPES 5"
FIGL_PIPETTE = "K 145, Na 13, Cl 10, gluconate 145, Mg 1, HEPES 5"
FIGL_BATH = "K 2.8, Na 145, Cl 148.8, Mg 2, Ca 1, HEPES 5"

# Pipette, bath, the number as printed, and the same equation evaluated elsewhere at 293.15 K.
# Ng & Barry 1995 table 2; the manual of JPCalcW, pages 7 and 10; AxoBits 39.
PUBLISHED_AT_20_C = [
    ("NaCl 50", "KCl 50", "-4.3", -4.2832),
    ("NaCl 150", "KCl 150", "-4.3", -4.2832),
    ("NaCl 50", "CsCl 50", "-4.9", -4.8952),
    ("NaCl 100", "MgCl2 100", "10.0", 10.0347),
    ("CaCl2 100", "MgCl2 100", "0.6", 0.6159),
    ("KCl 100, CaCl2 2", "LiCl 100, CaCl2 2", "6.4", 6.4326),
    ("CaCl2 50, MgCl2 50", "LiCl 100", "-8.2", -8.2415),
    ("NaCl 10, CsF 135", "NaCl 145", "8.74", 8.7451),
    ("CsF 125, CsCl 20", "NaCl 145", "8.71", 8.7166),
    (FIGL_PIPETTE, FIGL_BATH, "15.6", 15.6105),
]

SOLUTION_PAIRS = [(K_GLUCONATE, BICARBONATE_BATH), ("CsF 125, CsCl 20", "NaCl 145"), ("CaCl2 290", "CaCl2 5.45")]


def ljp_mv(pipette: str, bath: str, temperature_c: float | int, **keywords: float) -> float:
    return henderson(parse_solution(pipette), parse_solution(bath), temperature_c, **keywords)


def diluted(recipe: str) -> dict[str, float | int]:
    return {one.symbol: 0.1 * mm for one, mm in parse_solution(recipe).concentrations_mm.items()}


@pytest.mark.parametrize(("pipette", "bath", "printed", "exact_mv"), PUBLISHED_AT_20_C)
def test_published_numbers_to_their_last_digit(pipette: str, bath: str, printed: str, exact_mv: float) -> None:
    """With zero Celsius at 273 K, as JPCalcW has it, every printed number comes out to its last digit."""
    n_decimals = len(printed.split(".")[1])
    rounded = ljp_mv(pipette, bath, 20, zero_celsius_k=JPCALC_ZERO_CELSIUS_K)
    assert f"{rounded:.{n_decimals}f}" == printed
    assert ljp_mv(pipette, bath, 20) == pytest.approx(exact_mv, abs=2e-4)


def test_zero_celsius_is_what_separates_the_two_conventions() -> None:
    """The second decimal of the manual's examples tells 273 K from 273.15 K, so the check above can fail."""
    assert f"{ljp_mv('NaCl 10, CsF 135', 'NaCl 145', 20):.2f}" == "8.75"
    assert f"{ljp_mv('CsF 125, CsCl 20', 'NaCl 145', 20):.2f}" == "8.72"


@pytest.mark.parametrize(
    ("pipette", "bath", "temperature_c", "expected_mv", "within_mv"),
    [
        (K_GLUCONATE, BICARBONATE_BATH, 25, 13.1033, 0.01),
        (K_GLUCONATE.replace("K 130", "Cs 130"), BICARBONATE_BATH, 25, 13.6025, 0.01),
        (K_GLUCONATE.replace("gluconate", "methanesulfonate"), BICARBONATE_BATH, 25, 8.3985, 0.01),
        ("NaCl 99.5", "NaCl 4.99", 20, -15.6825, 0.001),
        ("CaCl2 290", "CaCl2 5.45", 20, -34.4248, 0.001),
        ("ZnSO4 400", "ZnSO4 18.6", 25, -8.0732, 0.01),
        ("H 100, Cl 100", "H 3.45, Cl 3.45", 25, 55.5, 0.05),
        ("K 145, Cl 140, HEPES 5", HEPES_BATH, 20, 5.0, 0.06),
        ("K 145, gluconate 140, HEPES 5", HEPES_BATH, 34, 17.9, 0.06),
        ("K 145, gluconate 125, Cl 15, HEPES 5", HEPES_BATH, 25, 15.8, 0.06),
        ("K 145, glutamate 140, HEPES 5", HEPES_BATH, 25, 19.0, 0.06),
        ("K 145, aspartate 140, HEPES 5", HEPES_BATH, 25, 18.1, 0.06),
        ("K 145, methanesulfonate 140, HEPES 5", HEPES_BATH, 25, 10.9, 0.06),
        ("Cs 145, methanesulfonate 140, HEPES 5", HEPES_BATH, 34, 11.9, 0.06),
        ("Cs 145, F 140, HEPES 5", HEPES_BATH, 20, 9.8, 0.06),
    ],
)
def test_recipes_against_another_evaluation(
    pipette: str, bath: str, temperature_c: int, expected_mv: float, within_mv: float
) -> None:
    """Patch recipes and concentration cells agree with the same equation evaluated from other ion libraries."""
    assert ljp_mv(pipette, bath, temperature_c) == pytest.approx(expected_mv, abs=within_mv)


@pytest.mark.parametrize(("a", "b", "x"), [("Na", "K", "Cl"), ("Cs", "Li", "gluconate"), ("Ca", "Mg", "SO4")])
def test_two_salts_with_a_common_anion_are_analytic(a: str, b: str, x: str) -> None:
    """AX against BX at one concentration is RT/(zF) ln((uA + uX) / (uB + uX)), the Lewis-Sargent formula."""
    u_a, u_b, u_x = (ion(name).mobility for name in (a, b, x))
    rt_over_zf = 1000 * constants.R * 298.15 / (FARADAY * ion(a).valence)
    expected = rt_over_zf * math.log((u_a + u_x) / (u_b + u_x))
    assert henderson({a: 100, x: 100}, {b: 100, x: 100}, 25) == pytest.approx(expected, rel=1e-12)


def test_one_salt_at_two_concentrations_is_analytic() -> None:
    """A 1:1 salt at two concentrations is RT/F (u+ - u-)/(u+ + u-) ln(c_pipette / c_bath)."""
    u_na, u_cl = ion("Na").mobility, ion("Cl").mobility
    expected = 1000 * constants.R * 298.15 / FARADAY * (u_na - u_cl) / (u_na + u_cl) * math.log(100 / 5)
    assert ljp_mv("NaCl 100", "NaCl 5", 25) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("pipette", "bath"), SOLUTION_PAIRS)
def test_symmetries(pipette: str, bath: str) -> None:
    """Swapping sides flips the sign, diluting both alike changes nothing, and absolute temperature is a factor."""
    value = ljp_mv(pipette, bath, 20)
    assert abs(value) > 1
    assert ljp_mv(bath, pipette, 20) == pytest.approx(-value, rel=1e-12)
    assert henderson(diluted(pipette), diluted(bath), 20) == pytest.approx(value, rel=1e-12)
    assert ljp_mv(pipette, bath, 37) / value == pytest.approx(310.15 / 293.15, rel=1e-12)


def test_same_solution_on_both_sides_has_none() -> None:
    """A solution against itself gives exactly zero, where the textbook form is 0/0."""
    assert ljp_mv(K_GLUCONATE, K_GLUCONATE, 25) == 0.0


def test_equal_conductance_is_the_limit_of_nearly_equal() -> None:
    """Where both sides conduct alike the textbook form divides by zero; here the value is the limit."""
    pipette = {"K": 100, "gluconate": 100}
    total = ion("K").mobility + ion("gluconate").mobility
    equal_mm = 100 * total / (ion("Na").mobility + ion("Cl").mobility)
    at, below, above = (
        henderson(pipette, {"Na": mm, "Cl": mm}, 25) for mm in (equal_mm, equal_mm - 1e-4, equal_mm + 1e-4)
    )
    assert math.isfinite(at)
    assert at == pytest.approx((below + above) / 2, rel=1e-9)
    assert below != at != above


def test_result_carries_parts_and_convention() -> None:
    """The parts of the ions add up to the value, and the result says its temperature, method and sign."""
    result = junction_potential(parse_solution(K_GLUCONATE), parse_solution(BICARBONATE_BATH), 25)
    assert result.value_mv == ljp_mv(K_GLUCONATE, BICARBONATE_BATH, 25)
    assert math.fsum(result.contributions_mv.values()) == pytest.approx(result.value_mv, rel=1e-12)
    assert set(result.contributions_mv) >= {"K", "gluconate", "HCO3", "EGTA2-", "ATP2-"}
    assert (result.temperature_c, result.method) == (25.0, "generalised Henderson")
    assert result.convention.startswith("E_bath - E_pipette")


@pytest.mark.parametrize(
    ("pipette", "bath", "temperature_c", "message"),
    [
        ({}, {"K": 1, "Cl": 1}, 20, "pipette solution has no ions"),
        ({"K": 1, "Cl": 1}, {"K": 0, "Cl": 0}, 20, "bath solution has no ions"),
        ({"K": -1, "Cl": 1}, {"K": 1, "Cl": 1}, 20, "-1.0 mM of K"),
        ({"Kalium": 1, "Cl": 1}, {"K": 1, "Cl": 1}, 20, "'Kalium' has no known mobility"),
        ({"K": 1, "Cl": 1}, {"Na": 1, "Cl": 1}, 293.15, "degrees Celsius"),
    ],
)
def test_unusable_input_is_refused(
    pipette: dict[str, float | int], bath: dict[str, float | int], temperature_c: float | int, message: str
) -> None:
    """Empty sides, negative or unknown ions and kelvin for Celsius are readable errors."""
    with pytest.raises(InputError, match=message):
        henderson(pipette, bath, temperature_c)


def test_removal_lowers_the_voltage_by_the_junction_potential() -> None:
    """Potassium gluconate gives about +13 mV, so a recorded -60 mV is a membrane potential of about -73 mV."""
    value = ljp_mv(K_GLUCONATE, BICARBONATE_BATH, 25)
    assert remove_junction_potential(-60.0, value) == pytest.approx(-73.1, abs=0.05)


def test_removal_keeps_kind_shape_and_precision_of_arrays() -> None:
    """numpy and JAX arrays come back as the same kind, shape and dtype, and the caller's array is untouched."""
    recorded = np.linspace(-80.0, 40.0, 12, dtype=np.float32).reshape(3, 4)
    before = recorded.copy()
    value = ljp_mv("K 145, gluconate 140, HEPES 5", HEPES_BATH, 25)
    corrected = remove_junction_potential(recorded, value)
    assert isinstance(corrected, np.ndarray) and corrected.dtype == np.float32
    np.testing.assert_array_equal(recorded, before)
    np.testing.assert_allclose(corrected, before - np.float32(value), rtol=1e-6)
    on_jax = remove_junction_potential(jnp.asarray(recorded), value)
    assert on_jax.dtype == jnp.float32 and on_jax.shape == (3, 4)
    np.testing.assert_allclose(np.asarray(on_jax), corrected, rtol=1e-6)
