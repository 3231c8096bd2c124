"""What a published neuron model states about itself."""

import dataclasses
from collections.abc import Mapping

import brian2
import numpy as np

from twin.errors import InputError
from twin.protocol import Protocol

# Ends the source of a number that was compared neither with the publication, nor with its authors' files, nor with
# another project's copy of them.
UNVERIFIED = " (unverified)"


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A parameter of the equations.

    Attributes:
        name: as in the equations.
        value: in `unit`, as published.
        unit: a Brian2 unit ("mS/mmetre**2"), 1 for a pure number.
        source: where the value comes from.
        bounds: lowest and highest value that a calibration may try, in `unit`; None where it is not to be fitted.
    """

    name: str
    value: float
    unit: brian2.Unit | int
    source: str
    bounds: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.bounds is None:
            return
        low, high = self.bounds
        if not low < high or not low <= self.value <= high:
            raise InputError(
                f"{self.name} starts at {self.value:g} {self.unit_text} and has the bounds {low:g} and {high:g}; "
                "wanted low < high and a start between them: move the start or widen the bounds."
            )

    @property
    def scale(self) -> float:
        """The SI value of one `unit`: 1000 for mS/mm**2, which is 1000 S/m**2."""
        return float(np.asarray(self.unit))

    @property
    def unit_text(self) -> str:
        """The unit as people write it: "mS/mm²", and "1" for a pure number."""
        return str(self.unit).replace("(mm^2)", "mm²").replace("mm^2", "mm²")

    @property
    def is_verified(self) -> bool:
        """Whether it was compared with the publication, its authors' files or another project's copy of them."""
        return UNVERIFIED not in self.source


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


class Parametrised:
    """Something with a name and parameters: every kind of model."""

    name: str
    parameters: tuple[Parameter, ...]

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


@dataclasses.dataclass(frozen=True, kw_only=True)
class NeuronModel(Parametrised):
    """A neuron model as data. Only `name`, `title`, `equations` and `source` have no default.

    Attributes:
        name: on the command line.
        title: what it is, in one line.
        equations: Brian2 text.
        source: publications.
        threshold: Brian2 condition of a spike, "" for a model without spikes.
        refractory: Brian2 condition or time; False for none.
        reset: Brian2 statements after a spike, "" for none.
        method: Brian2 integration method.
        parameters: all parameters but the inputs.
        inputs: parameters that are given anew at every step or in every window.
        initial: state variable -> Brian2 expression of its initial value; 0 for those that are not there.
        voltage: name of the membrane potential; the sign is inside minus outside.
        current: name of the injected current; positive depolarises.
        recommended_dt_ms: time step with which the published behaviour is reproduced, ms.
        measured: protocol of the publication's own recordings, for a model without kinetics of its own; all of it
            unreported unless given.
        kinetics: the published sets of gates.
        channels: channel -> its maximal conductance.
        q10_conductance: factor on the conductances `channels` for 10 degrees.
        reversal_potentials: names of the parameters that follow the absolute temperature (Nernst).
        reference_c: temperature at which conductances and reversal potentials are given, degC; NaN where nobody
            reported it, so that nothing can be computed from it by accident.
    """

    name: str
    title: str
    equations: str
    source: str
    threshold: str = ""
    refractory: str | bool = False
    reset: str = ""
    method: str = "exponential_euler"
    parameters: tuple[Parameter, ...] = ()
    inputs: tuple[str, ...] = ("I",)
    initial: Mapping[str, str] = dataclasses.field(default_factory=dict)
    voltage: str = "v"
    current: str = "I"
    recommended_dt_ms: float = 0.1
    measured: Protocol = dataclasses.field(default_factory=Protocol)
    kinetics: tuple[Kinetics, ...] = ()
    channels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    q10_conductance: float = 1.0
    reversal_potentials: tuple[str, ...] = ()
    reference_c: float = float("nan")

    @property
    def fitted(self) -> tuple[Parameter, ...]:
        """The parameters that a calibration varies: those with bounds."""
        return tuple(parameter for parameter in self.parameters if parameter.bounds is not None)
