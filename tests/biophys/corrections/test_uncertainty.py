"""Propagation of standard deviations, in general and for junction potentials: analytic slopes, and Monte Carlo."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import constants

from biophys.corrections import (
    MOBILITY_SETS,
    InputUncertainty,
    Solution,
    Uncertain,
    henderson,
    ion,
    junction_potential,
    parse_solution,
    propagate,
)
from twin.errors import InputError

FARADAY = constants.e * constants.N_A


def test_linear_functions_are_exact() -> None:
    """For a weighted sum the deviation is the root of the sum of squares, and the parts keep their signs."""
    inputs = {"a": Uncertain(1, 0.3), "b": Uncertain(-2, 0.4), "held": Uncertain(5, 0)}
    found = propagate(lambda x: 2 * x["a"] - 3 * x["b"] + x["held"], inputs)
    assert found.value == 13
    assert found.sd == pytest.approx(math.hypot(0.6, 1.2), rel=1e-9)
    assert found.parts == pytest.approx({"a": 0.6, "b": -1.2}, rel=1e-9)


def test_a_product_adds_relative_deviations() -> None:
    """2 +- 0.1 times 3 +- 0.3 is 6 +- 0.67, the example of the docstring."""
    found = propagate(lambda x: x["a"] * x["b"], {"a": Uncertain(2, 0.1), "b": Uncertain(3, 0.3)})
    assert found.sd == pytest.approx(6 * math.hypot(0.05, 0.1), rel=1e-9)


def test_monte_carlo_agrees_on_a_curved_function() -> None:
    """A Nernst potential of uncertain concentrations and temperature has the spread of 20000 random ones."""
    inputs = {"out": Uncertain(3.0, 0.1), "inside": Uncertain(140.0, 6.0), "kelvin": Uncertain(305.0, 2.0)}

    def nernst_mv(x):
        return 0.08617 * x["kelvin"] * np.log(x["out"] / x["inside"])

    generator = np.random.default_rng(1)
    random = {name: generator.normal(one.value, one.sd, 20_000) for name, one in inputs.items()}
    assert propagate(nernst_mv, inputs).sd == pytest.approx(np.std(nernst_mv(random)), rel=0.02)


def test_forgetting_an_input_would_be_seen() -> None:
    """Without the concentration inside the same comparison fails by far: it can fail."""
    inputs = {"out": Uncertain(3.0, 0.1), "inside": Uncertain(140.0, 0.0)}
    whole = {**inputs, "inside": Uncertain(140.0, 6.0)}
    without, with_it = (propagate(lambda x: math.log(x["out"] / x["inside"]), given).sd for given in (inputs, whole))
    assert without < 0.8 * with_it


@pytest.mark.parametrize(("value", "sd"), [(1, -0.1), (float("nan"), 0.1), (1, float("inf"))])
def test_what_is_no_deviation_is_refused(value: float, sd: float) -> None:
    """Negative deviations and numbers that are none are readable errors."""
    with pytest.raises(InputError, match="zero or more"):
        Uncertain(value, sd)


def test_uncertainty_of_a_concentration_cell_is_analytic() -> None:
    """For one salt the slopes are known: RT/F ln(c1/c2) 2 u+ u- / (u+ + u-)^2 a relative mobility, and V/T a kelvin."""
    u_na, u_cl = ion("Na").mobility, ion("Cl").mobility
    thermal_mv = 1000 * constants.R * 298.15 / FARADAY
    value = thermal_mv * (u_na - u_cl) / (u_na + u_cl) * math.log(20)
    by_mobility = 0.02 * math.sqrt(2) * thermal_mv * math.log(20) * 2 * u_na * u_cl / (u_na + u_cl) ** 2
    by_concentration = 0.03 * 2 * thermal_mv * (u_cl - u_na) / (u_na + u_cl)  # two ions on each of two sides
    given = InputUncertainty(mobility=0.02, concentration=0.03, temperature_c=2)
    for method in ("henderson", "nernst_planck"):
        result = junction_potential({"Na": 100, "Cl": 100}, {"Na": 5, "Cl": 5}, 25, method=method, uncertainty=given)
        assert result.uncertainty_parts_mv["mobilities"] == pytest.approx(by_mobility, rel=1e-4)
        assert result.uncertainty_parts_mv["concentrations"] == pytest.approx(by_concentration, rel=1e-4)
        assert result.uncertainty_parts_mv["temperature"] == pytest.approx(2 * abs(value) / 298.15, rel=1e-6)
        assert result.uncertainty_mv == pytest.approx(math.hypot(*result.uncertainty_parts_mv.values()), rel=1e-9)


def test_uncertainty_agrees_with_random_recipes() -> None:
    """The spread of potassium gluconate over 4000 random mobilities and salt concentrations is the stated one."""
    generator = np.random.default_rng(3)
    pipette, bath = parse_solution("K-gluconate 140"), parse_solution("NaCl 140")
    given = InputUncertainty(mobility=0.02, concentration=0.02, temperature_c=0)

    def random_salt(solution: Solution, mobilities: dict[str, float]) -> Solution:
        # One salt: either ion's error is an error of the salt.
        factor = 1 + generator.normal(0, 0.02) + generator.normal(0, 0.02)
        return Solution(
            {
                dataclasses.replace(one, mobility=one.mobility * mobilities[one.symbol]): mm * factor
                for one, mm in solution.concentrations_mm.items()
            }
        )

    values = []
    for _ in range(4000):
        mobilities = {name: 1 + generator.normal(0, 0.02) for name in ("K", "gluconate", "Na", "Cl")}
        values.append(henderson(random_salt(pipette, mobilities), random_salt(bath, mobilities), 25))
    stated = junction_potential(pipette, bath, 25, uncertainty=given).uncertainty_mv
    assert stated == pytest.approx(np.std(values), rel=0.05)


def test_exact_inputs_have_no_uncertainty() -> None:
    """Nothing is uncertain where nothing is said to be."""
    exact = InputUncertainty(mobility=0, concentration=0, temperature_c=0)
    assert junction_potential({"Na": 1, "Cl": 1}, {"K": 1, "Cl": 1}, 25, uncertainty=exact).uncertainty_mv == 0.0
    with pytest.raises(InputError, match=r"uncertainty of the mobility is -0\.1"):
        InputUncertainty(mobility=-0.1)


def test_default_mobility_uncertainty_is_how_far_the_sets_differ() -> None:
    """Root mean square, the two sets differ by 1.0 % where both have a source of their own, HPO4 apart."""
    ratios = {
        one.symbol: other.mobility / one.mobility
        for one, other in zip(MOBILITY_SETS["ng_barry"], MOBILITY_SETS["ljpcalc"], strict=True)
        if one.mobility != other.mobility
    }
    assert ratios.pop("HPO4") < 0.6
    assert np.sqrt(np.mean([(ratio - 1) ** 2 for ratio in ratios.values()])) == pytest.approx(0.0102, abs=5e-5)
    assert InputUncertainty().mobility == 0.01
