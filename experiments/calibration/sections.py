"""The sections of the page: what was fitted, traces, parameters, identifiability, features, held-out sweeps, sets."""

from typing import TYPE_CHECKING

import numpy as np

from biophys.calibrate import Fit
from biophys.calibrate.frames import JUNCTION
from experiments.calibration import drawing
from experiments.calibration.feature_table import beside
from experiments.calibration.scores import Scored, SweepScore, mean_coincidence, pooled_rmse_mv
from twin.report import Section, Table
from twin.report.report import Cell

if TYPE_CHECKING:
    from experiments.calibration.command import Found

AT_BOUND = 0.01  # of the bounds: a value nearer to one than this would rather lie beyond it


def what(found: "Found") -> Section:
    """The choices, and how the search ended."""
    fit, material = found.fit, found.material
    held = ", ".join(material.held_out.sweeps) if material.held_out else ""
    rows: tuple[tuple[Cell, ...], ...] = (
        ("recording", f"{fit.recording}, {len(material.fitted.sweeps)} sweeps fitted"),
        ("held out", f"{held} ({material.held_out_reason})" if held else material.held_out_reason),
        ("model", f"{fit.model.title} ({fit.model.source})"),
        ("objective", f"{_objective(found)} ({found.objective.reason})"),
        ("spikes", material.spikes),
        ("search", f"{found.method}; {fit.reason}"),
        ("converged", "yes" if fit.converged else "no: a larger --budget may find a better fit"),
        ("step", f"{1e3 * fit.dt_s:g} ms; the first current is held {material.settle_s:g} s before the first sample"),
        ("without a finite loss", f"{fit.nan_sets} of {len(fit.history.loss)} parameter sets, scored worst"),
    )
    return Section("What was fitted", table=Table(("", ""), rows))


def _objective(found: "Found") -> str:
    terms = found.objective.weighted.terms
    losses = found.fit.terms.items()
    return "; ".join(
        f"{name}: {loss:.4g}, weight {term.weight:.3g}" for (name, loss), term in zip(losses, terms, strict=True)
    )


def traces(found: "Found") -> list[Section]:
    """Fitted and held-out sweeps with the model's voltage over the cell's."""
    drawn = [("fitted", found.scored, _busiest(found.scored))]
    if found.other is not None:
        drawn.append(("held out", found.other, _busiest(found.other)))
    return [
        Section(f"Sweep {scored.target.sweeps[k]}, {kind}", figure=drawing.sweep(scored, k, found.fit.model.name))
        for kind, scored, k in drawn
    ]


