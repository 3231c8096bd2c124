"""The compiled program does what Brian2 does: the same spikes, the same traces."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import brian2
import numpy as np
import pytest
from brian2 import (
    Network,
    NeuronGroup,
    SpikeMonitor,
    StateMonitor,
    TimedArray,
    cm,
    ms,
    msiemens,
    mV,
    nA,
    nS,
    pA,
    pF,
    siemens,
    ufarad,
    umetre,
)
from brian2.stateupdaters.explicit import ExplicitStateUpdater

from biophys import Program, compile_network

ONE_NANO_MILLIVOLT = 1e-12  # volt; 1e-9 mV
DT = 0.05 * ms
Said: TypeAlias = dict[str, np.ndarray]

HODGKIN_HUXLEY = """
dv/dt = (g_l*(e_l - v) - g_na*m**3*h*(v - e_na) - g_k*n**4*(v - e_k) + drive)/c_m : volt
dm/dt = alpha_m*(1 - m) - beta_m*m : 1
dn/dt = alpha_n*(1 - n) - beta_n*n : 1
dh/dt = alpha_h*(1 - h) - beta_h*h : 1
alpha_m = 1.28/exprel((13*mV - v + v_t)/(4*mV))/ms : Hz
beta_m = 1.4/exprel((v - v_t - 40*mV)/(5*mV))/ms : Hz
alpha_h = 0.128*exp((17*mV - v + v_t)/(18*mV))/ms : Hz
beta_h = 4./(1 + exp((40*mV - v + v_t)/(5*mV)))/ms : Hz
alpha_n = 0.16/exprel((15*mV - v + v_t)/(5*mV))/ms : Hz
beta_n = .5*exp((10*mV - v + v_t)/(40*mV))/ms : Hz
drive : amp
g_na : siemens
v_t : volt (shared)
"""
AREA = 20000 * umetre**2
HODGKIN_HUXLEY_NAMES = {
    "c_m": 1 * ufarad / cm**2 * AREA,
    "g_l": 5e-5 * siemens / cm**2 * AREA,
    "g_k": 30 * msiemens / cm**2 * AREA,
    "e_l": -65 * mV,
    "e_k": -90 * mV,
    "e_na": 50 * mV,
}

ADAPTIVE_EXPONENTIAL = """
dv/dt = (g_l*(e_l - v) + g_l*slope*exp((v - v_t)/slope) - w + drive)/c_m : volt
dw/dt = (a*(v - e_l) - w)/tau_w : amp
drive : amp
"""
ADAPTIVE_EXPONENTIAL_NAMES = {
    **{"c_m": 281 * pF, "g_l": 30 * nS, "e_l": -70.6 * mV, "v_t": -50.4 * mV, "slope": 2 * mV},
    **{"tau_w": 144 * ms, "a": 4 * nS, "b": 0.0805 * nA, "v_r": -70.6 * mV},
}


@dataclasses.dataclass(frozen=True)
class Difference:
    """How far a program is from Brian2: number of events that differ, largest differences of traces."""

    events: int
    traces: dict[str, float]


def hodgkin_huxley(n: int = 20) -> NeuronGroup:
    group = NeuronGroup(
        n,
        HODGKIN_HUXLEY,
        threshold="v > -10*mV",
        refractory="v > -10*mV",
        method="exponential_euler",
        dt=DT,
        name="cell",
    )
    group.v, group.h, group.v_t = -65 * mV, 1, -63 * mV
    group.drive = np.linspace(0, 0.7, n) * nA
    group.g_na = np.linspace(90, 110, n) * msiemens / cm**2 * AREA
    return group


def brian2_says(
    network: Network, namespace: Mapping[str, Any], n_steps: int, names: list[str]
) -> dict[str, np.ndarray]:
    """Runs the network in Brian2: "v" -> (step, n), "spike" -> (step, n)."""
    group = network["cell"]
    traces = StateMonitor(group, names, record=True)
    spikes = SpikeMonitor(group) if "spike" in group.events else None
    network.add(traces, *([spikes] if spikes is not None else []))
    start = round(network.t_ / group.clock.dt_)
    network.run(n_steps * group.dt, namespace=dict(namespace))
    # Copies: newer Brian2 frees a monitor's memory with the monitor.
    said = {name: np.array(getattr(traces, f"{name}_")).T for name in names}
    if spikes is not None:
        said["spike"] = np.zeros((n_steps, len(group)), bool)
        said["spike"][np.round(spikes.t_ / group.clock.dt_).astype(int) - start, np.asarray(spikes.i)] = True
    return said


def program_says(program: Program, n_steps: int, names: list[str], **given: Any) -> Said:
    """Runs the program: the same names and shapes."""
    record = [*(f"cell.{name}" for name in names), *program.event_names]
    _, out = program.run(n_steps * program.dt_s, record=record, **given)
    return {key.removeprefix("cell."): np.asarray(value) for key, value in out.items()}


def difference(said: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> Difference:
    """Compares what the program says with what Brian2 says."""
    events = sum(int((said[name] != value).sum()) for name, value in expected.items() if value.dtype == bool)
    floats = {name: value for name, value in expected.items() if value.dtype != bool}
    return Difference(events, {name: float(np.abs(said[name] - value).max()) for name, value in floats.items()})


def compare(
    group: NeuronGroup, namespace: Mapping[str, Any], n_steps: int, names: list[str], **given: Any
) -> tuple[Difference, int]:
    """Compiles, then runs both; also the number of spikes, so that a test can ask for some."""
    network = Network(group)
    program = compile_network(network, namespace)
    expected = brian2_says(network, namespace, n_steps, names)
    said = program_says(program, n_steps, names, **given)
    return difference(said, expected), int(expected.get("spike", np.zeros(0)).sum())


def test_hodgkin_huxley_by_exponential_euler() -> None:
    """Conductance-based cells with exprel, shared and per-neuron parameters agree to 1e-9 mV, with every spike."""
    found, spikes = compare(hodgkin_huxley(), HODGKIN_HUXLEY_NAMES, 600, ["v", "m", "alpha_n"])
    assert spikes > 20
    assert found.events == 0
    assert found.traces["v"] < ONE_NANO_MILLIVOLT
    assert found.traces["m"] < 1e-9
    assert found.traces["alpha_n"] < 1e-9 * 1e3


@pytest.mark.parametrize(
    ("method", "refractory"),
    [
        (("exact", "euler", "heun"), "t_ref"),
        ("euler", 1.5 * ms),
        ("rk2", "t_ref + 0.4*ms*int(i % 2)"),
        ("rk4", 1.5 * ms),
        ("exponential_euler", "t_ref"),
    ],
)
def test_integrate_and_fire_with_timed_refractoriness(method: Any, refractory: Any) -> None:
    """Reset, adaptation and every form of timed refractoriness give Brian2's spikes and traces, for every method."""
    group = NeuronGroup(
        7,
        """dv/dt = (e_l - v + r_m*drive - w)/tau : volt (unless refractory)
           dw/dt = -w/(80*ms) : volt
           drive : amp
           t_ref : second
           v_threshold : volt (constant)""",
        threshold="v > v_threshold",
        reset="v = e_l; w += 1*mV  # adaptation",
        refractory=refractory,
        method=method,
        dt=0.1 * ms,
        name="cell",
    )
    group.v = "-70*mV + i*mV"
    group.drive = np.linspace(0.1, 0.6, 7) * nA
    group.t_ref = np.linspace(0.05, 3, 7) * ms
    group.v_threshold = np.linspace(-55, -50, 7) * mV
    names = {"e_l": -70 * mV, "r_m": 100 * brian2.Mohm, "tau": 10 * ms}
    found, spikes = compare(group, names, 900, ["v", "w"])
    assert spikes > 50
    assert found == Difference(0, {"v": pytest.approx(0, abs=1e-12), "w": pytest.approx(0, abs=1e-12)})


