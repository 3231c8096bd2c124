"""Several clocks, regular operations and schedules of one's own, step for step as Brian2 has them."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from brian2 import Network, NeuronGroup, TimedArray, linked_var, ms

from biophys import Program, compile_network

ROUNDING = 1e-9  # relative


def chain(*steps: Any) -> Network:
    """Three groups, each with its own step; the second and third are driven by the one before."""
    first = NeuronGroup(
        3,
        """dx/dt = -x/(5*ms) + (1 + 0.2*i)*sin(2*pi*t/(7*ms))/(3*ms) : 1
           late = sin(t/ms) : 1""",
        threshold="x > 0.5",
        reset="x = 0",
        method="rk2",
        dt=steps[0],
        name="first",
    )
    second = NeuronGroup(
        3,
        """dx/dt = (1.2*i + above - x + 0.1*above_late)/(4*ms) : 1 (unless refractory)
           above : 1 (linked)
           above_late : 1 (linked)""",
        threshold="x > 0.4",
        reset="x -= 0.3",
        refractory=1 * ms,
        method="euler",
        dt=steps[1],
        name="second",
    )
    third = NeuronGroup(
        3,
        """dx/dt = (above - x + 0.1*slow)/(2*ms) : 1
           slow = t/ms + above : 1 (constant over dt)
           above : 1 (linked)""",
        method="rk4",
        dt=steps[2],
        name="third",
    )
    second.above, second.above_late = linked_var(first, "x"), linked_var(first, "late")
    third.above = linked_var(second, "x")
    return Network(first, second, third)


RECORD = ("first.x", "first.spike", "second.x", "second.spike", "third.x", "third.slow")


@pytest.mark.parametrize(
    ("steps", "base_ms"),
    [
        ((0.1 * ms, 0.2 * ms, 0.3 * ms), 0.1),
        ((0.2 * ms, 0.3 * ms, 0.2 * ms), 0.1),
        ((0.5 * ms, 0.5 * ms, 0.25 * ms), 0.25),
    ],
)
def test_groups_with_steps_of_their_own(compare: Callable[..., Any], steps: Any, base_ms: float) -> None:
    """Coupled groups whose steps are multiples of one another, or of a third, give Brian2's traces and spikes."""
    found = compare(chain(*steps), 60 * ms, RECORD)
    assert found.program.dt_s == pytest.approx(base_ms * 1e-3, rel=1e-12)
    assert found.n_events > 10 and found.wrong_events == 0
    assert found.error < ROUNDING


@pytest.mark.parametrize("before_ms", [6.0, 3.2])
def test_several_clocks_continue_where_brian2_stopped(compare: Callable[..., Any], before_ms: float) -> None:
    """Compiled in the middle of a run, where all clocks tick or only some, each clock ticks when its turn comes."""
    network = chain(0.2 * ms, 0.3 * ms, 0.1 * ms)
    network.run(before_ms * ms)
    found = compare(network, 30 * ms, RECORD)
    assert found.n_events > 3 and found.wrong_events == 0
    assert found.error < ROUNDING


def test_a_network_starts_at_its_own_time(compare: Callable[..., Any]) -> None:
    """A network that shares Brian2's default clock with another one that has run starts at its own time, zero."""
    Network(NeuronGroup(1, "dx/dt = -x/ms : 1", method="euler")).run(3 * ms)
    group = NeuronGroup(2, "dx/dt = (sin(t/ms) - x)/ms : 1", method="euler", name="cell")
    network = Network(group)
    assert int(compile_network(network).init()["step"]) == 0
    assert compare(network, 5 * ms, ["cell.x"]).error < ROUNDING


def _always_due(program: Program) -> Program:
    operations = tuple(dataclasses.replace(one, every=1) for one in program.operations)
    return dataclasses.replace(program, operations=operations)


def _one_step_late(program: Program) -> Program:
    late = dataclasses.replace(program.states["step"], value=np.asarray(1, np.int32))
    return dataclasses.replace(program, states={**program.states, "step": late})


@pytest.mark.parametrize("defect", [_always_due, _one_step_late])
def test_the_comparison_catches_planted_defects(compare: Callable[..., Any], defect: Any) -> None:
    """A program whose clocks all tick at every step, or whose clock is one step ahead, is told apart from Brian2."""
    found = compare(chain(0.1 * ms, 0.2 * ms, 0.3 * ms), 30 * ms, RECORD, change=defect)
    assert found.wrong_events > 0


def test_what_rests_keeps_its_value() -> None:
    """Between two steps of its group a variable keeps its value, and an event does not."""
    program = compile_network(chain(0.1 * ms, 0.3 * ms, 0.1 * ms))
    _, out = program.run(30 * ms, record=("second.x", "second.spike"))
    x, spikes = np.asarray(out["second.x"]), np.asarray(out["second.spike"])
    assert x.shape == spikes.shape == (300, 3)
    np.testing.assert_array_equal(x[1::3], x[2::3])
    np.testing.assert_array_equal(x[1:298:3], x[3::3])
    assert spikes.any() and not spikes[1::3].any() and not spikes[2::3].any()


