"""Bring a published model to the preparation that it is to stand for: junction potential out, kinetics to temperature.

Raw and corrected values stand side by side, each with the correction and its source, and go into every output.
"""

import dataclasses

from biophys.corrections.temperature import nernst_at, q10_factor
from biophys.models.model import Kinetics, NeuronModel
from twin.errors import UnsupportedError
from twin.protocol import Protocol


@dataclasses.dataclass(frozen=True)
class Correction:
    """One corrected number: what it is, before and after, in `unit`, by which correction, on whose authority."""

    quantity: str
    raw: float
    corrected: float
    unit: str
    correction: str
    source: str


@dataclasses.dataclass(frozen=True)
class CorrectedModel:
    """A model brought to a preparation.

    Attributes:
        model: the published model.
        values: parameter -> value in the parameter's unit, with the corrections in.
        log: every number that changed, or that the equations change at this temperature.
    """

    model: NeuronModel
    values: dict[str, float]
    log: tuple[Correction, ...]


def correct(model: NeuronModel, preparation: Protocol) -> CorrectedModel:
    """Correct the model's parameters for a preparation.

    Args:
        model: with the conditions under which each set of kinetics was measured.
        preparation: protocol of the recording that the model is to stand for.

    Raises:
        UnreportedError: the temperature of the preparation, or the temperature or junction potential of a set of
            kinetics, is unreported.
        UnsupportedError: the equations have no temperature.

    Example:
        The slow potassium current was measured with 10 mV of junction potential left in: its half activation of -1 mV
        becomes -11 mV, because V_m = V_recorded - 10 mV.
    """
    if all(parameter.name != "temperature_c" for parameter in model.parameters):
        raise UnsupportedError(
            f"the model {model.name} has no parameter temperature_c, so it cannot be brought to another temperature: "
            "write its equations with one, as the model auditory_receptor does, or use the model as published."
        )
    purpose = f"bringing {model.name} to the temperature of the preparation"
    temperature = preparation.require("temperature", purpose)
    values = {parameter.name: parameter.value for parameter in model.parameters}
    log: list[Correction] = []
    for kinetics in model.kinetics:
        shift, rows = _junction(kinetics)
        log += rows
        if kinetics.shift_parameter is not None:
            values[kinetics.shift_parameter] = shift
        log.append(_rates(kinetics, float(temperature.value), temperature.source))  # type: ignore[arg-type]
    values["temperature_c"] = float(temperature.value)  # type: ignore[arg-type]
    log += _conductances(model, values["temperature_c"]) + _reversals(model, values["temperature_c"])
    return CorrectedModel(model, values, tuple(log))


def _junction(kinetics: Kinetics) -> tuple[float, list[Correction]]:
    purpose = f"removing the junction potential from the {kinetics.name}"
    if kinetics.measured.require("junction_potential_corrected", purpose).value:
        return 0.0, []  # it was removed by the authors: doing it again would shift the voltages twice
    potential = kinetics.measured.require("junction_potential", purpose)
    shift = float(potential.value)  # type: ignore[arg-type]
    by = f"junction potential of {shift:g} mV removed"
    rows = [
        Correction(name, raw, raw - shift, "mV", by, potential.source) for name, raw in kinetics.half_voltages.items()
    ]
    return shift, rows


def _rates(kinetics: Kinetics, to_c: float, source: str) -> Correction:
    measured = kinetics.measured.require("temperature", f"bringing the {kinetics.name} to temperature")
    from_c = float(measured.value)  # type: ignore[arg-type]
    by = f"Q10 {kinetics.q10_rate:g} from {from_c:g} to {to_c:g} degC"
    factor = q10_factor(kinetics.q10_rate, from_c, to_c)
    return Correction(
        f"rates of the {kinetics.name}", 1.0, float(factor), "relative", by, f"{kinetics.source}; {source}"
    )


def _conductances(model: NeuronModel, to_c: float) -> list[Correction]:
    factor = float(q10_factor(model.q10_conductance, model.reference_c, to_c))
    by = f"Q10 {model.q10_conductance:g} from {model.reference_c:g} to {to_c:g} degC"
    rows = []
    for name in model.channels.values():
        parameter = model.parameter(name)
        rows.append(
            Correction(name, parameter.value, parameter.value * factor, parameter.unit_text, by, parameter.source)
        )
    return rows


def _reversals(model: NeuronModel, to_c: float) -> list[Correction]:
    by = f"Nernst, proportional to absolute temperature, {model.reference_c:g} to {to_c:g} degC"
    rows = []
    for name in model.reversal_potentials:
        parameter = model.parameter(name)
        corrected = float(nernst_at(parameter.value, model.reference_c, to_c))
        rows.append(Correction(name, parameter.value, corrected, parameter.unit_text, by, parameter.source))
    return rows
