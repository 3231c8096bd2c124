"""Neurons with dendrites: the geometry and the channel densities as data, and the Brian2 neuron made of them."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import brian2
import numpy as np

from biophys.models.model import Kinetics, Parameter, Parametrised
from twin.errors import InputError
from twin.protocol import Protocol


@dataclasses.dataclass(frozen=True)
class Section:
    """An unbranched cylinder.

    Attributes:
        name: of the section.
        parent: whose end it starts at; "" for the root, which is a soma: as long as it is thick.
        length_um: its length.
        diameter_um: its diameter.
        compartments: into how many equal parts it is divided.
    """

    name: str
    parent: str
    length_um: float
    diameter_um: float
    compartments: int = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class MorphologyModel(Parametrised):
    """A neuron with dendrites as data.

    Attributes:
        name: in the library.
        title: what it is, in one line.
        sections: the root first, each parent before its children.
        equations: Brian2 text that defines the membrane current `Im` (amp/meter**2, inward positive).
        source: publications.
        capacitance: specific membrane capacitance.
        axial_resistivity: of the cytoplasm.
        parameters: all of them; those of one value for all compartments, unless `densities` says otherwise.
        densities: section -> parameter -> value in the parameter's unit.
        initial: state variable -> Brian2 expression.
        threshold: Brian2 condition of a spike, at the root.
        refractory: Brian2 condition or time.
        method: Brian2 integration method of the gates.
        voltage: name of the membrane potential.
        current: name of the injected current, a point current (amp).
        recommended_dt_ms: time step, ms.
        kinetics: the published sets of gates.
        measured: protocol of the recordings behind it; what is not given is unreported.
    """

    name: str
    title: str
    sections: tuple[Section, ...]
    equations: str
    source: str
    capacitance: Parameter
    axial_resistivity: Parameter
    parameters: tuple[Parameter, ...]
    densities: Mapping[str, Mapping[str, float]]
    initial: Mapping[str, str]
    threshold: str = "v > -20*mV"
    refractory: str | bool = "v > -20*mV"
    method: str = "exponential_euler"
    voltage: str = "v"
    current: str = "I"
    recommended_dt_ms: float = 0.025
    kinetics: tuple[Kinetics, ...] = ()
    measured: Protocol = dataclasses.field(default_factory=Protocol)


def spatial_neuron(
    model: MorphologyModel,
    values: Mapping[str, Any] | None = None,
    *,
    dt: brian2.Quantity | None = None,
    name: str | None = None,
) -> brian2.SpatialNeuron:
    """The Brian2 neuron of a model, with parameters, densities and initial values set.

    Args:
        model: of the library.
        values: parameter -> value in the model's units for all compartments, in place of parameter and densities.
        dt: time step; the model's recommended one if it is not given.
        name: of the neuron; the model's, with a number where that is taken, if it is not given.

    Raises:
        InputError: a value for a parameter that the model does not have, or sections that do not make a tree.
    """
    neuron = brian2.SpatialNeuron(
        morphology=morphology_of(model.sections),
        model=model.equations,
        threshold=model.threshold,
        threshold_location=0,
        refractory=model.refractory,
        method=model.method,
        Cm=model.capacitance.value * model.capacitance.unit,
        Ri=model.axial_resistivity.value * model.axial_resistivity.unit,
        dt=model.recommended_dt_ms * brian2.ms if dt is None else dt,
        name=f"{model.name}*" if name is None else name,
        namespace={},
    )
    given = dict(values or {})
    where = compartments(model.sections)
    for one in model.parameters:
        by_compartment = np.full(len(neuron), one.value)
        for section, densities in model.densities.items():
            by_compartment[where[section]] = densities.get(one.name, one.value)
        neuron.variables[one.name].set_value(np.asarray(by_compartment * one.scale))
    for parameter, value in given.items():
        neuron.variables[parameter].set_value(np.full(len(neuron), value) * model.parameter(parameter).scale)
    for state, expression in model.initial.items():
        setattr(neuron, state, expression)
    return neuron


def morphology_of(sections: tuple[Section, ...]) -> brian2.Morphology:
    """The Brian2 morphology of sections.

    Raises:
        InputError: no root that comes first, a parent that does not come before its child, or a name twice.
    """
    root, *others = sections
    if root.parent:
        raise InputError(f"the first section is {root.name}, a child of {root.parent}; wanted the root first.")
    made: dict[str, brian2.Morphology] = {root.name: brian2.Soma(diameter=root.diameter_um * brian2.um)}
    for one in others:
        if one.parent not in made or one.name in made:
            raise InputError(
                f"the section {one.name} on {one.parent or 'nothing'} does not fit a tree of {', '.join(made)}; give "
                "each section a name of its own, after its parent."
            )
        cylinder = brian2.Cylinder(
            n=one.compartments, length=one.length_um * brian2.um, diameter=one.diameter_um * brian2.um
        )
        setattr(made[one.parent], one.name, cylinder)
        made[one.name] = cylinder
    return made[root.name]


def compartments(sections: tuple[Section, ...]) -> dict[str, slice]:
    """Section -> its compartments in the order of Brian2, which goes down a branch before it takes the next."""
    children: dict[str, list[Section]] = {}
    for one in sections:
        children.setdefault(one.parent, []).append(one)
    found: dict[str, slice] = {}

    def visit(section: Section, start: int) -> int:
        stop = start + section.compartments
        found[section.name] = slice(start, stop)
        for child in children.get(section.name, []):
            stop = visit(child, stop)
        return stop

    visit(sections[0], 0)
    return found
