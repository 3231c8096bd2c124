"""Statements, in order: a reset, what a spike does to a synapse, a regular operation, an exact solution."""

import ast
import dataclasses
import re
from typing import Any

from brian2 import Function
from brian2.codegen.permutation_analysis import OrderDependenceError, check_for_order_independence
from brian2.codegen.translation import analyse_identifiers, get_identifiers_recursively, make_statements
from brian2.core.variables import ArrayVariable, AuxiliaryVariable
from brian2.equations.unitcheck import check_units_statements
from brian2.parsing.bast import brian_ast
from brian2.parsing.statements import parse_statement

from biophys.compiler.expressions import Expression, as_line
from biophys.compiler.layout import STEP_COUNTED
from biophys.compiler.names import ELAPSED, Reader, brian2_objections
from biophys.compiler.scope import OWN, Environment, Field
from twin.errors import InputError, UnsupportedError


@dataclasses.dataclass(frozen=True)
class Statement:
    """One line.

    Attributes:
        target: what it writes: a variable, or a name of its own.
        op: how; "=" but for entries that several elements may have in common.
        expression: the value.
        field: of the variable; None for a name of its own.
        is_shared: whether the value is one for all elements.
    """

    target: str
    op: str
    expression: Expression
    field: Field | None
    is_shared: bool

    def run(self, environment: Environment) -> Environment:
        """The environment after the line."""
        value = self.expression(environment.for_all() if self.is_shared else environment)
        if self.field is None:
            return environment.bind({self.target: value})
        return environment.store(self.target, value, self.op)


@dataclasses.dataclass(frozen=True)
class Block:
    """Statements, in order.

    Attributes:
        statements: the lines.
    """

    statements: tuple[Statement, ...]

    @property
    def fields(self) -> dict[str, Field]:
        """The variables that are written, by name."""
        return {line.target: line.field for line in self.statements if line.field is not None}

    @property
    def writes(self) -> tuple[str, ...]:
        """Keys of the variables that are written."""
        return tuple(dict.fromkeys(field.key for field in self.fields.values()))

    def run(self, environment: Environment) -> dict[str, Any]:
        """The arrays that are written, after the last line."""
        for line in self.statements:
            environment = line.run(environment)
        return {key: environment.world[key] for key in self.writes}


def read_block(reader: Reader, code: str, what: str, check_units: bool = True) -> Block:
    """Brian2's abstract code as a block.

    Args:
        reader: of the object whose code it is.
        code: as the user wrote it, or as Brian2 generated it.
        what: whose statements, for messages.
        check_units: by Brian2; its own generated code has lost them.

    Raises:
        InputError: Brian2 objects to a statement, or its target cannot be written.
        UnsupportedError: a statement writes a time that is kept as a step counter, or the result would depend on the
            order of the elements.
    """
    group = reader.group
    with brian2_objections(group.name):
        known = {**dict(group.variables), **dict(reader.extra)}
        _, used, unknown = analyse_identifiers(code, known, recursive=True)
        variables = reader.resolve(used | unknown)
        if check_units:
            check_units_statements(code, variables)
        lines = [line for line in re.split(r"[;\n]", code) if line.partition("#")[0].strip()]
        parsed = [parse_statement(line) for line in lines]
    statements: list[Statement] = []
    temporary: dict[str, AuxiliaryVariable] = {}
    for target, op, text, _ in parsed:
        variable = variables.get(target)
        is_variable = _is_variable(reader, target, variable, what)
        if is_variable:
            reader.learn(target, variable)
        field = reader.scope.fields[target] if is_variable else None
        is_one = brian_ast(text, {**variables, **temporary}).scalar
        op, text = _normal_form(target, op, text.replace("(t - lastupdate)", ELAPSED), field)
        truths = [name for name, one in temporary.items() if one.is_boolean]
        expression = reader.expression(text, temporary, truths)
        if field is None:
            temporary[target] = AuxiliaryVariable(target, dtype=bool if expression.is_truth else float, scalar=is_one)
        is_shared = field is not None and field.index is None
        if is_shared and not _is_for_all(text, {**variables, **temporary}):
            raise InputError(f"{what} of {reader.label} gives many values to the shared variable `{target}`.")
        statements.append(Statement(target, op, expression, field, is_shared))
    block = Block(tuple(statements))
    if any(field.index not in (None, OWN) for field in block.fields.values()):
        _require_order_independence(reader, code, variables, what)
    return block


