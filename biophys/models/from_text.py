"""Anybody's Brian2 equations as a model, and more currents for any model."""

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import brian2
import numpy as np
from brian2.core.namespace import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS, DEFAULT_UNITS

from biophys.models.model import NeuronModel, Parameter
from twin.errors import InputError

# Names that Brian2 itself makes known to the equations of a group.
_BUILT_IN = {"t", "dt", "i", "N", "lastspike", "not_refractory", "t_in_timesteps"}


def from_equations(
    name: str,
    equations: str,
    threshold: str = "",
    reset: str = "",
    refractory: str | bool = False,
    method: str = "exponential_euler",
    *,
    parameters: Mapping[str, Any] | None = None,
    bounds: Mapping[str, tuple[Any, Any]] | None = None,
    initial: Mapping[str, str] | None = None,
    inputs: Sequence[str] | None = None,
    voltage: str = "v",
    current: str = "I",
    recommended_dt_ms: float = 0.1,
    source: str = "given by the user",
) -> NeuronModel:
    """Any Brian2 equations as a model that can be simulated, compiled and calibrated.

    Units are read from the equations. A number with a unit is checked against them and shown in its own unit, in which
    plain bounds are too; a plain number is in the SI unit. A constant that the equations use without declaring it may
    be among the parameters, and is declared.

    Args:
        name: of the model.
        equations: Brian2 text.
        threshold: condition of a spike.
        reset: statements after a spike.
        refractory: condition or time.
        method: Brian2 integration method.
        parameters: parameter -> start value, for all parameters but the inputs.
        bounds: parameter -> (lowest, highest); what has bounds is fitted.
        initial: state variable -> Brian2 expression.
        inputs: parameters that are given anew at every step; the injected current if they are not given.
        voltage: name of the recorded variable.
        current: name of the injected current.
        recommended_dt_ms: time step, ms.
        source: where the numbers come from.

    Raises:
        InputError: the text is no equations; the recorded variable is not in it; a parameter, bound, input or initial
            value has no place in it; a parameter has no value; units differ; or bounds exclude the start.

    Example:
        from_equations("leaky", "dv/dt = (I/g - v)/tau : volt\\nI : amp", parameters={"g": 10*nS, "tau": 20*ms},
        bounds={"tau": (5*ms, 50*ms)}) has the parameters g (nS) and tau (ms), and fits tau.
    """
    given, limits = dict(parameters or {}), dict(bounds or {})
    equations = _with_constants(name, equations, given)
    parsed = _parse(name, equations)
    if voltage not in parsed.diff_eq_names | parsed.subexpr_names:
        raise InputError(
            f"{name} has no variable {voltage!r} to compare with a recording; it has "
            f"{_listed(parsed.diff_eq_names | parsed.subexpr_names)}: give the name of one as `voltage`."
        )
    taken = tuple(inputs) if inputs is not None else (current,) if current in parsed.parameter_names else ()
    wanted = parsed.parameter_names - set(taken)
    _require_known(name, "parameters", given, wanted)
    _require_known(name, "bounds", limits, wanted)
    _require_known(name, "inputs", taken, parsed.parameter_names)
    _require_known(name, "initial", initial or {}, parsed.diff_eq_names | parsed.parameter_names)
    if missing := wanted - set(given):
        raise InputError(f"{name}: no value for {_listed(missing)}; give it in `parameters`, or name it in `inputs`.")
    order = [one for one in parsed if one in wanted]
    return NeuronModel(
        name=name,
        title=name,
        equations=equations,
        source=source,
        threshold=threshold,
        reset=reset,
        refractory=refractory,
        method=method,
        parameters=tuple(_parameter(name, one, parsed[one].dim, given[one], limits.get(one), source) for one in order),
        inputs=taken,
        initial=dict(initial or {}),
        voltage=voltage,
        current=current,
        recommended_dt_ms=recommended_dt_ms,
    )


