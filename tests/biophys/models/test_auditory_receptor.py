"""The auditory receptor: the equations are the publication's."""

import brian2
import numpy as np
import pytest

from biophys.models import ALL
from twin.errors import InputError

RECEPTOR = ALL["auditory_receptor"]


def steady_states(v_mv: float) -> dict[str, float]:
    """Gates at rest at one voltage, by Brian2 from the model's own text."""
    group = brian2.NeuronGroup(1, RECEPTOR.equations, method="exponential_euler", namespace={}, name="probe*")
    group.temperature_c, group.q10_conductance, group.q10_gate, group.q10_slow_gate = 18.0, 1.6, 3.0, 2.3
    group.v = v_mv * brian2.mV
    gates = {}
    for gate in "mhn":
        alpha, beta = (float(getattr(group, f"{rate}_{gate}")[0]) for rate in ("alpha", "beta"))
        gates[gate] = alpha / (alpha + beta)
        gates[f"tau_{gate}"] = 1e3 / (alpha + beta)
    gates |= {"a": float(group.a_inf[0]), "b": float(group.b_inf[0]), "tau_a": 1e3 * float(group.tau_a[0])}
    brian2.Network(group).run(0 * brian2.ms, namespace={})
    return gates


@pytest.mark.parametrize("v_mv", [-70.0, -45.0, -29.7, 10.0])
def test_gates_follow_the_published_formulae(v_mv):
    """Opening and closing rates of Roemschied et al. 2014 computed here, the removable singularity at -29.7 mV too."""
    v = v_mv + 1e-9
    alpha = {
        "m": 0.38 * (v + 29.7) / (1 - np.exp(-0.1 * (v + 29.7))),
        "h": 0.266 * np.exp(-0.05 * (v + 48)),
        "n": 0.02 * (v + 45.7) / (1 - np.exp(-0.1 * (v + 45.7))),
    }
    beta = {
        "m": 15.2 * np.exp(-0.0556 * (v + 54.7)),
        "h": 3.8 / (1 + np.exp(-0.1 * (v + 18))),
        "n": 0.25 * np.exp(-0.0125 * (v + 55.7)),
    }
    found = steady_states(v_mv)
    for gate in "mhn":
        np.testing.assert_allclose(found[gate], alpha[gate] / (alpha[gate] + beta[gate]), rtol=1e-6)
        np.testing.assert_allclose(found[f"tau_{gate}"], 1 / (alpha[gate] + beta[gate]), rtol=1e-6)
    a_inf = (0.0761 * np.exp(0.0314 * (v + 94.22)) / (1 + np.exp(0.0346 * (v + 1.17)))) ** (1 / 3)
    np.testing.assert_allclose(found["a"], a_inf, rtol=1e-6)
    np.testing.assert_allclose(found["b"], (1 / (1 + np.exp(0.0688 * (v + 53.3)))) ** 4, rtol=1e-6)
    np.testing.assert_allclose(found["tau_a"], 0.3632 + 1.158 / (1 + np.exp(0.0497 * (v + 55.96))), rtol=1e-6)


def test_units_are_scaled_once():
    """1.2 mS/mm2 is 1200 S/m2."""
    sodium = RECEPTOR.parameter("g_na")
    assert sodium.value * sodium.scale == pytest.approx(1200.0)


def test_an_unknown_parameter_is_named():
    """Asking for a parameter that is not there lists those there are."""
    with pytest.raises(InputError, match="no parameter 'g_ca'; it has area, c_m, g_na"):
        RECEPTOR.parameter("g_ca")
