"""What a published neuron model states about itself."""

import dataclasses
from collections.abc import Mapping

import brian2
import numpy as np

from twin.errors import InputError
from twin.protocol import Protocol


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A parameter of the equations.

    Attributes:
        name: as in the equations.
        value: in `unit`, as published.
        unit: a Brian2 unit expression ("mS/mmetre**2"), "1" for a pure number.
        source: where the value comes from.
        bounds: lowest and highest value that a calibration may try, in `unit`; None where it is not to be fitted.
    """

    name: str
    value: float
    unit: brian2.Unit | int
    source: str
    bounds: tuple[float, float] | None = None

    @property
    def scale(self) -> float:
        """The SI value of one `unit`: 1000 for mS/mm**2, which is 1000 S/m**2."""
        return float(np.asarray(self.unit))

    @property
    def unit_text(self) -> str:
        """The unit as people write it: "mS/mm²", and "1" for a pure number."""
        return str(self.unit).replace("(mm^2)", "mm²").replace("mm^2", "mm²")


@dataclasses.dataclass(frozen=True)
class Kinetics:
    """A published set of gates with the conditions that it was measured under.

    Attributes:
        name: what it describes.
        measured: protocol of the measurement: temperature, junction potential, and whether that was corrected.
        q10_rate: factor on the rates for 10 degrees.
        shift_parameter: the parameter of the equations that holds the junction potential which is still in the
            published voltages; None where there is none to remove.
        half_voltages: published half-activation voltages by name, mV, for the table of what was corrected.
        source: the publication.
    """

    name: str
    measured: Protocol
    q10_rate: float
    shift_parameter: str | None
    half_voltages: Mapping[str, float]
    source: str


@dataclasses.dataclass(frozen=True)
class NeuronModel:
    """A neuron model as data.

    Attributes:
        name: on the command line.
        title: what it is, in one line.
        equations: Brian2 text.
        threshold: Brian2 condition of a spike.
        refractory: Brian2 condition or time.
        reset: Brian2 statements after a spike, "" for none.
        method: Brian2 integration method.
        parameters: all parameters but the inputs.
        inputs: parameters that are given anew in every window.
        initial: state variable -> Brian2 expression of its initial value.
        kinetics: the published sets of gates.
        channels: channel -> its maximal conductance.
        q10_conductance: factor on the conductances `channels` for 10 degrees.
        reversal_potentials: names of the parameters that follow the absolute temperature (Nernst).
        reference_c: temperature at which conductances and reversal potentials are given.
        source: publications.
    """

    name: str
    title: str
    equations: str
    threshold: str
    refractory: str
    reset: str
    method: str
    parameters: tuple[Parameter, ...]
    inputs: tuple[str, ...]
    initial: Mapping[str, str]
    kinetics: tuple[Kinetics, ...]
    channels: Mapping[str, str]
    q10_conductance: float
    reversal_potentials: tuple[str, ...]
    reference_c: float
    source: str

    def parameter(self, name: str) -> Parameter:
        """The parameter of that name.

        Raises:
            InputError: there is none; the sentence lists those there are.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        has = ", ".join(parameter.name for parameter in self.parameters)
        raise InputError(f"the model {self.name} has no parameter {name!r}; it has {has}.")
