"""The cable equation against Brian2 itself, exact arithmetic, a closed formula, conservation and finite differences."""

import dataclasses
import functools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import brian2
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from brian2 import Cylinder, Morphology, Section, Soma, SpatialNeuron, amp, cm, farad, meter, ohm, siemens, um
from jax import export

from biophys.compiler.cable import Cable, Geometry, advance, cable_of, tree_of
from biophys.compiler.elimination import plan
from twin.errors import InputError

DT_S = 25e-6
MODEL = "Im = g * (E - v) + I / area : amp/meter**2\ng : siemens/meter**2\nE : volt\nI : amp"


def _cylinder(length: float, diameter: float, n: int) -> Cylinder:
    return Cylinder(length=length * um, diameter=diameter * um, n=n)


def _single_compartment() -> Morphology:
    return _cylinder(20.0, 20.0, 1)


def _one_cylinder() -> Morphology:
    return _cylinder(500.0, 2.0, 20)


def _tapering_chain() -> Morphology:
    root = Section(diameter=[8.0, 4.0, 5.0, 3.0] * um, length=[30.0, 10.0, 40.0] * um, n=3)
    root.next = _cylinder(80.0, 2.0, 1)
    root.next.next = _cylinder(200.0, 1.0, 4)
    return root


def _star() -> Morphology:
    soma = Soma(25.0 * um)
    for name, (length, diameter, n) in zip(
        "abcdef", [(100, 2, 3), (50, 1, 1), (300, 1.5, 6), (70, 3, 2), (20, 0.5, 1), (400, 1, 7)], strict=True
    ):
        setattr(soma, name, _cylinder(length, diameter, n))
    return soma


def _soma_and_branches() -> Morphology:
    soma = Soma(20.0 * um)
    soma.a, soma.b = _cylinder(100, 2, 7), _cylinder(200, 1, 4)
    soma.a.x, soma.a.y = _cylinder(100, 1, 1), _cylinder(50, 0.5, 5)
    soma.b.z = _cylinder(100, 1, 3)
    return soma


def _random_tree() -> Morphology:
    """Sections as a reconstruction has them: of any length and taper, with any number of compartments and children."""
    rng = np.random.default_rng(4)
    root = _cylinder(30.0, 15.0, 2)
    sections: list[Any] = [root]
    for k in range(24):
        n = int(rng.integers(1, 7))
        section = Section(diameter=rng.uniform(0.4, 4.0, n + 1) * um, length=rng.uniform(2.0, 60.0, n) * um, n=n)
        setattr(sections[rng.integers(len(sections))], f"s{k}", section)
        sections.append(section)
    return root


MORPHOLOGIES: dict[str, Callable[[], Morphology]] = {
    make.__name__[1:]: make
    for make in (_single_compartment, _one_cylinder, _tapering_chain, _star, _soma_and_branches, _random_tree)
}


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    """A neuron with a different membrane in each compartment, and what `advance` needs of it."""

    neuron: SpatialNeuron
    cable: Cable
    v: np.ndarray
    gtot: np.ndarray
    i0: np.ndarray
    cm: np.ndarray

    @property
    def membrane(self) -> tuple[np.ndarray, ...]:
        """The arrays between `v` and `dt_s`."""
        return self.gtot, self.i0, self.cm


@functools.cache
def _case(name: str) -> Case:
    neuron = SpatialNeuron(
        MORPHOLOGIES[name](), MODEL, method="exponential_euler", Ri=150 * ohm * cm, dt=DT_S * brian2.second, name=name
    )
    rng = np.random.default_rng(7)
    neuron.g = rng.uniform(0.5, 30.0, neuron.N) * siemens / meter**2
    neuron.E = rng.uniform(-0.08, -0.05, neuron.N) * brian2.volt
    neuron.I = rng.normal(0.0, 1e-10, neuron.N) * amp
    neuron.Cm = rng.uniform(0.008, 0.012, neuron.N) * farad / meter**2
    neuron.v = rng.uniform(-0.09, 0.03, neuron.N) * brian2.volt
    gtot, e, i, area, cm_, v = (np.array(neuron.variables[k].get_value()) for k in ("g", "E", "I", "area", "Cm", "v"))
    return Case(neuron, cable_of(neuron), v, gtot, gtot * e + i / area, cm_)


