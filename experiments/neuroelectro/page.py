"""The report of the experiment: its summary, the order of its sections, and the table that ends it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table as ConsoleTable

from experiments.neuroelectro import limits, sections
from experiments.neuroelectro.sections import LABELS
from experiments.neuroelectro.verdicts import NOTES, claims, scores
from twin import provenance
from twin.report import MetricNote, Report, Section

if TYPE_CHECKING:
    from experiments.neuroelectro.experiment import Found


def compose(found: "Found", *, seed: int, command: str, inputs: Mapping[str, str]) -> Report:
    """The report."""
    return Report(
        name="neuroelectro",
        title="What recording conditions explain of published neuron properties",
        summary=_summary(found),
        versions=provenance.versions(),
        command=command,
        seed=seed,
        claims=[claim.as_row() for claim in claims(found)],
        scores=scores(found),
        sections=tuple(section for section in _sections(found) if section is not None),
        inputs=inputs,
        metric_notes=_notes(found),
    )


def _summary(found: "Found") -> str:
    parts = []
    for name, predictions in found.left_out.items():
        if name in ("input_resistance", "spike_threshold"):
            r2 = [predictions.r2(model) for model in ("type_only", "type_and_metadata")]
            parts.append(f"R² of {LABELS[name]} in a lab that was left out goes from {r2[0]:.2f} to {r2[1]:.2f}")
    shift = found.junction.shift("spike_threshold")
    if np.isfinite(shift.value_mv):
        parts.append(f"thresholds that were not corrected for the junction potential lie {shift.value_mv:+.1f} mV off")
    graph = found.gate.labs
    parts.append(f"types and labs fall into {graph.n_components} islands, between which nothing can be contrasted")
    return "With recording conditions beside the neuron type: " + "; ".join(parts) + "."


def _sections(found: "Found") -> list[Section | None]:
    return [
        sections.selection(found),
        sections.models(found),
        sections.adjusted(found),
        sections.junction(found),
        sections.new_lab(found),
        sections.ladder(found),
        limits.classification(found),
        limits.gate(found),
        limits.contrasts(found),
        limits.test_folder(found),
    ]


def _notes(found: "Found") -> dict[str, MetricNote]:
    text = "Share of rows whose neuron type is the one with the nearest centroid."
    named = {one.n_types: MetricNote(f"Accuracy, {one.n_types} types", text, "higher") for one in found.classified}
    return NOTES | {f"accuracy_{n_types}_types": note for n_types, note in named.items()}


def print_scores(found: "Found", console: Console) -> None:
    """The table that ends the experiment."""
    models = {"type_only": "type", "type_and_metadata": "+ conditions", "type_and_metadata_ridge": "+ ridge"}
    shown = found.left_out if found.held_out is None else found.held_out
    title = "R2, lab left out" if found.held_out is None else "R2, test folder"
    table = ConsoleTable(title, "rows", *models.values(), box=None)
    for name, one in shown.items():
        table.add_row(LABELS[name], str(len(one.data.values)), *(f"{one.r2(model):.2f}" for model in models))
    console.print(table)
