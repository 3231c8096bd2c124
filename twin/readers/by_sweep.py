"""What is known of each sweep apart: one covariate where all sweeps agree, a column of the sweeps where they do not."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from twin.protocol import KNOWN, Covariate

BY_SWEEP = "by sweep"
Facts = Mapping[str, Covariate]


def shared(facts: Sequence[Facts]) -> dict[str, Covariate]:
    """The protocol of some sweeps: what all of them agree on, and "by sweep" for what differs between them."""
    names = dict.fromkeys(name for one in facts for name in one)
    return {name: _joint(name, [one.get(name) for one in facts]) for name in names}


def columns(facts: Sequence[Facts], protocol: Mapping[str, Covariate]) -> dict[str, tuple[Any, str]]:
    """The columns of one kind of sweeps for everything that `protocol` calls "by sweep".

    Words that no value was read from go into a column of their own, `NAME_verbatim`.
    """
    made: dict[str, tuple[Any, str]] = {}
    for name in (name for name, covariate in protocol.items() if covariate.value == BY_SWEEP):
        given = [one.get(name) for one in facts]
        made[name] = (_values(given), protocol[name].unit)
        words = ["" if one is None or one.status != "unreported" else one.verbatim for one in given]
        if any(words):
            made[f"{name}_verbatim"] = (np.array(words, dtype=object), "1")
    return made


def _joint(name: str, given: Sequence[Covariate | None]) -> Covariate:
    first = next(one for one in given if one is not None)
    unit = KNOWN[name][0] if name in KNOWN else first.unit
    if all(one is None or one.status == "unreported" for one in given):
        words = dict.fromkeys(one.verbatim for one in given if one is not None)
        return Covariate(None, unit, "unreported", first.source, "; ".join(words))
    if all(one is not None and _same(one, first) for one in given):
        return first
    return Covariate(BY_SWEEP, unit, "reported", first.source)


def _same(one: Covariate, other: Covariate) -> bool:
    return (one.value, one.unit, one.status, one.uncertainty) == (
        other.value,
        other.unit,
        other.status,
        other.uncertainty,
    )


def _values(given: Sequence[Covariate | None]) -> np.ndarray:
    """Numbers with NaN, or texts with "", where a sweep does not have the covariate."""
    known = [one.value if one is not None else None for one in given]
    if any(isinstance(value, str) for value in known):
        return np.array(["" if value is None else str(value) for value in known], dtype=object)
    return np.array([np.nan if value is None else float(value) for value in known])
