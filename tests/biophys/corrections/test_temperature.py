"""Temperature: published factors, the Eyring definition of MMRT, Nernst and Goldman potentials."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import constants, stats

from biophys.corrections import (
    activation_energy_kj_mol,
    arrhenius_factor,
    ghk_voltage,
    mmrt_factor,
    nernst,
    nernst_at,
    q10_factor,
    thermal_voltage_mv,
)
from twin.errors import InputError, UnsupportedError

SQUID = {"K": (1.0, 20.0, 400.0), "Na": (0.04, 440.0, 50.0), "Cl": (0.45, 560.0, 52.0)}


def mmrt_log_rate(
    temperature_k: float, enthalpy: float, entropy: float, heat_capacity: float, reference_k: float
) -> float:
    """The definition, term by term, in J and K."""
    energy = enthalpy + heat_capacity * (temperature_k - reference_k)
    disorder = entropy + heat_capacity * math.log(temperature_k / reference_k)
    attempts = constants.k * temperature_k / constants.h
    return math.log(attempts) - energy / (constants.R * temperature_k) + disorder / constants.R


@pytest.mark.parametrize(
    ("q10", "from_c", "to_c", "expected"), [(3.0, 6.3, 16.3, 3.0), (2.3, 21.0, 34.0, 2.953), (3.0, 16.3, 6.3, 1 / 3)]
)
def test_q10_gives_the_factors_of_published_models(q10: float, from_c: float, to_c: float, expected: float) -> None:
    """Hodgkin and Huxley's phi and the factor that is fixed in the Hay model come out, and cooling is the inverse."""
    assert q10_factor(q10, from_c, to_c) == pytest.approx(expected, abs=5e-4)


def test_q10_chains_over_temperatures() -> None:
    """Going from 20 to 28 and on to 37 C is going from 20 to 37 C."""
    assert q10_factor(2.3, 20.0, 28.0) * q10_factor(2.3, 28.0, 37.0) == pytest.approx(q10_factor(2.3, 20.0, 37.0))


def test_arrhenius_slope_is_the_activation_energy() -> None:
    """The slope of log factor over 1/T is -Ea/R, the definition of an Arrhenius plot."""
    temperatures_c = np.linspace(10.0, 40.0, 7)
    log_factor = np.log(arrhenius_factor(62.0, 22.0, temperatures_c))
    slope = stats.linregress(1 / (temperatures_c + 273.15), log_factor).slope
    assert slope == pytest.approx(-62_000 / constants.R, rel=1e-9)


def test_arrhenius_from_q10_is_the_form_used_in_published_models() -> None:
    """With the energy of a Q10 between T1 and T2 the factor is exp(ln Q10 (1/Tb - 1/T) / (1/T1 - 1/T2))."""
    t1, t2, base, target = 293.15, 303.15, 296.15, 309.15
    published = math.exp(math.log(2.7) * (1 / base - 1 / target) / (1 / t1 - 1 / t2))
    energy = activation_energy_kj_mol(2.7, 20.0, 30.0)
    assert arrhenius_factor(energy, 23.0, 36.0) == pytest.approx(published, rel=1e-12)
    assert arrhenius_factor(energy, 20.0, 30.0) == pytest.approx(2.7, rel=1e-12)


@pytest.mark.parametrize("heat_capacity", [-3.0, 0.0, 1.5])
@pytest.mark.parametrize(("from_c", "to_c"), [(20.0, 30.0), (37.0, 22.0), (24.0, 24.0)])
def test_mmrt_is_the_ratio_of_two_rates_by_definition(heat_capacity: float, from_c: float, to_c: float) -> None:
    """The factor is exp of the difference of the two full log rates, whatever entropy of activation they share."""
    for entropy in (-80.0, 40.0):
        rates = [mmrt_log_rate(t + 273.15, 55e3, entropy, 1e3 * heat_capacity, 298.15) for t in (from_c, to_c)]
        expected = math.exp(rates[1] - rates[0])
        assert mmrt_factor(55.0, heat_capacity, 25.0, from_c, to_c) == pytest.approx(expected, rel=1e-9)