def _is_for_all(text: str, known: dict[str, Any]) -> bool:
    """Whether an expression has one value for all elements; of a random function, one draw for all is taken."""
    names = get_identifiers_recursively([text], known)
    return all(isinstance(known.get(name), Function) or getattr(known.get(name), "scalar", True) for name in names)


def _is_variable(reader: Reader, target: str, variable: Any, what: str) -> bool:
    """Whether a statement writes a variable rather than a name of its own."""
    if target in STEP_COUNTED:
        raise UnsupportedError(
            f"{what} of {reader.label} writes `{target}`, which the compiled program keeps as a step counter; keep the"
            " time in a parameter of your own."
        )
    if isinstance(variable, AuxiliaryVariable) or variable is None:
        return False
    if variable.read_only or not isinstance(variable, ArrayVariable):
        raise InputError(f"{what} of {reader.label} writes `{target}`, which is read-only.")
    return True


def _normal_form(target: str, op: str, text: str, field: Field | None) -> tuple[str, str]:
    """A statement as an assignment, or as an update in place where several elements may share an entry."""
    if field is None or field.index in (None, OWN):
        return "=", text if op == "=" else f"{target} {op[:-1]} ({as_line(text)})"
    return (op, text) if op != "=" else _in_place(target, text)


def _in_place(target: str, text: str) -> tuple[str, str]:
    """`x = x + a` as `x += a`."""
    match ast.parse(as_line(text), mode="eval").body:
        case ast.BinOp(left=ast.Name(id=name), op=ast.Add(), right=other) if name == target:
            return "+=", ast.unparse(other)
        case ast.BinOp(left=other, op=ast.Add(), right=ast.Name(id=name)) if name == target:
            return "+=", ast.unparse(other)
        case ast.BinOp(left=ast.Name(id=name), op=ast.Sub(), right=other) if name == target:
            return "-=", ast.unparse(other)
    return "=", text


def _require_order_independence(reader: Reader, code: str, variables: dict[str, Any], what: str) -> None:
    """Checks, by Brian2's own analysis, that elements that write to one entry may do so in any order."""
    indices = {name: reader.index(name) for name in variables if _is_array(variables[name])}
    everything = {**dict(reader.group.variables), **dict(reader.extra), **variables}
    with brian2_objections(reader.group.name):
        _, statements = make_statements(code, variables, reader.layout.dtype, optimise=False)
        # every synapse draws its own random numbers, in any order
        ordered = {name: meaning for name, meaning in everything.items() if not _is_stateful(meaning)}
        try:
            check_for_order_independence(statements, ordered, _Indices(reader, indices))
        except OrderDependenceError:
            raise UnsupportedError(
                f"{what} of {reader.label} depends on the order of its elements, which a parallel program does not"
                " have: it writes a variable that several of them share, and also uses it; let synapses add up in a"
                " variable of its own (`x_post += ...`), and use that one in the equations of the neurons."
            ) from None


class _Indices(dict):
    """Brian2's indices of variables, and OWN for what a block defines itself."""

    def __init__(self, reader: Reader, known: dict[str, str]):
        super().__init__(known)
        self._reader = reader

    def __missing__(self, name: str) -> str:
        try:
            return self._reader.index(name)
        except KeyError:
            return OWN


def _is_stateful(meaning: Any) -> bool:
    return isinstance(meaning, Function) and not meaning.stateless


def _is_array(variable: Any) -> bool:
    return bool(getattr(variable, "array", False))
