"""Exponentials that a CPU evaluates many at a time, of float32 and float64.

On a CPU each function is one straight line of arithmetic, which the compiler turns into vector instructions: Cody and
Waite's reduction x = k ln 2 + r with |r| <= ln(2)/2 (1980, Software Manual for the Elementary Functions, chapter 6), a
polynomial in r, and 2^k written into the bits of a float. Errors stay below 2 ulp; results and arguments below the
smallest normal number may be taken for 0. On every other platform the platform's own functions are used.

Each function keeps shape and dtype; numbers that are neither float32 nor float64 raise InputError.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Bool, Float
from numpy.polynomial import chebyshev

from twin.errors import InputError

Reals: TypeAlias = Float[Array, "..."]

_RADIUS = math.log(2.0) / 2
_SCALE = 2.0**-16  # of exponentials above a quotient, which is finite a little beyond the overflow of e^x
_MARGIN = 10.0  # how far beyond; e^10 < 2^16


class _Format(NamedTuple):
    integer: Any
    mantissa: int  # bits
    bias: int  # of the exponent
    lowest: float  # below it e^x is no normal number
    highest: float  # above it e^x is infinite
    ln2_high: float  # cut short, so that its product with an exponent is exact
    ln2_low: float  # what it lacks
    degree: int  # of the polynomials, whose error is then below a quarter of the rounding of a result


# ln 2 is split as by Cody and Waite and in fdlibm (Sun Microsystems 1993, e_exp.c).
_FORMATS = {
    np.dtype(np.float32): _Format(np.int32, 23, 127, -87.33654, 88.72283, 0.693359375, -2.12194440e-4, 5),
    np.dtype(np.float64): _Format(
        *(np.int64, 52, 1023, -708.3964185322641, 709.782712893384, 0.69314718036912381649, 1.9082149292705877e-10, 10)
    ),
}


@jax.custom_jvp
def exp(x: Reals) -> Reals:
    """e^x."""
    return _on_platform(_exp, jnp.exp, x)


@exp.defjvp
def _exp_jvp(primals: tuple[Reals], tangents: tuple[Reals]) -> tuple[Reals, Reals]:
    value = exp(*primals)
    return value, value * tangents[0]


@jax.custom_jvp
def expm1(x: Reals) -> Reals:
    """e^x - 1, to full relative precision also near 0."""
    return _on_platform(_expm1, jnp.expm1, x)


@jax.custom_jvp
def exprel(x: Reals) -> Reals:
    """(e^x - 1) / x, which is 1 at x = 0, with a finite and correct derivative (1/2) there."""
    return _on_platform(_exprel, _exprel_native, x)


@jax.custom_jvp
def tanh(x: Reals) -> Reals:
    """Hyperbolic tangent."""
    return _on_platform(_tanh, jnp.tanh, x)


@jax.custom_jvp
def sinh(x: Reals) -> Reals:
    """Hyperbolic sine."""
    return _on_platform(_sinh, jnp.sinh, x)


@jax.custom_jvp
def cosh(x: Reals) -> Reals:
    """Hyperbolic cosine."""
    return _on_platform(_cosh, jnp.cosh, x)


# A backward pass keeps one number of each evaluation: the slope.
expm1.defjvps(lambda tangent, value, x: exp(x) * tangent)
exprel.defjvps(lambda tangent, value, x: _exprel_slope(x, value) * tangent)
tanh.defjvps(lambda tangent, value, x: (1.0 - value) * (1.0 + value) * tangent)  # right to a rounding of 1
sinh.defjvps(lambda tangent, value, x: cosh(x) * tangent)
cosh.defjvps(lambda tangent, value, x: sinh(x) * tangent)


def _on_platform(fast: Callable[[Reals], Reals], native: Callable[[Reals], Reals], x: Reals) -> Reals:
    if x.dtype not in _FORMATS:
        raise InputError(f"An exponential was asked for {x.dtype} numbers; convert them to float32 or float64.")
    return lax.platform_dependent(x, cpu=fast, default=native)


def _exp(x: Reals) -> Reals:
    form = _FORMATS[x.dtype]
    k, r = _reduced(x)
    mantissa = lax.bitcast_convert_type(1.0 + r * (1.0 + _gain(0, r)), form.integer)
    # added as an integer, 2^k reaches every normal result, where a factor 2^k could overflow first
    value = lax.bitcast_convert_type(mantissa + _as_exponent(k, 0), x.dtype)
    value = jnp.where(x < form.lowest, 0.0, value)
    return jnp.where(x <= form.highest, value, x * math.inf)  # a product, to keep a NaN


def _expm1(x: Reals) -> Reals:
    parts = _scaled_exponentials(x)
    return jnp.where(parts.near, x + x * parts.gain, parts.less_one * (1 / _SCALE))


def _exprel(x: Reals) -> Reals:
    """One quotient for all: near 0 the polynomial over 1, elsewhere e^x - 1 over x."""
    x = _at_most(_FORMATS[x.dtype].highest + _MARGIN, x)
    parts = _scaled_exponentials(x)
    return jnp.where(parts.near, 1.0 + parts.gain, parts.less_one) / jnp.where(parts.near, 1.0, x * _SCALE)


def _exprel_native(x: Reals) -> Reals:
    far = x != 0.0
    half = jnp.expm1(0.5 * x)  # e^x - 1 = half (half + 2) would overflow before the quotient does
    return jnp.where(far, half / jnp.where(far, x, 1.0) * (half + 2.0), 1.0)


def _exprel_slope(x: Reals, value: Reals) -> Reals:
    """(e^x - exprel(x)) / x from the value; a polynomial near 0 and 1 / x^2 far below, where that would cancel."""
    form = _FORMATS[x.dtype]
    x = _at_most(form.highest + _MARGIN, x)
    near, below = jnp.abs(x) < _RADIUS, x < -form.mantissa
    above = jnp.where(below, value * value, (x * _SCALE - _SCALE) * value + _SCALE)
    above = jnp.where(near, 0.5 + _gain(1, jnp.where(near, x, 0.0)), above)
    # the quotient comes last: XLA repeats cheap arithmetic for each of its users, but never a quotient
    return above / jnp.where(near | below, 1.0, x * _SCALE)


def _tanh(x: Reals) -> Reals:
    size = _at_most(25.0, jnp.abs(x))
    less_one = _expm1(2.0 * size)
    close = size < 0.5  # there what the quotient lacks of x, which rounds less than the quotient
    above = jnp.where(close, (less_one - 2.0 * size) - size * less_one, less_one)
    return jnp.copysign(jnp.where(close, size, 0.0) + above / (less_one + 2.0), x)


def _sinh(x: Reals) -> Reals:
    size = jnp.abs(x)
    parts = _scaled_exponentials(size)
    half, ratio = parts.less_one * (0.5 / _SCALE), parts.less_one / parts.growth
    less_one = jnp.where(parts.near, size + size * parts.gain, 2.0 * half)
    close = size + ((less_one - size) - 0.5 * less_one * ratio)  # as for tanh
    return jnp.copysign(jnp.where(size < 1.0, close, half + 0.5 * ratio), x)


def _cosh(x: Reals) -> Reals:
    growth = _scaled_exponentials(jnp.abs(x)).growth
    return (growth + _SCALE * (_SCALE / growth)) * (0.5 / _SCALE)


class _Parts(NamedTuple):
    """Whether k = 0; (e^r - 1 - r) / r; e^x and e^x - 1, both times `_SCALE`."""

    near: Bool[Array, "..."]
    gain: Reals
    growth: Reals
    less_one: Reals


def _scaled_exponentials(x: Reals) -> _Parts:
    form = _FORMATS[x.dtype]
    x = jnp.where(x < form.lowest + 13.0, form.lowest + 13.0, x)  # where `_SCALE` e^x is still normal
    k, r = _reduced(_at_most(form.highest + _MARGIN, x))
    power = lax.bitcast_convert_type(_as_exponent(k, form.bias + round(math.log2(_SCALE))), x.dtype)
    gain = _gain(0, r)
    # 2^k - 1 + 2^k r, and what its rounding loses (Dekker 1971, Numerische Mathematik 18:224)
    level = power - _SCALE
    linear = level + power * r
    lost = (level - linear) + power * r
    return _Parts(k == 0.0, gain, power + power * (r + r * gain), linear + (power * (r * gain) + lost))


def _reduced(x: Reals) -> tuple[Reals, Reals]:
    form = _FORMATS[x.dtype]
    # rounded by name: XLA would cancel the sum and difference with a large number
    k = lax.round(x * (1 / math.log(2.0)), lax.RoundingMethod.TO_NEAREST_EVEN)
    return k, (x - k * form.ln2_high) - k * form.ln2_low


def _as_exponent(k: Reals, offset: int) -> Array:
    """The whole number k + offset where a float keeps its exponent; 1.5 2^mantissa + k has it in the lowest bits."""
    form = _FORMATS[k.dtype]
    number = lax.bitcast_convert_type(k + (1.5 * 2.0**form.mantissa + offset), form.integer)
    return lax.shift_left(number, form.integer(form.mantissa))


def _at_most(bound: float, x: Reals) -> Reals:
    return jnp.where(x > bound, bound, x)  # one instruction, and a NaN stays


def _gain(order: int, r: Reals) -> Reals:
    """The integral of s^order (e^(rs) - 1) over s from 0 to 1: by even and odd powers, two short chains of products."""
    _, *rising = _coefficients(order, _FORMATS[r.dtype].degree)
    odd, even = _polynomial(rising[0::2], r * r), _polynomial(rising[1::2], r * r)
    return (odd + even * r) * r


def _polynomial(coefficients: Sequence[float], x: Reals) -> Reals:
    total = jnp.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total


@functools.cache
def _coefficients(order: int, degree: int) -> tuple[float, ...]:
    """Of the integral of s^order e^(rs) over s from 0 to 1, for |r| <= ln(2)/2.

    Its Taylor series, the sum of r^j / (j! (order + j + 1)), economised: written in Chebyshev polynomials of
    r / (ln(2)/2), without those above the degree (Lanczos 1956, Applied Analysis, chapter VII).
    """
    taylor = [_RADIUS**j / (math.factorial(j) * (order + j + 1)) for j in range(24)]
    economised = chebyshev.cheb2poly(chebyshev.poly2cheb(taylor)[: degree + 1])
    return tuple(float(c) / _RADIUS**j for j, c in enumerate(economised))
