"""The sections on what conditions explain: stepwise models, adjusted values, junction potential, new labs."""

from typing import TYPE_CHECKING

import numpy as np

from experiments.neuroelectro import drawing, leave_out
from experiments.neuroelectro.table import PROPERTIES, texts
from twin.report import Section, Table
from twin.report.report import Cell

if TYPE_CHECKING:
    from experiments.neuroelectro.experiment import Found

LABELS = {one.name: one.label for one in PROPERTIES}
_SHOWN_TYPES = 5


def selection(found: "Found") -> Section:
    """Which rows, and why the others are left out."""
    rows = found.selected.rows
    n = {name: len(set(texts(rows, name))) for name in ("neuron_type", "lab", "article")}
    states, counts = np.unique(texts(rows, "junction_potential"), return_counts=True)
    reported = ", ".join(f"{state.lower()} {count}" for state, count in zip(states, counts, strict=True))
    text = (
        f"{rows.sizes['row']} rows of {n['neuron_type']} neuron types, {n['lab']} labs (last authors) and "
        f"{n['article']} articles, selected and transformed as in Tripathy et al. 2015 (J. Neurophysiol. 113:3474). "
        f"Junction potential: {reported}; what is not reported is a level of its own. A rise from 48 to 81 % in the "
        "classification of types has been reported for metadata modelling; its protocol was not available, so it is "
        "not reproduced here, and the classification below is our own protocol."
    )
    table = Table(("left out because", "rows"), tuple(found.selected.dropped))
    missing = int((~np.isfinite(rows["temperature"].values)).sum())
    items = (f"{missing} rows without a temperature count as having the mean one.",) if missing else ()
    return Section("What was analysed", text, items, table)


def models(found: "Found") -> Section:
    """Adjusted R2 of the stepwise models and their terms."""
    rows = []
    for name, (n, r2) in found.adjusted_r2.items():
        chosen, pruned = found.chosen[name], found.pruned[name]
        rows.append(
            (
                LABELS[name],
                n,
                r2["type_only"],
                r2["type_and_chosen_terms"],
                _terms(chosen.terms),
                r2["type_and_pruned_terms"],
                _terms(pruned.terms),
            )
        )
    columns = ("property", "rows", "type only", "grown", "its terms", "pruned", "its terms ")
    text = (
        "Stepwise linear models above the neuron type by the Bayesian information criterion, on all rows: adjusted R². "
        "Grown models start from the type alone, pruned ones from all terms (as the authors' do; for thresholds with "
        "the squares of log age and temperature). Where the two end at different terms, the criterion hardly "
        "distinguishes them. The grown models make the adjusted values."
    )
    return Section("How much conditions explain", text, table=Table(columns, tuple(rows)))


def _terms(terms: tuple[str, ...]) -> str:
    return ", ".join(term.replace("_", " ") for term in terms) or "none"


def adjusted(found: "Found") -> Section | None:
    """Raw beside adjusted values of the most reported types."""
    name, unit = "input_resistance", "input resistance (MΩ)"
    if name not in found.chosen:
        return None
    types, raw = texts(found.selected.rows, "neuron_type"), found.selected.rows[name].values
    adjusted = found.adjusted(name)
    known = np.isfinite(raw)
    names, counts = np.unique(types[known], return_counts=True)
    most = names[np.argsort(-counts, kind="stable")][:_SHOWN_TYPES]
    values = {one: (raw[known & (types == one)], adjusted[known & (types == one)]) for one in most.tolist()}
    rows = tuple(
        (one, len(a), float(a.std(ddof=1)), float(b.std(ddof=1))) for one, (a, b) in values.items() if len(a) > 1
    )
    text = (
        "The adjusted value is the residual plus the prediction at the most frequent and mean conditions: "
        f"{_reference(found)}. Every value stays beside its raw one in results.zarr."
    )
    table = Table(("neuron type", "rows", "SD raw (decades)", "SD adjusted (decades)"), rows)
    return Section("Raw and adjusted values", text, table=table, figure=drawing.raw_and_adjusted(values, unit))


def _reference(found: "Found") -> str:
    coding = found.coding
    levels = [f"{factor.replace('_', ' ')} {names[0].lower()}" for factor, names in coding.levels.items()]
    return ", ".join([*levels, f"{10 ** coding.centre['log_age']:.0f} days", f"{coding.centre['temperature']:.1f} °C"])


