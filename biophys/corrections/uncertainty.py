"""First-order propagation of standard deviations through any function of named numbers."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from twin.errors import InputError

_STEP = 0.01  # of a standard deviation: small against curvature, large against rounding


@dataclass(frozen=True)
class Uncertain:
    """A number with its standard deviation, both in one unit.

    Raises:
        InputError: the value is no number, or the standard deviation is negative or no number.
    """

    value: float | int
    sd: float | int

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and math.isfinite(self.sd) and self.sd >= 0):
            raise InputError(
                f"An uncertain number was given as {self.value} with standard deviation {self.sd}; numbers, with a "
                "deviation of zero or more, were wanted."
            )


@dataclass(frozen=True)
class Propagated:
    """The result of `propagate`.

    Attributes:
        value: the function at the inputs' values.
        sd: standard deviation of it.
        parts: what each input alone would give, with the sign of its slope; their squares add up to `sd` squared.
    """

    value: float
    sd: float
    parts: Mapping[str, float]


def propagate(function: Callable[[Mapping[str, float]], float], inputs: Mapping[str, Uncertain]) -> Propagated:
    """Standard deviation of a function of independent inputs: `sd^2 = sum (df/dx_i * sd_i)^2`.

    The law of propagation of uncertainty (JCGM 100:2008, equation 10), with slopes by central differences. A product
    of 2 +- 0.1 and 3 +- 0.3 is 6 +- 0.67.

    Args:
        function: takes the inputs by name and returns a number; smooth over a hundredth of a standard deviation.
        inputs: value and standard deviation by name; an input with a deviation of zero is held.

    Raises:
        InputError: as `Uncertain`.
    """
    values = {name: float(one.value) for name, one in inputs.items()}
    parts = {}
    for name, one in inputs.items():
        if one.sd > 0:
            step = _STEP * one.sd
            above = function({**values, name: values[name] + step})
            below = function({**values, name: values[name] - step})
            parts[name] = (above - below) / (2.0 * _STEP)
    return Propagated(float(function(values)), math.hypot(*parts.values()), parts)