def test_legacy_refractory_timing() -> None:
    """Brian2's older rule, which compares rounded times, is followed where its preference asks for it."""
    n_spikes = []
    for legacy in (False, True):
        group = NeuronGroup(
            20,
            "dv/dt = (30*mV - v)/(1*ms + 0.4*ms*i) : volt (unless refractory)",
            threshold="v > 10*mV",
            reset="v = 0*mV",
            refractory=0.3 * ms,
            method="euler",
            dt=0.1 * ms,
            name="cell",
        )
        brian2.prefs.legacy.refractory_timing = legacy
        try:
            found, spikes = compare(group, {}, 900, ["v"])
        finally:
            brian2.prefs.legacy.refractory_timing = False
        assert found == Difference(0, {"v": pytest.approx(0, abs=ONE_NANO_MILLIVOLT)})
        n_spikes.append(spikes)
    assert n_spikes[1] < n_spikes[0]


@pytest.mark.parametrize("method", ["euler", "rk2", "rk4", "heun", "milstein", ("exact", "euler", "heun")])
def test_adaptive_exponential(method: Any) -> None:
    """AdEx agrees for every explicit method, and by Brian2's own choice where it is left a choice."""
    group = NeuronGroup(
        5,
        ADAPTIVE_EXPONENTIAL,
        threshold="v > v_t + 5*slope",
        reset="""v = v_r
                 w = w + b""",
        method=method,
        dt=0.1 * ms,
        name="cell",
    )
    group.v = -70 * mV
    group.drive = np.linspace(0.6, 1.2, 5) * nA
    found, spikes = compare(group, ADAPTIVE_EXPONENTIAL_NAMES, 700, ["v", "w"])
    assert spikes > 10
    assert found.events == 0
    assert found.traces["v"] < ONE_NANO_MILLIVOLT and found.traces["w"] < 1e-18


