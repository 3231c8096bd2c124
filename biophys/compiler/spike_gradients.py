"""Derivatives for spikes: a threshold is a step, whose slope is replaced in the backward pass by one that is not zero.

A spike gradient is a function of the margin, how far the left side of a comparison is above the right one, in the SI
unit of both; it is the slope of the spike (0 or 1) with respect to the margin. The forward pass stays a step. No
derivative goes through the reset. In a recurrent network a gain below 1 keeps gradients from growing over many steps:
0.3 in Bellec et al. 2018 (NeurIPS 31).
"""

import ast
import math
from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax import Array

from biophys.compiler.expressions import Expression
from biophys.compiler.scope import Environment

SpikeGradient: TypeAlias = Callable[[Array], Array]


def fast_sigmoid(width: float, gain: float = 1.0) -> SpikeGradient:
    """gain / (w (1 + |u|/w)^2), for margins u (Zenke and Ganguli 2018, Neural Computation 30:1514, SuperSpike).

    Args:
        width: w, in the SI unit of the threshold's sides: 1e-3 for a slope that is a quarter of its peak at 1 mV.
        gain: of the slope.
    """
    return lambda margin: gain / (width * jnp.square(1.0 + jnp.abs(margin) / width))


def triangle(width: float, gain: float = 1.0) -> SpikeGradient:
    """gain max(0, 1 - |u|/w) / w, for margins u (Bellec et al. 2018, NeurIPS 31, eq. 6).

    Args:
        width: w, in the SI unit of the threshold's sides; zero beyond it.
        gain: of the slope.
    """
    return lambda margin: gain * jnp.maximum(0.0, 1.0 - jnp.abs(margin) / width) / width


def gaussian(width: float, gain: float = 1.0) -> SpikeGradient:
    """gain times a normal density of width w at margin u (Yin et al. 2021, Nature Machine Intelligence 3:905).

    Args:
        width: w, in the SI unit of the threshold's sides.
        gain: of the slope.
    """
    peak = gain / (width * math.sqrt(2.0 * math.pi))
    return lambda margin: peak * jnp.exp(-0.5 * jnp.square(margin / width))


def soft_condition(
    condition: Expression, part: Callable[[str], Expression], gradient: SpikeGradient
) -> Callable[[Environment], Array]:
    """A threshold condition as a number, 0 or 1, with a derivative.

    `and`, `or` and `not` become products and complements; `<`, `<=`, `>` and `>=` become steps with the given slope;
    whatever else is true or false is constant.

    Args:
        condition: of the threshold.
        part: reads the text of a part of it.
        gradient: the slope of the steps.
    """

    def built(node: ast.expr) -> Callable[[Environment], Any]:
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                factors = [built(value) for value in values]
                return lambda env: _product([factor(env) for factor in factors])
            case ast.BoolOp(op=ast.Or(), values=values):
                terms = [built(value) for value in values]
                return lambda env: 1.0 - _product([1.0 - term(env) for term in terms])
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = built(operand)
                return lambda env: 1.0 - inner(env)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if isinstance(op, _ORDERS):
                above, below = (left, right) if isinstance(op, (ast.Gt, ast.GtE)) else (right, left)
                margin = part(f"({ast.unparse(above)}) - ({ast.unparse(below)})")
                step = _step(gradient, isinstance(op, (ast.GtE, ast.LtE)))
                return lambda env: step(jnp.asarray(margin(env), env.scope.dtype))
        truth = part(ast.unparse(node))
        return lambda env: jnp.asarray(truth(env), bool).astype(env.scope.dtype)

    return built(condition.tree)


_ORDERS = (ast.Gt, ast.GtE, ast.Lt, ast.LtE)


def _product(factors: list[Any]) -> Any:
    total = factors[0]
    for factor in factors[1:]:
        total = total * factor
    return total


def _step(gradient: SpikeGradient, counts_zero: bool) -> Callable[[Array], Array]:
    @jax.custom_jvp
    def step(margin: Array) -> Array:
        return (margin >= 0 if counts_zero else margin > 0).astype(margin.dtype)

    @step.defjvp
    def slope(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
        (margin,), (direction,) = primals, tangents
        return step(margin), gradient(margin).astype(margin.dtype) * direction

    return step
