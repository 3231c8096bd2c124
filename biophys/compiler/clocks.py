"""Several clocks in one program: its step is the largest of which each clock's is a multiple."""

import math
from collections.abc import Sequence
from typing import Any

from twin.errors import InputError


def common_step(steps_s: Sequence[float]) -> float:
    """The largest step of which all are multiples.

    Args:
        steps_s: the clocks' own, seconds.

    Raises:
        InputError: they have no common step of at least a thousandth of the smallest.
    """
    smallest = min(float(one) for one in steps_s)
    for parts in range(1, 1001):
        step = smallest / parts
        if all(math.isclose(one / step, round(one / step), rel_tol=1e-9) for one in steps_s):
            return smallest if parts == 1 else step
    listed = ", ".join(f"{1e3 * one:g} ms" for one in sorted(set(map(float, steps_s))))
    raise InputError(f"The network's clocks ({listed}) have no common step; make each a multiple of the smallest.")


def first_step(things: Sequence[Any], now_s: float, dt_s: float) -> int:
    """The step of the program that comes next: that of the first clock to tick.

    Args:
        things: Brian2's objects, each with its clock.
        now_s: the network's time, seconds.
        dt_s: the program's step, seconds.
    """
    steps = {float(thing.clock.dt_) for thing in things}
    return min(ticks_until(now_s, one) * round(one / dt_s) for one in steps)


def ticks_until(now_s: float, dt_s: float) -> int:
    """How often a clock has ticked before a time, by Brian2's rule: a ten-thousandth of a step does not count."""
    return math.ceil(now_s / dt_s - 1e-4)
