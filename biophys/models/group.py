"""A model as a Brian2 group, with its values set."""

from collections.abc import Mapping
from typing import Any

import brian2
import numpy as np

from biophys.models.model import NeuronModel, Parametrised
from twin.errors import InputError


def neuron_group(
    model: NeuronModel,
    n: int = 1,
    values: Mapping[str, Any] | None = None,
    *,
    dt: brian2.Quantity | None = None,
    name: str | None = None,
) -> brian2.NeuronGroup:
    """A Brian2 group of a model, with parameters and initial values set.

    The group reads nothing from the caller's frame. Run its network with `namespace={}`.

    Args:
        model: any model of the library, or one from `from_equations`.
        n: number of cells.
        values: parameter -> value in the model's units, a number or one for each cell; the others are as published.
        dt: time step; the model's recommended one if it is not given.
        name: of the group; the model's, with a number where that is taken, if it is not given.

    Raises:
        InputError: a value for a parameter that the model does not have, or values that are not one for each cell.

    Example:
        `neuron_group(ALL["lif"], 2, {"V_T": [-50, -45]})` has thresholds of -50 and -45 mV.
    """
    group = brian2.NeuronGroup(
        n,
        model.equations,
        threshold=model.threshold or None,
        reset=model.reset or None,
        refractory=model.refractory,
        method=model.method,
        dt=model.recommended_dt_ms * brian2.ms if dt is None else dt,
        name=f"{model.name}*" if name is None else name,
        namespace={},
    )
    set_values(group, model, {**{one.name: one.value for one in model.parameters}, **(values or {})})
    for state, expression in model.initial.items():
        setattr(group, state, expression)
    return group


def set_values(group: Any, model: Parametrised, values: Mapping[str, Any]) -> None:
    """Sets parameters of a Brian2 group or of synapses, in the model's units.

    Args:
        group: anything with Brian2 variables; synapses have to be connected already.
        model: that knows the units.
        values: parameter -> a number, or one for each cell or synapse.

    Raises:
        InputError: a name is no parameter of the model, or there is neither one value nor one for each.
    """
    for name, value in values.items():
        scaled = np.asarray(value, np.float64) * model.parameter(name).scale
        if scaled.shape not in ((), (len(group),)):
            raise InputError(
                f"{name} of {model.name} was given values of shape {scaled.shape} for {len(group)} of them; give one "
                "number, or one for each."
            )
        group.variables[name].set_value(scaled)
