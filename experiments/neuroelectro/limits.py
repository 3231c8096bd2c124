"""The sections on what conditions do not help with, what cannot be compared, and the test folder."""

from typing import TYPE_CHECKING

import numpy as np

from experiments.neuroelectro import classify, drawing, leave_out
from experiments.neuroelectro.sections import LABELS
from experiments.neuroelectro.table import texts
from twin.report import Section, Table
from twin.report.report import Cell

if TYPE_CHECKING:
    from experiments.neuroelectro.experiment import Found


def classification(found: "Found") -> Section | None:
    """Nearest centroids, raw and adjusted."""
    if not found.classified:
        return None
    groups = [f"{one.n_types} types, {one.separation}" for one in found.classified]
    curves: dict[str, list[drawing.Bar | None]] = {model.replace("_", " "): [] for model in classify.MODELS}
    for one in found.classified:
        for model in classify.MODELS:
            value, interval = one.accuracy(model, found.seed)
            curves[model.replace("_", " ")].append((value, interval.low, interval.high))
    rows: list[tuple[Cell, ...]] = []
    for one in found.classified:
        gain, interval = one.gain("adjusted", found.seed)
        shares = [float(one.correct[model].mean()) for model in classify.MODELS]
        told = f"{gain:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]".replace("-", "−")
        rows.append((f"{one.n_types} types, {one.separation}", one.n, *shares, one.largest_share, told))
    names = [model.replace("_", " ") for model in classify.MODELS]
    columns = ("from", "rows", *names, "most frequent type", "gain of adjusting")
    text = (
        f"Nearest centroid in up to six properties, rows with {classify.LEAST_PROPERTIES} or more; types with 10 or "
        "with 6 articles and more. Scales, centroids and effects of conditions are learned without the article or lab "
        f"that is classified. {_outcome(found)} Conditions alone show what a shortcut through the method would reach."
    )
    table = Table(columns, tuple(rows))
    return Section(
        "Naming the neuron type", text, table=table, figure=drawing.bars(groups, curves, "accuracy", floor=0.0)
    )


def _outcome(found: "Found") -> str:
    gains = [one.gain(model, found.seed) for one in found.classified for model in ("adjusted", "adjusted_ridge")]
    n_better = sum(interval.low > 0 for _, interval in gains)
    if n_better:
        return f"Adjusting improves it in {n_better} of {len(gains)} comparisons (lower bound above 0)."
    return f"Adjusting improves it in none of {len(gains)} comparisons: a negative result, reported as such."


def gate(found: "Found") -> Section:
    """Islands, overlap, association and rank."""
    gate, graph = found.gate, found.gate.labs
    n_pairs, n_all = graph.comparable_pairs
    lost = ", ".join(f"{name} {count}" for name, count in gate.rank.lost.items())
    items = (
        f"{graph.n_components} connected components; the largest holds {graph.largest_share:.0%} of the rows.",
        f"{len(graph.seen_with_one)} of {len(graph.levels)} types are seen in one lab only; "
        f"{len(graph.others_seen_with_one)} of {len(graph.other_levels)} labs report one type.",
        f"{n_pairs} of {n_all} pairs of types can be compared at equal lab; {n_all - n_pairs} are refused.",
        f"Types, conditions and labs ask for {gate.rank.n_columns} coefficients and determine {gate.rank.rank}; "
        f"columns that say nothing new: {lost}.",
    )
    rows = tuple(
        (
            name.replace("_", " "),
            len(one.other_levels),
            f"{len(one.seen_with_one)} of {len(one.levels)}",
            one.n_components,
            one.smallest_cell,
            *(value if np.isfinite(value) else None for value in gate.association[name]),
        )
        for name, one in gate.factors.items()
    )
    columns = ("condition", "levels", "types with one level", "islands", "emptiest cell", "V with type", "V with lab")
    caption = "V is Cramér's, corrected for bias: 0 is no association, 1 is confounded."
    text = (
        "The difference of two types is known apart from the labs only where a chain of labs that report several types "
        "connects them. Everything else is refused, not estimated."
    )
    return Section("What can be compared", text, items, Table(columns, rows, caption), drawing.islands(graph))


def contrasts(found: "Found") -> Section | None:
    """Differences of types at equal lab, and a refused one."""
    contrasts = found.gate.contrasts
    if not contrasts:
        return None
    rows = tuple(
        (f"{one.one} less {one.two}", one.plain, one.same_lab, one.low, one.high, "refused" if one.refusal else "")
        for one in contrasts
    )
    columns = ("contrast of log10 input resistance", "labs ignored", "same lab", "low", "high", "gate")
    items = tuple(f"Refused: {one.refusal}" for one in contrasts if one.refusal)
    text = "The most reported types, with and without labs in the model, and one pair that the gate refuses."
    return Section("Contrasts of types", text, items, Table(columns, rows))


def test_folder(found: "Found") -> Section | None:
    """Rows of --test."""
    if not found.held_out:
        return None
    rows: list[tuple[Cell, ...]] = []
    by_type: list[str] = []
    known_labs = set(texts(found.selected.rows, "lab"))
    for name, one in found.held_out.items():
        n_new = sum(lab not in known_labs for lab in one.data.lab_names)
        r2 = [one.r2(model) for model in one.predicted]
        rows.append((LABELS[name], len(one.data.values), len(one.data.lab_names), n_new, *r2))
        by_type += _errors_by_type(name, one)
    columns = ("property", "rows", "labs", "new labs", "type", "+ chosen terms", "+ all conditions", "+ all, ridge")
    text = (
        "Rows of the test folder whose neuron type the data folder has, predicted from the data folder alone. Mean "
        "absolute errors of the types with three rows and more (type alone, then with all conditions): "
    )
    told = "; ".join(by_type) or "no type has three rows"
    return Section("The test folder", text + told + ".", table=Table(columns, tuple(rows)))


def _errors_by_type(name: str, one: leave_out.Predictions) -> list[str]:
    told = []
    for at, type_name in enumerate(one.data.type_names):
        rows = one.data.types == at
        if rows.sum() >= 3:
            errors = [
                np.abs(one.data.values - one.predicted[model])[rows].mean()
                for model in ("type_only", "type_and_metadata")
            ]
            told.append(f"{LABELS[name]} of {type_name} ({rows.sum()}) {errors[0]:.3g}, {errors[1]:.3g}")
    return told
