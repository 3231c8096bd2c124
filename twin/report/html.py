"""The page: one HTML file that opens offline and asks for nothing from anywhere.

This module decides what is said and the template where it stands. The template escapes every text.
"""

import importlib.resources
import re
from collections.abc import Mapping, Sequence
from typing import Any

from twin.report.numbers import format_measure, format_number, format_setting
from twin.report.report import Figure, Report, Section, Table, as_dict
from twin.report.vocabulary import CEILING, LEVELS, METRICS, MODELS, SPLITS, VERDICTS, MetricNote

Row = Mapping[str, Any]

_SYMBOLS = {"pass": "✓", "fail": "✗", "not_testable": "○"}


def render(report: Report) -> str:
    """The page of a report, as HTML.

    Raises:
        InputError: a claim or score does not follow the schema; see `twin.report.check.validate`.
    """
    import jinja2

    document = as_dict(report)
    notes = {**METRICS, **report.metric_notes}
    told = {**MODELS, **report.model_notes}
    claims, scores = document["claims"], document["scores"]
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source = (importlib.resources.files("twin.report") / "templates" / "report.html.j2").read_text("utf-8")
    return environment.from_string(source).render(
        report=report,
        document=document,
        counts=[{**_badge(verdict), "count": _count(claims, verdict)} for verdict in VERDICTS],
        ladder=[
            {"level": level, "title": title, "claims": [_claim(claim) for claim in claims if claim["level"] == level]}
            for level, title in LEVELS.items()
        ],
        score_tables=_score_tables(scores, notes),
        metrics=[_metric(metric, notes) for metric in _ordered_metrics(scores)],
        models=[(model, told[model]) for model in _unique(scores, "model") if model in told],
        sections=[_section(section, f"section-{index}") for index, section in enumerate(report.sections, start=1)],
        not_testable=[
            {**claim, "name": _spoken(claim["name"])} for claim in claims if claim["verdict"] == "not_testable"
        ],
    )


def _count(claims: Sequence[Row], verdict: str) -> int:
    return sum(claim["verdict"] == verdict for claim in claims)


def _badge(verdict: str) -> dict[str, Any]:
    return {"kind": verdict, "symbol": _SYMBOLS[verdict], "word": VERDICTS[verdict]}


def _claim(claim: Row) -> dict[str, Any]:
    figure, interval = format_measure(claim["figure"], claim["low"], claim["high"])
    facts = [
        ("margin", None if claim["margin"] is None else format_setting(claim["margin"])),
        ("n", None if claim["n"] is None else format_number(claim["n"])),
        ("unit", claim["unit"]),
        ("separation", claim["separation"]),
    ]
    return {
        "badge": _badge(claim["verdict"]),
        "name": _spoken(claim["name"]),
        "figure": "" if claim["figure"] is None else figure,
        "interval": interval,
        "facts": [(label, value) for label, value in facts if value],
        "reason": claim["reason"],
    }


def _score_tables(scores: Sequence[Row], notes: Mapping[str, MetricNote]) -> list[dict[str, Any]]:
    """One table for each split and condition, the test split first; rows are models, columns metrics."""
    groups: dict[tuple[str, str | None], list[Row]] = {}
    for split in SPLITS:
        for score in scores:
            if score["split"] == split:
                groups.setdefault((split, score["condition"]), []).append(score)
    return [
        {"title": SPLITS[split] + (f", {condition.replace('_', ' ')}" if condition else ""), **_pivot(rows, notes)}
        for (split, condition), rows in groups.items()
    ]


def _pivot(rows: Sequence[Row], notes: Mapping[str, MetricNote]) -> dict[str, Any]:
    metrics, models = _ordered_metrics(rows), _unique(rows, "model")
    columns = [_column([row for row in rows if row["metric"] == metric], notes) for metric in metrics]
    return {
        "columns": columns,
        "rows": [
            {
                "model": model,
                "ceiling": model == CEILING,
                "cells": [_cell(column["by_model"].get(model), column) for column in columns],
            }
            for model in models
        ],
    }