def test_mmrt_without_heat_capacity_is_eyring() -> None:
    """At zero heat capacity the factor is T2/T1 times the Arrhenius factor of the enthalpy."""
    expected = 308.15 / 298.15 * arrhenius_factor(50.0, 25.0, 35.0)
    assert mmrt_factor(50.0, 0.0, 25.0, 25.0, 35.0) == pytest.approx(expected, rel=1e-12)


def test_mmrt_has_the_optimum_that_calculus_gives() -> None:
    """With a negative heat capacity the fastest temperature is (dH - dCp T0) / (-dCp - R)."""
    enthalpy, heat_capacity, reference_k = 45e3, -4e3, 298.15
    optimum_c = (enthalpy - heat_capacity * reference_k) / (-heat_capacity - constants.R) - 273.15
    grid_c = np.linspace(optimum_c - 5.0, optimum_c + 5.0, 1001)
    factors = mmrt_factor(45.0, -4.0, 25.0, 25.0, grid_c)
    assert grid_c[np.argmax(factors)] == pytest.approx(optimum_c, abs=0.01)
    assert factors[0] < factors[500] > factors[-1]


def test_the_three_laws_share_their_slope_at_the_reference() -> None:
    """For a small step the laws with matching local energies agree; for a large one they part."""
    energy = 60.0
    q10 = math.exp(10.0 * 1e3 * energy / (constants.R * 298.15**2))
    enthalpy = energy - constants.R * 298.15 / 1e3
    near = [
        q10_factor(q10, 25.0, 25.1),
        arrhenius_factor(energy, 25.0, 25.1),
        mmrt_factor(enthalpy, -3.0, 25.0, 25.0, 25.1),
    ]
    far = [
        q10_factor(q10, 25.0, 40.0),
        arrhenius_factor(energy, 25.0, 40.0),
        mmrt_factor(enthalpy, -3.0, 25.0, 25.0, 40.0),
    ]
    assert np.ptp(near) < 5e-4
    assert far[0] > 1.05 * far[1] > 1.5 * far[2]


def test_nernst_follows_absolute_temperature() -> None:
    """E_K of -72 mV at 18 C is -74.473 mV at 28 C, which is also what the concentrations give."""
    assert nernst_at(-72.0, 18.0, 28.0) == pytest.approx(-74.473, abs=5e-4)
    cold, warm = nernst(1, 5.0, 140.0, 18.0), nernst(1, 5.0, 140.0, 28.0)
    assert nernst_at(cold, 18.0, 28.0) == pytest.approx(warm, rel=1e-12)


def test_nernst_is_58_mv_a_decade_at_20_c() -> None:
    """The textbook slope: 58.17 mV per decade at 20 C, half of it for a divalent ion, reversed for an anion."""
    assert thermal_voltage_mv(25.0) == pytest.approx(25.693, abs=5e-4)
    assert nernst(1, 100.0, 10.0, 20.0) == pytest.approx(58.17, abs=0.005)
    assert nernst(2, 100.0, 10.0, 20.0) == pytest.approx(58.17 / 2, abs=0.005)
    assert nernst(-1, 100.0, 10.0, 20.0) == pytest.approx(-58.17, abs=0.005)


def squid_rest_mv() -> float:
    """The three ions of the squid axon at 20 C."""
    permeability, outside, inside = ({name: row[i] for name, row in SQUID.items()} for i in range(3))
    return ghk_voltage(permeability, outside, inside, 20.0)


def test_ghk_gives_the_squid_axon_at_rest() -> None:
    """Hodgkin and Katz's permeabilities give about -60 mV, and a single permeant ion gives its Nernst potential."""
    assert squid_rest_mv() == pytest.approx(-59.93, abs=0.005)
    for name, valence in (("K", 1), ("Cl", -1)):
        _, outside, inside = SQUID[name]
        alone = ghk_voltage({name: 2.5}, {name: outside}, {name: inside}, 20.0)
        assert alone == pytest.approx(nernst(valence, outside, inside, 20.0), rel=1e-12)


