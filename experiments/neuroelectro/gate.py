"""Where conditions overlap and where type, lab and method are one: the identifiability gate on this table."""

import dataclasses

import numpy as np
import xarray as xr
from scipy import stats

from experiments.neuroelectro.additive import Measured
from experiments.neuroelectro.coding import METADATA, Coding
from experiments.neuroelectro.table import texts
from twin.errors import UnsupportedError
from twin.judge.identifiability import Crossing, DesignRank, cramers_v, crossing, design_rank, one_hot

FACTORS = ("species", "electrode", "preparation", "junction_potential")


@dataclasses.dataclass(frozen=True)
class Contrast:
    """The difference of two types in one property.

    Attributes:
        one: the first type.
        two: the second type.
        plain: difference of their means, labs ignored.
        same_lab: difference at equal lab; None where the gate refuses it.
        low: lower 95 % bound of it, by the t distribution.
        high: upper bound.
        refusal: the sentence of the gate, "" where there is none.
    """

    one: str
    two: str
    plain: float
    same_lab: float | None
    low: float | None
    high: float | None
    refusal: str


@dataclasses.dataclass(frozen=True, eq=False)
class Gate:
    """What the design can tell.

    Attributes:
        labs: neuron types crossed with labs.
        factors: neuron types crossed with each condition.
        association: bias-corrected Cramer's V of each condition with (neuron type, lab).
        rank: of types, conditions and labs, in this order.
        contrasts: the most reported types with each other, and one refused pair.
    """

    labs: Crossing
    factors: dict[str, Crossing]
    association: dict[str, tuple[float, float]]
    rank: DesignRank
    contrasts: tuple[Contrast, ...]


def examine(rows: xr.Dataset, coding: Coding, name: str = "input_resistance") -> Gate:
    """The gate of the whole selection; contrasts are those of one property, on the rows that have it."""
    types, labs = texts(rows, "neuron_type"), texts(rows, "lab")
    factors = {one: crossing(types, texts(rows, one), factor="neuron type", other=one) for one in FACTORS}
    association = {one: (cramers_v(texts(rows, one), types), cramers_v(texts(rows, one), labs)) for one in FACTORS}
    blocks = {"neuron types": one_hot(types), "conditions": coding.encode(rows, METADATA), "labs": one_hot(labs)}
    data = Measured.of(rows, name, coding)
    contrasts = _contrasts(data) if len(data.values) else ()
    by_lab = crossing(types, labs, factor="neuron type", other="lab")
    return Gate(by_lab, factors, association, design_rank(blocks), contrasts)


def _contrasts(data: Measured, n_types: int = 4) -> tuple[Contrast, ...]:
    """Pairs of the most reported types, and the most reported type against the best one of another island."""
    names = np.array(data.type_names)[data.types]
    graph = crossing(names, np.array(data.lab_names)[data.labs], factor="neuron type", other="lab")
    order = np.argsort(-graph.counts.sum(axis=1), kind="stable")
    most = order[:n_types]
    pairs = [(one, two) for index, one in enumerate(most) for two in most[index + 1 :]]
    elsewhere = [two for two in order if graph.component[two] != graph.component[order[0]]]
    if elsewhere and (order[0], elsewhere[0]) not in pairs:
        pairs.append((order[0], elsewhere[0]))
    return tuple(type_contrast(data, graph, graph.levels[one], graph.levels[two]) for one, two in pairs)


def type_contrast(data: Measured, graph: Crossing, one: str, two: str) -> Contrast:
    """`one` less `two` at equal lab, from the model `value = type + lab`; refused where the gate refuses it."""
    at = [data.type_names.index(one), data.type_names.index(two)]
    means = [data.values[data.types == index].mean() for index in at]
    plain = float(means[0] - means[1])
    try:
        graph.require_comparable(one, two)
    except UnsupportedError as refusal:
        return Contrast(one, two, plain, None, None, None, str(refusal))
    design = np.hstack([data.membership, np.eye(len(data.lab_names))[data.labs]])
    solution, _, rank, _ = np.linalg.lstsq(design, data.values, rcond=1e-9)
    sides = np.zeros(design.shape[1])
    sides[at[0]], sides[at[1]] = 1.0, -1.0
    value, n_free = float(sides @ solution), len(data.values) - int(rank)
    if n_free < 1:
        return Contrast(one, two, plain, value, None, None, "")
    variance = float(((data.values - design @ solution) ** 2).sum()) / n_free
    error = np.sqrt(variance * (sides @ np.linalg.pinv(design.T @ design, rcond=1e-9) @ sides))
    half = float(error * stats.t.isf(0.025, n_free))
    return Contrast(one, two, plain, value, value - half, value + half, "")
