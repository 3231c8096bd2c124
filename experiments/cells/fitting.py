"""One model fitted to one cell, and the features of its responses beside the cell's and two baselines'."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from biophys.calibrate import Evolution, Fit, Free, Prior, calibrate
from biophys.calibrate.space import space_of
from biophys.models import ALL, NeuronModel
from experiments.calibration.responses import respond
from experiments.calibration.steps import CurrentStep, features_of
from experiments.cells.material import Cell
from experiments.cells.objective import StepFeatures
from experiments.cells.tolerance import NAMES, Values, deviations

BUDGETS = {"lif_conductance": 19_200, "lif_adaptive": 19_200}  # model -> simulations of all fitted sweeps
METHOD = Evolution(restarts=2, population=64)
PEAK_MV = 30.0
EFEL_STEP_S = 1e-4  # at which it looks
AROUND_MV = 6.0
RESET_MV = (-90.0, -20.0)
PRIOR_LOG, PRIOR_SHARE = 2.0, 0.5  # deviations of the priors: of a logarithm, and of the bounds' width
NEAREST, INTERPOLATED = "nearest_amplitude", "interpolated"


@dataclasses.dataclass(frozen=True)
class Predicted:
    """Features of one model, or baseline, for a cell.

    Attributes:
        cell: its name.
        model: whose features.
        fitted: for each fitted sweep, by its row.
        held_out: for each held-out sweep, by its row.
        fit: the result; None for a baseline.
    """

    cell: str
    model: str
    fitted: dict[int, Values]
    held_out: dict[int, Values]
    fit: Fit | None


def recorded(cell: Cell) -> list[Values]:
    """The cell's own features, for each sweep."""
    assert cell.target.voltage_mv is not None  # `target_of` refuses sweeps without
    return [
        _values(voltage, cell.target.dt_s, step, None)
        for voltage, step in zip(cell.target.voltage_mv, cell.steps, strict=True)
    ]


def fit_model(cell: Cell, model: str, budget: int, key: Any, progress: Callable[[float, float], None]) -> Predicted:
    """Fit a model to the cell's fitted amplitudes and run it on all of its sweeps."""
    rows = cell.rows(held_out=False)
    fit = fit_rows(cell, rows, ALL[model], budget, key, progress)
    held = cell.rows(held_out=True)
    return Predicted(cell.name, model, _features(fit, cell, rows), _features(fit, cell, held) if held else {}, fit)


def fit_rows(
    cell: Cell, rows: list[int], model: NeuronModel, budget: int, key: Any, progress: Callable[[float, float], None]
) -> Fit:
    """Fit a model to some sweeps of a cell."""
    features = recorded(cell)
    deviation, _ = deviations(cell, features)
    target, steps = cell.part(rows)
    own = [features[row] for row in rows]
    objective = StepFeatures(steps, tuple(own), tuple(deviation[row] for row in rows))
    return calibrate(
        target,
        model,
        space_for(model, own),
        objective,
        METHOD,
        budget,
        key,
        dt_s=target.dt_s,
        dtype=np.float32,
        intervals=False,
        progress=progress,
    )


def space_for(model: NeuronModel, features: list[Values]) -> list[Free]:
    """What is free: the model's parameters within its bounds, with wide priors around its values.

    A cell may have no more than one fitted sweep; what that leaves open stays near the model's own values. The resting
    potential is near that of the fitted sweeps, and the reset may lie as high as the voltage after spikes does.
    """
    rest = float(np.median([values["voltage_base"] for values in features if values["voltage_base"] is not None]))
    bounds = {one.name: one.bounds for one in model.fitted if one.bounds is not None}
    start = {one.name: one.value for one in model.fitted} | {"E_L": rest}
    bounds |= {"E_L": (rest - AROUND_MV, rest + AROUND_MV), "V_r": RESET_MV}
    return [_with_prior(free) for free in space_of(model, bounds, start).free]


def _with_prior(free: Free) -> Free:
    width = PRIOR_LOG if free.scale == "log" else PRIOR_SHARE * (free.high - free.low)
    return dataclasses.replace(free, prior=Prior(free.start, width))


def _features(fit: Fit, cell: Cell, rows: list[int]) -> dict[int, Values]:
    target, steps = cell.part(rows)
    done = respond(fit, target, 1)
    is_reset = bool(fit.model.reset)
    times = fit.dt_s * np.arange(target.n_steps)
    fine = EFEL_STEP_S * np.arange(int(times[-1] / EFEL_STEP_S + 1e-6) + 1)
    found = {}
    for place, row in enumerate(rows):
        voltage, train, painted = done.voltage_mv[place, 0], done.spike_times_s[place][0], None
        if is_reset:
            voltage, painted = _after_reset(voltage, train, fit.dt_s), (train, PEAK_MV)
        # between samples first: a spike is painted in as one sample of eFEL's
        found[row] = _values(np.interp(fine, times, voltage), EFEL_STEP_S, steps[place], painted)
    return found


def _after_reset(voltage_mv: np.ndarray, train_s: np.ndarray, dt_s: float) -> np.ndarray:
    """With each spike's own sample at the voltage after it, or the line between the two would pass for a dip."""
    at = np.round(train_s / dt_s).astype(int)
    at = at[at + 1 < len(voltage_mv)]
    shown = voltage_mv.copy()
    shown[at] = voltage_mv[at + 1]
    return shown


def _values(voltage_mv: np.ndarray, dt_s: float, step: CurrentStep, painted: tuple[np.ndarray, float] | None) -> Values:
    found = features_of(voltage_mv, dt_s, step, painted=painted, names=NAMES)
    values = {name: found[name].value for name in NAMES}
    if values["spike_count_stimint"]:  # between spikes a voltage is where it happens to be when the step ends
        values["steady_state_voltage_stimend"] = None
    return values


def baselines(cell: Cell, features: list[Values]) -> list[Predicted]:
    """What the fitted amplitudes say of the held-out ones without any model."""
    rows, held = cell.rows(held_out=False), cell.rows(held_out=True)
    heights = np.array([cell.steps[row].height_na for row in rows])
    nearest, between = {}, {}
    for row in held:
        height = cell.steps[row].height_na
        nearest[row] = features[rows[int(np.argmin(np.abs(heights - height)))]]
        between[row] = {name: _interpolated(height, heights, [features[k][name] for k in rows]) for name in NAMES}
    own = {row: features[row] for row in rows}
    return [Predicted(cell.name, NEAREST, own, nearest, None), Predicted(cell.name, INTERPOLATED, own, between, None)]


def _interpolated(height: float, heights: np.ndarray, values: list[float | None]) -> float | None:
    known = np.array([value is not None for value in values])
    if not known.any():
        return None
    x, y = heights[known], np.array([value for value in values if value is not None])
    order = np.argsort(x, kind="stable")
    return float(np.interp(height, x[order], y[order]))
