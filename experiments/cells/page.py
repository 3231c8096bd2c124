"""The report of the experiment: its summary and sections."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table as ConsoleTable

from biophys.features import STEP_FEATURES
from biophys.models import ALL as MODELS
from experiments.cells.fitting import INTERPOLATED, NEAREST
from experiments.cells.tolerance import NAMES, PUBLISHED
from experiments.cells.verdicts import NOTES, claims, counts, scores, share, splits
from twin import provenance
from twin.datasets import ALL
from twin.report import Figure, Report, Section, Table, canvas
from twin.report.report import Cell
from twin.report.style import MUTED, drawing, looks, to_svg

if TYPE_CHECKING:
    from experiments.cells.experiment import Done, Found


def compose(found: "Found", *, command: str, inputs: Mapping[str, str]) -> Report:
    """The report."""
    return Report(
        name="cells",
        title=f"Current steps that were held out: {found.dataset}",
        summary=_summary(found),
        versions=provenance.versions(),
        command=command,
        seed=found.seed,
        claims=[claim.as_row() for claim in claims(found)],
        scores=scores(found),
        sections=(
            _material(found),
            _fits(found),
            _tolerances(found),
            *((_by_cell(found), _by_feature(found)) if _is_scored(found) else ()),
            *_curves(found),
        ),
        inputs=inputs,
        metric_notes=NOTES,
    )


def _summary(found: "Found") -> str:
    parts = []
    for split in splits(found):
        shown = {model: counted for model in (*found.models, INTERPOLATED) if (counted := counts(found, split, model))}
        if shown:
            told = ", ".join(f"{model} {share(one, found.seed)[0]:.0%}" for model, one in shown.items())
            where = "the test folder" if split == "test" else "--data"
            parts.append(f"of the features of held-out amplitudes in {where}, within two deviations: {told}")
    return ("; ".join(parts) or "No cell has an amplitude to hold out, so nothing could be predicted") + "."


def _is_scored(found: "Found") -> bool:
    return any(counts(found, split, NEAREST) for split in splits(found))


def _material(found: "Found") -> Section:
    rows = []
    for done in found.done:
        cell = done.cell
        held = cell.rows(held_out=True)
        rows.append(
            (
                f"{cell.name} ({done.split})",
                len(cell.rows(held_out=False)),
                len(held),
                ", ".join(f"{1e3 * cell.steps[row].height_na:.0f}" for row in held) or "none: one amplitude",
                done.deviation_from,
                len(cell.dropped),
            )
        )
    items = [f"{name} was left out: {reason}." for name, reason in found.left_out.items()]
    items += [
        f"{done.cell.name}, sweep {sweep}: {reason}."
        for done in found.done
        for sweep, reason in done.cell.dropped.items()
    ]
    text = (
        f"{ALL[found.dataset].title}. Cite: {ALL[found.dataset].citation}. Every third amplitude from the second on is "
        "held out, among those with spikes and those without; up to eight of the others are fitted. A cell's "
        "parameters are its own, so each cell of a test folder is fitted on its own fitted amplitudes too. Voltages "
        "are as they were recorded; currents are counted from what flowed before the step, so that the resting "
        "potential of a fit is that at the holding current."
    )
    columns = ("cell", "fitted sweeps", "held-out sweeps", "held-out steps (pA)", "deviations", "sweeps dropped")
    return Section("Cells", text, tuple(items), Table(columns, tuple(rows)))


def _fits(found: "Found") -> Section:
    fits = [(done, one, one.fit) for done in found.done for one in done.predicted if one.fit is not None]
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            f"{done.cell.name} ({done.split})",
            one.model,
            len(fit.values),
            len(fit.history.loss),
            "yes" if fit.converged else "no",
            fit.loss,
        )
        for done, one, fit in fits
    )
    text = (
        "One deterministic model that spikes by itself, fitted by CMA-ES to the features that are scored, of the "
        "fitted sweeps: the sum of ln(1 + (z/2)^2), where z is the distance in the deviations below, and the same of "
        "the voltage on the way to the first spike. Parameters have wide priors around the model's own values, which "
        "hold what a cell with one or two fitted sweeps leaves open. Nothing was chosen by held-out sweeps: model, "
        "objective and priors were chosen by leaving out some of the fitted amplitudes (docs/cells.md)."
    )
    columns = ("cell", "model", "free parameters", "simulations", "converged", "loss with priors")
    items = tuple(f"{name}: {MODELS[name].title}; {MODELS[name].source}." for name in found.models)
    return Section("Models and fits", text, items, Table(columns, rows))


def _tolerances(found: "Found") -> Section:
    rows = tuple((name, STEP_FEATURES[name].unit, PUBLISHED[name].source) for name in NAMES)
    repeats = [done.cell.name for done in found.done if done.deviation_from == "trial to trial"]
    told = ", ".join(repeats) or "no cell here"
    text = (
        "A feature is met within two standard deviations of the cell's own. Where a cell has repeats of three "
        f"amplitudes or more ({told}), the deviation is that from trial to trial, pooled. Elsewhere there is none to "
        "measure, and it is a published one, from cell to cell of one type, which is the wider of the two. Features of "
        "the action potential's shape are left out, because models that are reset have none; a steady "
        "voltage counts in sweeps without spikes."
    )
    return Section("What counts as met", text, table=Table(("feature", "unit", "deviation without repeats"), rows))


def _models(found: "Found") -> tuple[str, ...]:
    return (*found.models, NEAREST, INTERPOLATED)


def _by_cell(found: "Found") -> Section:
    rows: list[tuple[Cell, ...]] = []
    for split in splits(found):
        by_model = {model: {one.cell: one for one in counts(found, split, model)} for model in _models(found)}
        for name in by_model[NEAREST]:
            parts = [by_model[model][name].total for model in _models(found)]
            rows.append((f"{name} ({split})", parts[0][1], *(met / of for met, of in parts)))
    columns = ("cell", "features held out", *_models(found))
    text = (
        "Share of the features of held-out amplitudes within two deviations. nearest_amplitude has the features of the "
        "nearest fitted step, interpolated those on the line between the fitted steps on either side."
    )
    return Section("Cell by cell", text, table=Table(columns, tuple(rows)))


def _by_feature(found: "Found") -> Section:
    rows: list[tuple[Cell, ...]] = []
    for name in NAMES:
        parts = []
        for model in _models(found):
            counted = [one for split in splits(found) for one in counts(found, split, model)]
            met, of = sum(one.met[name] for one in counted), sum(one.of[name] for one in counted)
            parts.append((met, of))
        if parts[0][1]:
            rows.append((name, parts[0][1], *(met / of for met, of in parts)))
    return Section("Feature by feature", table=Table(("feature", "sweeps held out", *_models(found)), tuple(rows)))


def _curves(found: "Found") -> list[Section]:
    return [
        Section(f"{done.cell.name}: spikes against current", figure=_curve(done, found.models))
        for done in found.done
        if len(np.unique(done.cell.amplitude)) > 1
    ]


def _curve(done: "Done", models: tuple[str, ...]) -> Figure:
    """Spike number against the step's height: the cell in ink, fitted sweeps as points and held-out ones ringed."""
    heights = 1e3 * np.array([step.height_na for step in done.cell.steps])
    look, name = looks(["recorded", *models]), "spike_count_stimint"
    with drawing():
        figure, axes = canvas.single(2.8)
        own = np.array([values[name] or 0.0 for values in done.features])
        axes.plot(heights, own, "o", color=look["recorded"].colour, label="recorded")
        held = done.cell.rows(held_out=True)
        axes.plot(heights[held], own[held], "o", markersize=10, markerfacecolor="none", color=MUTED, label="held out")
        for one in done.predicted:
            if one.fit is None:
                continue
            rows = sorted({**one.fitted, **one.held_out}, key=lambda row: heights[row])
            values = [{**one.fitted, **one.held_out}[row][name] or 0.0 for row in rows]
            own_look = look[one.model]
            axes.plot(
                heights[rows],
                values,
                color=own_look.colour,
                marker=own_look.marker,
                linestyle=own_look.dashes,
                markersize=3,
                linewidth=1.0,
                label=one.model,
            )
        axes.set(xlabel="step (pA)", ylabel="spikes within the step")
        canvas.legend(figure, axes)
        svg = to_svg(figure)
    alt = f"{done.cell.name} has {own.min():g} to {own.max():g} spikes for steps of {heights.min():.0f} to "
    return Figure(svg, alt + f"{heights.max():.0f} pA.", "Ringed sweeps were held out.")


def print_scores(found: "Found", console: Console) -> None:
    """The table that ends the experiment."""
    table = ConsoleTable("features within 2 SD", *_models(found), box=None)
    for split in splits(found):
        counted = [counts(found, split, model) for model in _models(found)]
        if counted[0]:
            table.add_row(split, *(f"{share(one, found.seed)[0]:.2f}" for one in counted))
    console.print(table if table.row_count else _summary(found))