def test_ghk_voltage_is_where_the_ghk_currents_cancel() -> None:
    """The summed constant-field currents of all ions, written out apart, are zero at the returned voltage."""
    u = squid_rest_mv() / thermal_voltage_mv(20.0)
    currents = [
        p * u * (inside - outside * math.exp(-z * u)) / (1 - math.exp(-z * u))
        for z, (p, outside, inside) in zip((1, 1, -1), SQUID.values(), strict=True)
    ]
    assert abs(sum(currents)) < 1e-9 * max(map(abs, currents))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_goes_in_comes_out(dtype: type) -> None:
    """Floats give Python floats; numpy arrays give numpy arrays of the same dtype and the same numbers."""
    temperatures_c: np.ndarray = np.array([15.0, 25.0, 37.0], dtype=dtype)
    laws = (
        lambda t: q10_factor(2.3, 21.0, t),
        lambda t: arrhenius_factor(60.0, 21.0, t),
        lambda t: mmrt_factor(60.0, -2.0, 25.0, 21.0, t),
        lambda t: nernst(1, 5.0, 140.0, t),
        lambda t: nernst_at(-72.0, 18.0, t),
    )
    for law in laws:
        values = law(temperatures_c)
        assert isinstance(values, np.ndarray) and values.dtype == dtype and values.shape == (3,)
        singles = [law(float(t)) for t in temperatures_c]
        assert all(type(single) is float for single in singles)
        np.testing.assert_allclose(values, singles, rtol=1e-4 if dtype == np.float32 else 1e-12)


def test_factors_differentiate_under_jit() -> None:
    """JAX traces the laws: the derivative of ln factor with respect to temperature is the analytic one."""
    at = jnp.asarray(30.0, dtype=jnp.float32)

    def slope(law):
        return float(jax.jit(jax.grad(lambda t: jnp.log(law(t))))(at))

    assert slope(lambda t: q10_factor(2.3, 21.0, t)) == pytest.approx(math.log(2.3) / 10, rel=1e-3)
    assert slope(lambda t: arrhenius_factor(60.0, 21.0, t)) == pytest.approx(60e3 / (constants.R * 303.15**2), rel=1e-3)
    expected = 1 / 303.15 + (60e3 - 2e3 * 5.0) / (constants.R * 303.15**2)
    assert slope(lambda t: mmrt_factor(60.0, -2.0, 25.0, 21.0, t)) == pytest.approx(expected, rel=1e-3)


def test_unusable_input_is_refused() -> None:
    """Kelvin for Celsius, impossible factors, empty sides and divalent ions in GHK are readable errors."""
    with pytest.raises(InputError, match="give it in degrees Celsius"):
        q10_factor(2.3, 294.15, 307.15)
    with pytest.raises(InputError, match="nan"):
        nernst_at(-72.0, float("nan"), 28.0)
    with pytest.raises(InputError, match=r"Q10 is -1\.0"):
        q10_factor(-1.0, 21.0, 34.0)
    with pytest.raises(InputError, match="two different temperatures"):
        activation_energy_kj_mol(3.0, 20.0, 20.0)
    with pytest.raises(InputError, match=r"concentration inside is 0\.0"):
        nernst(1, 5.0, 0.0, 20.0)
    with pytest.raises(InputError, match="valence 0"):
        nernst(0, 5.0, 1.0, 20.0)
    with pytest.raises(InputError, match="for the same ions"):
        ghk_voltage({"K": 1.0}, {"K": 3.0, "Na": 1.0}, {"K": 140.0}, 20.0)
    with pytest.raises(InputError, match="permeability times concentration"):
        ghk_voltage({"K": 1.0}, {"K": 0.0}, {"K": 140.0}, 20.0)
    with pytest.raises(UnsupportedError, match="monovalent ions and 'Ca' has valence 2"):
        ghk_voltage({"Ca": 1.0}, {"Ca": 2.0}, {"Ca": 0.1}, 20.0)
