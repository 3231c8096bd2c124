"""What a published opsin model states about itself, and how it comes into a neuron."""

import dataclasses
from collections.abc import Mapping

import brian2

from biophys.models.from_text import with_currents
from biophys.models.model import NeuronModel, Parameter, Parametrised
from twin.errors import InputError
from twin.protocol import Protocol

_LINEAR_ONLY = ("exponential_euler", "exact", "linear")


@dataclasses.dataclass(frozen=True, kw_only=True)
class OpsinModel(Parametrised):
    """An opsin model as data.

    Attributes:
        name: in the library.
        title: what it is, in one line.
        equations: Brian2 text, in which `{voltage}` stands for the membrane potential. It defines the current
            `I_opsin` (amp, positive depolarises) and reads the photon flux `phi` (1/meter**2/second).
        source: publications.
        parameters: all of them but `phi`.
        peak_nm: wavelength of the strongest response, nm; `phi` is the flux at it.
        initial: state variable -> Brian2 expression, in the dark; 0 for those that are not there.
        is_linear: whether every equation is linear in its own variable and the current is linear in the voltage, so
            that exponential Euler can be used.
        measured: protocol of the recordings behind it; what is not given is unreported.
    """

    name: str
    title: str
    equations: str
    source: str
    parameters: tuple[Parameter, ...]
    peak_nm: float
    initial: Mapping[str, str] = dataclasses.field(default_factory=dict)
    is_linear: bool = True
    measured: Protocol = dataclasses.field(default_factory=Protocol)


def with_opsin(model: NeuronModel, opsin: OpsinModel) -> NeuronModel:
    """The neuron with the opsin in its membrane: light is the further input `phi`, photons per m**2 and second.

    The injected current is then named "<current>_injected", because its old name is the sum with the opsin's.

    Args:
        model: any neuron whose injected current is a parameter.
        opsin: of the library.

    Raises:
        InputError: a variable of the opsin exists in the neuron already, as with a second opsin.
    """
    text = opsin.equations.format(voltage=model.voltage)
    added = set(brian2.Equations(text)) - {"I_opsin"}
    if doubles := added & set(brian2.Equations(model.equations)):
        raise InputError(
            f"{model.name} has {', '.join(sorted(doubles))} already, which the opsin {opsin.name} brings; rename the "
            "variables of one of them, and note that there can be one opsin in a neuron."
        )
    summed = with_currents(model, "I_opsin")
    # What `with_currents` declares as a parameter is an equation here.
    without = "\n".join(line for line in summed.equations.splitlines() if not line.startswith("I_opsin :"))
    fits = opsin.is_linear or model.method not in _LINEAR_ONLY
    return dataclasses.replace(
        summed,
        name=f"{model.name}_{opsin.name}",
        title=f"{model.title}, with {opsin.title}",
        equations=f"{without}\n{text}",
        method=summed.method if fits else "rk4",
        parameters=(*model.parameters, *opsin.parameters),
        inputs=(*summed.inputs, "phi"),
        initial={**model.initial, **opsin.initial},
        source=f"{model.source}; {opsin.source}",
    )
