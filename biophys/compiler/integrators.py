"""Integration methods: each one short function, generic over the equations.

A method takes the environment, the right-hand sides by variable and the step in seconds, and returns the variables one
step later. The steps are Brian2's (`brian2.stateupdaters`), except for the linear algebra of exponential Euler. Noise
and methods that are not here are taken from Brian2's own text of a step, which draws a number for each `xi`.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from brian2.stateupdaters.base import StateUpdateMethod, UnsupportedEquationsException
from brian2.stateupdaters.exponential_euler import get_conditionally_linear_system
from jax import Array

from biophys.compiler.blocks import read_block
from biophys.compiler.events import refractory_rule
from biophys.compiler.exponential import exprel
from biophys.compiler.expressions import NONLINEAR, Expression, degree
from biophys.compiler.names import Reader, brian2_objections
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
Advance: TypeAlias = Callable[[Environment], Environment]


def build_state_updater(updater: Any, reader: Reader) -> Operation:
    """One step of a group's differential equations, after its neurons have left refractoriness or not.

    Raises:
        InputError: the method cannot integrate these equations.
        UnsupportedError: the method is not compiled.
    """
    scope = reader.scope
    leave = refractory_rule(reader)
    advance, written = _advance(updater, reader)

    def update(world: World) -> dict[str, Any]:
        env = scope.at(world)
        if leave is not None:
            env = env.store("not_refractory", leave(env))
        env = advance(env)
        return {key: env.world[key] for key in keys}

    names = (*written, *(("not_refractory",) if leave is not None else ()))
    keys = tuple(scope.fields[name].key for name in names)
    return Operation(updater.name, update, writes=keys, is_random=reader.is_random)


def _advance(updater: Any, reader: Reader) -> tuple[Advance, tuple[str, ...]]:
    """The step, and the variables that it writes."""
    equations = reader.group.equations
    if not equations.diff_eq_names:
        return lambda env: env, ()
    for name in (*equations.diff_eq_names, "t"):
        reader.learn(name, reader.group.variables[name])
    method = _chosen_method(updater, reader)
    clamped = {name for name in equations.diff_eq_names if f"{reader.group.name}.{name}" in reader.layout.inputs}
    if equations.is_stochastic or method not in METHODS:
        _require_free(reader, clamped, method)
        return _brian2_text(updater, reader, method)
    equation = {name: text for name, text in equations.diff_eq_expressions if name not in clamped}
    rates = {name: reader.expression(text.code) for name, text in equation.items()}
    if method == "exponential_euler":
        _require_conditionally_linear(reader, rates)
    step, dt_s = METHODS[method], reader.scope.dt_s

    def advance(env: Environment) -> Environment:
        for name, value in step(env, rates, dt_s).items():
            env = env.store(name, value)
        return env

    return advance, tuple(rates)


def _require_free(reader: Reader, clamped: set[str], method: Any) -> None:
    """Checks that no state is held within a step that Brian2 wrote, in which all of them move together."""
    if clamped:
        raise UnsupportedError(
            f"{reader.label} has `{min(clamped)}` as an input and method='{method}' or noise, by which all variables"
            " move together; use one of 'euler', 'rk2', 'rk4', 'exponential_euler', without noise."
        )


def _brian2_text(updater: Any, reader: Reader, method: Any) -> tuple[Advance, tuple[str, ...]]:
    text = _brian2_step(updater, reader, method)
    if not isinstance(text, str):
        raise UnsupportedError(
            f"{reader.label} has method='{method}', which is no explicit method and is not compiled; use one of"
            f" {_choices()}."
        )
    block = read_block(reader, text, "The update of the state", check_units=False)

    def advance(env: Environment) -> Environment:
        for line in block.statements:
            env = line.run(env)
        return env

    return advance, tuple(block.fields)


def _choices() -> str:
    return ", ".join(f"'{name}'" for name in (*METHODS, "exact"))


def _require_conditionally_linear(reader: Reader, rates: Rates) -> None:
    """Checks that each rate is affine in its own variable, by its structure or after sympy has collected its terms."""
    for name, rate in rates.items():
        if degree(rate.tree, name, reader.scope.subexpressions) == NONLINEAR and not _is_affine(reader, name):
            raise UnsupportedError(
                f"{reader.label}: exponential_euler needs equations that are conditionally linear, and"
                f" `d{name}/dt = {rate.text}` is not linear in `{name}`; use method='rk4', 'rk2' or 'euler', or write"
                " it as a sum of terms that do not contain it and terms that multiply it once."
            )


def _is_affine(reader: Reader, name: str) -> bool:
    equations = reader.group.equations
    variables = reader.resolve(equations.names | equations.identifiers)
    try:
        slope, rest = get_conditionally_linear_system(equations, variables)[name]
    except (ValueError, UnsupportedEquationsException):
        return False
    return not any(str(symbol) == name for part in (slope, rest) if part is not None for symbol in part.free_symbols)


def _chosen_method(updater: Any, reader: Reader) -> Any:
    """The method, by name where it has one; of several, the first that Brian2 would take."""
    choice = updater.method_choice
    if isinstance(choice, str) or callable(choice):
        return _named(choice, reader)
    for candidate in choice:
        method = _named(candidate, reader)
        try:
            _brian2_step(updater, reader, method)
        except UnsupportedEquationsException:
            continue
        return method
    raise InputError(f"{reader.label}: none of the methods {choice} can integrate its equations.")


def _named(choice: Any, reader: Reader) -> Any:
    known = StateUpdateMethod.stateupdaters
    if not isinstance(choice, str):
        return next((name for name, method in known.items() if method is choice), choice)
    name = choice.lower()
    if name not in known or name.startswith("gsl"):
        raise UnsupportedError(f"{reader.label} has method='{choice}', which is not compiled; use one of {_choices()}.")
    return name


def _brian2_step(updater: Any, reader: Reader, method: Any) -> Any:
    """Brian2's own code for a step.

    Raises:
        InputError: the only method given cannot integrate the equations.
        UnsupportedEquationsException: the same, where there are others to try.
    """
    equations = reader.group.equations
    variables = reader.resolve(equations.names | equations.identifiers | {"dt"})
    solve = StateUpdateMethod.stateupdaters[method] if isinstance(method, str) else method
    options = updater.method_options or {}
    if isinstance(updater.method_choice, str) or callable(updater.method_choice):
        with brian2_objections(reader.group.name):
            return solve(equations, variables, options)
    return solve(equations, variables, options)