def junction(found: "Found") -> Section | None:
    """Shifts of potentials that were not corrected."""
    shown = [one for one in found.junction.shifts if np.isfinite(one.value_mv)]
    if not shown:
        return None
    rows = tuple(
        (
            one.property.replace("_", " "),
            one.contrast.lower(),
            one.held_equal,
            one.value_mv,
            f"{one.interval.low:.1f} to {one.interval.high:.1f}".replace("-", "−"),
            f"{one.p:.2g}",
            one.n,
            one.n_types,
        )
        for one in shown
    )
    columns = (
        "potential",
        "state",
        "at equal",
        "shift (mV)",
        "95 % over labs",
        "p of t test",
        "rows",
        "types with both",
    )
    text = (
        "A recorded potential is too positive by the junction potential (V_m = V_recorded − V_L, some +10 to +15 mV "
        "for potassium gluconate in the pipette), so what was not corrected should lie above what was. Effects are "
        "differences within a neuron type. Intervals draw labs, the t test takes rows as independent; where the two "
        "disagree, believe the interval."
    )
    items = tuple(
        f"{one.property.replace('_', ' ').capitalize()}: the size of the stated offset subtracted from {one.n} "
        f"uncorrected rows takes their shift from {_mv(one.before_mv)} to {_mv(one.after_mv)} "
        f"[{_mv(one.after.low)}, {_mv(one.after.high)}]."
        for one in found.junction.subtractions
    )
    figure = drawing.junction_shifts(found.junction)
    return Section("Junction potential", text, items, Table(columns, rows), figure)


def _mv(value: float) -> str:
    return f"{value:+.1f} mV".replace("-", "−")


def new_lab(found: "Found") -> Section | None:
    """R2 of labs that were left out."""
    if not found.left_out:
        return None
    curves: dict[str, list[drawing.Bar | None]] = {}
    for model in ("type_only", "type_and_metadata", "type_and_metadata_ridge"):
        curves[model.replace("_", " ")] = [_bar(one, model, found.seed) for one in found.left_out.values()]
    figure = drawing.bars([LABELS[name] for name in found.left_out], curves, "R², lab left out", floor=-0.8)
    rows: list[tuple[Cell, ...]] = []
    for name, one in found.left_out.items():
        r2 = [one.r2(model) for model in leave_out.MODELS]
        rows.append((LABELS[name], len(one.data.values), len(one.data.lab_names), *r2, _spread(found.null[name])))
    columns = (
        "property",
        "rows",
        "labs",
        "type",
        "+ chosen terms",
        "+ all conditions",
        "+ all, ridge",
        "gain if permuted",
    )
    text = (
        "Every lab is predicted from all the others; types that two labs or more have measured. R² is relative to the "
        "mean of the training labs. As a null, all conditions change places between rows together: the gain is then "
        "below zero, the price of coefficients that say nothing. A condition whose effect the other labs cannot show, "
        "because no type has it beside another one, counts as the most frequent condition."
    )
    return Section("A lab that was left out", text, table=Table(columns, tuple(rows)), figure=figure)


def _bar(predictions: leave_out.Predictions, model: str, seed: int) -> drawing.Bar:
    interval = predictions.interval(model, seed)
    bounds = (interval.low, interval.high) if np.isfinite(interval.low) else (None, None)
    return predictions.r2(model), *bounds


def _spread(gains: np.ndarray) -> str:
    return f"{gains.mean():+.2f} ± {gains.std(ddof=1):.2f}".replace("-", "−")


def ladder(found: "Found") -> Section | None:
    """None, lab, conditions and both, with the lab known and new."""
    shown = [name for name in ("input_resistance", "spike_threshold") if name in found.ladders]
    if not shown:
        return None
    groups = list(leave_out.LADDER.values())
    curves: dict[str, list[drawing.Bar | None]] = {
        f"{LABELS[name]}, {separation} left out": [_bar(one, model, found.seed) for model in leave_out.LADDER]
        for name in shown
        for separation, one in ((key.removeprefix("other "), value) for key, value in found.ladders[name].items())
    }
    n = ", ".join(f"{LABELS[name]} {int(found.ladders[name]['other lab'].scored.sum())}" for name in shown)
    text = (
        "Does it pay to know the lab, or its conditions? The same rows twice: predicted while another article of the "
        "lab is known, and with the whole lab left out. The identity of a lab can help in the first case only; "
        f"conditions carry over to a new lab. Rows of labs with two articles or more: {n}."
    )
    return Section("None, lab, conditions", text, figure=drawing.bars(groups, curves, "R² left out", floor=-0.8))
