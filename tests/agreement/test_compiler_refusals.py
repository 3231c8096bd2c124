"""What cannot be compiled is refused with the reason and the way out."""

from collections.abc import Callable
from typing import Any

import brian2
import numpy as np
import pytest
from brian2 import (
    BrianObject,
    Clock,
    Network,
    NetworkOperation,
    NeuronGroup,
    PoissonGroup,
    SpikeGeneratorGroup,
    check_units,
    linked_var,
    ms,
    mV,
)

from biophys import compile_network
from twin.errors import InputError, UnsupportedError

LEAK = "dv/dt = -v/(10*ms) : volt"


def cell(equations: str = LEAK, **options: Any) -> NeuronGroup:
    return NeuronGroup(2, equations, **{"method": "euler", "name": "cell", **options})


def _network_operation() -> Network:
    return Network(cell(), NetworkOperation(lambda: None, name="callback"))


class Unheard(BrianObject):
    """A kind of object that the compiler cannot know."""


class Appointments(Clock):
    """A clock of another kind than Brian2's own."""


def _appointments() -> Network:
    clock = Clock(1 * ms)
    clock.__class__ = Appointments
    return Network(cell(clock=clock))


def _own_function() -> Network:
    @check_units(x=1, result=1)
    def twice(x: Any) -> Any:
        return 2 * x

    return Network(cell("dv/dt = -v*twice(2)/(10*ms) : volt", namespace={"twice": twice}))


def _order_dependent() -> Network:
    """Both cells are linked to one entry, and each sets it to its own number: the last one wins."""
    source = NeuronGroup(2, "x : 1", name="source")
    group = cell(LEAK + "\nx : 1 (linked)", threshold="v > 1*mV", reset="x = i")
    group.x = linked_var(source, "x", index=[1, 1])
    return Network(source, group)


def _regular_time() -> Network:
    group = cell(threshold="v > 1*mV", reset="", refractory=1 * ms)
    group.run_regularly("lastspike = t")
    return Network(group)


def _many_values_for_one() -> Network:
    group = cell(LEAK + "\ns : volt (shared)")
    group.run_regularly("s = 2*v")
    return Network(group)


