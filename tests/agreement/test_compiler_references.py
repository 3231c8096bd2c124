"""Variables that refer to others: linked variables and subgroups, as Brian2 has them."""

from collections.abc import Callable
from typing import Any

import numpy as np
from brian2 import Network, NeuronGroup, linked_var, ms

from biophys import compile_network

ROUNDING = 1e-9  # relative


def source(n: int = 4, **options: Any) -> NeuronGroup:
    group = NeuronGroup(
        n,
        """du/dt = (charge - u)/(7*ms) : 1
           charge : 1
           z = u**2*scale + i/N + sin(t/ms) : 1
           held = u + t/ms : 1 (constant over dt)
           common : 1 (shared)""",
        namespace={"scale": 0.5},
        method="exact",
        name="source",
        **options,
    )
    group.u, group.common = "1 + 0.5*i", 3
    return group


def follower(n: int, links: dict[str, Any], **options: Any) -> NeuronGroup:
    """A group of which each variable `x_name` follows the variable `name` that is linked to something."""
    equations = [f"dx_{name}/dt = ({name} - x_{name})/(5*ms) : 1\n{name} : 1 (linked)" for name in links]
    group = NeuronGroup(n, "\n".join(equations), method="rk2", name="follower", namespace={"scale": 0.5}, **options)
    for name, link in links.items():
        setattr(group, name, link)
    return group


def recorded(*names: str) -> list[str]:
    """What is compared where those names are followed."""
    return ["source.u", *(f"follower.{kind}{name}" for name in names for kind in ("", "x_"))]


def test_linked_one_to_one(compare: Callable[..., Any]) -> None:
    """A group follows a variable, a subexpression, one that is constant over a step, and a shared parameter."""
    first = source()
    first.run_regularly("common += 0.1", dt=1 * ms)
    names = ("u", "z", "held", "common")
    second = follower(4, {name: linked_var(first, name) for name in names})
    assert compare(Network(first, second), 10 * ms, recorded(*names)).error < ROUNDING


def test_linked_by_an_index(compare: Callable[..., Any]) -> None:
    """Elements follow the ones that an array of indices names, some of them several times, at its own step."""
    first = source(dt=0.3 * ms)
    names, index = ("u", "z", "held"), [3, 3, 0, 1, 2, 0]
    second = follower(6, {name: linked_var(first, name, index=index) for name in names}, dt=0.1 * ms)
    assert compare(Network(first, second), 12 * ms, recorded(*names)).error < ROUNDING


def test_all_follow_one(compare: Callable[..., Any]) -> None:
    """A group of any size follows a group of one."""
    first = source(1)
    second = follower(5, {name: linked_var(first, name) for name in ("u", "z")})
    second.x_u = "i"
    assert compare(Network(first, second), 10 * ms, recorded("u", "z")).error < ROUNDING


def test_linked_to_a_part_of_a_group(compare: Callable[..., Any]) -> None:
    """Linked to a subgroup, the elements follow that part."""
    first = source()
    part = first[1:3]
    second = follower(2, {name: linked_var(part, name) for name in ("u", "z")})
    assert compare(Network(first, second), 10 * ms, recorded("u", "z")).error < ROUNDING


def test_linked_to_what_is_linked(compare: Callable[..., Any]) -> None:
    """A chain of links, and a ring within one group, end at the variable that they are linked to."""
    first = source()
    second = follower(4, {"u": linked_var(first, "u")})
    ring = NeuronGroup(
        4,
        """dw/dt = (v - w + 0.1*next)/ms : 1
           v : 1 (linked)
           next : 1 (linked)""",
        threshold="w > 1",
        reset="w = 0",
        method="rk4",
        name="ring",
    )
    ring.v = linked_var(second, "u", index=[3, 2, 1, 0])
    ring.next = linked_var(ring, "w", index=[1, 2, 3, 0])
    found = compare(Network(first, second, ring), 10 * ms, [*recorded("u"), "ring.w", "ring.spike"])
    assert found.n_events > 5 and found.wrong_events == 0
    assert found.error < ROUNDING
    assert [key for key in found.program.state_names if key.startswith(("follower", "ring"))] == [
        "follower.x_u",
        "ring.w",
        "ring.spike",
    ]