@pytest.fixture(params=MORPHOLOGIES)
def case(request: pytest.FixtureRequest) -> Case:
    return _case(request.param)


@pytest.fixture
def branched() -> Case:
    return _case("soma_and_branches")


@functools.cache
def _compiled(case: Case, dtype: type, order: str | None) -> Callable[[int], jax.Array]:
    """The voltage after some steps, in the order of elimination that this machine takes or in a certain one."""
    v, *membrane = (jnp.asarray(x, dtype) for x in (case.v, *case.membrane))
    elimination = case.cable.elimination
    if order is not None:
        chosen = getattr(elimination, order)
        elimination = dataclasses.replace(elimination, in_turn=chosen, in_groups=chosen, in_rounds=chosen)
    cable = dataclasses.replace(case.cable, elimination=elimination)
    return jax.jit(lambda n_steps: jax.lax.fori_loop(0, n_steps, lambda _, v: advance(cable, v, *membrane, DT_S), v))


def _after(case: Case, n_steps: int, dtype: type = np.float64, order: str | None = None) -> np.ndarray:
    return np.asarray(_compiled(case, dtype, order)(n_steps))


def _distance(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def _brian2_after(case: Case, *durations: int) -> list[np.ndarray]:
    network, found = brian2.Network(case.neuron), []
    case.neuron.v = case.v * brian2.volt
    for n_steps in durations:
        network.run(n_steps * DT_S * brian2.second)
        found.append(np.array(case.neuron.v_[:]))
    return found


def _exactly(case: Case) -> np.ndarray:
    """One step in rational numbers: Kirchhoff's law at the middle and at the far end of every compartment."""
    area, r1, r2, ri = ([Fraction(float(x)) for x in np.ravel(values)] for values in case.cable.geometry)
    v, gtot, i0, cm_ = ([Fraction(float(x)) for x in values] for values in (case.v, *case.membrane))
    n, dt = len(v), Fraction(DT_S)
    above = {n + i: i for i in range(n)} | {i: n + int(p) for i, p in enumerate(case.cable.parent, start=1)}
    arm = {n + i: r2[i] / ri[0] for i in range(n)} | {i: r1[i] / ri[0] for i in range(1, n)}
    leak = [area[i] * (cm_[i] / dt + gtot[i]) for i in range(n)] + [Fraction(0)] * n
    inflow = [area[i] * (cm_[i] / dt * v[i] + i0[i]) for i in range(n)] + [Fraction(0)] * n
    tips_first = [node for i in reversed(range(n)) for node in (n + i, i)][:-1]
    for node in tips_first:
        share = arm[node] / (arm[node] + leak[node])
        leak[above[node]] += share * leak[node]
        inflow[above[node]] += share * inflow[node]
    voltage = {0: inflow[0] / leak[0]}
    for node in reversed(tips_first):
        voltage[node] = (inflow[node] + arm[node] * voltage[above[node]]) / (arm[node] + leak[node])
    return np.array([float(voltage[i]) for i in range(n)])


def test_one_step_and_a_hundred_are_those_of_brian2(case: Case) -> None:
    """The compiled cable agrees with Brian2 to 1e-9 of the largest voltage; 1e-7 where a soma costs digits."""
    one, hundred = _brian2_after(case, 1, 99)
    # Brian2 subtracts numbers of the size of the soma's conductance, 0.7 S, and loses digits that are kept here.
    tolerance = 1e-7 if isinstance(case.neuron.morphology, Soma) else 1e-9
    assert _distance(_after(case, 1), one) < tolerance
    assert _distance(_after(case, 100), hundred) < tolerance


@pytest.mark.parametrize("order", [None, "in_groups", "in_rounds"])
def test_every_order_of_elimination_is_exact(case: Case, order: str | None) -> None:
    """One step is the exact solution to the last digits, in whichever order the compartments go."""
    assert _distance(_after(case, 1, order=order), _exactly(case)) < 1e-14


def test_hundred_steps_in_float32_are_near_those_in_float64(case: Case) -> None:
    """Single precision does not drift: after 100 steps the voltage is within 1e-5 of that in double precision."""
    found = _after(case, 100, np.float32)
    assert found.dtype == np.float32
    assert _distance(found, _after(case, 100)) < 1e-5


def test_passive_cable_converges_to_the_analytic_profile() -> None:
    """A current into one end of a sealed cable gives cosh((L - x) / lambda), with an error of second order in dx."""
    length, diameter, ri, g, current = 1e-3, 2e-6, 1.5, 2.0, 1e-11
    constant = np.sqrt(diameter / (4.0 * ri * g))
    axial = 4.0 * ri / (np.pi * diameter**2)  # ohm per metre
    counts, errors = [25, 50, 100], []
    for n in counts:
        cell = SpatialNeuron(
            Cylinder(length=length * meter, diameter=diameter * meter, n=n), MODEL, Ri=ri * ohm * meter
        )
        cable = cable_of(cell)
        x = (np.arange(n) + 0.5) * length / n
        i0 = np.where(np.arange(n) == 0, current / cable.geometry.area, 0.0)
        # A single step of a thousand years is the steady state.
        found = np.asarray(advance(cable, jnp.zeros(n), g, i0, 0.01, 3e10))
        profile = current * axial * constant * np.cosh((length - x) / constant) / np.sinh(length / constant)
        errors.append(_distance(found, profile))
    order = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert errors[-1] < 1e-3
    assert 1.9 < order < 2.1


def test_a_resistive_cytoplasm_decouples_and_a_conducting_one_levels(branched: Case) -> None:
    """At Ri -> infinity each compartment is alone; at Ri -> 0 all have the voltage of the sum of their currents."""
    own = branched.cable.geometry
    v, (gtot, i0, cm_) = jnp.asarray(branched.v), branched.membrane
    alone = (cm_ / DT_S * branched.v + i0) / (cm_ / DT_S + gtot)
    step = jax.jit(lambda ri: advance(branched.cable, v, gtot, i0, cm_, DT_S, own._replace(ri=ri)))
    assert _distance(np.asarray(step(1e15)), alone) < 1e-9
    total = np.sum(own.area * (cm_ / DT_S * branched.v + i0)) / np.sum(own.area * (cm_ / DT_S + gtot))
    np.testing.assert_allclose(step(1e-12), total, rtol=1e-9)


def test_charge_is_conserved(case: Case) -> None:
    """What flows in through the membrane charges it: axial currents sum to zero over the whole neuron."""
    after, area = _after(case, 1), case.cable.geometry.area
    charging = area * case.cm * (after - case.v) / DT_S
    through = area * (case.i0 - case.gtot * after)
    assert abs(np.sum(charging - through)) < 1e-12 * np.sum(np.abs(charging))


def _cell_of(diameter: jax.Array, length: np.ndarray, ri: jax.Array) -> Geometry:
    """Cylinders (Brian2's `Cylinder`)."""
    conducting = jnp.pi / 2.0 * diameter**2 / length
    return Geometry(jnp.pi * diameter * length, conducting, conducting, ri)


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A sum over three steps, mV, as a function of everything that may be fitted; and where to differentiate it."""

    loss: Callable[..., jax.Array]
    at: dict[str, jax.Array]
    gradient: dict[str, jax.Array]

    def along(self, name: str, step: jax.Array, direction: jax.Array) -> jax.Array:
        """The loss some way off in one of the arguments."""
        return self.loss(self.at | {name: self.at[name] + step * direction})


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    case, rng = _case("soma_and_branches"), np.random.default_rng(3)
    n = len(case.v)
    weights, length = jnp.asarray(rng.normal(size=n)), rng.uniform(1e-5, 1e-4, n)
    at = {"v": case.v, "gtot": case.gtot, "i0": case.i0, "cm": case.cm}
    at |= {"diameter": rng.uniform(0.5e-6, 5e-6, n), "ri": np.asarray(1.5)}

    @jax.jit
    def loss(values: dict[str, jax.Array]) -> jax.Array:
        shape = _cell_of(values["diameter"], length, values["ri"])

        def step(v: jax.Array, _: None) -> tuple[jax.Array, None]:
            return advance(case.cable, v, values["gtot"], values["i0"], values["cm"], DT_S, shape), None

        return 1e3 * jnp.sum(weights * jax.lax.scan(step, values["v"], None, length=3)[0])

    known = {name: jnp.asarray(value) for name, value in at.items()}
    return Fitted(loss, known, jax.jit(jax.grad(loss))(known))


@pytest.mark.parametrize("name", ["v", "gtot", "i0", "cm", "diameter", "ri"])
def test_gradients_are_finite_differences(fitted: Fitted, name: str) -> None:
    """The derivative by state, membrane, diameters and resistivity is the central difference, to seven digits."""
    at = fitted.at[name]
    direction = at * np.random.default_rng(5).normal(size=at.shape)
    ahead, behind = (fitted.along(name, jnp.asarray(step), direction) for step in (1e-4, -1e-4))
    np.testing.assert_allclose(jnp.sum(fitted.gradient[name] * direction), (ahead - behind) / 2e-4, rtol=1e-7)


def test_forward_and_second_derivatives_agree_with_reverse_ones(fitted: Fitted) -> None:
    """The slope along the resistivity is the same forwards; differentiated again it is the difference of slopes."""

    def forward(ri: jax.Array) -> jax.Array:
        return jax.jvp(lambda value: fitted.loss(fitted.at | {"ri": value}), (ri,), (jnp.ones_like(ri),))[1]

    slope, curvature = jax.jit(jax.value_and_grad(forward))(fitted.at["ri"])
    np.testing.assert_allclose(slope, fitted.gradient["ri"], rtol=1e-10)
    ahead, behind = (jax.jit(forward)(fitted.at["ri"] + step) for step in (1e-4, -1e-4))
    np.testing.assert_allclose(curvature, (ahead - behind) / 2e-4, rtol=1e-6)


def test_single_precision_gradients_survive_the_soma(branched: Case) -> None:
    """Beside the soma's conductance of 0.7 S, float32 derivatives of the others are within 1e-4 of float64's."""

    def gradient(dtype: type) -> Geometry:
        v, *membrane = (jnp.asarray(x, dtype) for x in (branched.v, *branched.membrane))
        own = Geometry(*(jnp.asarray(x, dtype) for x in branched.cable.geometry))
        return jax.jit(jax.grad(lambda shape: jnp.sum(advance(branched.cable, v, *membrane, DT_S, shape)[3:9])))(own)

    for single, double in zip(gradient(np.float32), gradient(np.float64), strict=True):
        assert _distance(np.asarray(single, np.float64), np.asarray(double)) < 1e-4


@pytest.mark.parametrize("size", [3, 5])
def test_a_batch_of_geometries_is_each_of_them(branched: Case, size: int) -> None:
    """`vmap` over geometry and voltage, plain, nested and of a gradient, equals one solve after the other.

    On a CPU three neurons in float64 are eliminated compartment by compartment, and five in groups.
    """
    scales = jnp.linspace(0.5, 2.0, size)
    own, v = branched.cable.geometry, jnp.asarray(branched.v)

    def after(scale: jax.Array) -> jax.Array:
        shape = own._replace(area=own.area * scale, r_length_1=own.r_length_1 * scale**2, ri=own.ri * scale)
        return advance(branched.cable, v * scale, *branched.membrane, DT_S, shape)

    def slope(scale: jax.Array) -> jax.Array:
        return jax.grad(lambda x: jnp.sum(after(x) ** 2))(scale)

    for function in (after, slope):
        once = jax.jit(function)
        each = jnp.stack([once(scale) for scale in scales])
        np.testing.assert_allclose(jax.jit(jax.vmap(function))(scales), each, rtol=1e-12)
    pairs = jax.jit(jax.vmap(jax.vmap(after)))(jnp.stack([scales, scales[::-1]]))
    each = jnp.stack([jax.jit(after)(scale) for scale in scales])
    np.testing.assert_allclose(pairs, jnp.stack([each, each[::-1]]), rtol=1e-12)


def test_a_batch_of_inputs_shares_one_neuron(branched: Case) -> None:
    """Where only the current differs, `vmap` equals one solve after the other; so does the Jacobian."""
    v, (gtot, i0, cm_) = jnp.asarray(branched.v), branched.membrane
    currents = jnp.outer(jnp.linspace(-1.0, 1.0, 7), i0)
    step = jax.jit(lambda i: advance(branched.cable, v, gtot, i, cm_, DT_S))
    jacobian = jax.jit(jax.jacrev(step))(currents[0])
    each = jnp.stack([step(current) for current in currents])
    np.testing.assert_allclose(jax.jit(jax.vmap(step))(currents), each, rtol=1e-12)
    np.testing.assert_allclose((currents - currents[:1]) @ jacobian.T, each - each[:1], rtol=1e-9, atol=1e-15)


def test_planted_defects_are_seen() -> None:
    """A branch on the wrong parent, a branch left out, and a fork without its own point are far outside the limits."""
    case = _case("random_tree")
    right, own, fork = _exactly(case), case.cable.geometry, case.cable.forks[-1]
    moved, without, joined = case.cable.parent.copy(), np.array(own.r_length_1), np.array(own.r_length_2)
    moved[-1] -= 1
    without[-1] *= 1e-9
    joined[fork] *= 1e9
    defects = [
        (tree_of(moved, own), own),
        (case.cable, own._replace(r_length_1=without)),
        (case.cable, own._replace(r_length_2=joined)),
    ]
    for cable, shape in defects:
        found = advance(cable, jnp.asarray(case.v), *case.membrane, DT_S, shape)
        assert _distance(np.asarray(found), right) > 1e-5


def test_a_neuron_without_axial_conductance_is_refused() -> None:
    """The message names the neuron, the quantity, its value and the compartment."""
    neuron = SpatialNeuron(_one_cylinder(), MODEL, name="bare")
    neuron.Ri = 0 * ohm * cm
    with pytest.raises(InputError, match=r"SpatialNeuron 'bare' has Ri = 0 in compartment 0; the cable equation needs"):
        cable_of(neuron)


def test_a_long_cable_takes_logarithmically_many_rounds() -> None:
    """1000 compartments in a row go in at most 2 log2(1000) = 20 rounds, and nine in ten in the first four."""
    loops = plan(np.arange(999, dtype=np.int32)).in_rounds.loops
    sizes = np.concatenate([np.sum(loop[:, 0] < 1000, axis=1) for loop in loops])
    assert len(sizes) <= 20
    assert sizes.sum() == 999
    assert sizes[:4].sum() > 900


def test_sums_do_not_depend_on_the_machine(case: Case) -> None:
    """No node occurs twice among the nodes, the parents or the children of one round: nothing is added in any order."""
    elimination = case.cable.elimination
    for loop in (*elimination.in_groups.loops, *elimination.in_rounds.loops):
        for indices in loop.reshape(-1, loop.shape[-1]):
            assert len(set(indices.tolist())) == indices.size


def test_the_order_suits_the_machine(branched: Case) -> None:
    """The program for a CPU has one loop there and one back; the one for an accelerator has the loops of rounds."""
    step = jax.jit(lambda v: advance(branched.cable, v, *branched.membrane, DT_S))
    shape = jax.ShapeDtypeStruct(branched.v.shape, np.float64)
    for platform, order in (("cpu", "in_turn"), ("cuda", "in_rounds")):
        text = export.export(step, platforms=[platform])(shape).mlir_module()
        loops = getattr(branched.cable.elimination, order).loops
        assert text.count("stablehlo.while") == 2 * len(loops)
        assert f"tensor<{'x'.join(map(str, loops[0].shape))}xi32>" in text