@pytest.mark.parametrize("when", ["start", "after_resets"])
def test_regular_operations(compare: Callable[..., Any], when: str) -> None:
    """An operation with a step and a slot of its own acts when Brian2's does, on floats and whole numbers."""
    group = NeuronGroup(
        4,
        """dx/dt = (drive - x)/(5*ms) : 1 (unless refractory)
           drive : 1
           level : 1 (shared)
           count : integer
           seen : second""",
        threshold="x > 1",
        reset="x = 0.1*level",
        refractory=1.5 * ms,
        method="euler",
        dt=0.1 * ms,
        name="cell",
    )
    group.drive = "1.1 + 0.3*i"
    code = """gain = 0.02*int(x > 0.3)
              x += gain*(1 + i)/N  # leaves the refractory ones alone
              count += 1
              seen = t + dt
              drive = clip(drive + kick(t), 0, 3)"""
    group.run_regularly(code, dt=0.7 * ms, when=when)
    group.run_regularly("level += 0.5", dt=2 * ms, when=when)
    names = {"kick": TimedArray(0.2 * np.cos(np.arange(20.0)), dt=1.1 * ms)}
    record = [f"cell.{name}" for name in ("x", "drive", "level", "count", "seen", "spike")]
    found = compare(Network(group), 40 * ms, record, names)
    assert found.n_events > 10 and found.wrong_events == 0
    assert found.error < ROUNDING


def test_a_regular_operation_finer_than_its_group(compare: Callable[..., Any]) -> None:
    """An operation may have a smaller step than its group; the time it reads is that of the group's next step."""
    group = NeuronGroup(2, "dx/dt = -x/(5*ms) : 1\ny : 1\nn : 1", method="exact", dt=0.4 * ms, name="cell")
    group.x = [1, 2]
    group.run_regularly("n += 1; y = n*t/ms + x", dt=0.1 * ms)
    found = compare(Network(group), 10 * ms, ["cell.x", "cell.y", "cell.n"])
    assert found.program.dt_s == pytest.approx(1e-4)
    assert found.error < ROUNDING


def test_operations_in_one_slot_keep_their_order(compare: Callable[..., Any]) -> None:
    """Slots, "before_" and "after_", and numbers of order decide who is first, as Brian2 sorts them."""
    group = NeuronGroup(2, "dx/dt = (1.5 - x)/(5*ms) : 1\nk : 1", threshold="x > 1", reset="x = 0.1*k", name="cell")
    for code, when, order in [
        ("k += 0.01*x", "before_groups", 0),
        ("k *= 0.9", "after_end", 2),
        ("k += 0.02", "after_end", 1),
        ("k = k**2", "before_start", 0),
        ("k += 0.001", "start", -1),
    ]:
        group.run_regularly(code, when=when, order=order)
    found = compare(Network(group), 30 * ms, ["cell.x", "cell.k", "cell.spike"])
    assert found.n_events > 3 and found.wrong_events == 0
    assert found.error < ROUNDING


@pytest.mark.parametrize(
    "schedule",
    [
        ["resets", "start", "groups", "thresholds", "synapses", "end"],
        ["groups", "mine", "thresholds", "start", "synapses", "resets", "end"],
    ],
)
def test_schedules(compare: Callable[..., Any], schedule: list[str]) -> None:
    """A network with another schedule, a reset before its threshold and slots of its own among them, agrees."""
    group = NeuronGroup(
        3,
        """dx/dt = (1.5 + 0.2*i - x)/(5*ms) : 1 (unless refractory)
           k : 1
           twice = x*2 : 1 (constant over dt)""",
        threshold="x > 1",
        reset="x = 0.1*k",
        refractory=1 * ms,
        method="rk2",
        name="cell",
    )
    group.run_regularly("k += 0.01*x + 0.001*twice", when="mine" if "mine" in schedule else "end")
    network = Network(group)
    network.schedule = schedule
    found = compare(network, 30 * ms, ["cell.x", "cell.k", "cell.twice", "cell.spike"])
    assert found.n_events > 5 and found.wrong_events == 0
    assert found.error < ROUNDING


def test_a_reset_before_its_threshold_acts_one_step_later(compare: Callable[..., Any]) -> None:
    """An event is part of the state: what happens on it may come before it in the schedule."""
    group = NeuronGroup(2, "dx/dt = (1.5 + i - x)/(5*ms) : 1", threshold="x > 1", reset="x = 0", name="cell")
    group.set_event_schedule("spike", when="after_resets")
    found = compare(Network(group), 20 * ms, ["cell.x", "cell.spike"])
    assert found.n_events > 5 and found.wrong_events == 0
    assert found.error < ROUNDING
    state = found.program.init()
    state["cell.spike"] = jnp.ones(2, bool)
    state["cell.x"] = jnp.full(2, 0.9)
    after, _ = found.program.step(state)
    np.testing.assert_array_equal(after["cell.x"], [0, 0])


def test_subexpressions_that_are_constant_over_a_step(compare: Callable[..., Any]) -> None:
    """They are computed once a step, in the order in which they use one another, and shared ones once for all."""
    group = NeuronGroup(
        3,
        """dx/dt = (q - x)/(5*ms) : 1
           q = 1.5 + sin(t/ms)*r + common : 1 (constant over dt)
           r = half + 1 : 1
           half = x*0.1 : 1 (constant over dt)
           common = cos(t/ms) : 1 (constant over dt, shared)""",
        threshold="x > q/2",
        reset="x = 0.1*q",
        method="rk4",
        name="cell",
    )
    found = compare(Network(group), 20 * ms, [f"cell.{name}" for name in ("x", "q", "r", "half", "common", "spike")])
    assert found.n_events > 5 and found.wrong_events == 0
    assert found.error < ROUNDING
