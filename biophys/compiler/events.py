"""Thresholds, resets and refractoriness, by Brian2's rules.

Times since the last spike are counted in whole steps: `timestep(t - lastspike, dt) >= timestep(period, dt)` holds
exactly when the integer difference of steps does, with no rounding of times in float32.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import jax.numpy as jnp
import numpy as np
from brian2 import Quantity, prefs, second
from brian2.core.functions import timestep as whole_steps
from brian2.groups.neurongroup import Resetter, SubexpressionUpdater, Thresholder
from brian2.parsing.expressions import is_boolean_expression, parse_expression_dimensions
from brian2.utils.stringtools import get_identifiers
from jax import Array

from biophys.compiler.functions import as_truth
from biophys.compiler.names import LAST_STEP, GroupReader, brian2_objections
from biophys.compiler.program import Operation
from biophys.compiler.scope import Environment, World
from twin.errors import InputError, UnsupportedError

RefractoryRule: TypeAlias = Callable[[Environment], Array]  # -> which neurons are not refractory, (n,)
_LONGEST = 2**30  # steps; a longer refractory period never ends


def refractory_rule(reader: GroupReader) -> RefractoryRule | None:
    """How a neuron leaves refractoriness; None for a group without.

    Raises:
        InputError: the period is no time and the condition no truth value.
        UnsupportedError: Brian2 is set to its legacy rule of refractory timing.
    """
    period = reader.group._refractory
    if period is False:
        return None
    if prefs.legacy.refractory_timing:
        raise UnsupportedError(
            f"NeuronGroup '{reader.group.name}' is refractory by Brian2's legacy rule, which compares rounded times;"
            " set `prefs.legacy.refractory_timing = False`."
        )
    if isinstance(period, Quantity):
        return _fixed_period(reader, period)
    with brian2_objections(reader.group.name):
        identifiers = get_identifiers(str(period))
        variables = reader.resolve(identifiers)
        dimensions = parse_expression_dimensions(str(period), variables)
        is_condition = dimensions is not second.dim and is_boolean_expression(str(period), variables)
    if not is_condition and dimensions is not second.dim:
        raise InputError(
            f"NeuronGroup '{reader.group.name}' has refractory='{period}', which is neither a time nor a condition."
        )
    return _condition(reader, str(period)) if is_condition else _computed_period(reader, str(period))


def _fixed_period(reader: GroupReader, period: Quantity) -> RefractoryRule:
    if period.dim is not second.dim:
        raise InputError(f"NeuronGroup '{reader.group.name}' has refractory={period}, which is not a time.")
    steps = int(np.clip(whole_steps(float(period), reader.scope.dt_s), -_LONGEST, _LONGEST))
    return lambda env: _steps_since_spike(env) >= steps


def _computed_period(reader: GroupReader, period: str) -> RefractoryRule:
    steps = reader.expression(f"timestep({period}, dt)")
    return lambda env: _steps_since_spike(env) >= jnp.clip(steps(env), -_LONGEST, _LONGEST).astype(jnp.int32)


def _condition(reader: GroupReader, condition: str) -> RefractoryRule:
    leave = reader.expression(f"not_refractory or not ({condition})")
    return lambda env: as_truth(leave(env), env.scope.n)


def _steps_since_spike(env: Environment) -> Array:
    return env.world["step"] - env.world[env.scope.variables[LAST_STEP].key]


def build_thresholder(thresholder: Thresholder, reader: GroupReader) -> Operation:
    """Which neurons have the event; a spike also starts refractoriness.

    Raises:
        InputError: the condition is no truth value, or the event has the name of a variable.
    """
    with brian2_objections(reader.group.name):
        thresholder.update_abstract_code(run_namespace=reader.namespace)
    scope, event = reader.scope, thresholder.event
    if scope.knows(event):
        raise InputError(f"NeuronGroup '{scope.group}' has both a variable and an event `{event}`; rename one.")
    condition = reader.expression(reader.group.events[event])
    starts_refractoriness = event == "spike" and reader.group._refractory is not False
    key = f"{scope.group}.{event}"

    def detect(world: World) -> dict[str, Any]:
        return {key: as_truth(condition(scope.at(world)), scope.n)}

    def detect_spikes(world: World) -> dict[str, Any]:
        free, last = (scope.variables[name].key for name in ("not_refractory", LAST_STEP))
        spiking = as_truth(condition(scope.at(world)), scope.n) & world[free]
        return {key: spiking, free: world[free] & ~spiking, last: jnp.where(spiking, world["step"], world[last])}

    written = ("not_refractory", LAST_STEP) if starts_refractoriness else ()
    keys = tuple(scope.variables[name].key for name in written)
    return Operation(thresholder.name, detect_spikes if starts_refractoriness else detect, writes=keys, raises=key)


def build_resetter(resetter: Resetter, reader: GroupReader) -> Operation:
    """Statements for the neurons that have the event; they may write what is guarded while refractory.

    Raises:
        InputError: Brian2 objects to a statement.
        UnsupportedError: a statement writes a shared variable or `lastspike`.
    """
    scope = reader.scope
    with brian2_objections(reader.group.name):
        resetter.update_abstract_code(run_namespace=reader.namespace)
    block = reader.block(resetter.abstract_code, f"The reset on '{resetter.event}'")
    event = f"{scope.group}.{resetter.event}"
    targets = [scope.variables[name] for name in block.targets]
    for target in targets:
        if target.value.shape == ():
            raise UnsupportedError(
                f"The reset on '{resetter.event}' of NeuronGroup '{scope.group}' writes the shared variable"
                f" '{target.key}'; drop its flag `(shared)`, so that each neuron has its own."
            )

    def reset(world: World) -> dict[str, Any]:
        after = block.run(scope.at(world))
        fitted = {target.key: target.fit(after[name]) for name, target in zip(block.targets, targets, strict=True)}
        return {key: jnp.where(world[event], value, world[key]) for key, value in fitted.items()}

    return Operation(resetter.name, reset, writes=tuple(target.key for target in targets))


def build_subexpression_updater(updater: SubexpressionUpdater, reader: GroupReader) -> Operation:
    """Subexpressions that are `constant over dt`: evaluated once, before anything else in the step."""
    scope = reader.scope
    block = reader.block(updater.abstract_code, "The `constant over dt` subexpressions")
    targets = {name: scope.variables[name] for name in block.targets}

    def update(world: World) -> dict[str, Any]:
        values = block.run(scope.at(world))
        return {target.key: target.fit(values[name]) for name, target in targets.items()}

    return Operation(updater.name, update, writes=tuple(target.key for target in targets.values()))
