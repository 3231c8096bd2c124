"""The compiler's exponentials against arithmetic of many digits: values, limits, derivatives, platforms."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from jax import export

from biophys.compiler import exponential
from twin.errors import InputError

NAMES = ("exp", "expm1", "exprel", "tanh", "sinh", "cosh")
FLOATS = (np.float32, np.float64)
DIGITS = 80  # of the truth, which cancels most of them near 0
ON_CPU = jax.default_backend() == "cpu"


def _exprel(x: mpmath.mpf) -> mpmath.mpf:
    return mpmath.expm1(x) / x if x else mpmath.mpf(1)


def _exprel_slope(x: mpmath.mpf) -> mpmath.mpf:
    return (mpmath.exp(x) - _exprel(x)) / x if x else mpmath.mpf(1) / 2


TRUTH: dict[str, Callable[[Any], Any]] = {
    "exp": mpmath.exp,
    "expm1": mpmath.expm1,
    "exprel": _exprel,
    "tanh": mpmath.tanh,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
}
SLOPES: dict[str, Callable[[Any], Any]] = {
    "exp": mpmath.exp,
    "expm1": mpmath.exp,
    "exprel": _exprel_slope,
    "tanh": lambda x: mpmath.sech(x) ** 2,
    "sinh": mpmath.cosh,
    "cosh": mpmath.sinh,
}


def _exactly(truth: Callable[[Any], Any], x: np.ndarray) -> list[mpmath.mpf]:
    with mpmath.workdps(DIGITS):
        return [+truth(mpmath.mpf(float(value))) for value in x]


def _ulps(found: np.ndarray, exact: list[mpmath.mpf]) -> np.ndarray:
    """Distances in units of the last place of the exact value; NaN where that has no normal finite float."""
    limits, rounded = np.finfo(found.dtype), np.array([float(value) for value in exact])
    size = np.abs(rounded)
    normal = (size >= limits.tiny) & (size <= limits.max) & np.isfinite(found)
    unit = np.exp2(np.floor(np.log2(np.where(normal, size, 1.0))) - limits.nmant)
    error = [float(mpmath.mpf(float(f)) - e) if ok else math.nan for f, e, ok in zip(found, exact, normal, strict=True)]
    return np.abs(np.array(error)) / unit


def _arguments(dtype: type) -> np.ndarray:
    """Where rates live, the whole range of the format, both sides of every seam of the reduction, and tiny ones."""
    random = np.random.default_rng(7)
    edge = float(np.log(np.finfo(dtype).max))
    seams = (np.arange(-9, 10) + 0.5) * math.log(2.0)
    return np.concatenate(
        [
            random.uniform(-1.5, 1.5, 1200),
            random.uniform(-30.0, 30.0, 400),
            random.uniform(-1.05 * edge, 1.05 * edge, 600),
            random.choice([-1, 1], 300) * 10.0 ** random.uniform(-30, 2, 300),
            *(seams * (1 + shift) for shift in (-1e-6, 0.0, 1e-6)),
        ]
    ).astype(dtype)


@pytest.mark.skipif(not ON_CPU, reason="elsewhere the platform's own functions are used")
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", NAMES)
def test_values_are_within_two_ulp(name: str, dtype: type) -> None:
    """Over the whole range every function is within 2 ulp of exact arithmetic, and finite wherever the result is."""
    x = _arguments(dtype)
    found = np.asarray(jax.jit(getattr(exponential, name))(x))
    exact = _exactly(TRUTH[name], x)
    assert found.dtype == dtype
    assert np.nanmax(_ulps(found, exact)) < 2.0
    limit = np.finfo(dtype).max
    np.testing.assert_array_equal(np.isfinite(found), [abs(value) <= limit for value in exact])


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 60, reason="needs a long double that is longer than a double")
@pytest.mark.skipif(not ON_CPU, reason="elsewhere the platform's own functions are used")
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", NAMES)
def test_rare_roundings_are_within_two_ulp(name: str, dtype: type) -> None:
    """Among hundreds of thousands of arguments, where errors of rounding can add up, none is off by 2 ulp."""
    random = np.random.default_rng(11)
    edge = 0.99 * float(np.log(np.finfo(dtype).max))
    x = np.concatenate([random.uniform(-size, size, 200_000) for size in (1.0, 5.0, edge)]).astype(dtype)
    long = x.astype(np.longdouble)
    exact = np.expm1(long) / long if name == "exprel" else getattr(np, name)(long)
    normal = np.abs(exact) >= np.finfo(dtype).tiny
    error = np.abs(np.asarray(jax.jit(getattr(exponential, name))(x)) - exact)[normal]
    assert np.max(error / np.spacing(np.abs(exact[normal]).astype(dtype))) < 2.0


def test_the_measure_of_ulps_sees_a_wrong_last_digit() -> None:
    """A value three floats away from the truth is three ulps away: the test of accuracy can fail."""
    exact = _exactly(mpmath.exp, np.array([1.0]))
    off = np.float64(math.e) + 3 * np.spacing(math.e)
    assert 2.5 < _ulps(np.array([off]), exact)[0] < 3.5


@pytest.mark.skipif(not ON_CPU, reason="instruction sets of a CPU")
@pytest.mark.parametrize("options", [{"xla_cpu_max_isa": "SSE4_2"}, {"xla_cpu_prefer_vector_width": 512}])
def test_accuracy_needs_no_fused_product(options: dict[str, Any]) -> None:
    """On a CPU without fused multiply-add, and with the widest vectors, exprel and tanh stay within 2 ulp."""
    x = _arguments(np.float64)
    for name in ("exprel", "tanh"):
        found = jax.jit(getattr(exponential, name), compiler_options=options)(x)
        assert np.nanmax(_ulps(np.asarray(found), _exactly(TRUTH[name], x))) < 2.0


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("name", "at_zero", "at_minus_infinity", "at_infinity"),
    [
        ("exp", 1.0, 0.0, np.inf),
        ("expm1", 0.0, -1.0, np.inf),
        ("exprel", 1.0, 0.0, np.inf),
        ("tanh", 0.0, -1.0, 1.0),
        ("sinh", 0.0, -np.inf, np.inf),
        ("cosh", 1.0, np.inf, np.inf),
    ],
)
def test_special_arguments(
    name: str, at_zero: float, at_minus_infinity: float, at_infinity: float, dtype: type
) -> None:
    """Zero keeps its sign, infinities have their limits, the greatest floats too, and NaN stays NaN."""
    huge = np.finfo(dtype).max
    x = np.array([0.0, -0.0, -np.inf, -huge, np.inf, huge, np.nan], dtype)
    found = np.asarray(jax.jit(getattr(exponential, name))(x))
    wanted = [at_zero, at_zero, at_minus_infinity, at_minus_infinity, at_infinity, at_infinity, np.nan]
    np.testing.assert_allclose(found, wanted, atol=1e-38 if name == "exprel" else 0.0, rtol=0.0)
    odd = at_zero == 0.0
    np.testing.assert_array_equal(np.signbit(found[:2]), [False, odd])


@pytest.mark.parametrize(("dtype", "last"), [(np.float32, 88.72283), (np.float64, 709.782712893384)])
def test_overflow_comes_no_sooner_than_it_must(dtype: type, last: float) -> None:
    """e^x is finite up to the last float that allows it and infinite after; exprel and sinh go on a little further."""
    beyond = np.nextafter(dtype(last), dtype(np.inf))
    x = np.array([last, beyond, beyond + dtype(10)], dtype)
    for name, finite in (("exp", 1), ("expm1", 1), ("exprel", 2), ("sinh", 2), ("cosh", 2)):
        found = jax.jit(getattr(exponential, name))(x)
        np.testing.assert_array_equal(np.isfinite(found), np.arange(3) < finite, err_msg=name)
        assert np.isposinf(found[2])


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 3e-6), (np.float64, 2e-14)])
@pytest.mark.parametrize("name", NAMES)
def test_first_derivatives(name: str, dtype: type, tolerance: float) -> None:
    """Backward and forward derivatives are the exact ones, near 0, at the seams and far away, and agree bit for bit."""
    x = np.concatenate([[0.0, -0.0, 1e-30, -1e-8], np.linspace(-60.0, 60.0, 241), np.linspace(-0.4, 0.4, 81)])
    x = x.astype(dtype)
    function = getattr(exponential, name)
    backward = np.asarray(jax.jit(jax.vmap(jax.grad(function)))(x))
    forward = np.asarray(jax.jit(lambda x: jax.jvp(function, (x,), (jnp.ones_like(x),))[1])(x))
    exact = np.array([float(value) for value in _exactly(SLOPES[name], x)])
    # one minus the square of tanh has an absolute precision
    absolute = tolerance if name == "tanh" else np.finfo(dtype).tiny
    np.testing.assert_allclose(backward, exact, rtol=tolerance, atol=absolute)
    np.testing.assert_array_equal(backward, forward)


@pytest.mark.parametrize("dtype", FLOATS)
def test_exprel_has_correct_derivatives_at_its_singularity_and_limits(dtype: type) -> None:
    """At 0 the derivatives of exprel are 1/2 and 1/3; elsewhere they are right too, also where e^x overflows."""
    beyond = float(np.log(np.finfo(dtype).max)) + 3.0
    x = np.array([0.0, -np.inf, np.inf, beyond, -50.0, -0.3466, -0.3465, 0.3465, 0.3466, 40.0, -1e35], dtype)
    slope = jax.grad(exponential.exprel)
    first, second = jax.jit(lambda x: (jax.vmap(slope)(x), jax.vmap(jax.grad(slope))(x)))(x)
    single = dtype is np.float32
    np.testing.assert_array_equal(first[:3], [0.5, 0.0, np.inf])
    np.testing.assert_allclose(first[3], float(_exactly(_exprel_slope, x[3:4])[0]), rtol=1e-5 if single else 1e-12)
    exact = [float(value) for value in _exactly(lambda x: (mpmath.exp(x) - 2 * _exprel_slope(x)) / x, x[4:])]
    np.testing.assert_allclose(second[0], 1 / 3, rtol=2e-6 if single else 1e-13)
    np.testing.assert_allclose(second[4:], exact, rtol=2e-5 if single else 1e-12, atol=np.finfo(dtype).tiny)


@pytest.mark.parametrize("name", NAMES)
def test_a_backward_pass_keeps_one_number_of_each_evaluation(name: str) -> None:
    """What reverse differentiation stores of an evaluation is one array of the argument's size."""
    x = jnp.linspace(-3.0, 3.0, 50)
    _, pullback = jax.vjp(getattr(exponential, name), x)
    kept = [leaf for leaf in jax.tree.leaves(pullback) if jnp.size(leaf) == x.size]
    assert len(kept) == 1


