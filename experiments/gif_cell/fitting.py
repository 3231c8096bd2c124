"""What is fitted: spike times with restarts, the escape-noise model, and the baselines."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from biophys.calibrate import Evolution, PointProcess, Target, TraceError, Weighted, calibrate
from experiments.gif_cell.cell import Cell
from experiments.gif_cell.settings import Settings
from experiments.spike_fits import coupled_gif, history_glm
from experiments.spike_fits.coupled_lif import SPIKING
from experiments.spike_fits.restarts import Restarts, fit_restarts

BEFORE_S, AFTER_S = 0.005, 0.010  # of the voltage around a spike that is not compared
Progress = Callable[[float], None]


@dataclasses.dataclass(frozen=True)
class Escape:
    """A fitted escape-noise model.

    Attributes:
        values: parameter -> value.
        loss: minus bits per spike (0.1 ms) plus weight times mV.
        bits: per spike beyond a constant rate, in steps of the recording, of the fitted stretch.
        rmse_mv: of the fitted stretch.
        held_out_bits: of the validation; NaN where it was fitted too.
        held_out_mv: of the validation.
    """

    values: Mapping[str, float]
    loss: float
    bits: float
    rmse_mv: float
    held_out_bits: float = float("nan")
    held_out_mv: float = float("nan")


@dataclasses.dataclass(frozen=True)
class Escapes:
    """The escape-noise model on one version of the voltage.

    Attributes:
        tried: fitted without the validation, one for each refractory period.
        final: the one that validation prefers, fitted further on all that may be fitted.
    """

    tried: tuple[Escape, ...]
    final: Escape


def fit_spike_times(
    cell: Cell, stretch: tuple[float, float], keys: list[Any], settings: Settings, progress: Progress
) -> dict[str, Restarts]:
    """Each model's restarts on a stretch."""
    fits = {}
    for number, (name, key) in enumerate(zip(settings.models, keys, strict=True)):
        fits[name] = fit_restarts(
            cell.merged(stretch),
            SPIKING[name],
            key,
            restarts=settings.restarts,
            population=settings.population,
            budget=settings.simulations,
        )
        progress((number + 1) / len(settings.models))
    return fits


def fit_escape(cell: Cell, corrected: bool, key: Any, settings: Settings, progress: Progress) -> Escapes:
    """Choose the refractory period on the validation, then fit on all that may be fitted."""
    n = len(settings.refractory_ms) + 1
    fit, choose = cell.part(cell.split.train, corrected), cell.part(cell.split.validation, corrected)
    tried = []
    for number, refractory_ms in enumerate(settings.refractory_ms):
        start = coupled_gif.start_values(fit, refractory_ms)
        tried.append(_fit_escape(fit, choose, start, key, settings.escape_simulations, settings))
        progress((number + 1) / n)
    best = preferred(tried, settings)
    whole = cell.part(cell.whole_fit, corrected)
    final = _fit_escape(whole, None, best.values, key, settings.final_simulations, settings)
    progress(1.0)
    return Escapes(tuple(tried), final)


def preferred(tried: Sequence[Escape], settings: Settings) -> Escape:
    """The fit with the lowest loss on the validation."""
    return min(tried, key=lambda one: settings.trace_weight * one.held_out_mv - one.held_out_bits)


def _fit_escape(
    fit: Target, choose: Target | None, start: Mapping[str, float], key: Any, budget: int, settings: Settings
) -> Escape:
    objective = Weighted.of(
        (PointProcess(), 1.0), (TraceError(before_s=BEFORE_S, after_s=AFTER_S), settings.trace_weight)
    )
    model = coupled_gif.ESCAPE
    found = calibrate(
        fit,
        model,
        {one.name: one.bounds for one in model.fitted if one.bounds is not None},
        objective,
        # the regressions begin near the optimum, and the search stays there
        Evolution(restarts=1, population=32, step=0.02),
        budget,
        key,
        start={name: start[name] for name in coupled_gif.FREE},
        fixed={"t_ref": start["t_ref"]},
        held_out=() if choose is None else choose,
        dt_s=fit.dt_s,
        intervals=False,
    )
    bits, rmse = found.terms.values()
    values = {**found.values, "t_ref": start["t_ref"]}
    if choose is None:
        return Escape(values, found.loss, -bits, rmse)
    held_bits, held_mv = (float(one[0]) for one in found.held_out.values())
    return Escape(values, found.loss, -bits, rmse, -held_bits, held_mv)


def binned(target: Target) -> tuple[np.ndarray, np.ndarray]:
    """Mean current and spikes of each repeat in bins of 1 ms."""
    per_bin = round(history_glm.BIN_S / target.dt_s)
    n_bins = target.n_steps // per_bin
    current = target.current_na.mean(axis=0)[: n_bins * per_bin].reshape(n_bins, per_bin).mean(axis=1)
    return current, history_glm.counts_of([sweep[0] for sweep in target.spike_times_s or ()], n_bins)


def fit_glms(cell: Cell) -> dict[str, history_glm.HistoryGlm]:
    """The history GLM and one without history."""
    current, counts = binned(cell.fitted)
    arguments = (current, counts, cell.split.train, cell.split.validation)
    return {
        "glm": history_glm.fit_glm(*arguments),
        "glm_without_history": history_glm.fit_glm(*arguments, with_history=False),
    }
