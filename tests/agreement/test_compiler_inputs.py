"""What is supplied at every step: parameters, states under clamp, constants and tables; and functions of one's own."""

from typing import Any

import brian2
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeMonitor, StateMonitor, TimedArray, ms, mV

from biophys import compile_network

DT = 0.05 * ms
N_STEPS = 500

CELL = """
dv/dt = (30*mV*m*(2 - w) - 25*mV*w - v - 10*mV + drive)/(4*ms) : volt
dm/dt = (1/(1 + exp(-(v - v_half)/(5*mV))) - m)/(0.3*ms + 0.2*ms*exp(-v/(20*mV))) : 1
dw/dt = (m - w)/(6*ms) : 1
"""
OPTIONS: dict[str, Any] = {"threshold": "v > 0*mV", "dt": DT, "name": "cell"}


def brian2_says(group: NeuronGroup, names: dict[str, Any], *recorded: str) -> dict[str, np.ndarray]:
    """Runs the reference: "cell.v" -> (step, n), "cell.spike" -> (step, n)."""
    traces, spikes = StateMonitor(group, recorded, record=True), SpikeMonitor(group)
    Network(group, traces, spikes).run(N_STEPS * DT, namespace=names)
    said = {f"cell.{name}": np.array(getattr(traces, f"{name}_")).T for name in recorded}
    said["cell.spike"] = np.zeros((N_STEPS, len(group)), bool)
    said["cell.spike"][np.round(spikes.t_ / group.clock.dt_).astype(int), spikes.i] = True
    return said


def same(out: Any, expected: dict[str, np.ndarray]) -> bool:
    """Every event, and every trace to rounding."""
    return all(np.allclose(out[key], one, rtol=1e-9, atol=1e-12) for key, one in expected.items())


@pytest.mark.parametrize("shape", [(20,), (20, 3)])
def test_an_input_drives_a_cell_as_a_timed_array_does(shape: tuple[int, ...]) -> None:
    """A parameter supplied at every step is the same as a TimedArray in its place, one for all neurons or for each."""
    tape = np.repeat(np.random.default_rng(3).uniform(0.0, 0.08, shape), 25, axis=0)
    options: dict[str, Any] = {**OPTIONS, "reset": "v = -20*mV", "refractory": 1 * ms, "method": "exponential_euler"}
    call = "table(t)" if tape.ndim == 1 else "table(t, i)"
    driven = NeuronGroup(3, f"{CELL}drive = {call} : volt", **options)
    expected = brian2_says(driven, {"v_half": -5 * mV, "table": TimedArray(tape * brian2.volt, dt=DT)}, "v", "m", "w")
    assert expected["cell.spike"].sum() > 5

    cell = NeuronGroup(3, f"{CELL}drive : volt", **options)
    program = compile_network(Network(cell), {"v_half": -5 * mV}, inputs=("cell.drive",))
    assert "cell.drive" not in program.defaults and program.units["cell.drive"] == "V"
    _, out = program.run(N_STEPS * DT, tapes={"cell.drive": tape}, record=list(expected))
    assert same(out, expected)


@pytest.mark.parametrize("method", ["exponential_euler", "rk4"])
def test_a_state_that_is_an_input_is_clamped(method: str) -> None:
    """With the voltage as an input, gates and events follow it through the whole step, whatever else would move it."""
    tape = np.repeat(np.random.default_rng(5).uniform(-0.04, 0.03, size=20), 25)
    commanded = CELL.replace(CELL.splitlines()[1], "v = command(t) : volt (constant over dt)")
    clamped = NeuronGroup(2, commanded, reset="", method=method, **OPTIONS)
    names = {"v_half": -5 * mV, "command": TimedArray(tape * brian2.volt, dt=DT)}
    expected = brian2_says(clamped, names, "m", "w", "v")

    cell = NeuronGroup(2, CELL + "drive : volt", reset="v = -30*mV", method=method, **OPTIONS)
    cell.drive = 50 * mV
    program = compile_network(Network(cell), {"v_half": -5 * mV}, inputs=("cell.v",))
    _, out = program.run(N_STEPS * DT, tapes={"cell.v": tape}, record=list(expected))
    assert same(out, expected)
    assert 0 < expected["cell.spike"].sum() < expected["cell.spike"].size
    assert np.ptp(expected["cell.m"]) > 0.5


def test_constants_and_tables_that_are_inputs() -> None:
    """An external constant, a TimedArray and one with columns, supplied at every step, do what Brian2's tables do."""
    equations = "dv/dt = (level + table(t) + wide(t, i) - v)/tau : volt"
    rng = np.random.default_rng(11)
    shapes = {"level": (N_STEPS,), "table": (N_STEPS,), "wide": (N_STEPS, 3)}
    tapes = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    tables = {name: TimedArray(tape * mV, dt=DT) for name, tape in tapes.items()}
    names = {"tau": 2 * ms, "table": tables["table"], "wide": tables["wide"]}
    moved = NeuronGroup(3, equations.replace("level", "moving(t)"), reset="", method="euler", **OPTIONS)
    expected = brian2_says(moved, {**names, "moving": tables["level"]}, "v")

    group = NeuronGroup(3, equations, reset="", method="euler", **OPTIONS)
    inputs = ("cell.level", "cell.table", "cell.wide")
    program = compile_network(Network(group), {**names, "level": 0 * mV}, inputs=inputs)
    assert set(program.defaults) == {"cell.tau"}
    assert [program.shapes[key] for key in inputs] == [(), (), (3,)]
    supplied = {f"cell.{name}": 1e-3 * tape for name, tape in tapes.items()}
    assert same(program.run(N_STEPS * DT, tapes=supplied, record=list(expected))[1], expected)


def test_functions_of_ones_own() -> None:
    """A function with a form in JAX beside Brian2's own is compiled: in equations, thresholds, resets and gradients."""
    soft = brian2.Function(lambda x, k: np.log1p(np.exp(k * x)) / k, arg_units=[1, 1], return_unit=1)
    soft.implementations.add_implementation("jax", lambda x, k: jax.nn.softplus(k * x) / k)
    group = NeuronGroup(
        4,
        "dx/dt = (drive - soft(x, 3) + 0.1*soft(t/ms, 1))/(5*ms) : 1\ndrive : 1",
        threshold="soft(x, 2) > 0.9",
        reset="x = -soft(0.1*i, 4)",
        method="rk2",
        dt=DT,
        name="cell",
    )
    group.drive = "1.5 + 0.3*i"
    program = compile_network(Network(group), {"soft": soft})
    expected = brian2_says(group, {"soft": soft}, "x")
    assert expected["cell.spike"].sum() > 10
    assert same(program.run(N_STEPS * DT, record=list(expected))[1], expected)
    slope = jax.grad(lambda drive: program.run(0.5 * ms, {"cell.drive": drive})[0]["cell.x"].sum())(jnp.ones(4))
    assert bool(jnp.all(slope > 0.05))
