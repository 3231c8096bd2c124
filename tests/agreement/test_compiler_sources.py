"""Given spikes: what a SpikeGeneratorGroup emits, step for step as Brian2 has it."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, ms, second

from biophys import Program, compile_network

VOLLEYS = (np.arange(50) % 25, np.repeat([1, 3, 7, 7.1, 19.9], 10) * ms)  # ten at a time
SCATTERED = ([2, 0, 1, 1, 0, 2], [9.05, 1, 3.1, 2, 0, 19] * ms)  # not in order
CYCLE = ([0, 1, 1, 2], [0, 1, 2, 2] * ms)


def given(spikes: tuple[Any, Any], n: int = 25, **options: Any) -> Network:
    return Network(SpikeGeneratorGroup(n, *spikes, name="given", **options))


@pytest.mark.parametrize("before_ms", [0.0, 7.05])
@pytest.mark.parametrize(
    ("spikes", "options"),
    [
        (VOLLEYS, {}),
        (SCATTERED, {}),
        (CYCLE, {"period": 4 * ms}),
        (CYCLE, {"period": 2.1 * ms, "dt": 0.05 * ms}),
    ],
)
def test_given_spikes(compare: Callable[..., Any], spikes: Any, options: dict[str, Any], before_ms: float) -> None:
    """Once or again and again, several in a step, in any order, from the start or from the middle of a run."""
    network = given(spikes, **options)
    network.run(before_ms * ms)
    found = compare(network, 20 * ms, ["given.spike"])
    assert found.n_events > 0 and found.wrong_events == 0


def test_times_between_steps(compare: Callable[..., Any]) -> None:
    """A spike belongs to the step in which it falls; one within a thousandth of a step of the next belongs to that."""
    offsets = np.tile([0.0, 0.0001, 0.05, 0.0998, 0.09995], 40)
    times = np.arange(200) * 0.1 + offsets
    found = compare(given((np.arange(200), times * ms), n=200), 25 * ms, ["given.spike"])
    assert found.n_events == 200 and found.wrong_events == 0
    late = np.argmax(found.said["given.spike"], axis=0) - np.arange(200)
    assert late.reshape(40, 5).tolist() == [[0, 0, 0, 0, 1]] * 40


@pytest.mark.parametrize("options", [{}, {"period": 4 * ms}])
def test_no_spikes(compare: Callable[..., Any], options: dict[str, Any]) -> None:
    """A group without spikes is silent, also again and again."""
    found = compare(given(([], [] * ms), n=3, **options), 10 * ms, ["given.spike"])
    assert found.said["given.spike"].shape == (100, 3)
    assert found.n_events == found.wrong_events == 0


def test_other_spikes_between_two_runs(compare: Callable[..., Any]) -> None:
    """Spikes that were set anew after a run are the ones that are emitted."""
    network = given(([0], [1] * ms), n=3)
    network.run(2 * ms)
    network["given"].set_spikes([0, 1, 2], [2, 3, 5] * ms, period=7 * ms)
    found = compare(network, 20 * ms, ["given.spike"])
    assert found.n_events == 9 and found.wrong_events == 0


def test_beside_another_clock(compare: Callable[..., Any]) -> None:
    """Its own step may differ from that of the rest of the network, also in the middle of a run."""
    cell = NeuronGroup(2, "dx/dt = (1.5 - x)/(5*ms) : 1", threshold="x > 1", reset="x = 0", dt=0.2 * ms, name="cell")
    network = Network(cell, SpikeGeneratorGroup(3, *CYCLE, period=4 * ms, dt=0.5 * ms, name="given"))
    network.run(5.2 * ms)
    found = compare(network, 20 * ms, ["given.spike", "cell.spike", "cell.x"])
    assert found.n_events > 20 and found.wrong_events == 0
    assert found.error < 1e-9


def test_a_run_in_two_parts() -> None:
    """The state knows which spike is next, so that a run may stop anywhere and go on."""
    program = compile_network(given(CYCLE, period=4 * ms, n=3))
    _, whole = program.run(20 * ms, record=("given.spike",))
    state, first = program.run(7.3 * ms, record=("given.spike",))
    _, rest = program.run(12.7 * ms, state=state, record=("given.spike",))
    np.testing.assert_array_equal(np.concatenate([first["given.spike"], rest["given.spike"]]), whole["given.spike"])
    assert whole["given.spike"].sum() == 20


def _forgets_the_period(program: Program) -> Program:
    (emit,) = program.operations

    def apply(world: Any) -> Any:
        return {**emit.apply(world), "given.next": world["given.next"] + 1}

    return dataclasses.replace(program, operations=(dataclasses.replace(emit, apply=apply),))


def test_the_comparison_catches_a_planted_defect(compare: Callable[..., Any]) -> None:
    """A program that loses count of its spikes is told apart from Brian2."""
    found = compare(given(CYCLE, period=4 * ms), 20 * ms, ["given.spike"], change=_forgets_the_period)
    assert found.wrong_events > 0


def test_an_endless_period_is_none(compare: Callable[..., Any]) -> None:
    """A period of more steps than are counted is as good as none."""
    found = compare(given(CYCLE, period=1e5 * second, n=3), 10 * ms, ["given.spike"])
    assert found.n_events == 4 and found.wrong_events == 0
