"""What cannot be compiled is refused with the reason and the way out."""

from collections.abc import Callable
from typing import Any

import brian2
import numpy as np
import pytest
from brian2 import (
    Clock,
    Morphology,
    Network,
    NetworkOperation,
    NeuronGroup,
    PoissonGroup,
    PoissonInput,
    SpatialNeuron,
    SpikeGeneratorGroup,
    Synapses,
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


def _synapses() -> Network:
    group = cell(threshold="v > 1*mV", reset="v = 0*mV")
    synapses = Synapses(group, group, on_pre="v_post += 1*mV", name="recurrent")
    synapses.connect()
    return Network(group, synapses)


def _run_regularly() -> Network:
    group = cell()
    group.run_regularly("v += 1*mV", dt=1 * ms)
    return Network(group)


def _part_of_a_group() -> Network:
    group = cell()
    group[:1].run_regularly("v += 1*mV")
    return Network(group)


def _network_operation() -> Network:
    return Network(cell(), NetworkOperation(lambda: None, name="callback"))


def _poisson_input() -> Network:
    group = cell()
    return Network(group, PoissonInput(group, "v", 10, 5 * brian2.Hz, 1 * mV))


def _spatial() -> Network:
    morphology: Any = brian2.Cylinder(n=3, length=10 * brian2.um, diameter=1 * brian2.um)
    assert isinstance(morphology, Morphology)
    model = "Im = 0*amp/meter**2 : amp/meter**2"
    return Network(SpatialNeuron(morphology, model, Cm=1 * brian2.uF / brian2.cm**2, Ri=100 * brian2.ohm * brian2.cm))


def _linked() -> Network:
    source = NeuronGroup(2, "dx/dt = -x/(5*ms) : 1", method="euler", name="source")
    group = cell("dy/dt = -x*y/(5*ms) : 1\nx : 1 (linked)")
    group.x = linked_var(source, "x")
    return Network(source, group)


def _several_steps() -> Network:
    return Network(cell(dt=0.1 * ms), cell(name="other", clock=Clock(0.2 * ms)))


def _own_function() -> Network:
    @check_units(x=1, result=1)
    def twice(x: Any) -> Any:
        return 2 * x

    return Network(cell("dv/dt = -v*twice(2)/(10*ms) : volt", namespace={"twice": twice}))


def _reset_before_threshold() -> Network:
    group = cell(threshold="v > 1*mV", reset="v = 0*mV")
    group.set_event_schedule("spike", when="after_resets")
    return Network(group)


def _with(**options: Any) -> Callable[[], Network]:
    return lambda: Network(cell(**options))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (_synapses, "Synapses 'recurrent': synapses are not compiled; .*`inputs`"),
        (
            _run_regularly,
            "run_regularly 'cell_run_regularly' of 'cell': regular operations are .*`inputs`",
        ),
        (_part_of_a_group, "run_regularly 'cell_subgroup_run_regularly' of 'cell_subgroup'"),
        (_network_operation, "network_operation 'callback': Python called at every step.*`inputs`"),
        (lambda: Network(cell(), PoissonGroup(2, 5 * brian2.Hz, name="noise")), "PoissonGroup 'noise': random spikes"),
        (lambda: Network(cell(), SpikeGeneratorGroup(1, [0], [1] * ms, name="given")), "SpikeGeneratorGroup 'given'"),
        (_poisson_input, "PoissonInput 'poissoninput': random input is not compiled; .*`inputs`"),
        (_spatial, "SpatialNeuron 'spatialneuron': compartments of a morphology.*use a NeuronGroup"),
        (_linked, r"NeuronGroup 'cell': linked variables \(x\) are not compiled; put the equations"),
        (_several_steps, "'cell' runs with dt=100. us and 'other' with dt=200. us.*give all of them the same dt"),
        (_own_function, r"`twice\(\)` in `.*`, which is a function of your own.*write it out in the equations"),
        (_reset_before_threshold, "'cell_spike_resetter' acts on the event 'spike' before .*set_event_schedule"),
        (_with(equations="dv/dt = -v/(10*ms) + mV*xi/ms**.5 : volt"), r"noise in its equations \(xi\).*`inputs`"),
        (_with(equations="dv/dt = -v/(10*ms) : volt\nr = rand() : 1 (constant over dt)"), r"`rand\(\)`.*draws random"),
        (_with(threshold="v > rand()*mV", reset=""), r"`rand\(\)` in `v > rand\(\) ?\* ?mV`, which draws random"),
        (_with(method="gsl_rkf45"), "method='gsl_rkf45' which is not compiled; use one of .*'exponential_euler'"),
        (_with(method=lambda equations: ""), "a method of your own, .*which is not compiled; use one of"),
        (
            _with(equations="dv/dt = (-v + mV*exp(v/mV))/(10*ms) : volt", method="exponential_euler"),
            "exponential_euler needs .* conditionally linear, and `dv/dt = .*` is not linear in `v`; use method='rk4'",
        ),
        (
            _with(threshold="v > 1*mV", reset="lastspike = 0*ms", refractory=1 * ms),
            "The reset on 'spike' of NeuronGroup 'cell' writes `lastspike`.*keep the time in a parameter of your own",
        ),
        (
            _with(equations=LEAK + "\ns : 1 (shared)", threshold="v > 1*mV", reset="s += 1"),
            r"writes the shared variable 'cell.s'; drop its flag `\(shared\)`",
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
        (lambda: Network(name="empty"), "Network 'empty' has no NeuronGroup to compile"),
        (lambda: Network(cell(), cell()), "several objects named 'cell'"),
        (_with(equations="dv/dt = -v : volt"), r"(?s)NeuronGroup 'cell' does not pass .*defining variable 'v'"),
        (
            _with(equations="dv/dt = -v/tau : volt"),
            """NeuronGroup 'cell' .*"tau" could not be resolved""",
        ),
        (_with(threshold="v + 1*mV", reset=""), "NeuronGroup 'cell' .*is not a boolean expression"),
        (_with(threshold="v > 1*mV", reset="v = 1"), "(?s)NeuronGroup 'cell' does not pass .*unit"),
        (
            _with(threshold="v > 1*mV", reset="i = 0"),
            "The reset on 'spike' of NeuronGroup 'cell' writes `i`",
        ),
        (
            _with(threshold="v > 1*mV", reset="", refractory="v"),
            "='v', which is neither a time nor a condition",
        ),
        (_with(threshold="v > 1*mV", reset="", refractory=3 * mV), "refractory=3. mV, which is not a time"),
        (_with(equations="dv/dt = -v**2/(10*ms) : 1", method="exact"), "NeuronGroup 'cell' .*linear"),
        (_with(equations=LEAK + "\nspike : 1", threshold="v > 1*mV", reset=""), "both a variable and an event `spike`"),
        (
            _with(equations=LEAK + "\nlastspike_step : 1", threshold="v > 1*mV", reset="", refractory=1 * ms),
            "`lastspike_step`, a reserved name; rename it",
        ),
    ],
)
def test_wrong_input_is_named(build: Callable[[], Any], message: str) -> None:
    """What Brian2 objects to, and what is missing, is named with the group."""
    network = build()
    with pytest.raises(InputError, match=message):
        compile_network(network)


@pytest.mark.parametrize("name", ["v", "cell.v", "cell.w", "cell.tau", "cell.level"])
def test_only_free_parameters_are_inputs(name: str) -> None:
    """States, external names, unknown names, and parameters that a reset writes are no inputs."""
    group = cell(
        "dv/dt = (drive - v)/tau : volt\ndrive : volt\nlevel : 1", threshold="v > 1*mV", reset="v = 0*mV; level += 1"
    )
    with pytest.raises(InputError, match=f"'{name}' cannot be an input: .*there are cell.drive"):
        compile_network(Network(group), {"tau": np.float64(10) * ms}, inputs=(name,))


def test_legacy_refractory_timing_is_refused() -> None:
    """Brian2's old comparison of rounded times is refused, with the setting to change."""
    group = cell(threshold="v > 1*mV", reset="", refractory=1 * ms)
    brian2.prefs.legacy.refractory_timing = True
    try:
        with pytest.raises(UnsupportedError, match="legacy rule.*prefs.legacy.refractory_timing = False"):
            compile_network(Network(group))
    finally:
        brian2.prefs.legacy.refractory_timing = False


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
