"""The program as a value: what it declares, and that it is pure, differentiable and vmappable."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeMonitor, StateMonitor, TimedArray, ms, mV, nA

import biophys
from biophys import Program, compile_network
from biophys.compiler.functions import sample_table
from twin.errors import InputError

EQUATIONS = """
dv/dt = (e_l - v + r*(drive + bias))/tau : volt (unless refractory)
drive : amp
bias : amp (shared)
tau : second
count : integer
excess = v - e_l : volt
"""


def integrate_and_fire(n: int = 3, method: str = "exponential_euler") -> NeuronGroup:
    group = NeuronGroup(
        n,
        EQUATIONS,
        threshold="v > -50*mV",
        reset="v = e_l; count += 1",
        refractory=2 * ms,
        method=method,
        dt=0.1 * ms,
        namespace={"e_l": -70 * mV, "r": 50 * 1e6 * mV / nA * 1e-6},
        name="cell",
    )
    group.v, group.tau, group.bias = -70 * mV, np.linspace(8, 12, n) * ms, 0.1 * nA
    return group


@pytest.fixture(name="program")
def _program() -> Program:
    return compile_network(Network(integrate_and_fire()), inputs=("cell.drive",))


def test_promised_names() -> None:
    """The package offers what it promises."""
    assert {"Program", "compile_network"} <= set(biophys.__all__)


def test_declarations(program: Program) -> None:
    """Units, shapes, defaults and names say what the Brian2 objects said, in SI."""
    assert program.dt_s == pytest.approx(1e-4)
    assert program.event_names == ("cell.spike",)
    states = {"cell.v", "cell.count", "cell.not_refractory", "cell.lastspike_step", "cell.spike", "step"}
    assert set(program.state_names) == states
    assert set(program.defaults) == {"cell.bias", "cell.tau", "cell.e_l", "cell.r"}
    assert set(program.units) == set(program.shapes) == states | set(program.defaults) | {"cell.drive"}
    assert [program.units[f"cell.{name}"] for name in ("v", "drive", "tau", "r", "count")] == [
        "V",
        "A",
        "s",
        "ohm",
        "1",
    ]
    assert [program.shapes[f"cell.{name}"] for name in ("v", "drive", "bias", "e_l")] == [(3,), (3,), (), ()]
    np.testing.assert_allclose(program.defaults["cell.tau"], [0.008, 0.010, 0.012])
    assert float(program.defaults["cell.e_l"]) == pytest.approx(-0.07)


def test_compiling_leaves_brian2_alone(program: Program) -> None:
    """Neither compiling nor running changes the Brian2 group, and Brian2's run does not change the program."""
    group = integrate_and_fire()
    network = Network(group)
    program = compile_network(network)
    program.run(5 * ms)
    assert np.all(group.v_[:] == -0.07) and network.t_ == 0
    network.run(1 * ms)
    assert np.all(np.asarray(program.init()["cell.v"]) == -0.07)


def test_monitors_have_no_effect() -> None:
    """A network with Brian2's observers compiles to the same program."""
    group = integrate_and_fire()
    program = compile_network(Network(group, SpikeMonitor(group), StateMonitor(group, "v", record=True)))
    assert [operation.name for operation in program.operations] == [
        "cell_stateupdater",
        "cell_spike_thresholder",
        "cell_spike_resetter",
    ]


def test_step_by_step_is_run(program: Program) -> None:
    """Steps one at a time give what a run gives; a recorded row is the value at the start of its step."""
    drive = np.linspace(0.3, 0.9, 120)[:, None] * np.array([1e-9, 1e-9, 2e-9])
    state = program.init()
    rows, spikes = [], []
    for value in drive:
        rows.append(state["cell.v"])
        state, events = program.step(state, {}, {"cell.drive": value})
        spikes.append(events["cell.spike"])
    record = ("cell.v", "cell.excess", "cell.bias", "cell.spike")
    final, out = program.run(12 * ms, tapes={"cell.drive": drive}, record=record)
    np.testing.assert_allclose(out["cell.v"], rows, rtol=1e-14)
    np.testing.assert_array_equal(out["cell.spike"], spikes)
    np.testing.assert_allclose(out["cell.excess"], np.asarray(rows) + 0.07, atol=1e-15)
    np.testing.assert_allclose(final["cell.v"], state["cell.v"], rtol=1e-14)
    assert out["cell.bias"].shape == (120, 3)
    assert out["cell.spike"].sum() > 0 and final["cell.count"].dtype == jnp.int32
    np.testing.assert_array_equal(final["cell.count"], out["cell.spike"].sum(0))


def test_constant_inputs_and_tapes_are_the_same(program: Program) -> None:
    """A scalar, one value for each neuron, a tape for all, and a tape for each neuron mean what they say."""
    given: list[dict[str, Any]] = [
        {"inputs": {"cell.drive": 5e-10}},
        {"inputs": {"cell.drive": np.full(3, 5e-10)}},
        {"tapes": {"cell.drive": np.full(40, 5e-10)}},
        {"tapes": {"cell.drive": np.full((40, 3), 5e-10)}},
    ]
    ends = [program.run(4 * ms, **one)[0]["cell.v"] for one in given]
    for end in ends[1:]:
        np.testing.assert_allclose(end, ends[0], rtol=1e-14)


