"""Reads one NeuronGroup: which of its names are constants, parameters, states or tables.

Brian2's own checkers judge equations and units first; what they object to becomes an `InputError` that names the group.
Nothing is written to the Brian2 objects, so that Brian2 can run the same network as the referee.
"""

import dataclasses
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import jax.numpy as jnp
import numpy as np
from brian2 import DimensionMismatchError, Function, NeuronGroup, TimedArray, Unit
from brian2.codegen.translation import analyse_identifiers
from brian2.core.namespace import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS, DEFAULT_UNITS
from brian2.core.variables import ArrayVariable
from brian2.equations.equations import SUBEXPRESSION, EquationError
from brian2.equations.unitcheck import check_units_statements
from brian2.parsing.statements import parse_statement
from brian2.stateupdaters.base import UnsupportedEquationsException
from brian2.units.fundamentalunits import DIMENSIONLESS, get_unit
from jax import Array

from biophys.compiler.expressions import Expression, parse
from biophys.compiler.functions import function_table
from biophys.compiler.scope import Environment, Role, Scope, Variable
from twin.errors import InputError, UnsupportedError

NEVER_STEP = -(2**30)  # the step of the last spike of a neuron that has not spiked
NEVER_S = -1e4  # the same in Brian2's `lastspike`, seconds
LAST_STEP = "lastspike_step"
_OBJECTIONS = (
    *(AssertionError, KeyError, NotImplementedError, SyntaxError, TypeError, ValueError),
    *(DimensionMismatchError, EquationError, UnsupportedEquationsException),
)


@contextmanager
def brian2_objections(group: str) -> Iterator[None]:
    """Turns what Brian2's own checks raise into an `InputError` that names the group."""
    try:
        yield
    except InputError:
        raise
    except _OBJECTIONS as objection:
        reason = " ".join(str(part) for part in objection.args) or repr(objection)
        raise InputError(f"NeuronGroup '{group}' does not pass Brian2's own checks: {reason}") from objection


@dataclasses.dataclass(frozen=True)
class Block:
    """Statements, in order: a reset, or the update of `constant over dt` subexpressions.

    Attributes:
        statements: (target, expression) pairs.
        targets: the variables among the targets; the others are temporary.
    """

    statements: tuple[tuple[str, Expression], ...]
    targets: tuple[str, ...]

    def run(self, environment: Environment) -> dict[str, Any]:
        """The targets' values after the last statement."""
        for target, expression in self.statements:
            environment = environment.bind({target: expression(environment)})
        return {target: environment[target] for target in self.targets}