def test_float32_rates_are_finite_at_every_voltage_of_a_neuron() -> None:
    """A Hodgkin-Huxley rate and its slope are right in float32 from -150 to 100 mV, its singularity included."""

    def rate(v_mv: jax.Array) -> jax.Array:
        return 1.28 / exponential.exprel((-50.0 - v_mv) / 4.0)

    v_mv = np.concatenate([np.linspace(-150.0, 100.0, 2001), [-50.0]]).astype(np.float32)
    value, slope = jax.jit(jax.vmap(jax.value_and_grad(rate)))(v_mv)
    u = (-50.0 - v_mv.astype(float)) / 4.0
    with mpmath.workdps(DIGITS):
        exact = np.array([float(1.28 / _exprel(mpmath.mpf(x))) for x in u])
        exact_slope = np.array([float(0.32 * _exprel_slope(mpmath.mpf(x)) / _exprel(mpmath.mpf(x)) ** 2) for x in u])
    # the argument itself is rounded to float32
    np.testing.assert_allclose(value, exact, rtol=1e-5, atol=1e-30)
    np.testing.assert_allclose(slope, exact_slope, rtol=2e-5, atol=1e-30)


@pytest.mark.parametrize(("degree", "bound"), [(5, 2.0**-25), (10, 2.0**-54)])
@pytest.mark.parametrize("order", [0, 1])
def test_the_polynomials_are_as_good_as_their_formats_need(order: int, degree: int, bound: float) -> None:
    """Each polynomial is within its bound of the integral that it stands for, and one degree less is not enough."""

    def worst(degree: int) -> float:
        coefficients = exponential._coefficients(order, degree)
        with mpmath.workdps(DIGITS):
            errors = []
            for x in np.linspace(-math.log(2) / 2, math.log(2) / 2, 101):
                exact = (_exprel, _exprel_slope)[order](mpmath.mpf(x))
                errors.append(abs(mpmath.polyval([mpmath.mpf(c) for c in coefficients[::-1]], x) / exact - 1))
            return float(max(errors))

    assert worst(degree) < bound < worst(degree - 1)