def _column(rows: Sequence[Row], notes: Mapping[str, MetricNote]) -> dict[str, Any]:
    """One metric: its heading, its values by model, which of them is best, and n and unit where all share them."""
    metric = rows[0]["metric"]
    sizes = {_size(row) for row in rows if row["value"] is not None}
    return {
        **_metric(metric, notes),
        "by_model": {row["model"]: row for row in rows},
        "best": _best(rows, notes.get(metric)),
        "size": sizes.pop() if len(sizes) == 1 else (),
    }


def _cell(row: Row | None, column: Mapping[str, Any]) -> dict[str, Any] | None:
    if row is None:
        return None
    value, interval = format_measure(row["value"], row["low"], row["high"])
    is_best = row["value"] is not None and row["model"] != CEILING and row["value"] in column["best"]
    return {"value": value, "interval": interval, "size": () if column["size"] else _size(row), "best": is_best}


def _best(rows: Sequence[Row], note: MetricNote | None) -> list[int | float]:
    """The values to mark: none where the good end is not known or fewer than two models compete; a ceiling does not."""
    values = [row["value"] for row in rows if row["value"] is not None and row["model"] != CEILING]
    if note is None or note.better == "neither" or len(values) < 2:
        return []
    if note.better == "nearest":
        least = min(abs(value - note.target) for value in values)
        return [value for value in values if abs(value - note.target) == least]
    return [max(values) if note.better == "higher" else min(values)]


def _size(row: Row) -> tuple[str, ...]:
    parts = [] if row["n"] is None else [f"n = {format_number(row['n'])}"]
    return tuple(parts + ([f"unit: {row['unit']}"] if row["unit"] else []))


def _metric(metric: str, notes: Mapping[str, MetricNote]) -> dict[str, Any]:
    note = notes.get(metric)
    if note is None:
        text = "No explanation was given, so no best value is marked."
        return {"name": metric, "label": _spoken(metric), "unit": "", "arrow": "", "direction": "", "text": text}
    target = format_setting(note.target)
    arrow, direction = {
        "higher": ("↑", "higher is better"),
        "lower": ("↓", "lower is better"),
        "nearest": (f"→ {target}", f"nearest to {target} is best"),
        "neither": ("", "neither end is better"),
    }[note.better]
    heading = {"name": metric, "label": note.label, "unit": note.unit, "text": note.text}
    return {**heading, "arrow": arrow, "direction": direction}


def _ordered_metrics(rows: Sequence[Row]) -> list[str]:
    """The metrics of some rows: the well-known ones in one order everywhere, then the others as they come."""
    present = _unique(rows, "metric")
    return [metric for metric in METRICS if metric in present] + [metric for metric in present if metric not in METRICS]


def _unique(rows: Sequence[Row], field: str) -> list[str]:
    return list(dict.fromkeys(row[field] for row in rows))


def _spoken(name: str) -> str:
    """A snake_case name as words: "noise_correlations" -> "Noise correlations"; any other text as it is."""
    return name[0].upper() + name[1:].replace("_", " ") if re.fullmatch("[a-z][a-z0-9_]*", name) else name


def _section(section: Section, anchor: str) -> dict[str, Any]:
    return {
        "anchor": anchor,
        "title": section.title,
        "paragraphs": [part.strip() for part in re.split(r"\n\s*\n", section.text) if part.strip()],
        "list": section.items,
        "table": section.table and _table(section.table),
        "figure": section.figure
        and {
            "svg": _embedded(section.figure, anchor),
            "alt": section.figure.alt,
            "caption": section.figure.caption,
        },
    }


def _table(table: Table) -> dict[str, Any]:
    is_number = [
        bool(table.rows) and not any(isinstance(row[index], str) for row in table.rows)
        for index in range(len(table.columns))
    ]
    texts = [[cell if isinstance(cell, str) else format_number(cell) for cell in row] for row in table.rows]
    return {
        "caption": table.caption,
        "columns": list(zip(table.columns, is_number, strict=True)),
        "rows": [list(zip(row, is_number, strict=True)) for row in texts],
    }


def _embedded(figure: Figure, anchor: str) -> Any:
    """The SVG with names of its own, so that two figures on one page cannot refer to each other's parts."""
    import markupsafe

    svg = re.sub(r'(<\w+ id="|url\(#|href="#)', rf"\g<1>{anchor}-", figure.svg)
    return markupsafe.Markup(svg)  # safe: `Figure` refuses whatever acts or leaves the page