class GroupReader:
    """What the equations of one group mean.

    Args:
        group: the Brian2 group, left as it is.
        namespace: of external names, beside the group's own.
        dtype: of every number.

    Raises:
        InputError: Brian2's own checks object to the equations.
    """

    def __init__(self, group: NeuronGroup, namespace: Mapping[str, Any], dtype: np.dtype):
        self.group = group
        self.namespace = namespace
        with brian2_objections(group.name):
            group.before_run(namespace)
        n, dt_s = len(group), float(group.clock.dt_)
        self.scope = Scope(group.name, n, dt_s, dtype, constants={"N": n, "dt": dt_s})
        self.scope.derived["t"] = lambda env: env.world["step"].astype(dtype) * dt_s
        self.scope.derived["i"] = lambda env: jnp.arange(n, dtype=dtype)
        self._truths = {name for name, variable in group.variables.items() if variable.is_boolean}
        self._declare()

    def resolve(self, names: frozenset[str] | set[str]) -> dict[str, Any]:
        """Brian2's own variables and functions for names.

        Raises:
            InputError: a name means nothing to Brian2.
        """
        with brian2_objections(self.group.name):
            return self.group.resolve_all(names, self.namespace, user_identifiers=set())

    def expression(self, text: str, temporary: Collection[str] = (), truths: Collection[str] = ()) -> Expression:
        """An expression whose every name is known to the scope.

        Args:
            text: as the user wrote it.
            temporary: names that earlier statements of a block define; `truths` are those of them that are boolean.

        Raises:
            InputError: no Brian2 expression, or a name that Brian2 cannot resolve.
            UnsupportedError: it calls a random or a user-defined function.
        """
        with brian2_objections(self.group.name):
            expression = parse(text, self._truths.union(truths))
        unknown = {name for name in expression.names.difference(temporary) if not self.scope.knows(name)}
        for name, meaning in sorted(self.resolve(unknown).items()):
            self._learn(name, meaning, expression)
        return expression

    def block(self, code: str, what: str, check_units: bool = True) -> Block:
        """Statements, in order.

        Args:
            code: as the user wrote it, or as Brian2 generated it.
            what: whose statements, for messages.
            check_units: by Brian2; its own generated code has lost them.

        Raises:
            InputError: Brian2 objects to a statement, or its target cannot be written.
            UnsupportedError: a statement writes `lastspike`.
        """
        with brian2_objections(self.group.name):
            _, known, unknown = analyse_identifiers(code, self.group.variables, recursive=True)
            if check_units:
                check_units_statements(code, self.resolve(known | unknown))
            lines = [line for line in re.split(r"[;\n]", code) if line.partition("#")[0].strip()]
            parsed = [parse_statement(line) for line in lines]
        statements: list[tuple[str, Expression]] = []
        temporary: dict[str, bool] = {}  # name -> whether it is a truth value
        for target, op, text, _ in parsed:
            full = text if op == "=" else f"{target} {op[:-1]} ({text})"
            expression = self.expression(full, temporary, [name for name, is_truth in temporary.items() if is_truth])
            if not self._is_variable(target, what):
                temporary[target] = expression.is_truth
            statements.append((target, expression))
        return Block(tuple(statements), tuple(dict.fromkeys(t for t, _ in statements if t not in temporary)))

    def _is_variable(self, target: str, what: str) -> bool:
        """Whether a statement writes a variable rather than a name of its own."""
        if target == "lastspike":
            raise UnsupportedError(
                f"{what} of NeuronGroup '{self.group.name}' writes `lastspike`, which the compiled program keeps as a"
                " step counter; keep the time in a parameter of your own."
            )
        if target in self.scope.variables and self.scope.variables[target].role in ("state", "parameter"):
            return True
        if self.scope.knows(target):
            raise InputError(f"{what} of NeuronGroup '{self.group.name}' writes `{target}`, which is read-only.")
        return False

    def _declare(self) -> None:
        """The group's own variables, then its subexpressions and the external names in all its equations."""
        equations = self.group.equations
        for equation in equations.values():
            if equation.type == SUBEXPRESSION:
                continue
            if equation.varname == "lastspike":
                self._declare_last_spike()
            else:
                self._declare_variable(equation.varname)
        # in order of dependence: a subexpression finds those that it uses already known
        ordered = [equation for equation in equations.ordered if equation.type == SUBEXPRESSION]
        for equation in ordered:
            self.scope.subexpressions[equation.varname] = self.expression(equation.expr.code)

    def _declare_variable(self, name: str) -> None:
        scope, variable = self.scope, self.group.variables[name]
        # a copy: Brian2 goes on writing to its own array when it runs
        value = np.array(variable.get_value(), _kept_dtype(variable, scope.dtype))
        value = value.reshape(() if variable.scalar else (scope.n,))
        is_state = name in self.group.equations.diff_eq_names or name == "not_refractory"
        role: Role = "state" if is_state else "parameter"
        scope.variables[name] = Variable(f"{scope.group}.{name}", unit_name(variable.dim), value, role)
        if variable.conditional_write is not None:
            scope.guarded.add(name)

    def _declare_last_spike(self) -> None:
        """Brian2's time of the last spike as the first step at or after it, which is all that its rule looks at."""
        scope, last_s = self.scope, np.asarray(self.group.variables["lastspike"].get_value(), float)
        if LAST_STEP in self.group.variables:
            raise InputError(f"NeuronGroup '{scope.group}' has a variable `{LAST_STEP}`, a reserved name; rename it.")
        steps = np.where(last_s <= NEVER_S, NEVER_STEP, np.ceil(last_s / scope.dt_s - 1e-3)).astype(np.int32)
        scope.variables[LAST_STEP] = Variable(f"{scope.group}.{LAST_STEP}", "1", steps, "state")
        scope.derived["lastspike"] = _last_spike_time

    def _learn(self, name: str, meaning: Any, expression: Expression) -> None:
        """Takes up an external name."""
        scope = self.scope
        if isinstance(meaning, TimedArray):
            key = f"{scope.group}.{name}"
            table = np.array(meaning.values, scope.dtype)
            scope.variables[name] = Variable(key, unit_name(meaning.dim), table, "table")
            scope.periods_s[name] = float(meaning.dt)
        elif isinstance(meaning, Function):
            self._require_function(name, expression)
        elif name in DEFAULT_UNITS or name in DEFAULT_CONSTANTS or isinstance(self._external(name), Unit):
            scope.constants[name] = float(meaning.get_value())
        else:
            value = np.asarray(meaning.get_value())
            value = value.astype(bool if value.dtype == bool else scope.dtype)
            scope.variables[name] = Variable(f"{scope.group}.{name}", unit_name(meaning.dim), value, "external")

    def _external(self, name: str) -> Any:
        return {**self.namespace, **(self.group.namespace or {})}.get(name)

    def _require_function(self, name: str, expression: Expression) -> None:
        if name in function_table(self.scope.dtype):
            return
        is_random = name in DEFAULT_FUNCTIONS
        reason = "draws random numbers" if is_random else "is a function of your own"
        way_out = "" if is_random else "write it out in the equations, or "
        raise UnsupportedError(
            f"NeuronGroup '{self.group.name}' uses `{name}()` in `{expression.text}`, which {reason} and is not"
            f" compiled; {way_out}declare a parameter, list it in `inputs`, and supply its values at every step."
        )


def _last_spike_time(env: Environment) -> Array:
    step = env.world[env.scope.variables[LAST_STEP].key]
    return jnp.where(step == NEVER_STEP, NEVER_S, step.astype(env.scope.dtype) * env.scope.dt_s)


def _kept_dtype(variable: ArrayVariable, dtype: np.dtype) -> np.dtype:
    if variable.is_boolean:
        return np.dtype(bool)
    return np.dtype(np.int32) if variable.is_integer else dtype


def unit_name(dimensions: Any) -> str:
    """The SI unit of Brian2 dimensions: "V", "S/(m^2)"; "1" for a pure number."""
    return "1" if dimensions is DIMENSIONLESS else str(get_unit(dimensions))
