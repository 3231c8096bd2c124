"""Reads the names of one Brian2 object: which are constants, parameters, states, tables, functions.

Brian2's own checkers judge equations and units first; what they object to becomes an `InputError` that names the group.
Nothing is written to the Brian2 objects, so that Brian2 can run the same network as the referee.
"""

import functools
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import jax.numpy as jnp
import numpy as np
from brian2 import Clock, DimensionMismatchError, Function, Unit
from brian2.core.namespace import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS, DEFAULT_UNITS
from brian2.core.variables import ArrayVariable, Constant, Subexpression
from brian2.equations.equations import EquationError
from brian2.stateupdaters.base import UnsupportedEquationsException
from brian2.utils.stringtools import get_identifiers

from biophys.compiler.calls import readable
from biophys.compiler.expressions import Expression, parse
from biophys.compiler.layout import NEVER_S, NEVER_STEP, STEP_COUNTED, Layout, unit_name
from biophys.compiler.refusals import OBSERVERS
from biophys.compiler.scope import OWN, STEP, Derived, Environment, Field, Scope, Variable, ticks_at
from twin.errors import InputError, UnsupportedError

ELAPSED = "_elapsed"  # the time since a synapse was last updated, from whole steps
_OBJECTIONS = (
    *(AssertionError, KeyError, NotImplementedError, SyntaxError, TypeError, ValueError),
    *(DimensionMismatchError, EquationError, UnsupportedEquationsException),
)


@contextmanager
def brian2_objections(name: str) -> Iterator[None]:
    """Turns what Brian2's own checks raise into an `InputError` that names the object."""
    try:
        yield
    except (InputError, UnsupportedError):
        raise
    except _OBJECTIONS as objection:
        reason = " ".join(str(part) for part in objection.args) or repr(objection)
        raise InputError(f"'{name}' does not pass Brian2's own checks: {reason}") from objection


