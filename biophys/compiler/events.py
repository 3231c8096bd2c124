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
from brian2.parsing.expressions import is_boolean_expression, parse_expression_dimensions
from brian2.utils.stringtools import get_identifiers
from jax import Array

from biophys.compiler.blocks import read_block
from biophys.compiler.functions import as_truth
from biophys.compiler.layout import NEVER_S, STEP_COUNTED, Layout
from biophys.compiler.names import Reader, brian2_objections
from biophys.compiler.program import Operation
from biophys.compiler.scope import Environment, Variable, World, blend, is_true, ticks_at
from biophys.compiler.spike_gradients import soft_condition
from twin.errors import InputError, UnsupportedError

RefractoryRule: TypeAlias = Callable[[Environment], Array]  # -> which neurons are not refractory, (n,)
LAST_STEP = STEP_COUNTED["lastspike"]
_LONGEST = 2**30  # steps; a longer refractory period never ends


def refractory_rule(reader: Reader) -> RefractoryRule | None:
    """How a neuron leaves refractoriness; None for a group without.

    Raises:
        InputError: the period is no time and the condition no truth value.
    """
    period = getattr(reader.group, "_refractory", False)
    if period is False:
        return None
    for name in ("lastspike", "not_refractory"):
        reader.learn(name, reader.group.variables[name])
    if isinstance(period, Quantity):
        return _fixed_period(reader, period)
    with brian2_objections(reader.group.name):
        identifiers = get_identifiers(str(period))
        variables = reader.resolve(identifiers)
        dimensions = parse_expression_dimensions(str(period), variables)
        is_condition = dimensions is not second.dim and is_boolean_expression(str(period), variables)
    if not is_condition and dimensions is not second.dim:
        raise InputError(f"{reader.label} has refractory='{period}', which is neither a time nor a condition.")
    return _release(reader, str(period)) if is_condition else _computed_period(reader, str(period))


def _fixed_period(reader: Reader, period: Quantity) -> RefractoryRule:
    if period.dim is not second.dim:
        raise InputError(f"{reader.label} has refractory={period}, which is not a time.")
    if prefs.legacy.refractory_timing:
        return _legacy_period(reader, str(float(period)))
    steps = int(np.clip(whole_steps(float(period), reader.scope.dt_s), -_LONGEST, _LONGEST))
    return lambda env: _steps_since_spike(env) >= steps


def _computed_period(reader: Reader, period: str) -> RefractoryRule:
    if prefs.legacy.refractory_timing:
        return _legacy_period(reader, period)
    steps = reader.expression(f"timestep({period}, dt)")
    return lambda env: _steps_since_spike(env) >= jnp.clip(steps(env), -_LONGEST, _LONGEST).astype(jnp.int32)


def _legacy_period(reader: Reader, period: str) -> RefractoryRule:
    """Brian2's older rule, which compares rounded times: each is rounded before they are subtracted."""
    leave = reader.expression(f"(t - lastspike) > {period}")
    reader.learn("t", reader.group.variables["t"])

    def rule(env: Environment) -> Array:
        # between a product and a difference, or the compiler makes one operation of them and rounds once
        rounded = {name: jnp.maximum(env[name], NEVER_S) for name in ("t", "lastspike")}
        return as_truth(leave(env.bind(rounded)), env.scope.n)

    return rule


def _release(reader: Reader, condition: str) -> RefractoryRule:
    leave = reader.expression(f"not_refractory or not ({condition})")
    return lambda env: as_truth(leave(env), env.scope.n)


def _steps_since_spike(env: Environment) -> Array:
    return _clock(env) - env.gather(env.scope.fields[LAST_STEP])


def _clock(env: Environment) -> Array:
    """The steps of the group's own clock."""
    return ticks_at(env.world, env.scope.every)


