"""The report of the experiment: what a reader is told, in which order, with which figures."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table as ConsoleTable

from experiments.choice.regression import LAGS
from experiments.choice.scoring import ACCURACY, BITS, POOLED_BITS, Scored, Value
from experiments.choice.verdicts import claims
from twin import provenance
from twin.report import MetricNote, Report, Section, Table, figures
from twin.report.report import Cell

if TYPE_CHECKING:
    from experiments.choice.experiment import Found

NOTES = {
    BITS: MetricNote(
        "Bits per choice",
        "Log-likelihood of a choice beyond that of the subject's own base rate. 0 is no better than it.",
        "higher",
    ),
    POOLED_BITS: MetricNote(
        "Bits per choice over the pooled rate",
        "The same beyond the base rate of all subjects together, so that knowing who it is counts too.",
        "higher",
    ),
    ACCURACY: MetricNote("Accuracy", "Share of the choices that were the likelier ones.", "higher"),
}
TOLD = {
    "surrogate": "everything",
    "without_task": "trained without what the task gives",
    "without_history": "trained without earlier trials",
    "without_both": "trained without either: trial number and subject alone",
    "task_replaced": "trained with everything, shown another trial's task",
    "history_replaced": "trained with everything, shown other trials as its past",
    "both_replaced": "both of these",
    "logistic": "logistic regression, a subject each",
    "logistic_without_task": "the same without what the task gives",
    "logistic_without_history": "the same without earlier trials",
    "learner": "learner fitted to each subject",
    "ceiling": "the learner that made the choices",
    "base_rate": "each subject's base rate",
    "pooled_base_rate": "base rate of all subjects",
    "average_subject": "surrogate, as the average subject",
    "adapted": "surrogate, readout adapted",
    "logistic_of_the_others": "logistic regression of the other subjects",
}
AUDITED = ("surrogate", "without_task", "without_history", "without_both", "task_replaced", "history_replaced",
           "both_replaced")  # fmt: skip
CLASSICAL = ("logistic", "logistic_without_task", "logistic_without_history", "learner", "ceiling")


def compose(found: "Found", *, command: str, inputs: Mapping[str, str]) -> Report:
    """The report."""
    made = [_data(found), _held_out(found), _audit(found), _new(found), _planted(found), _limits(found)]
    return Report(
        name="choice",
        title="Choices of many subjects, with a shortcut audit",
        summary=_summary(found),
        versions=provenance.versions(),
        command=command,
        seed=found.seed,
        claims=[claim.as_row() for claim in claims(found)],
        scores=[row for one in found.scored for row in rows(one)],
        sections=tuple(section for section in made if section is not None),
        inputs=inputs,
        metric_notes=NOTES,
    )


def rows(scored: Scored) -> list[dict[str, str | int | float | None]]:
    """Rows of the table of scores."""
    made = []
    for (model, metric), one in scored.table.items():
        low, high = (None if edge != edge else edge for edge in (one.interval.low, one.interval.high))
        place = {"split": "test", "condition": scored.group.name, "model": model, "metric": metric}
        made.append({**place, "value": one.value, "low": low, "high": high, "n": one.interval.n,
                     "unit": one.interval.unit})  # fmt: skip
    return made


def _summary(found: "Found") -> str:
    parts = []
    if found.known is not None:
        table = found.known.table
        whole = table["surrogate", BITS].value
        parts.append(f"the surrogate explains {whole:.3f} bits per choice beyond the base rate of held-out sessions")
        if ("ceiling", BITS) in table:
            parts.append(f"{whole / table['ceiling', BITS].value:.1%} of what the true learner does")
        left = [table[name, BITS].value for name in ("without_task", "without_history", "without_both")]
        parts.append(
            f"{left[0]:.3f} are left without the task, {left[1]:.3f} without the past and {left[2]:.3f} without both"
        )
    if found.zero_shot is not None and found.adapted:
        start, end = (
            found.zero_shot.table["average_subject", BITS].value,
            found.adapted[-1].table["adapted", BITS].value,
        )
        parts.append(f"new subjects go from {start:.3f} as the average one to {end:.3f} adapted")
    return "; ".join(parts)[:1].upper() + "; ".join(parts)[1:] + "."


def _data(found: "Found") -> Section:
    corpus = found.corpus
    known, new = corpus.known, corpus.new
    counts = [len(session) for one in (*known, *new) for session in one.every]
    columns = ", ".join(corpus.columns) or "none: what the task gives are the outcomes"
    made = "simulated, with the chance of every choice" if corpus.is_simulated else "given without a generator"
    text = (
        f"{len(known) + len(new)} subjects, {len(counts)} sessions of {min(counts)} to {max(counts)} trials, {made}. "
        f"{len(known)} subjects are fitted and {len(new)} are new; {corpus.history}. Columns of the task: {columns}."
    )
    return Section("The choices", text)


def _cells(scored: Scored, models: tuple[str, ...]) -> tuple[tuple[Cell, ...], ...]:
    made = []
    for model in (one for one in models if (one, BITS) in scored.table):
        bits, hits = scored.table[model, BITS], scored.table[model, ACCURACY]
        made.append((model, TOLD[model], bits.value, _span(bits), hits.value))
    return tuple(made)


HEADS = ("model", "what it is", "bits per choice", "95 %", "accuracy")


def _span(one: Value) -> str:
    return f"{one.interval.low:.3f} to {one.interval.high:.3f}"


def _held_out(found: "Found") -> Section | None:
    if found.known is None:
        return None
    models = ("surrogate", "logistic", "learner", "ceiling", "base_rate", "pooled_base_rate")
    text = (
        f"Sessions of fitted subjects that nothing was fitted to. The regression sees the last {LAGS} choices and "
        "outcomes; the learner has values with a learning rate, a trace of its own choices and lapses, fitted to each "
        "subject by maximum likelihood. Intervals resample sessions."
    )
    drawn = figures.score_strip(rows(found.known), [BITS, ACCURACY], [one for one in models if one in TOLD])
    return Section("Held-out sessions", text, table=Table(HEADS, _cells(found.known, models)), figure=drawn)


def _audit(found: "Found") -> Section | None:
    if found.known is None:
        return None
    text = (
        "What the task gives are its columns in this trial and earlier ones, and the outcomes; history is everything "
        "before this trial. A surrogate is trained again without either, and the full one is shown something else "
        "instead. What history alone explains is no shortcut where blocks make the past informative: the regression "
        "without the task says how much that is. What is left without both would be one."
    )
    names = (*AUDITED, *CLASSICAL)
    drawn = figures.score_strip(rows(found.known), [BITS], [one for one in names if (one, BITS) in found.known.table])
    heads = (*HEADS, "share of the skill")
    whole = found.known.table["surrogate", BITS].value
    table = tuple(
        (*cells, found.known.table[str(cells[0]), BITS].value / whole if whole else None)
        for cells in _cells(found.known, names)
    )
    return Section("The audit: what is it that predicts?", text, table=Table(heads, table), figure=drawn)


def _new(found: "Found") -> Section | None:
    if found.zero_shot is None or not found.adapted:
        return None
    counts = [int(one.group.name.split("_")[-2]) for one in found.adapted]
    text = (
        f"{len(found.corpus.new)} subjects of whom no weight knows anything. The surrogate answers as its average "
        "subject; then only a readout is fitted to their first sessions, and a regression and a learner of their own "
        "are fitted to the same sessions. Scored are their last sessions; intervals resample subjects."
    )
    table = [*_cells(found.zero_shot, ("average_subject", "logistic_of_the_others", "pooled_base_rate"))]
    for n, one in zip(counts, found.adapted, strict=True):
        for cells in _cells(one, ("adapted", "logistic", "learner", "ceiling")):
            table.append((f"{cells[0]}, {n}", *cells[1:]))
    names = [
        one for one in ("adapted", "logistic", "learner", "ceiling") if (one, POOLED_BITS) in found.adapted[0].table
    ]
    curves = {}
    for name in names:
        values = [one.table[name, POOLED_BITS] for one in found.adapted]
        edges = [[getattr(one.interval, side) for one in values] for side in ("low", "high")]
        curves[name] = (np.array([one.value for one in values]), np.array(edges[0]), np.array(edges[1]))
    start = found.zero_shot.table["average_subject", POOLED_BITS]
    flat = np.full(len(counts), start.value)
    curves["average subject"] = (flat, flat, flat)
    drawn = figures.dose_response(counts, curves, "sessions adapted to", "bits per choice over the pooled rate")
    return Section("New subjects", text, table=Table(HEADS, tuple(table)), figure=drawn)


def _planted(found: "Found") -> Section | None:
    if not found.planted:
        return None
    text = (
        f"In two copies of the choices {found.share:.0%} follow something that is neither task nor history, and the "
        "surrogate without both is trained on them: in one, blocks of trials that are the same in every session; in "
        "the other, who it is. An audit that did not see these would not see a shortcut in the data either."
    )
    table = []
    for kind, one in found.planted.items():
        for metric in (BITS, POOLED_BITS):
            clean = found.known.table["without_both", metric].value if found.known else None
            value = one.table["without_both", metric]
            table.append((kind.replace("_", " "), NOTES[metric].label, clean, value.value, _span(value)))
    heads = ("planted", "metric", "in the data", "in the copy", "95 %")
    return Section("Planted shortcuts", text, table=Table(heads, tuple(table)))


def _limits(found: "Found") -> Section:
    items = ["Two options only, and trials without a choice are left out by whoever writes the file."]
    if found.corpus.is_simulated:
        items.insert(0, "Simulated learners: nothing here says how well choices of animals or people are predicted.")
        items.append("The fitted learner has the form that made the choices; for real subjects nobody knows that form.")
    return Section("What this does not say", items=tuple(items))


def print_scores(found: "Found", console: Console) -> None:
    """The table that ends the experiment."""
    table = ConsoleTable("condition", "model", "bits/choice", "accuracy", box=None)
    for one in found.scored:
        for model in dict.fromkeys(name for name, _ in one.table):
            bits, hits = one.table[model, BITS], one.table[model, ACCURACY]
            table.add_row(one.group.name, model, f"{bits.value:.4f} [{_span(bits)}]", f"{hits.value:.3f}")
    console.print(table)