def with_currents(model: NeuronModel, *names: str) -> NeuronModel:
    """The model with further current inputs, for synapses and opsins.

    `I` becomes the sum of `I_injected`, which is the new name of the injected current, and of the new ones.

    Args:
        model: with an injected current that is a parameter.
        names: of the new parameters, such as "I_ampa"; positive depolarises.

    Raises:
        InputError: the injected current is no parameter of the equations, or a name is taken.
    """
    parsed = _parse(model.name, model.equations)
    if model.current not in parsed.parameter_names:
        raise InputError(
            f"{model.name} has no current {model.current!r} among its parameters, which are "
            f"{_listed(parsed.parameter_names)}: give the model the name of its injected current as `current`."
        )
    injected = f"{model.current}_injected"
    if doubles := {injected, *names} & set(parsed):
        raise InputError(f"{model.name} has {_listed(doubles)} already; give the new current another name.")
    line = re.compile(rf"(?m)^\s*{model.current}\s*:\s*(?P<unit>[^#\n]+?)\s*(#.*)?$")
    match = line.search(model.equations)
    assert match is not None  # Brian2 has just read the parameter from this text
    total = f"{model.current} = {' + '.join((injected, *names))} : {match['unit']}"
    declared = "\n".join(f"{one} : {match['unit']}" for one in (injected, *names))
    return dataclasses.replace(
        model,
        equations=f"{line.sub('', model.equations)}\n{total}\n{declared}\n",
        inputs=tuple(injected if one == model.current else one for one in model.inputs),
        current=injected,
    )


def _parse(name: str, equations: str) -> brian2.Equations:
    try:
        return brian2.Equations(equations)
    except Exception as error:  # Brian2 raises several kinds, pyparsing's among them
        raise InputError(f"{name}: Brian2 cannot read these equations: {error}") from error


def _with_constants(name: str, equations: str, given: Mapping[str, Any]) -> str:
    """The equations, with a declaration for every constant that they use and that is given."""
    parsed = _parse(name, equations)
    known = set(parsed) | _BUILT_IN | set(DEFAULT_CONSTANTS) | set(DEFAULT_FUNCTIONS) | set(DEFAULT_UNITS)
    known |= set(parsed.stochastic_variables)
    unknown = set(parsed.identifiers) - known
    if undefined := unknown - set(given):
        raise InputError(
            f"{name}: the equations use {_listed(undefined)}, which they do not define; give a value in `parameters`."
        )
    units = {one: brian2.get_unit(brian2.get_dimensions(given[one])) for one in sorted(unknown)}
    lines = [f"{one} : {'1' if _is_pure(unit) else repr(unit)}" for one, unit in units.items()]
    return "\n".join((equations, *lines))


def _parameter(model: str, name: str, dim: Any, value: Any, bounds: tuple[Any, Any] | None, source: str) -> Parameter:
    si_unit = brian2.get_unit(dim)
    best = value.get_best_unit() if isinstance(value, brian2.Quantity) and not _is_pure(si_unit) else si_unit
    unit = 1 if _is_pure(best) else best

    def number(quantity: Any, what: str) -> float:
        dimensions = brian2.get_dimensions(quantity)
        if isinstance(quantity, brian2.Quantity) and dimensions is not dim:
            raise InputError(
                f"{model}: the {what} of {name} has the unit {brian2.get_unit(dimensions)!r}; the equations say "
                f"{si_unit!r}."
            )
        plain = not isinstance(quantity, brian2.Quantity)
        scale = 1.0 if plain else float(np.asarray(unit))
        return float(np.asarray(quantity)) / scale

    limits = None if bounds is None else (number(bounds[0], "lower bound"), number(bounds[1], "upper bound"))
    return Parameter(name, number(value, "value"), unit, source, limits)


def _is_pure(unit: Any) -> bool:
    return brian2.have_same_dimensions(unit, 1)


def _require_known(model: str, what: str, names: Iterable[str], allowed: Iterable[str]) -> None:
    if unknown := set(names) - set(allowed):
        raise InputError(
            f"{model}: {_listed(unknown)} in `{what}` is not among what the equations allow there: {_listed(allowed)}."
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