def test_the_language_of_equations() -> None:
    """Conditions, whole numbers, logic, `%`, `//`, powers, `t`, `i`, `N`, `lastspike` and temporary names agree."""
    group = NeuronGroup(
        6,
        """dx/dt = (-x + pull*kick)/(5*ms) : 1
           dy/dt = (clip(x, -0.5, 0.5) - abs(y)*y**2.0 + slow - 0.1*int(since < 3*ms))/(7*ms) : 1
           pull = (1 + gain)**1.5 + int(i % 3 == 1) - (i // 4)/N : 1
           kick = int(t > 4.01*ms and not (t > 9.01*ms or on)) + sign(sin(2*pi*t/(6*ms) + 0.3)) : 1
           slow = exprel(x)*log1p(x**2) - floor(3*x)/4 + ceil(y) + tanh(y)/cosh(x) + arctan(x): 1 (constant over dt)
           since = t - lastspike : second
           gain : 1 (shared)
           on : boolean
           count : integer""",
        threshold="x > 0.6 and y < 10",
        reset="""before = x > 0.65
                 x -= 0.7*int(before) + 0.2
                 count += 1
                 on = not on""",
        refractory=0.3 * ms,
        method="rk2",
        dt=DT,
        name="cell",
    )
    group.gain, group.on, group.x = 0.3, [True, False] * 3, "0.1*i"
    found, spikes = compare(group, {}, 600, ["x", "y", "slow", "since", "count", "pull"])
    assert spikes > 20
    assert found.events == 0
    assert found.traces == {name: pytest.approx(0, abs=1e-9) for name in found.traces}


@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_timed_arrays(method: str) -> None:
    """Tables of one and two axes, finer and coarser than the step, past their end, and at the stages of a method."""
    rng = np.random.default_rng(7)
    fine, coarse = rng.normal(size=300), rng.normal(size=(40, 3))
    names = {"fine": TimedArray(fine, dt=0.025 * ms), "coarse": TimedArray(coarse * pA, dt=0.3 * ms)}
    equations = "dv/dt = (-v + 10*mV*fine(t) + 1*Gohm*coarse(t, i % 3))/(2*ms) : volt"
    group = NeuronGroup(4, equations, method=method, dt=DT, name="cell")
    found, _ = compare(group, names, 400, ["v"])
    assert found.traces["v"] < ONE_NANO_MILLIVOLT


def test_values_of_a_timed_array_are_a_parameter() -> None:
    """Other values, given as a parameter, do what a network built with them does."""
    group = NeuronGroup(2, "dv/dt = (table(t) - v)/(2*ms) : volt", method="euler", dt=DT, name="cell")
    other = np.linspace(-1, 1, 10) * mV
    program = compile_network(Network(group), {"table": TimedArray(np.zeros(10) * mV, dt=1 * ms)})
    assert program.units["cell.table"] == "V"
    expected = brian2_says(Network(group), {"table": TimedArray(other, dt=1 * ms)}, 250, ["v"])
    said = program_says(program, 250, ["v"], params={"cell.table": np.asarray(other)})
    assert difference(said, expected).traces["v"] < ONE_NANO_MILLIVOLT