def declare_event(layout: Layout, group: Any, event: str) -> str:
    """Enters an event into the program and gives its key.

    Args:
        layout: the arrays of the program.
        group: that has the event, or a part of it.
        event: its name.

    Raises:
        InputError: the group has a variable of the same name.
    """
    whole = getattr(group, "source", group)
    if event in whole.variables:
        raise InputError(f"'{whole.name}' has both a variable and an event `{event}`; rename one.")
    key = f"{whole.name}.{event}"
    dtype = bool if layout.gradient_of(key) is None else layout.dtype
    return layout.add(Variable(key, "1", np.zeros(len(whole), dtype), "state"))


def build_thresholder(thresholder: Any, reader: Reader) -> Operation:
    """Which neurons have the event; a spike also starts refractoriness.

    Raises:
        InputError: the condition is no truth value, or the event has the name of a variable.
    """
    with brian2_objections(reader.group.name):
        thresholder.update_abstract_code(run_namespace=reader.namespace)
    scope, event = reader.scope, thresholder.event
    key = declare_event(reader.layout, reader.group, event)
    condition = _condition_of(reader, event, key)
    starts_refractoriness = event == "spike" and getattr(reader.group, "_refractory", False) is not False

    def detect(world: World) -> dict[str, Any]:
        return {key: condition(scope.at(world))}

    def detect_spikes(world: World) -> dict[str, Any]:
        env = scope.at(world)
        free, last = scope.fields["not_refractory"].key, scope.fields[LAST_STEP].key
        event = blend(world[free], condition(env), jnp.zeros_like(world[key]))
        spiking = is_true(event)
        return {key: event, free: world[free] & ~spiking, last: jnp.where(spiking, _clock(env), world[last])}

    written = ("not_refractory", LAST_STEP) if starts_refractoriness else ()
    for name in ("lastspike", "not_refractory") if starts_refractoriness else ():
        reader.learn(name, reader.group.variables[name])
    return Operation(
        thresholder.name,
        detect_spikes if starts_refractoriness else detect,
        writes=(*(scope.fields[name].key for name in written), key),
        raises=key,
        is_random=reader.is_random,
    )


def _condition_of(reader: Reader, event: str, key: str) -> Callable[[Environment], Array]:
    """Whether each neuron has an event: Bool[n], or 0 and 1 with a derivative."""
    n, condition = reader.scope.n, reader.expression(reader.group.events[event])
    gradient = reader.layout.gradient_of(key)
    if gradient is None:
        return lambda env: as_truth(condition(env), n)
    soft = soft_condition(condition, reader.expression, gradient)
    return lambda env: jnp.broadcast_to(soft(env), (n,))


def build_resetter(resetter: Any, reader: Reader) -> Operation:
    """Statements for the neurons that have the event; they may write what is guarded while refractory.

    Raises:
        InputError: Brian2 objects to a statement.
        UnsupportedError: a statement writes a shared variable or `lastspike`.
    """
    scope = reader.scope
    with brian2_objections(reader.group.name):
        resetter.update_abstract_code(run_namespace=reader.namespace)
    what = f"The reset on '{resetter.event}'"
    block = read_block(reader, resetter.abstract_code, what)
    event = declare_event(reader.layout, reader.group, resetter.event)
    for name, field in block.fields.items():
        if field.index is None:
            raise UnsupportedError(
                f"{what} of {reader.label} writes the shared variable `{name}`; drop its flag `(shared)`, so that each"
                " neuron has its own."
            )
    scope.guards.clear()

    def reset(world: World) -> dict[str, Any]:
        # no derivative through the reset: at a slope of more than one it would grow with every step near the threshold
        return block.run(scope.at(world, mask=is_true(world[event])))

    return Operation(resetter.name, reset, writes=block.writes, is_random=reader.is_random)


def build_block(runner: Any, reader: Reader) -> Operation:
    """Statements for all elements: a regular operation, a subexpression that is `constant over dt`, Poisson input.

    Raises:
        InputError: Brian2 objects to a statement.
    """
    with brian2_objections(reader.group.name):
        runner.update_abstract_code(run_namespace=reader.namespace)
    block = read_block(reader, runner.abstract_code, f"'{runner.name}'", check_units=runner.check_units)
    scope = reader.scope
    return Operation(
        runner.name,
        lambda world: block.run(scope.at(world)),
        writes=block.writes,
        is_random=reader.is_random,
    )
