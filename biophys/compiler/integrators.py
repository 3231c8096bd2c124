"""Integration methods: each one short function, generic over the equations.

A method takes the environment, the right-hand sides by variable and the step in seconds, and returns the variables one
step later. The steps are Brian2's (`brian2.stateupdaters`), except for the linear algebra of exponential Euler.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from brian2.groups.neurongroup import StateUpdater
from brian2.stateupdaters.base import StateUpdateMethod, UnsupportedEquationsException
from jax import Array

from biophys.compiler.events import refractory_rule
from biophys.compiler.expressions import NONLINEAR, Expression, degree
from biophys.compiler.functions import exprel
from biophys.compiler.names import GroupReader, brian2_objections
from biophys.compiler.program import Operation
from biophys.compiler.scope import Environment, World
from twin.errors import InputError, UnsupportedError

Rates: TypeAlias = Mapping[str, Expression]
Values: TypeAlias = dict[str, Any]
Method: TypeAlias = Callable[[Environment, Rates, float], Values]


def _ahead(env: Environment, slopes: Mapping[str, Any], dt_s: float) -> Values:
    return {name: env[name] + dt_s * slope for name, slope in slopes.items()}


def _slopes(env: Environment, rates: Rates) -> Values:
    return {name: rate(env) for name, rate in rates.items()}


def _later(env: Environment, slopes: Mapping[str, Any], dt_s: float) -> Environment:
    return env.bind({**_ahead(env, slopes, dt_s), "t": env["t"] + dt_s})


def euler(env: Environment, rates: Rates, dt_s: float) -> Values:
    """x + dt f(x, t). Order 1."""
    return _ahead(env, _slopes(env, rates), dt_s)


def rk2(env: Environment, rates: Rates, dt_s: float) -> Values:
    """The midpoint method. Order 2."""
    middle = _later(env, _slopes(env, rates), dt_s / 2)
    return _ahead(env, _slopes(middle, rates), dt_s)


def rk4(env: Environment, rates: Rates, dt_s: float) -> Values:
    """The classical Runge-Kutta method. Order 4."""
    first = _slopes(env, rates)
    second = _slopes(_later(env, first, dt_s / 2), rates)
    third = _slopes(_later(env, second, dt_s / 2), rates)
    fourth = _slopes(_later(env, third, dt_s), rates)
    mean = {name: (first[name] + 2 * second[name] + 2 * third[name] + fourth[name]) / 6 for name in rates}
    return _ahead(env, mean, dt_s)


def exponential_euler(env: Environment, rates: Rates, dt_s: float) -> Values:
    """x + dt f phi(A dt) with A = df/dx of each variable's own rate and phi(z) = (exp(z) - 1) / z.

    Equal to Brian2's (x + B/A) exp(A dt) - B/A for f = A x + B, without its quotient 0/0; exact if A and B are constant
    over the step (Hochbruck and Ostermann 2010, Acta Numerica 19:209, section 2). Value and slope come from one
    evaluation each; what does not depend on the variable is evaluated once for all equations.
    """
    return {name: _exponential_step(env, name, rate, dt_s) for name, rate in rates.items()}


def _exponential_step(env: Environment, name: str, rate: Expression, dt_s: float) -> Array:
    x = env[name]
    if degree(rate.tree, name, env.scope.subexpressions) == 0:
        return x + dt_s * rate(env)
    env.settle(rate, name)
    f, a = jax.jvp(lambda value: rate(env.bind({name: value})), (x,), (jnp.ones_like(x),))
    return x + dt_s * f * exprel(dt_s * a)


METHODS: dict[str, Method] = {
    "euler": euler,
    "rk2": rk2,
    "rk4": rk4,
    "exponential_euler": exponential_euler,
    # Without noise the corrections of Heun and Milstein vanish, in Brian2 too: what is left is forward Euler.
    "heun": euler,
    "milstein": euler,
}
EXACT = ("exact", "linear")
_CHOICES = ", ".join(f"'{name}'" for name in (*METHODS, "exact"))


def build_state_updater(updater: StateUpdater, reader: GroupReader) -> Operation:
    """One step of a group's differential equations, after its neurons have left refractoriness or not.

    Raises:
        InputError: the method cannot integrate these equations.
        UnsupportedError: the method, or noise in the equations, is not compiled.
    """
    scope, equations = reader.scope, reader.group.equations
    if equations.is_stochastic:
        raise UnsupportedError(
            f"NeuronGroup '{scope.group}' has noise in its equations ({', '.join(equations.stochastic_variables)}),"
            " which is not compiled; declare a parameter for it, list it in `inputs`, and supply its values at every"
            " step."
        )
    leave = refractory_rule(reader)
    advance = _advance(updater, reader) if equations.diff_eq_names else lambda env: {}

    def update(world: World) -> dict[str, Any]:
        env = scope.at(world)
        updates = {}
        if leave is not None:
            free = leave(env)
            env = env.bind({"not_refractory": free})
            updates[scope.variables["not_refractory"].key] = free
        for name, value in advance(env).items():
            value = scope.variables[name].fit(value)
            held = jnp.where(env["not_refractory"], value, env[name]) if name in scope.guarded else value
            updates[scope.variables[name].key] = held
        return updates

    written = [*equations.diff_eq_names, *(("not_refractory",) if leave is not None else ())]
    return Operation(updater.name, update, writes=tuple(scope.variables[name].key for name in written))


def _advance(updater: StateUpdater, reader: GroupReader) -> Callable[[Environment], Values]:
    scope, equations = reader.scope, reader.group.equations
    method = _chosen_method(updater, reader)
    rates = {name: reader.expression(expression.code) for name, expression in equations.diff_eq_expressions}
    if method in EXACT:
        solution = reader.block(_brian2_step(updater, reader, method), "The exact solution", check_units=False)
        return solution.run
    if method == "exponential_euler":
        _require_conditionally_linear(reader, rates)
    step = METHODS[method]
    return lambda env: step(env, rates, scope.dt_s)


def _require_conditionally_linear(reader: GroupReader, rates: Rates) -> None:
    for name, rate in rates.items():
        if degree(rate.tree, name, reader.scope.subexpressions) == NONLINEAR:
            raise UnsupportedError(
                f"NeuronGroup '{reader.group.name}': exponential_euler needs equations that are conditionally linear,"
                f" and `d{name}/dt = {rate.text}` is not linear in `{name}`; use method='rk4', 'rk2' or 'euler', or"
                " write it as a sum of terms that do not contain it and terms that multiply it once."
            )


def _chosen_method(updater: StateUpdater, reader: GroupReader) -> str:
    """The method by name; of several, the first that Brian2 would take."""
    choice = updater.method_choice
    if isinstance(choice, str) or callable(choice):
        return _compiled_name(choice, reader)
    for candidate in choice:
        name = _compiled_name(candidate, reader)
        try:
            _brian2_step(updater, reader, name)
        except UnsupportedEquationsException:
            continue
        return name
    raise InputError(f"NeuronGroup '{reader.group.name}': none of the methods {choice} can integrate its equations.")


def _compiled_name(choice: Any, reader: GroupReader) -> str:
    known = StateUpdateMethod.stateupdaters
    names = (
        [choice.lower()] if isinstance(choice, str) else [name for name, method in known.items() if method is choice]
    )
    for name in names:
        if name in METHODS or name in EXACT:
            return name
    found = f"method='{choice}'" if isinstance(choice, str) else f"a method of your own, {choice!r},"
    raise UnsupportedError(
        f"NeuronGroup '{reader.group.name}' has {found} which is not compiled; use one of {_CHOICES}."
    )


def _brian2_step(updater: StateUpdater, reader: GroupReader, method: str) -> str:
    """Brian2's own code for a step.

    Raises:
        InputError: the only method given cannot integrate the equations.
        UnsupportedEquationsException: the same, where there are others to try.
    """
    equations = reader.group.equations
    variables = reader.resolve(equations.names | equations.identifiers | {"dt"})
    solve = StateUpdateMethod.stateupdaters[method]
    if isinstance(updater.method_choice, str) or callable(updater.method_choice):
        with brian2_objections(reader.group.name):
            return solve(equations, variables, updater.method_options)
    return solve(equations, variables)