def test_events_of_ones_own() -> None:
    """An event beside the spike, with its own schedule and code, runs where Brian2 runs it."""
    group = NeuronGroup(
        4,
        """dv/dt = (2 - v)/(10*ms) : 1
           level : 1""",
        threshold="v > 1 + level",
        reset="v = 0",
        events={"halfway": "v > 0.5 and v < 0.55"},
        method="exact",
        dt=0.1 * ms,
        name="cell",
    )
    group.run_on_event("halfway", "level += 0.01*v; v += 0.2")
    group.set_event_schedule("halfway", when="before_thresholds")
    group.v = "i/8.0"
    found, spikes = compare(group, {}, 600, ["v", "level"])
    assert spikes > 10
    assert found == Difference(0, {"v": pytest.approx(0, abs=1e-12), "level": pytest.approx(0, abs=1e-12)})


def test_a_network_continues_where_brian2_stopped() -> None:
    """Compiled after a run, the program goes on: clock, refractoriness and states are those of that moment."""
    group = NeuronGroup(
        3,
        "dv/dt = (20*mV*sin(2*pi*t/(30*ms)) - v + 12*mV)/(4*ms) : volt (unless refractory)",
        threshold="v > 15*mV",
        reset="v = 0*mV",
        refractory=20 * ms,
        method="euler",
        dt=0.1 * ms,
        name="cell",
    )
    group.v = [0, 5, 10] * mV
    network = Network(group)
    network.run(9.7 * ms)
    assert not all(group.not_refractory)
    program = compile_network(network)
    assert int(program.init()["step"]) == 97
    expected = brian2_says(network, {}, 500, ["v"])
    found = difference(program_says(program, 500, ["v"]), expected)
    assert expected["spike"].sum() >= 3
    assert found == Difference(0, {"v": pytest.approx(0, abs=ONE_NANO_MILLIVOLT)})


def test_two_groups_in_one_program() -> None:
    """Groups of other sizes and methods run side by side, each with its own namespace for the same name."""
    first = NeuronGroup(2, "dv/dt = -v/tau : 1", namespace={"tau": 3 * ms}, method="exact", dt=DT, name="cell")
    second = NeuronGroup(3, "dv/dt = -v/tau : 1", namespace={"tau": 9 * ms}, method="rk4", dt=DT, name="other")
    first.v, second.v = 1, 2
    network = Network(first, second)
    program = compile_network(network)
    assert program.shapes["cell.v"] == (2,) and program.shapes["other.v"] == (3,)
    network.run(100 * DT)
    state, _ = program.run(100 * DT)
    np.testing.assert_allclose(state["cell.v"], first.v_[:], rtol=1e-13)
    np.testing.assert_allclose(state["other.v"], second.v_[:], rtol=1e-13)


def test_a_method_of_ones_own() -> None:
    """An explicit method that the user described is compiled from Brian2's own text of its step."""
    ralston = ExplicitStateUpdater("k_1 = dt*f(x, t)\nk_2 = dt*f(x + 2*k_1/3, t + 2*dt/3)\nx_new = x + k_1/4 + 3*k_2/4")
    group = NeuronGroup(3, "dx/dt = -x**2*sin(t/ms)/ms : 1", method=ralston, dt=DT, name="cell")
    group.x = "1 + i"
    found, _ = compare(group, {}, 300, ["x"])
    assert found.traces["x"] < 1e-12


def _without_reset(program: Program) -> tuple:
    return tuple(operation for operation in program.operations if "resetter" not in operation.name)


def _threshold_before_update(program: Program) -> tuple:
    update, threshold, reset = program.operations
    return (threshold, update, reset)


def _without_refractoriness(program: Program) -> tuple:
    update, threshold, reset = program.operations

    def forgetful(world: Any) -> Any:
        return {**threshold.apply(world), "cell.lastspike_step": world["cell.lastspike_step"]}

    return (update, dataclasses.replace(threshold, apply=forgetful), reset)


@pytest.mark.parametrize("defect", [_without_reset, _threshold_before_update, _without_refractoriness])
def test_the_comparison_catches_planted_defects(defect: Callable[[Program], tuple]) -> None:
    """A program without its reset, in another order, or that forgets to be refractory is told apart from Brian2."""
    group = NeuronGroup(
        2,
        "dv/dt = (20*mV - v)/(5*ms) : volt (unless refractory)",
        threshold="v > 10*mV",
        reset="v = 0*mV",
        refractory=3 * ms,
        method="euler",
        dt=0.1 * ms,
        name="cell",
    )
    network = Network(group)
    program = compile_network(network)
    expected = brian2_says(network, {}, 300, ["v"])
    assert difference(program_says(program, 300, ["v"]), expected).events == 0
    broken = dataclasses.replace(program, operations=defect(program))
    assert difference(program_says(broken, 300, ["v"]), expected).events > 0
