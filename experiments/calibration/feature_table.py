"""Features of the cell's and the model's responses to current steps, side by side."""

from typing import TYPE_CHECKING

import numpy as np

from biophys.features import STEP_FEATURES
from experiments.calibration.scores import Scored
from experiments.calibration.steps import CurrentStep, features_of, find_steps
from twin.errors import UnsupportedError
from twin.report import Table
from twin.report.report import Cell

if TYPE_CHECKING:
    from experiments.calibration.command import Found

OF_VOLTAGE = (
    "voltage_base",
    "steady_state_voltage_stimend",
    "minimum_voltage",
    "time_constant",
    "sag_amplitude",
)
OF_SPIKES = (
    "spike_count_stimint",
    "mean_frequency",
    "time_to_first_spike",
    "time_to_last_spike",
    "inv_first_ISI",
    "inv_last_ISI",
    "ISI_CV",
    "adaptation_index2",
)
OF_SHAPE = ("AP_amplitude", "AP_begin_voltage", "peak_voltage", "AP_duration_half_width", "min_AHP_values", "AHP_depth")
PEAK_MV = 30.0  # where the spikes of a model that is reset are painted in
_SHOWN = 3


def names_for(has_shape: bool) -> tuple[str, ...]:
    """The features to compare: a model that is reset has no action potential whose shape would say anything."""
    return OF_VOLTAGE + OF_SPIKES + (OF_SHAPE if has_shape else ())


def beside(found: "Found") -> tuple[Table | None, str]:
    """A row for each feature with cell and model in each shown sweep, and what to know about it."""
    has_shape = not found.fit.model.reset
    names = names_for(has_shape)
    columns: list[str] = ["feature", "unit"]
    values: list[list[Cell]] = []
    for kind, scored in (("fitted", found.scored), ("held out", found.other)):
        steps = None if scored is None else find_steps(scored.target.current_na, scored.target.dt_s)
        if scored is None or steps is None:
            continue
        for k in _shown(steps, _SHOWN - 1 if kind == "fitted" else _SHOWN):
            try:
                cell, model = _pair(scored, k, steps[k], has_shape, names)
            except UnsupportedError as error:
                return None, f"No features: {error}"
            columns += [f"sweep {scored.target.sweeps[k]}, {kind}: cell", found.fit.model.name]
            values += [cell, model]
    if not values:
        return None, "The injected currents are no steps, for which features are defined; see the sweeps themselves."
    rows = [
        (name, STEP_FEATURES[name].unit, *(column[k] for column in values))
        for k, name in enumerate(names)
        if any(column[k] is not None for column in values)
    ]
    text = "By eFEL. A dash: the response has no such feature."
    if not has_shape:
        text += (
            f" The model is reset and has no action potentials: its spikes are painted in at {PEAK_MV:g} mV, and "
            "features of their shape are left out."
        )
    return Table(tuple(columns), tuple(rows)), text


def _shown(steps: tuple[CurrentStep, ...], most: int) -> list[int]:
    """The sweeps with the lowest and the highest step, and those between, evenly."""
    order = np.argsort([step.height_na for step in steps], kind="stable")
    places = np.unique(np.linspace(0, len(order) - 1, min(most, len(order))).round().astype(int))
    return [int(order[place]) for place in places]


def _pair(
    scored: Scored, k: int, step: CurrentStep, has_shape: bool, names: tuple[str, ...]
) -> tuple[list[Cell], list[Cell]]:
    target = scored.target
    assert target.voltage_mv is not None
    # on a step finer than the samples the cell has a voltage at some steps only
    known = np.flatnonzero(np.isfinite(target.voltage_mv[k]))
    recorded = np.interp(np.arange(target.n_steps), known, target.voltage_mv[k][known])
    painted = None if has_shape else (scored.free.spike_times_s[k][0], PEAK_MV)
    cell = features_of(recorded, target.dt_s, step, names=names)
    model = features_of(scored.free.voltage_mv[k, 0], target.dt_s, step, painted=painted, names=names)
    return [cell[name].value for name in names], [model[name].value for name in names]
