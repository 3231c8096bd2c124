"""The text of a Brian2 expression, rendered for JAX, and how it depends on one variable."""

import ast
import dataclasses
from collections.abc import Collection, Mapping
from types import CodeType
from typing import Any

from brian2.parsing.rendering import NodeRenderer

from biophys.compiler.functions import PIECEWISE_CONSTANT


class JaxRenderer(NodeRenderer):
    """Renders Brian2's syntax as Python that works on JAX arrays under strict dtype promotion.

    Args:
        truth_values: names of boolean variables; where one is an operand of arithmetic, it counts as 0 or 1.
    """

    expression_ops = {**NodeRenderer.expression_ops, "And": "&", "Or": "|"}

    def __init__(self, truth_values: Collection[str] = ()):
        super().__init__()
        self.truth_values = truth_values

    def render_UnaryOp(self, node: ast.UnaryOp) -> str:
        if isinstance(node.op, ast.Not):
            return f"logical_not({self.render_node(node.operand)})"
        return super().render_UnaryOp(node)

    def render_BinOp(self, node: ast.BinOp) -> str:
        right = _whole_exponent(node.right) if isinstance(node.op, ast.Pow) else node.right
        return self.render_BinOp_parentheses(self._number(node.left), self._number(right), node.op)

    def _number(self, node: ast.expr) -> ast.expr:
        return _call("int", node) if self.is_truth(node) else node

    def is_truth(self, node: ast.expr) -> bool:
        """Whether a node's value is a truth value."""
        match node:
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()) | ast.Constant(value=bool()):
                return True
            case ast.Name(id=name):
                return name in self.truth_values
        return False


def _whole_exponent(node: ast.expr) -> ast.expr:
    """`2.0` as `2`: a product instead of a general power, with a derivative also at zero."""
    match node:
        case ast.Constant(value=float(value)) if value.is_integer():
            return ast.Constant(int(value))
    return node


def _call(function: str, argument: ast.expr) -> ast.expr:
    return ast.Call(func=ast.Name(function), args=[argument], keywords=[])


@dataclasses.dataclass(frozen=True)
class Expression:
    """One expression, callable on an environment that knows its names.

    Attributes:
        text: as the user wrote it, on one line.
        tree: its syntax.
        code: rendered for JAX.
        names: every variable, constant and function in it.
        is_truth: whether its value is a truth value rather than a number.
    """

    text: str
    tree: ast.expr
    code: CodeType
    names: frozenset[str]
    is_truth: bool

    def __call__(self, environment: Any) -> Any:
        """Evaluates on an environment: a mapping of names, with the functions under `functions`."""
        return eval(self.code, environment.functions, environment)


def as_line(text: str) -> str:
    """An expression on one line."""
    return " ".join(text.split())


def parse(text: str, truth_values: Collection[str] = ()) -> Expression:
    """Reads the text of a Brian2 expression.

    Args:
        text: any expression of Brian2's language; may span lines.
        truth_values: names of boolean variables.

    Raises:
        SyntaxError: by Brian2's renderer or Python, for what is no Brian2 expression.
    """
    line = as_line(text)
    tree = ast.parse(line, mode="eval").body
    renderer = JaxRenderer(truth_values)
    code = compile(renderer.render_expr(line), f"<{line}>", "eval")
    names = frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    return Expression(line, tree, code, names, renderer.is_truth(tree))


NONLINEAR = 2


def degree(tree: ast.expr, variable: str, subexpressions: Mapping[str, Expression]) -> int:
    """How an expression depends on one variable, the others held: 0 not at all, 1 affine, 2 otherwise.

    Structural: no terms are expanded or cancelled. Comparisons and the functions `int`, `floor`, `ceil`, `sign` have
    slope zero wherever they have one, and count as constant.

    Args:
        tree: syntax of the expression.
        variable: its name.
        subexpressions: what other names in the expression stand for.
    """

    def of(node: ast.expr) -> int:
        match node:
            case ast.Name(id=name) if name == variable:
                return 1
            case ast.Name(id=name) if name in subexpressions:
                return of(subexpressions[name].tree)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
                return of(operand)
            case ast.BinOp(left=left, op=op, right=right):
                return _degree_of_operation(op, of(left), of(right), right)
            case ast.Call(func=ast.Name(id=function), args=args) if function not in PIECEWISE_CONSTANT:
                return 0 if all(of(a) == 0 for a in args) else NONLINEAR
        return 0

    return of(tree)


def _degree_of_operation(op: ast.operator, left: int, right: int, exponent: ast.expr) -> int:
    match op:
        case ast.Add() | ast.Sub():
            return max(left, right)
        case ast.Mult():
            return min(left + right, NONLINEAR)
        case ast.Div() if right == 0:
            return left
        case ast.FloorDiv():
            return 0
        case ast.Pow() if right == 0 and isinstance(exponent, ast.Constant) and exponent.value == 1:
            return left
    return 0 if left == right == 0 else NONLINEAR
