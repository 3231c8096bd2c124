"""The features that are scored, and the standard deviation that each is held against."""

import dataclasses

import numpy as np

from experiments.cells.material import Cell

HAY = (
    "median over three steps of the deviations of Hay et al. 2011 (PLoS Comput Biol 7:e1002107), as in BluePyOpt's L5PC"
)
WITHIN = 2.0  # deviations: a feature is met
LEAST_PAIRS = 3  # groups of repeats from which trial-to-trial deviations are taken


@dataclasses.dataclass(frozen=True)
class Tolerance:
    """A published deviation: the larger of a share of the value and a number in the feature's unit.

    Attributes:
        share: of the recorded value.
        least: in the feature's unit.
        source: where it comes from.
    """

    share: float
    least: float
    source: str


_VOLTAGE = Tolerance(0.0, 2.3, f"{HAY}: depth of the afterhyperpolarisation, 2.3 mV, taken for every voltage")
PUBLISHED = {
    "voltage_base": _VOLTAGE,
    "steady_state_voltage_stimend": _VOLTAGE,
    "min_AHP_values": _VOLTAGE,
    "spike_count_stimint": Tolerance(
        0.115, 0.5, f"{HAY}: 11.5 % of the mean frequency; two are one spike at the least"
    ),
    "time_to_first_spike": Tolerance(0.146, 1.0, f"{HAY}: 14.6 %; at least 1 ms"),
    "inv_first_ISI": Tolerance(0.162, 0.0, f"{HAY}: 16.2 % of the first interval"),
    "ISI_CV": Tolerance(0.0, 0.075, f"{HAY}: 0.075"),
    "adaptation_index2": Tolerance(0.0, 0.0067, f"{HAY}: 0.0067"),
}
NAMES = tuple(PUBLISHED)

Values = dict[str, float | None]


def deviations(cell: Cell, features: list[Values]) -> tuple[list[dict[str, float]], str]:
    """For each sweep the deviation of each feature, and where they come from.

    Args:
        cell: whose sweeps they are.
        features: of the cell, a mapping for each sweep.
    """
    published = [{name: _published(name, values[name]) for name in NAMES} for values in features]
    groups = [np.flatnonzero(cell.amplitude == one) for one in np.unique(cell.amplitude)]
    repeated = [group for group in groups if len(group) > 1]
    if len(repeated) < LEAST_PAIRS:
        return published, "published"
    return [
        {name: _pooled([[features[k][name] for k in group] for group in repeated], one[name]) for name in NAMES}
        for one in published
    ], "trial to trial"


def _published(name: str, value: float | None) -> float:
    rule = PUBLISHED[name]
    return max(rule.share * abs(value or 0.0), rule.least)


def _pooled(groups: list[list[float | None]], otherwise: float) -> float:
    """Pooled over the groups of repeats that all have the feature; one without scatter keeps the published one."""
    whole = [np.array(group, float) for group in groups if all(value is not None for value in group)]
    if len(whole) < LEAST_PAIRS:
        return otherwise
    squares = sum(float(np.sum((group - group.mean()) ** 2)) for group in whole)
    pooled = float(np.sqrt(squares / sum(len(group) - 1 for group in whole)))
    return pooled if pooled > 0 else otherwise