def _with(**options: Any) -> Callable[[], Network]:
    return lambda: Network(cell(**options))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (_network_operation, "network_operation 'callback': Python called at every step.*`run_regularly`.*`inputs`"),
        (lambda: Network(cell(), Unheard(name="odd")), "Unheard 'odd': objects of this kind are not compiled; take it"),
        (
            _appointments,
            r"'cell' runs at given times \(Appointments\).*give it a fixed dt",
        ),
        (
            _own_function,
            r"`twice\(\)` in `.*`, a function of your own.*add_implementation\('jax'.*write it out",
        ),
        (_order_dependent, "The reset on 'spike' of NeuronGroup 'cell' depends on the order"),
        (_with(method="gsl_rkf45"), "method='gsl_rkf45', which is not compiled; use one of .*'exponential_euler'"),
        (_with(method="GSL"), "method='GSL', which is not compiled"),
        (_with(method=lambda *given: object()), "which is no explicit method and is not compiled; use one of 'euler'"),
        (
            _with(equations="dv/dt = (-v + mV*exp(v/mV))/(10*ms) : volt", method="exponential_euler"),
            "exponential_euler needs .* conditionally linear, and `dv/dt = .*` is not linear in `v`; use method='rk4'",
        ),
        (
            _with(threshold="v > 1*mV", reset="lastspike = 0*ms", refractory=1 * ms),
            "The reset on 'spike' of NeuronGroup 'cell' writes `lastspike`.*keep the time in a parameter of your own",
        ),
        (_regular_time, "'cell_run_regularly' of NeuronGroup 'cell' writes `lastspike`.*keep the time in a parameter"),
        (
            _with(equations=LEAK + "\ns : 1 (shared)", threshold="v > 1*mV", reset="s += 1"),
            r"writes the shared variable `s`; drop its flag `\(shared\)`",
        ),
    ],
)
def test_refused_with_the_way_out(build: Callable[[], Network], message: str) -> None:
    """Each object, reason and way out is named."""
    network = build()
    with pytest.raises(UnsupportedError, match=message):
        compile_network(network)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: NeuronGroup(1, LEAK, name="alone"),
            "Wanted a brian2.Network to compile, got a NeuronGroup; use Network",
        ),
        (lambda: Network(name="empty"), "Network 'empty' has no group of neurons to compile"),
        (lambda: Network(cell(), cell()), "several objects named 'cell'"),
        (_with(equations="dv/dt = -v : volt"), r"(?s)'cell' does not pass .*defining variable 'v'"),
        (
            _with(equations="dv/dt = -v/tau : volt"),
            """'cell' does not pass .*"tau" could not be resolved""",
        ),
        (_with(threshold="v + 1*mV", reset=""), "'cell' does not pass .*is not a boolean expression"),
        (_with(threshold="v > 1*mV", reset="v = 1"), "(?s)'cell' does not pass .*unit"),
        (
            _with(threshold="v > 1*mV", reset="i = 0"),
            "The reset on 'spike' of NeuronGroup 'cell' writes `i`",
        ),
        (
            _with(threshold="v > 1*mV", reset="", refractory="v"),
            "='v', which is neither a time nor a condition",
        ),
        (_with(threshold="v > 1*mV", reset="", refractory=3 * mV), "refractory=3. mV, which is not a time"),
        (_with(equations="dv/dt = -v**2/(10*ms) : 1", method="exact"), "'cell' does not pass .*linear"),
        (_with(equations=LEAK + "\nspike : 1", threshold="v > 1*mV", reset=""), "both a variable and an event `spike`"),
        (
            _with(equations=LEAK + "\nlastspike_step : 1", threshold="v > 1*mV", reset="", refractory=1 * ms),
            "`lastspike_step`, a reserved name; rename it",
        ),
        (_many_values_for_one, "'cell_run_regularly' .*shared variable `s`"),
        (
            _with(equations="dv/dt = -v/(10*ms) + mV*xi/ms**.5 : volt", method="rk4"),
            "'cell' does not pass .*stochastic equations",
        ),
        (
            _with(equations="dv/dt = -v/(10*ms) + v*xi/ms**.5 : volt", method="euler"),
            "'cell' does not pass .*multiplicative noise",
        ),
        (
            lambda: Network(cell(dt=0.1 * ms), cell(name="other", dt=np.pi / 30 * ms)),
            "clocks \\(0.1 ms, 0.10472 ms\\) have no common step; make each a multiple of the smallest",
        ),
        (
            lambda: Network(SpikeGeneratorGroup(1, [0, 0], [1, 1.01] * ms, name="given")),
            "SpikeGeneratorGroup 'given': some neurons spike more than once during a step",
        ),
        (
            lambda: Network(SpikeGeneratorGroup(1, [0], [1] * ms, period=4.25 * ms, dt=0.1 * ms, name="given")),
            "SpikeGeneratorGroup 'given' has a period of 0.00425 s, which is no whole number of its steps of 0.0001 s",
        ),
        (lambda: Network(PoissonGroup(1, rates="fast", name="noise")), "'noise' does not pass .*could not be resolved"),
    ],
)
def test_wrong_input_is_named(build: Callable[[], Any], message: str) -> None:
    """What Brian2 objects to, and what is missing, is named with the group."""
    network = build()
    with pytest.raises(InputError, match=message):
        compile_network(network)


@pytest.mark.parametrize("name", ["v", "cell.w", "cell.i", "cell.spike", "cell.count", "step"])
def test_only_numbers_of_the_network_are_inputs(name: str) -> None:
    """Unknown names, events, whole numbers, and what is which element are no inputs; the message lists what can be."""
    group = cell(
        "dv/dt = (drive - v)/tau + i*volt/second : volt\ndrive : volt\nlevel : 1\ncount : integer",
        threshold="v > 1*mV",
        reset="v = 0*mV; level += 1; count += 1",
    )
    listed = "there are cell.drive, cell.level, cell.tau, cell.v"
    with pytest.raises(InputError, match=f"'{name}' cannot be an input: .*{listed}"):
        compile_network(Network(group), {"tau": np.float64(10) * ms}, inputs=(name,))


def test_a_network_that_is_not_in_memory_is_refused() -> None:
    """With a device that writes C++ there are no values to compile from."""
    brian2.set_device("cpp_standalone", build_on_run=False)
    try:
        with pytest.raises(InputError, match=r"not in memory; call set_device\('runtime'\)"):
            compile_network(Network(cell()))
    finally:
        brian2.set_device("runtime")


def test_inactive_operations_are_left_out() -> None:
    """An operation that Brian2 would skip is not in the program."""
    group = cell(threshold="v > 1*mV", reset="v = 0*mV")
    group.resetter["spike"].active = False
    program = compile_network(Network(group))
    assert [operation.name for operation in program.operations] == ["cell_stateupdater", "cell_spike_thresholder"]
