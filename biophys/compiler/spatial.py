"""The voltage of a `SpatialNeuron`: its cable, with the membrane currents of its own equations."""

from typing import Any

import jax.numpy as jnp

from biophys.compiler.cable import BRIAN2_NAMES, Geometry, advance, cable_of
from biophys.compiler.names import Reader
from biophys.compiler.program import Operation
from biophys.compiler.scope import World


def build_cable(updater: Any, reader: Reader) -> Operation:
    """One implicit step of the cable equation, after the gates have moved.

    Geometry, capacitance and resistivity are parameters of the program: a population of shapes of one morphology is a
    `vmap` over them.

    Raises:
        InputError: a compartment without membrane or axial conductance.
    """
    neuron, scope = updater.group, reader.scope
    cable = cable_of(neuron)
    for name in BRIAN2_NAMES:
        reader.layout.place(neuron.variables[name], role="parameter")
    for name in ("v", "Cm", *BRIAN2_NAMES):
        reader.learn(name, neuron.variables[name])
    gtot, i0 = reader.expression("gtot__private"), reader.expression("I0__private")
    key = scope.fields["v"].key
    reader.layout.marks.append((updater.name, cable.parent.tolist()))

    def update(world: World) -> dict[str, Any]:
        env = scope.at(world)
        geometry = Geometry(*(env[name] for name in BRIAN2_NAMES))
        slope, current = (jnp.asarray(one(env), scope.dtype) for one in (gtot, i0))
        return {key: advance(cable, env["v"], slope, current, env["Cm"], scope.dt_s, geometry)}

    return Operation(updater.name, update, writes=(key,), is_random=reader.is_random)
