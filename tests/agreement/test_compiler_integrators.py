"""The integrators against analytic solutions, and derivatives against finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from brian2 import Equations, Network, NeuronGroup, cm, mS, ms, mV, second, uF

from biophys import compile_network
from biophys.compiler.expressions import degree, parse


def _error_at(method: str, dt_ms: float) -> float:
    """Error at 8 ms of dx/dt = x w cos(w t), whose solution is exp(sin(w t))."""
    group = NeuronGroup(1, "dx/dt = x*w*cos(w*t) : 1", method=method, dt=dt_ms * ms, name="cell")
    group.x = 1
    program = compile_network(Network(group), {"w": 0.7 / ms})
    state, _ = program.run(8 * ms)
    return abs(float(state["cell.x"][0]) - np.exp(np.sin(0.7 * 8)))


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("rk2", 2), ("rk4", 4)])
def test_order_of_convergence(method: str, order: int) -> None:
    """The error falls with the step to the power that the method is named for; the equation depends on time."""
    steps = np.array([0.2, 0.1, 0.05])
    errors = [_error_at(method, step) for step in steps]
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert slope == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize("dt_ms", [0.01, 1.0, 30.0])
def test_exponential_euler_is_exact_for_linear_equations(dt_ms: float) -> None:
    """A linear relaxation is solved to rounding, however long the step."""
    group = NeuronGroup(1, "dv/dt = (e_l - v)/tau : volt", method="exponential_euler", dt=dt_ms * ms, name="cell")
    group.v = 30 * mV
    program = compile_network(Network(group), {"e_l": -70 * mV, "tau": 10 * ms})
    state, _ = program.run(20 * dt_ms * ms)
    exact = -0.07 + 0.1 * np.exp(-20 * dt_ms / 10)
    assert float(state["cell.v"][0]) == pytest.approx(exact, rel=1e-13)


def test_exponential_euler_where_the_slope_vanishes() -> None:
    """A variable whose own slope is zero for some neurons moves by dt f there, with a finite derivative."""
    group = NeuronGroup(
        3, "dx/dt = 2/second - rate*x : 1\nrate : Hz", method="exponential_euler", dt=1 * ms, name="cell"
    )
    program = compile_network(Network(group))

    def last(rate: jax.Array) -> jax.Array:
        return program.run(10 * ms, {"cell.rate": rate})[0]["cell.x"].sum()

    rate = jnp.array([0.0, 5.0, 0.0])
    state, _ = program.run(10 * ms, {"cell.rate": rate})
    np.testing.assert_allclose(state["cell.x"], [0.02, 2 / 5 * (1 - np.exp(-0.05)), 0.02], rtol=1e-13)
    # d/dk of 2/k (1 - exp(-k T)) at k = 0 is -T^2
    assert float(jax.grad(last)(rate)[0]) == pytest.approx(-(0.01**2), rel=1e-9)


def test_brian2s_destroyed_exprel_is_right_here() -> None:
    """`exprel` with a float literal, which Brian2 2.9 and 2.10 lose in exponential_euler (issue 1350), is kept."""
    rate = "dm/dt = 1.28/exprel((13.*mV - v)/(4*mV))/ms*(1 - m) - m/ms : 1\nv : volt"
    group = NeuronGroup(3, rate, method="exponential_euler", dt=0.05 * ms, name="cell")
    group.v = [13, 13.000001, 15] * mV
    program = compile_network(Network(group))
    state, _ = program.run(200 * ms)
    alpha = 1.28 * np.array([1.0, 1 + 1.25e-7, 0.5 / np.expm1(0.5) * np.exp(0.5)])
    np.testing.assert_allclose(state["cell.m"], alpha / (alpha + 1), rtol=1e-9)


CELL = """
dv/dt = (g_l*(e_l - v) + g_na*m**3*h*(e_na - v) + g_k*n**4*(e_k - v) + drive)/c_m : volt
dm/dt = phi*(4/exprel(-(v + 40*mV)/(10*mV))/(4*ms)*(1 - m) - 4*exp(-(v + 65*mV)/(18*mV))/ms*m) : 1
dh/dt = phi*(0.07*exp(-(v + 65*mV)/(20*mV))/ms*(1 - h) - 1/(1 + exp(-(v + 35*mV)/(10*mV)))/ms*h) : 1
dn/dt = phi*(0.1/exprel(-(v + 55*mV)/(10*mV))/ms*(1 - n) - 0.125*exp(-(v + 65*mV)/(80*mV))/ms*n) : 1
phi = 3.0**((temperature_c - 6.3)/10) : 1
temperature_c : 1
drive : amp/meter**2
g_na : siemens/meter**2
"""
CELL_NAMES = {
    **{"c_m": 1 * uF / cm**2, "g_l": 0.3 * mS / cm**2, "g_k": 36 * mS / cm**2},
    **{"e_l": -54.4 * mV, "e_na": 50 * mV, "e_k": -77 * mV},
}


def _cell() -> NeuronGroup:
    group = NeuronGroup(
        2,
        CELL,
        threshold="v > 0*mV",
        refractory="v > 0*mV",
        method="exponential_euler",
        dt=0.02 * ms,
        namespace=CELL_NAMES,
        name="cell",
    )
    group.v, group.m, group.h, group.n = [-65, -62] * mV, 0.05, 0.6, 0.32
    group.temperature_c = 6.3
    return group


def test_gradient_against_finite_differences() -> None:
    """The derivative of a voltage trace through an action potential is the finite difference, for every parameter."""
    program = compile_network(Network(_cell()), inputs=("cell.drive",))

    @jax.jit
    @jax.value_and_grad
    def loss(params: dict[str, jax.Array]) -> jax.Array:
        _, out = program.run(8 * ms, params, {"cell.drive": 0.2}, record=("cell.v",))
        return jnp.mean((out["cell.v"] * 1e3) ** 2)

    at = {"cell.g_na": 1200.0, "cell.temperature_c": 8.0, "cell.c_m": 0.01, "cell.e_k": -0.077, "cell.v": -0.065}
    point = {name: jnp.full(program.shapes[name], value) for name, value in at.items()}
    _, out = program.run(8 * ms, point, {"cell.drive": 0.2}, record=("cell.spike",))
    assert out["cell.spike"].any()
    _, gradient = loss(point)
    for name, value in point.items():
        step = 1e-5 * abs(at[name])
        up, down = (loss({**point, name: value + sign * step})[0] for sign in (1, -1))
        assert float(gradient[name].sum()) == pytest.approx(float(up - down) / (2 * step), rel=1e-5)


def test_refractory_cells_have_finite_gradients() -> None:
    """A reset and a refractory period leave the derivative finite, and zero while the cell is held."""
    group = NeuronGroup(
        1,
        "dv/dt = (gain - v)/(5*ms) : 1 (unless refractory)\ngain : 1",
        threshold="v > 0.5",
        reset="v = 0",
        refractory=100 * ms,
        method="exact",
        dt=1 * ms,
        name="cell",
    )
    program = compile_network(Network(group))

    def last(gain: jax.Array, duration_s: float) -> jax.Array:
        return program.run(duration_s, {"cell.gain": gain})[0]["cell.v"][0]

    slope = jax.grad(last)
    assert float(slope(jnp.float64(1.0), 0.002)) == pytest.approx(1 - np.exp(-2 / 5), rel=1e-12)
    assert float(slope(jnp.float64(1.0), 0.030)) == 0.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(e - v)/tau", 1),
        ("-g*m**3*(v - e) + 2*(-v)", 1),
        ("current/c", 1),
        ("int(v > 0*mV)*k", 0),
        ("-v*int(v > e)", 1),
        ("v**1 + v//e", 1),
        ("floor(v/e) - k % 3", 0),
        ("exp(-v/e)", 2),
        ("-v + exp(v/e)", 2),
        ("v*current", 2),
        ("k/v", 2),
        ("v**2", 2),
        ("abs(v)", 2),
        ("v % 2", 2),
        ("2**v", 2),
    ],
)
def test_degree_in_one_variable(text: str, expected: int) -> None:
    """Constant, affine and other dependence are told apart, through subexpressions; comparisons count as constant."""
    subexpressions = {"current": parse("g*(e - v) + k")}
    assert degree(parse(text).tree, "v", subexpressions) == expected


def test_exact_solution_of_coupled_equations() -> None:
    """`exact` solves a coupled linear system, an alpha-shaped current, to rounding: the solution is Brian2's own."""
    equations = Equations("dg/dt = (s - g)/tau_g : 1\nds/dt = -s/tau_s : 1")
    group = NeuronGroup(1, equations, method="exact", dt=0.5 * ms, name="cell")
    group.s = 1
    program = compile_network(Network(group), {"tau_g": 3 * ms, "tau_s": 8 * ms})
    state, _ = program.run(20 * ms)
    exact = 8 / (8 - 3) * (np.exp(-20 / 8) - np.exp(-20 / 3))
    assert float(state["cell.g"][0]) == pytest.approx(exact, rel=1e-12)
    assert float(state["step"]) * program.dt_s == pytest.approx(float(20 * ms / second))