def test_events_act_through_links(compare: Callable[..., Any]) -> None:
    """A reset reads what it is linked to and adds to what it is linked to; elements that share an entry add up."""
    first = source()
    second = NeuronGroup(
        6,
        """dx/dt = (y - x)/(5*ms) : 1
           y : 1 (linked)
           sink : 1 (linked)""",
        threshold="x > 0.2",
        reset="""x = 0.01*y
                 sink += 0.01*(1 + i)""",
        method="rk2",
        name="follower",
    )
    shared = [3, 3, 0, 1, 2, 0]
    second.y, second.sink = linked_var(first, "u", index=shared), linked_var(first, "charge", index=shared)
    record = ["source.u", "source.charge", "follower.x", "follower.y", "follower.spike"]
    found = compare(Network(first, second), 10 * ms, record)
    assert found.n_events > 20 and found.wrong_events == 0
    assert found.error < ROUNDING


def test_the_last_spike_of_another_group(compare: Callable[..., Any]) -> None:
    """A group sees the last spike and the refractoriness of another, and has its own beside them."""
    equations = "dx/dt = (drive - x)/(7*ms) : 1 (unless refractory)\ndrive : 1"
    options: dict[str, Any] = {"threshold": "x > 1", "reset": "x = 0", "method": "euler"}
    first = NeuronGroup(3, equations, refractory=1 * ms, dt=0.2 * ms, name="source", **options)
    second = NeuronGroup(
        3,
        equations
        + """
           its_last : second (linked)
           it_is_free : boolean (linked)
           since = clip((t - its_last)/ms, 0, 50) + int(it_is_free) : 1
           own = clip((t - lastspike)/ms, 0, 50) : 1""",
        refractory="0.7*ms + 0.1*ms*int(since > 2)",
        dt=0.1 * ms,
        name="follower",
        **options,
    )
    first.drive, second.drive = "1.5 + 0.2*i", "2 + 0.3*i"
    second.its_last = linked_var(first, "lastspike", index=[2, 0, 0])
    second.it_is_free = linked_var(first, "not_refractory", index=[2, 0, 0])
    record = ["source.x", "source.spike", "follower.x", "follower.spike", "follower.since", "follower.own"]
    found = compare(Network(first, second), 40 * ms, record)
    assert found.n_events > 20 and found.wrong_events == 0
    assert found.error < ROUNDING


def test_regular_operations_on_parts(compare: Callable[..., Any]) -> None:
    """Overlapping parts, and a part of a part, with steps of their own; `i` and `N` in them count from their start."""
    group = NeuronGroup(
        6,
        """dx/dt = (1.2 - x)/(5*ms) : 1 (unless refractory)
           z = x + i : 1
           n : 1
           which : integer
           common : 1 (shared)""",
        threshold="x > 1",
        reset="x = 0",
        refractory=1 * ms,
        method="euler",
        name="cell",
    )
    group.x, group.common = "i/6.0", 2
    middle, low, inner = group[2:5], group[1:3], group[1:5][1:3]
    middle.run_regularly("x += 0.1*i + 0.01*N*common; n += N; which = i", dt=0.5 * ms)
    low.run_regularly("x += 0.3*int(t > 2*ms and not_refractory)", dt=0.3 * ms, when="end")
    inner.run_regularly("x += 0.02*z/N + 0.01*clip((t - lastspike)/ms, 0, 9)", dt=0.4 * ms, when="after_resets")
    found = compare(Network(group), 30 * ms, [f"cell.{name}" for name in ("x", "n", "which", "spike")])
    assert found.n_events > 30 and found.wrong_events == 0
    assert found.error < ROUNDING
    assert found.expected["cell.which"][-1].tolist() == [0, 0, 0, 1, 2, 0]


def test_what_is_linked_is_one_parameter() -> None:
    """A linked variable has no value of its own: another value of what it is linked to changes it too."""
    first = NeuronGroup(2, "u : 1", name="source")
    second = follower(4, {"u": linked_var(first, "u", index=[0, 0, 1, 1])})
    program = compile_network(Network(first, second))
    assert set(program.defaults) == {"source.u"} and "follower.u" not in program.shapes
    _, out = program.run(0.3 * ms, {"source.u": np.array([5.0, 7.0])}, record=("follower.u",))
    np.testing.assert_array_equal(out["follower.u"][1], [5, 5, 7, 7])
