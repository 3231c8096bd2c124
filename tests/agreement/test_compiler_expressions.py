"""Brian2's expressions and functions on JAX arrays."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from biophys.compiler.exponential import exprel
from biophys.compiler.expressions import parse
from biophys.compiler.functions import function_table, sample_table


class Names(dict):
    """An environment of plain values."""

    functions = function_table(np.dtype(np.float64))


def evaluate(text: str, **names: object) -> np.ndarray:
    truths = [name for name, value in names.items() if np.asarray(value).dtype == bool]
    return np.asarray(parse(text, truths)(Names({name: jnp.asarray(value) for name, value in names.items()})))


X = np.array([-2.5, -1.0, -0.25, 0.0, 0.75, 3.0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-x**2", -(X**2)),
        ("x**2.0 + 2**x", X**2 + 2**X),
        ("7//2 + x//2 - x % 2", 3 + X // 2 - X % 2),
        ("int(x)", np.trunc(X)),
        ("int(x > 0) * 3", np.where(X > 0, 3, 0)),
        ("(x > 0)*3 - on", np.where(X > 0, 3, 0) - np.array([1, 0, 1, 0, 1, 0])),
        ("int(not on and (x < 0 or x >= 3))", [0, 1, 0, 0, 0, 1]),
        ("int(x == 0.75) + int(x != 3)", [1, 1, 1, 1, 2, 0]),
        ("clip(x, -1, 2)", np.clip(X, -1, 2)),
        ("floor(x) + ceil(x) + sign(x) + abs(x)", np.floor(X) + np.ceil(X) + np.sign(X) + np.abs(X)),
        ("sqrt(x**2) + log(exp(x)) + log10(100) + log1p(0)", np.abs(X) + X + 2),
        ("expm1(x) - exp(x)", np.full(6, -1.0)),
        ("tan(x) - sin(x)/cos(x) + tanh(x) - sinh(x)/cosh(x)", np.zeros(6)),
        ("arcsin(0.5) + arccos(0.5) + arctan(x)", np.pi / 2 + np.arctan(X)),
        ("timestep(x + 3, 0.25)", np.trunc((X + 3) / 0.25 + 1e-3)),
        ("(x +\n   1)*2", (X + 1) * 2),
    ],
)
def test_the_language(text: str, expected: np.ndarray) -> None:
    """Each operator and function has the value that NumPy gives it, with truth values counting as 0 and 1."""
    on = np.array([True, False, True, False, True, False])
    np.testing.assert_allclose(evaluate(text, x=X, on=on), expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("text", ["x[0]", "x.real", "lambda: x", "x < 1 < 2", "x & 1", "f(x=1)", "x if x else 2"])
def test_what_is_no_brian2_expression_is_refused(text: str) -> None:
    """Python beyond Brian2's language never reaches evaluation."""
    with pytest.raises((SyntaxError, ValueError)):
        parse(text)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exprel_against_many_digits(dtype: type) -> None:
    """Value and first derivative of exprel are those of 40-digit arithmetic at, near and far from its singularity."""
    points = [0.0, 1e-300, 1e-12, -1e-8, 3e-4, -0.02, 0.499, 0.501, -0.5, 2.0, -7.0, 30.0, -80.0]
    x = jnp.array(points, dtype)
    value, slope = jax.jit(jax.vmap(jax.value_and_grad(exprel)))(x)
    assert value.dtype == slope.dtype == dtype
    with mpmath.workdps(40):
        exact = [(mpmath.expm1(p) / p if p else mpmath.mpf(1)) for p in map(float, np.asarray(x))]
        exact_slope = [
            ((mpmath.exp(p) - e) / p if abs(p) > 1e-15 else mpmath.mpf("0.5"))
            for p, e in zip(map(float, np.asarray(x)), exact, strict=True)
        ]
    tolerance = 8 * float(jnp.finfo(dtype).eps)
    np.testing.assert_allclose(value, np.array(exact, float), rtol=tolerance)
    np.testing.assert_allclose(slope, np.array(exact_slope, float), rtol=4 * tolerance)


def test_exprel_has_finite_second_derivatives() -> None:
    """Derivatives of the derivative, by either mode, are right at the singularity: 1/3."""
    for derivative in (jax.grad(jax.grad(exprel)), jax.jacfwd(jax.grad(exprel))):
        assert float(jax.jit(derivative)(jnp.float64(0.0))) == pytest.approx(1 / 3, rel=1e-12)


def test_a_table_outside_its_range() -> None:
    """Before its start and past its end a table holds its first and last value; a column that it lacks is NaN."""
    values = jnp.array([[1.0, 2.0], [3.0, 4.0]])
    at = [float(sample_table(values, 1e-3, 1e-4, jnp.float64(t), 1)) for t in (-5e-3, 0.0, 1e-3 - 1e-15, 1e-3, 9.0)]
    assert at == [2.0, 2.0, 4.0, 4.0, 4.0]
    assert np.isnan(sample_table(values, 1e-3, 1e-4, jnp.float64(0.0), 2))