class Reader:
    """What the names of one object mean.

    Args:
        group: the Brian2 group, left as it is.
        namespace: of external names, beside the group's own.
        layout: the arrays of the program.
        base_dt_s: the program's step, seconds.
        extra: variables that the object has beyond its group's.
        name: of the object, if it is not the group itself.
    """

    def __init__(
        self,
        group: Any,
        namespace: Mapping[str, Any],
        layout: Layout,
        base_dt_s: float,
        extra: Any = None,
        name: str | None = None,
    ):
        self.group, self.namespace, self.layout, self.base_dt_s = group, namespace, layout, base_dt_s
        self.extra: Any = {} if extra is None else extra
        self.is_random = False  # until a function that draws random numbers is among the names
        dt_s = float(group.clock.dt_)
        every = round(dt_s / base_dt_s)
        self.scope = Scope(name or group.name, _length(group), dt_s, every, layout.dtype)

    @property
    def label(self) -> str:
        """What messages call the object: "NeuronGroup 'cells'"."""
        return f"{self.group.__class__.__name__} '{self.group.name}'"  # groups come as proxies, which have another type

    def resolve(self, names: Iterable[str]) -> dict[str, Any]:
        """Brian2's own variables and functions for names.

        Raises:
            InputError: a name means nothing to Brian2.
        """
        with brian2_objections(self.group.name):
            return self.group.resolve_all(
                sorted(names), self.namespace, user_identifiers=set(), additional_variables=self.extra
            )

    def index(self, name: str) -> str:
        """Brian2's index of a variable."""
        variables = self.extra if name in self.extra else self.group.variables
        return variables.indices[name]

    def expression(self, text: str, temporary: Collection[str] = (), truths: Collection[str] = ()) -> Expression:
        """An expression whose every name is known to the scope.

        Args:
            text: as the user wrote it.
            temporary: names that earlier statements of a block define; `truths` are those of them that are boolean.

        Raises:
            InputError: no Brian2 expression, or a name that Brian2 cannot resolve.
            UnsupportedError: it calls a function that has no JAX form.
        """
        with brian2_objections(self.group.name):
            found = get_identifiers(text) - {"and", "or", "not", "True", "False"}
        unknown = found.difference(temporary)
        meanings = self.resolve(unknown - {ELAPSED})
        booleans = {name for name, meaning in meanings.items() if getattr(meaning, "is_boolean", False)}
        with brian2_objections(self.group.name):
            expression = parse(text, booleans.union(truths))
        for name in sorted(unknown):
            self.learn(name, meanings.get(name), expression)
        return expression

    def learn(self, name: str, meaning: Any, expression: Expression | None = None) -> None:
        """Takes up a name."""
        scope = self.scope
        if scope.knows(name):
            return
        if name == ELAPSED:
            self._learn_elapsed()
        elif isinstance(meaning, Function):
            self._learn_function(name, meaning, expression)
        elif isinstance(meaning, Subexpression):
            scope.subexpressions[name] = self.expression(meaning.expr)
        elif isinstance(meaning, ArrayVariable) and isinstance(meaning.owner, Clock):
            self._learn_clock(name, meaning)
        elif isinstance(meaning, ArrayVariable):
            self._learn_array(name, meaning)
        elif isinstance(meaning, Constant):
            self._learn_constant(name, meaning)
        else:
            raise InputError(f"{self.label}: `{name}` is used before it has a value.")

    def _learn_array(self, name: str, variable: ArrayVariable) -> None:
        scope, index = self.scope, self.index(name)
        key = self.layout.place(variable)
        field = Field(key, None if index == "0" else index)
        if field.index not in (None, OWN):
            self.learn(index, self.resolve([index])[index])
        if variable.name in STEP_COUNTED:
            # under the group's own name for it; another group's last spike may be linked to beside its own
            scope.fields[STEP_COUNTED.get(name, f"{name}_step")] = field
            dt_s = float(variable.owner.clock.dt_)
            scope.derived[name] = Derived(functools.partial(_time_of, field, dt_s), frozenset({key}))
            return
        scope.fields[name] = field
        if variable.conditional_write is not None:
            scope.guards[name] = Field(self.layout.place(variable.conditional_write), field.index)

    def _learn_clock(self, name: str, variable: ArrayVariable) -> None:
        dt_s = float(variable.owner.dt_)
        every = round(dt_s / self.base_dt_s)
        match variable.name:
            case "dt":
                self.scope.constants[name] = dt_s
            case "t":
                self.scope.derived[name] = Derived(
                    lambda env: ticks_at(env.world, every).astype(env.scope.dtype) * dt_s
                )
            case _:
                self.scope.derived[name] = Derived(lambda env: ticks_at(env.world, every).astype(env.scope.dtype))

    def _learn_elapsed(self) -> None:
        self.learn("lastupdate", self.resolve(["lastupdate"])["lastupdate"])
        field, every, dt_s = self.scope.fields[STEP_COUNTED["lastupdate"]], self.scope.every, self.scope.dt_s

        def elapsed(env: Environment) -> Any:
            return (ticks_at(env.world, every) - env.gather(field)).astype(env.scope.dtype) * dt_s

        self.scope.derived[ELAPSED] = Derived(elapsed, frozenset({STEP, field.key}))

    def _learn_constant(self, name: str, meaning: Constant) -> None:
        own = name in self.extra or name in self.group.variables
        if own or name in DEFAULT_UNITS or name in DEFAULT_CONSTANTS or isinstance(self._external(name), Unit):
            self.scope.constants[name] = _plain(meaning.get_value())
            return
        value = np.asarray(meaning.get_value())
        value = value.astype(bool if value.dtype == bool else self.layout.dtype)
        key = self.layout.add(Variable(f"{self.group.name}.{name}", unit_name(meaning.dim), value, "external"))
        self.scope.fields[name] = Field(key, None)

    def _external(self, name: str) -> Any:
        return {**self.namespace, **(getattr(self.group, "namespace", None) or {})}.get(name)

    def _learn_function(self, name: str, meaning: Function, expression: Expression | None) -> None:
        call = readable(name, meaning, self)
        if call is not None:
            self.scope.functions[name] = call
        elif meaning is not DEFAULT_FUNCTIONS.get(name):
            where = f" in `{expression.text}`" if expression is not None else ""
            raise UnsupportedError(
                f"{self.label} uses `{name}()`{where}, a function of your own without a JAX form; give it one with"
                f" `{name}.implementations.add_implementation('jax', function_of_jax_arrays)`, write it out in the"
                " equations, or declare a parameter, list it in `inputs`, and supply its values at every step."
            )


def _length(group: Any) -> int:
    return len(group.source) if isinstance(group, OBSERVERS) else len(group)


def _plain(value: Any) -> bool | float:
    return bool(value) if isinstance(value, (bool, np.bool_)) else float(value)


def _time_of(field: Field, dt_s: float, env: Environment) -> Any:
    step = env.gather(field)
    return jnp.where(step == NEVER_STEP, jnp.asarray(NEVER_S, env.scope.dtype), step.astype(env.scope.dtype) * dt_s)