def _busiest(scored: Scored) -> int:
    """The sweep with the median number of spikes among those that have some."""
    counts = np.array([row.n_recorded for row in scored.rows])
    some = np.flatnonzero(counts) if counts.any() else np.arange(len(counts))
    return int(some[np.argsort(counts[some], kind="stable")[len(some) // 2]])


def interval_of(fit: Fit, name: str) -> tuple[float | None, float | None]:
    """The interval of a parameter; none where it would be the range of a single set."""
    return (None, None) if fit.curvature is None and len(fit.sets) == 1 else fit.intervals[name]


def parameters(found: "Found") -> Section:
    """Values with intervals and bounds, as recorded and as corrected."""
    fit = found.fit
    rows = []
    for free in fit.space.free:
        low, high = interval_of(fit, free.name)
        value = fit.values[free.name]
        place = float(free.position_of(value))
        told = "low" if place < AT_BOUND else "high" if place > 1 - AT_BOUND else ""
        own = {key: frame.get(free.name) for key, frame in (("raw", fit.frames.raw), ("new", fit.frames.corrected))}
        rows.append(
            (free.name, free.unit, value, low, high, own["raw"], own["new"], f"{free.low:g} to {free.high:g}", told)
        )
    columns = ("parameter", "unit", "value", "low", "high", "as recorded (mV)", "corrected (mV)", "bounds", "at bound")
    removed = fit.frames.junction_potential_mv
    text = (
        f"Low and high: {fit.interval_kind}. "
        + ("" if fit.curvature is not None else "That is no confidence interval: the objective is no likelihood. ")
        + f"Potentials in both frames: {fit.frames.reason}."
        + ("" if removed is None or JUNCTION not in fit.values else " Its value was fitted.")
    )
    wide = [name for name, *_, told in rows if told]
    items = (f"At a bound, so the data would have it beyond: {', '.join(map(str, wide))}.",) if wide else ()
    return Section("Parameters", text, items, Table(columns, tuple(rows)))


def identifiability(found: "Found") -> Section:
    """The curvature, or why there is none."""
    fit = found.fit
    if fit.curvature is None:
        text = (
            "The objective is a weighted sum in different units and no likelihood, so there is no posterior to show. "
            "Fit the voltage alone (--objective trace) for intervals of the parameters that shape it; the equally good "
            "sets below show what this objective leaves open."
        )
        return Section("Identifiability", text)
    undecided = ", ".join(fit.curvature.undecided) or "none"
    text = (
        "The Laplace approximation of the posterior at its mode: eigenvalues of the observed information on the scale "
        f"between the bounds. Parameters that these sweeps leave undecided: {undecided}."
    )
    names, rows = fit.space.names, []
    directions = zip(fit.curvature.spectrum, fit.curvature.directions, strict=True)
    for number, (value, direction) in enumerate(directions, start=1):
        order = np.argsort(-np.abs(direction))[:3]
        rows.append((f"{number}", float(value), ", ".join(f"{names[i]} {direction[i]:+.2f}" for i in order)))
    table = Table(("direction", "eigenvalue", "its largest parts"), tuple(rows))
    return Section("Identifiability", text, table=table, figure=drawing.spectrum(fit))


def features(found: "Found") -> Section:
    """eFEL's features of cell and model beside each other."""
    table, text = beside(found)
    return Section("Features", text, table=table)


def sweep_scores(found: "Found") -> Section:
    """Every sweep, fitted and held out."""
    rows: list[tuple[Cell, ...]] = []
    groups = [("fitted", found.scored.rows)]
    if found.other is not None:
        groups += [("held out", found.other.rows), ("held out", found.other.nearest)]
    for kind, swept in groups:
        rows += [_row(kind, row) for row in swept]
        if len(swept) > 1:
            whole = (None, None, _known(mean_coincidence(swept)), _known(pooled_rmse_mv(swept)))
            rows.append((f"all {kind}", swept[0].model, *whole))
    columns = ("sweep", "model", "spikes, cell", "spikes, model", "coincidence, 4 ms", "voltage error (mV)")
    text = (
        "nearest_sweep is the recorded response to the most similar fitted current, which a model should beat. The "
        "voltage error leaves out 2 ms before to 5 ms after each recorded spike"
        + (", at which the model is reset." if found.fit.model.reset else ".")
    )
    return Section("Sweep by sweep", text, table=Table(columns, tuple(rows)))


def _row(kind: str, row: SweepScore) -> tuple[Cell, ...]:
    counts = (row.n_recorded, row.n_model)
    return (f"{row.sweep}, {kind}", row.model, *counts, _known(row.coincidence), _known(row.rmse_mv))


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def good_sets(found: "Found") -> list[Section]:
    """Several equally good parameter sets, which may differ where nothing was recorded."""
    fit = found.fit
    held = [f"{name}, held out" for name in fit.held_out]
    rows = tuple(
        (
            f"set {k + 1}",
            float(fit.set_losses[k]),
            *(_known(loss[k]) for loss in fit.held_out.values()),
            *map(float, fit.sets[k]),
        )
        for k in range(len(fit.sets))
    )
    columns = ("", "loss", *held, *(f"{one.name} ({one.unit})" for one in fit.space.free))
    text = (
        "Parameter sets whose loss is within 2 % of the lowest and that differ by more than 2 % of the bounds: "
        + (
            f"{len(fit.sets)}. "
            if len(fit.sets) > 1
            else "only the best one was found; more --restarts may find others. "
        )
        + "Try a perturbation on all of them: they may answer differently."
    )
    sections = [Section("Equally good sets", text, table=Table(columns, rows), figure=drawing.good_sets(fit))]
    scored = found.other or found.scored
    k = _busiest(scored)
    if scored.rows[k].n_recorded:
        name = scored.target.sweeps[k]
        figure = drawing.spike_rasters(scored, k, fit.model.name)
        sections.append(Section(f"Spikes of each set, sweep {name}", figure=figure))
    return sections


def course(found: "Found") -> Section:
    """Loss against simulations."""
    history = found.fit.history
    text = f"{len(history.loss)} simulations in {history.wall_s:.0f} s" + (
        f", of which {history.resumed} were taken over from an earlier run." if history.resumed else "."
    )
    return Section("The search", text, figure=drawing.history(found.fit))
