"""The voltage of a neuron with dendrites: one implicit step of the cable equation on the tree of its compartments.

Brian2's `SpatialNeuron` splits the membrane current into I0 - gtot v (A/m^2 and S/m^2), holds both during a step, and
takes the voltage from one linear system (SI units; one row for each compartment i, every term in ampere):

    area_i (Cm_i / dt + gtot_i) v_i' + axial_i(v') = area_i (Cm_i / dt v_i + I0_i)

This is backward Euler for the cable equation (Hines 1984, Int J Biomed Comput 15:69). The conductances from the middle
of a compartment to its two ends are r_length_1_i / Ri (towards the first compartment) and r_length_2_i / Ri. The point
where it meets its children has no capacitance: its voltage follows from Kirchhoff's law. An end that meets nothing is
sealed. Example: two equal compartments with r_length / Ri = 2 uS are joined by 1 uS, so that one at -60 mV sends 10 nA
to one at -70 mV; its axial term is +10 nA.

The system is solved by elimination on a tree in which such points are nodes too. Derivatives come from the system
itself (`jax.lax.custom_linear_solve`): a backward pass is one more solve.
"""

import dataclasses
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from brian2 import SpatialNeuron
from jax import Array
from jaxtyping import Float, Int

from biophys.compiler.elimination import Elimination, plan, voltages
from twin.errors import InputError

Numbers: TypeAlias = Array | np.ndarray | float

BRIAN2_NAMES = ("area", "r_length_1", "r_length_2", "Ri")  # in the order of `Geometry`


class Geometry(NamedTuple):
    """What the axial currents depend on: arrays with one entry for each compartment, which may be traced.

    Attributes:
        area: of the membrane, m^2.
        r_length_1: m; divided by `ri`, the conductance from the middle of the compartment to its start.
        r_length_2: m; the same to its end.
        ri: resistivity of the cytoplasm, ohm m; one number.
    """

    area: Numbers
    r_length_1: Numbers
    r_length_2: Numbers
    ri: Numbers


@dataclasses.dataclass(frozen=True, eq=False)
class Cable:
    """A tree of compartments.

    Attributes:
        parent: of each compartment but the first, the earlier one at whose end it starts.
        forks: the compartments with several children.
        geometry: Brian2's values at compile time, in float64.
        elimination: of the tree whose nodes are the compartments and then, for each fork, the point at its end.
    """

    parent: np.ndarray
    forks: np.ndarray
    geometry: Geometry
    elimination: Elimination


def cable_of(neuron: SpatialNeuron) -> Cable:
    """The cable of a Brian2 neuron, with the areas and conductances that it has now.

    Raises:
        InputError: a compartment has no membrane, or no finite axial conductance.
    """
    flat = neuron.flat_morphology
    parent = np.arange(-1, flat.n - 1, dtype=np.int32)
    # Brian2 counts the ends of sections from 1; 0 is the free end of the first one.
    parent[flat.starts[1:]] = flat.ends[flat.morph_parent_i[1:] - 1] - 1
    geometry = Geometry(*(np.array(neuron.variables[name].get_value(), np.float64) for name in BRIAN2_NAMES))
    for name, value in zip(BRIAN2_NAMES, geometry, strict=True):
        bad = np.flatnonzero(~(np.isfinite(value) & (value > 0.0)))
        if bad.size:
            raise InputError(
                f"SpatialNeuron '{neuron.name}' has {name} = {np.ravel(value)[bad[0]]:g} in compartment {bad[0]}; the"
                " cable equation needs finite numbers above 0, so give every section a length, a diameter and a"
                " resistivity."
            )
    return tree_of(parent[1:], geometry._replace(ri=np.reshape(geometry.ri, ())))


def tree_of(parent: Int[np.ndarray, "child"], geometry: Geometry) -> Cable:
    """The cable of compartments that start at the ends of earlier ones: `parent` is of all but the first."""
    forks = np.flatnonzero(np.bincount(parent, minlength=1) > 1).astype(np.int32)
    node = np.arange(1 + len(parent), dtype=np.int32)
    node[forks] = 1 + len(parent) + np.arange(len(forks))  # what starts at a fork's end starts at the point there
    return Cable(parent, forks, geometry, plan(np.concatenate([node[parent], forks])))


def advance(
    cable: Cable,
    v: Float[Array, "n"],
    gtot: Numbers,
    i0: Numbers,
    cm: Numbers,
    dt_s: Numbers,
    geometry: Geometry | None = None,
) -> Float[Array, "n"]:
    """The voltage one step later; differentiable, and with `jax.vmap` over any of the arrays a batch of neurons.

    Args:
        cable: the tree.
        v: voltage, V.
        gtot: minus the slope of the membrane current, S/m^2; for each compartment or one for all, like `i0` and `cm`.
        i0: what is left of the membrane current at v = 0, A/m^2; a positive one depolarizes.
        cm: capacitance, F/m^2.
        dt_s: the step, s.
        geometry: in place of the cable's own.
    """
    area, r_length_1, r_length_2, ri = (jnp.asarray(x, v.dtype) for x in geometry or cable.geometry)
    to_start, to_end = r_length_1 / ri, r_length_2 / ri
    capacitance = area * (cm / dt_s)
    leak = capacitance + area * gtot

    def outward(voltage: Array) -> Array:
        return leak * voltage + _axial(cable, to_start, to_end, voltage)

    def solve(_: object, current: Array) -> Array:
        return _solve(cable, leak, to_start, to_end, current)

    return jax.lax.custom_linear_solve(outward, capacitance * v + area * i0, solve, symmetric=True)


def _axial(cable: Cable, to_start: Array, to_end: Array, v: Array) -> Array:
    """Axial current out of each compartment, A.

    Relative to a parent at 0 V, the point where it meets its children is at sum(g v) / sum(g). So the difference of two
    nearly equal voltages, of a soma and the point at its end, is never multiplied by the large conductance between.
    """
    child, above_parent = to_start[1:], v[1:] - v[cable.parent]
    total = to_end.at[cable.parent].add(child)
    meeting = jnp.zeros_like(v).at[cable.parent].add(child * above_parent) / total
    return (-to_end * meeting).at[1:].add(child * (above_parent - meeting[cable.parent]))


def _solve(cable: Cable, leak: Array, to_start: Array, to_end: Array, current: Array) -> Array:
    """The voltages at which `current` flows out of the compartments: the inverse of `leak` and `_axial` together."""
    only_child = jnp.asarray(~np.isin(cable.parent, cable.forks), leak.dtype)
    child = to_start[1:] / (1.0 + only_child * to_start[1:] / to_end[cable.parent])  # in series with its parent's end
    branch = jnp.concatenate([jnp.zeros_like(child, shape=1), child, to_end[cable.forks]])
    at_forks = jnp.zeros_like(child, shape=len(cable.forks))
    v = voltages(cable.elimination, jnp.concatenate([leak, at_forks]), branch, jnp.concatenate([current, at_forks]))
    return v[: len(leak)]