def test_the_native_exprel_is_right_too() -> None:
    """What other platforms evaluate for exprel is right to their expm1, at 0 and beyond the overflow of e^x."""
    x = np.concatenate([[0.0, -0.0, 1e-300], np.linspace(-700.0, 715.0, 501), np.linspace(-1.0, 1.0, 101)])
    exact = np.array([float(value) for value in _exactly(_exprel, x)])
    np.testing.assert_allclose(exponential._exprel_native(jnp.asarray(x)), exact, rtol=4e-15)


def test_batches_and_scalars_agree() -> None:
    """vmap over two axes, and a plain call on a matrix, give what single numbers give."""
    x = jnp.linspace(-5.0, 5.0, 6).reshape(2, 3)
    for name in NAMES:
        function = jax.jit(getattr(exponential, name))
        singly = np.array([[function(value) for value in row] for row in x])
        np.testing.assert_allclose(jax.vmap(jax.vmap(function))(x), singly, rtol=1e-15)
        np.testing.assert_allclose(function(x), singly, rtol=1e-15)


def test_works_without_64_bit_mode() -> None:
    """With 64-bit mode off, float32 stays float32, with the same values and slopes."""
    x = np.linspace(-20.0, 20.0, 101, dtype=np.float32)

    def value_and_slope(x: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jax.vmap(jax.value_and_grad(exponential.exprel))(x)

    wanted = jax.jit(value_and_slope)(x)
    with jax.enable_x64(False):
        found = jax.jit(value_and_slope)(x)
    assert [array.dtype for array in found] == [np.float32, np.float32]
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_other_numbers_are_refused() -> None:
    """Numbers that are neither float32 nor float64 are refused with the way out."""
    with pytest.raises(InputError, match="bfloat16 numbers; convert them to float32 or float64"):
        exponential.exp(jnp.ones(3, jnp.bfloat16))


@pytest.mark.parametrize("name", NAMES)
def test_exports_for_every_platform(name: str) -> None:
    """One export serves cpu, cuda and tpu; only the cpu's code writes exponents, and it computes what a call does."""
    function = getattr(exponential, name)

    def value_and_slope(x: jax.Array) -> tuple[jax.Array, jax.Array]:
        return function(x), jax.vmap(jax.grad(function))(x)

    x = jnp.linspace(-3.0, 3.0, 7, dtype=jnp.float32)
    shape = jax.ShapeDtypeStruct(x.shape, x.dtype)
    program = export.export(jax.jit(value_and_slope), platforms=("cpu", "cuda", "tpu"))(shape)
    assert program.platforms == ("cpu", "cuda", "tpu")
    if ON_CPU:
        for found, wanted in zip(program.call(x), jax.jit(value_and_slope)(x), strict=True):
            np.testing.assert_array_equal(found, wanted)
    for platform, writes in (("cpu", True), ("tpu", False)):
        text = export.export(jax.jit(function), platforms=(platform,))(shape).mlir_module()
        assert ("shift_left" in text) is writes