def test_initial_values_are_parameters(program: Program) -> None:
    """`init`, or `run` in its place, takes initial values from the same mapping as parameters, scalars included."""
    params = {"cell.v": -0.06, "cell.tau": 0.01}
    state = program.init(params=params)
    np.testing.assert_array_equal(state["cell.v"], np.full(3, -0.06))
    at_rest: dict[str, Any] = {"inputs": {"cell.drive": 0.0}}
    together, _ = program.run(1 * ms, params, **at_rest)
    apart, _ = program.run(1 * ms, params, **at_rest, state=state)
    np.testing.assert_array_equal(together["cell.v"], apart["cell.v"])
    assert float(together["cell.v"][0]) == pytest.approx(-0.065 + 0.005 * np.exp(-0.1), rel=1e-12)


@pytest.mark.parametrize("duration", [-1e-3, 3.04 * ms, 3.04e-3, float("nan"), float("inf"), 3 * mV])
def test_durations_that_are_none_are_refused(program: Program, duration: Any) -> None:
    """Negative, between two steps, no number, or in volts: the message says what was given."""
    with pytest.raises(InputError, match="A duration of|Wanted a duration in seconds, got 3. mV"):
        program.run(duration, inputs={"cell.drive": 0.0})


def test_no_time_is_no_change(program: Program) -> None:
    """A run of no steps returns the state that it was given, and recordings without rows."""
    state, out = program.run(0 * ms, inputs={"cell.drive": 0.0}, record=("cell.v", "cell.spike"))
    assert out["cell.v"].shape == out["cell.spike"].shape == (0, 3)
    jax.tree.map(np.testing.assert_array_equal, state, program.init())


def test_vmap_is_a_loop(program: Program) -> None:
    """A batch of parameters, inputs and states gives what each alone gives, spikes included."""
    rng = np.random.default_rng(0)
    tau = jnp.asarray(rng.uniform(5e-3, 15e-3, (4, 3)))
    drive = jnp.asarray(rng.uniform(2e-10, 9e-10, (4, 80, 3)))
    states = jax.vmap(lambda v: program.init(params={"cell.v": v}))(jnp.asarray(rng.uniform(-0.07, -0.055, (4, 3))))

    def one(state: Any, tau: jax.Array, drive: jax.Array) -> Any:
        record = ("cell.v", "cell.spike")
        return program.run(8 * ms, {"cell.tau": tau}, tapes={"cell.drive": drive}, state=state, record=record)

    together = jax.vmap(one)(states, tau, drive)
    for k in range(4):
        alone = one(jax.tree.map(lambda leaf: leaf[k], states), tau[k], drive[k])  # noqa: B023
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a[k], b, rtol=1e-13), together, alone)  # noqa: B023
    assert together[1]["cell.spike"].sum() > 4


def test_float32_refuses_times_that_it_cannot_tell_apart() -> None:
    """A table is not read at times that float32 rounds to another step; a run of fewer steps is read right."""
    group = NeuronGroup(1, "dv/dt = table(t)/second : 1", method="euler", dt=0.05 * ms, name="cell")
    values = np.arange(2**19) % 7
    network = Network(group)
    single = compile_network(network, {"table": TimedArray(values, dt=0.05 * ms)}, dtype=np.float32)
    with pytest.raises(InputError, match="524289 steps with the TimedArray 'cell.table' are too many for float32"):
        single.run((2**19 + 1) * 0.05 * ms)
    at = jnp.arange(2**19).astype(jnp.float32) * 5e-5
    read = jax.vmap(lambda t: sample_table(jnp.asarray(values, jnp.float32), 5e-5, 5e-5, t))(at)
    np.testing.assert_array_equal(read, values)


def test_nothing_leaks_from_a_trace(program: Program) -> None:
    """The shared subexpressions leave no tracer behind when the program is differentiated."""
    with jax.checking_leaks():
        jax.jit(jax.grad(lambda tau: program.run(0.5 * ms, {"cell.tau": tau}, {"cell.drive": 0.0})[0]["cell.v"].sum()))(
            jnp.full(3, 0.01)
        )


def test_float32_stays_float32() -> None:
    """A float32 program has no float64 anywhere, also in 64-bit mode, and agrees with float64 to its rounding."""
    network = Network(integrate_and_fire(method="rk4"))
    single = compile_network(network, dtype=np.float32, inputs=("cell.drive",))
    double = compile_network(network, inputs=("cell.drive",))

    def run(program: Program, drive: jax.Array) -> Any:
        return program.run(20 * ms, tapes={"cell.drive": drive}, record=("cell.v", "cell.spike"))

    drive = np.linspace(0, 6e-10, 200)
    assert "f64" not in str(jax.make_jaxpr(lambda d: run(single, d))(jnp.asarray(drive, jnp.float32)))
    state, out = run(single, jnp.asarray(drive, jnp.float32))
    assert {str(leaf.dtype) for leaf in jax.tree.leaves((state, out))} == {"float32", "int32", "bool"}
    np.testing.assert_allclose(out["cell.v"], run(double, jnp.asarray(drive))[1]["cell.v"], atol=1e-6)


