"""What an uncorrected junction potential does to published potentials, at equal neuron type.

With V_m = V_recorded - V_L and V_L of +10 to +15 mV for potassium gluconate, a potential that was not corrected is
too positive by V_L. So "not corrected" less "corrected" should be positive, and smaller than V_L to the extent that
articles used other solutions.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np
import xarray as xr
from jaxtyping import Float

from experiments.neuroelectro.additive import Measured, difference, fit, resampled_effects
from experiments.neuroelectro.coding import METADATA, Coding
from experiments.neuroelectro.table import NOT_REPORTED, texts
from twin.judge import Interval, percentile_interval, resampling_weights
from twin.judge.identifiability import crossing

TERM = "junction_potential"
N_RESAMPLES = 8000  # a bound that lies near 0 should not change sides with the seed
POTENTIALS = ("spike_threshold", "resting_potential")
CONTRASTS = {"Not corrected": ("Not corrected", "Corrected"), "Not reported": ("Not reported", "Corrected")}
# What else is held equal, beside the type.
HELD_EQUAL = {
    "neuron type": (TERM,),
    "neuron type and electrode": (TERM, "electrode"),
    "neuron type and all conditions": METADATA,
}
_LEAST_DETERMINED = 0.95  # share of the draws of labs in which the difference has to exist
PATCH_ONLY = "neuron type, patch-clamp only"


@dataclasses.dataclass(frozen=True)
class Shift:
    """One contrast of a potential.

    Attributes:
        property: which potential.
        contrast: the level that is compared with "Corrected".
        held_equal: what else is the same on both sides.
        value_mv: mean difference; +8 means that thresholds that were not corrected are 8 mV more positive.
        interval: over labs.
        p: of the t test, which takes rows as independent; NaN where the rows do not determine the difference.
        n: rows with either level.
        n_types: types that have both.
    """

    property: str
    contrast: str
    held_equal: str
    value_mv: float
    interval: Interval
    p: float
    n: int
    n_types: int


@dataclasses.dataclass(frozen=True)
class Subtraction:
    """The physical correction: stated offsets taken out of the rows that were not corrected.

    Attributes:
        property: which potential.
        n: rows that were not corrected and state an offset.
        before_mv: their shift from "Corrected" at equal type.
        after_mv: the same once the size of the stated offset is subtracted; 0 is what physics promises.
        after: its interval over labs.
        shrunk_mv: how much nearer to 0 the shift has come, |before| - |after|.
        shrunk: its interval over labs.
    """

    property: str
    n: int
    before_mv: float
    after_mv: float
    after: Interval
    shrunk_mv: float
    shrunk: Interval


@dataclasses.dataclass(frozen=True, eq=False)
class Junction:
    """All shifts, and for the figure the values of each level less the mean of their type and the effect's reference.

    Attributes:
        shifts: see `Shift`.
        subtractions: see `Subtraction`; none for a potential of which no row states an offset.
        residuals_mv: for each potential and level the values at equal type: value less the type's fitted level.
    """

    shifts: tuple[Shift, ...]
    subtractions: tuple[Subtraction, ...]
    residuals_mv: Mapping[str, Mapping[str, Float[np.ndarray, " row"]]]

    def shift(self, name: str, contrast: str = "Not corrected", held_equal: str = "neuron type") -> Shift:
        """The one of these names."""
        return next(
            one for one in self.shifts if (one.property, one.contrast, one.held_equal) == (name, contrast, held_equal)
        )


def shifts(rows: xr.Dataset, coding: Coding, seed: int) -> Junction:
    """Every contrast of both potentials, with intervals from drawing labs with replacement."""
    found: list[Shift] = []
    subtractions, residuals = [], {}
    for name in POTENTIALS:
        data = Measured.of(rows, name, coding)
        patch = Measured.of(rows.isel(row=texts(rows, "electrode") == "Patch-clamp"), name, coding)
        for held, terms in HELD_EQUAL.items():
            found += _shifts(data, name, held, terms, seed)
        found += _shifts(patch, name, PATCH_ONLY, (TERM,), seed)
        subtractions += _subtracted(data, name, seed)
        residuals[name] = _residuals(data)
    return Junction(tuple(found), tuple(subtractions), residuals)


def _shifts(data: Measured, name: str, held: str, terms: tuple[str, ...], seed: int) -> list[Shift]:
    conditions, columns = data.conditions(terms), data.coding.columns(terms)
    levels, n_labs = texts(data.rows, TERM), len(data.lab_names)
    draws = resampling_weights(n_labs, N_RESAMPLES, seed)[:, data.labs].astype(np.float64)
    effects = resampled_effects(data, conditions, draws)
    found = []
    for contrast, (one, other) in CONTRASTS.items():
        sides = np.array([((TERM, one) == column) * 1.0 - ((TERM, other) == column) for column in columns])
        value, p = difference(data, conditions, sides)
        determined = _both(data, draws, levels == one, levels == other) & np.isfinite(value)
        interval = _interval(effects[determined] @ sides, n_labs)
        either = np.isin(levels, (one, other))
        n_types = _types_with_both(data, either)
        found.append(Shift(name, contrast, held, value, interval, p, int(either.sum()), n_types))
    return found


def _subtracted(data: Measured, name: str, seed: int) -> list[Subtraction]:
    """Articles state an offset with either sign, so its size is used: V_L is positive for all usual pipettes."""
    levels, offset_mv = texts(data.rows, TERM), np.abs(data.rows["junction_offset_mv"].values)
    stated = (levels == "Not corrected") & np.isfinite(offset_mv)
    others = [(levels == "Not corrected") & ~stated, levels == NOT_REPORTED]
    columns = np.stack([stated, *others], axis=1).astype(np.float64)
    before_mv = difference(data, columns, np.array([1.0, 0.0, 0.0]))[0]
    if not np.isfinite(before_mv):
        return []
    corrected = dataclasses.replace(data, values=data.values - np.where(stated, offset_mv, 0.0))
    after_mv = float(fit(corrected, columns).effects[0])
    draws = resampling_weights(len(data.lab_names), N_RESAMPLES, seed)[:, data.labs].astype(np.float64)
    draws = draws[_both(data, draws, stated, levels == "Corrected")]
    before, after = (resampled_effects(one, columns, draws)[:, 0] for one in (data, corrected))
    intervals = [_interval(samples, len(data.lab_names)) for samples in (after, np.abs(before) - np.abs(after))]
    shrunk_mv = abs(before_mv) - abs(after_mv)
    return [Subtraction(name, int(stated.sum()), before_mv, after_mv, intervals[0], shrunk_mv, intervals[1])]


def _interval(samples: np.ndarray, n_labs: int) -> Interval:
    """NaN bounds where too many draws of labs do not determine the figure."""
    is_known = len(samples) >= _LEAST_DETERMINED * N_RESAMPLES
    return percentile_interval(samples if is_known else np.array([np.nan]), n_labs, unit="lab")


def _both(data: Measured, draws: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Draws of labs in which some neuron type still has rows of either kind."""
    sides = [draws[:, kind] @ data.membership[kind] > 0 for kind in (one, other)]
    return (sides[0] & sides[1]).any(axis=1)


def _types_with_both(data: Measured, either: np.ndarray) -> int:
    if not either.any():
        return 0
    types, levels = data.types[either].astype(str), texts(data.rows, TERM)[either]
    found = crossing(types, levels, factor="neuron type", other="junction potential")
    return len(found.levels) - len(found.seen_with_one)


def _residuals(data: Measured) -> dict[str, np.ndarray]:
    levels = texts(data.rows, TERM)
    if not len(levels):
        return {}
    model = fit(data, data.conditions((TERM,)))
    corrected = dict(zip(data.coding.columns((TERM,)), model.effects, strict=True)).get((TERM, "Corrected"), 0.0)
    rest = data.values - model.level[data.types] - corrected  # 0 is the mean of "Corrected" at equal type
    return {level: rest[levels == level] for level in ("Corrected", "Not reported", "Not corrected")}