def test_float32_is_finite_at_every_voltage() -> None:
    """Gates at -120 to +60 mV, on and beside every singularity, stay finite in float32, and so do their derivatives."""
    gates = """
    dm/dt = q*(3.8/exprel(-(v + 29.7*mV)/(10*mV))*(1 - m) - 15.2*exp(-(v + 54.7*mV)/(18*mV))*m)/ms : 1
    db/dt = q*((1/(1 + exp((v + 53.3*mV)/(14.54*mV))))**4 - b)/(1.24 + 2.678/(1 + exp((v + 50*mV)/(16*mV))))/ms : 1
    da/dt = q*(a_inf - a)/ms + int(v < -50*mV)*(1 - a)/second : 1
    a_inf = (.0761*exp((v + 94.22*mV)/(31.84*mV))/(1 + exp((v + 1.17*mV)/(28.93*mV))))**(1/3) : 1
    q = 3.0**((temperature_c - 18)/10) : 1
    v : volt
    temperature_c : 1 (shared)
    """
    volts = np.concatenate([np.linspace(-0.12, 0.06, 361), [-0.0297, -0.029700001, -0.0547, -0.05]])
    group = NeuronGroup(len(volts), gates, method="exponential_euler", dt=0.05 * ms, name="cell")
    group.v, group.temperature_c = volts * 1e3 * mV, 24
    program = compile_network(Network(group), dtype=np.float32)

    def last(v: jax.Array) -> jax.Array:
        state, _ = program.run(2 * ms, {"cell.v": v})
        return state["cell.m"] + state["cell.a"] + state["cell.b"]

    v = jnp.asarray(volts, jnp.float32)
    value, slope = jax.jvp(last, (v,), (jnp.ones_like(v),))
    assert value.dtype == slope.dtype == jnp.float32
    assert bool(jnp.isfinite(value).all()) and bool(jnp.isfinite(slope).all())
    assert float(jnp.ptp(value)) > 0.5


def test_float64_needs_64_bit_mode(program: Program) -> None:
    """With 64-bit mode off, a float64 program is refused with the way to have it, and float32 works."""
    with jax.enable_x64(False):
        with pytest.raises(InputError, match=r"jax.config.update\('jax_enable_x64', True\).*numpy.float32"):
            compile_network(Network(integrate_and_fire()))
        with pytest.raises(InputError, match="64-bit mode, which is off"):
            program.init()
        single = compile_network(Network(integrate_and_fire()), dtype=np.float32)
        assert single.run(0.3 * ms)[0]["cell.v"].dtype == jnp.float32
    with pytest.raises(InputError, match="Wanted dtype float32 or float64, got float16"):
        compile_network(Network(integrate_and_fire()), dtype=np.float16)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "'cell.drive' was given in neither of `inputs` and `tapes`"),
        ({"inputs": {"cell.drive": 0.0}, "tapes": {"cell.drive": np.zeros(5)}}, "given in both"),
        (
            {"inputs": {"cell.drive": np.zeros(2)}},
            r"'cell.drive' in inputs has shape \(2,\); wanted \(3,\) or",
        ),
        ({"tapes": {"cell.drive": np.zeros((4, 3))}}, r"shape \(4, 3\); wanted \(5, 3\), or \(5,\) for all alike"),
        ({"inputs": {"cell.drive": 0.0, "cell.x": 0.0}}, "Unknown name 'cell.x' in inputs; known are cell.drive"),
        ({"inputs": {"cell.drive": 0.0}, "tapes": {"x": np.zeros(5)}}, "Unknown name 'x' in tapes"),
        ({"inputs": {"cell.drive": 0.0}, "params": {"tau": 1.0}}, "Unknown name 'tau' in params; known are cell.bias"),
        ({"inputs": {"cell.drive": 0.0}, "record": ("cell.g",)}, "Cannot record 'cell.g'.*bias, count, .*, excess"),
        ({"inputs": {"cell.drive": 0.0}, "record": ("pyramid.v",)}, "Cannot record 'pyramid.v'.*one of cell"),
    ],
)
def test_wrong_arguments_are_named(program: Program, given: dict[str, Any], message: str) -> None:
    """What is missing, doubled, unknown or of the wrong shape is named, with what was wanted."""
    with pytest.raises(InputError, match=message):
        program.run(**{"duration": 0.5 * ms, **given})


def test_an_incomplete_state_is_named(program: Program) -> None:
    """A state without one of its parts is refused."""
    state = program.init()
    del state["cell.v"]
    with pytest.raises(InputError, match="The state lacks 'cell.v'"):
        program.step(state, {}, {"cell.drive": 0.0})
