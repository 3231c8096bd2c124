"""The report of the experiment: what a reader is told, in which order, with which figures."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table as ConsoleTable

from experiments.calcium import drawing
from experiments.calcium.corpus import FACTS
from experiments.calcium.models import FROM_FIRST_HALF, FROM_OTHERS, REFERENCE, Predicted
from experiments.calcium.predicting import Trace, part
from experiments.calcium.scoring import ALL, LEVELS, NEXT, SECOND, Figure, Figures, R, finite, rows
from experiments.calcium.verdicts import GOAL, claims
from surrogate.heads.calcium import Kinetics
from twin import provenance
from twin.report import MetricNote, Report, Section, Table
from twin.report.report import Cell

if TYPE_CHECKING:
    from experiments.calcium.experiment import Found

_COVERAGE = "Share of frames within the interval of that level, from the adapted model. Best is the level itself."
NOTES = {
    "log_prob": MetricNote(
        "Log-density", "Of a frame of the second half, given what the model knows.", "higher", "nat"
    ),
    **{
        f"coverage_{100 * level:.0f}": MetricNote(f"Coverage {100 * level:.0f} %", _COVERAGE, "nearest", target=level)
        for level in LEVELS
    },
}
_TOLD = {
    "surrogate": "kinetics from other data sets and what the protocol says",
    "surrogate_without_facts": "the same without the protocol",
    "one_kernel": "two exponentials, from other data sets",
    "indicator_kernel": "two exponentials, from other data sets of the indicator",
    "linear": "any linear kernel, from other data sets",
    "shuffled_spikes": "the surrogate with spikes at the wrong time",
    "adapted": "kinetics of the cell, from its first half, under a prior from other data sets",
    "adapted_without_prior": "the same under a broad prior that no data made",
    "own_kernel": "two exponentials, from the first half",
    "own_linear": "any linear kernel, from the first half",
}
_OTHER_MODELS = {
    "ceiling": "about what the noise of single frames leaves; never marked as best",
    "no_change": "the last known frame, held",
    "adapted_white_noise": "the adapted kinetics without the drift that earlier frames tell",
}
_SHOWN, _SHOWN_S = 4, 60.0


def compose(found: "Found", scored: Mapping[str, Figures], *, command: str, inputs: Mapping[str, str]) -> Report:
    """The report."""
    return Report(
        name="calcium",
        title="From spikes to fluorescence, in data sets that were left out",
        summary=_summary(scored["test"]),
        versions=provenance.versions(),
        command=command,
        seed=found.seed,
        claims=[claim.as_row() for claim in claims(found, scored["test"])],
        scores=rows(scored),
        sections=tuple(_sections(found, scored)),
        inputs=inputs,
        metric_notes=NOTES,
        model_notes={**_TOLD, **_OTHER_MODELS},
    )


def _summary(figures: Figures) -> str:
    def value(condition: str, model: str) -> float:
        return figures.table[condition, model, R].value

    return (
        f"Median correlation with the fluorescence of data sets that no fit had seen: {value(ALL, 'surrogate'):.2f} "
        f"against {value(ALL, 'one_kernel'):.2f} of one kernel. After adapting each cell on its first half, "
        f"{value(SECOND, 'adapted'):.2f} on the second, against {value(SECOND, 'one_kernel'):.2f} of one kernel and "
        f"{value(SECOND, 'own_kernel'):.2f} of the cell's own. The goal is {GOAL:.2f}."
    )


def _sections(found: "Found", scored: Mapping[str, Figures]) -> list[Section]:
    sections = [_models(figures, split) for split, figures in scored.items()]
    sections += [_by_set(figures, split) for split, figures in scored.items()]
    predicted = found.predicted["test"]
    return [*sections, _examples(predicted, scored["test"]), _kinetics(predicted), _past(scored["test"]),
            _calibration(scored["test"]), _limits(scored["test"])]  # fmt: skip


def _models(figures: Figures, split: str) -> Section:
    table: list[tuple[Cell, ...]] = []
    for model in (*FROM_OTHERS, *FROM_FIRST_HALF):
        cells: list[Cell] = [model, _TOLD[model]]
        for condition in (ALL, SECOND):
            one = figures.table.get((condition, model, R))
            cells.append(None if one is None else _told(one))
        table.append(tuple(cells))
    text = (
        "Pearson correlation of the prediction with the raw dF/F of each segment with 5 spikes and 50 frames or more, "
        "frame-weighted mean over the segments of a cell, median over the cells of a data set, median over data sets. "
        "Every prediction here knows the spikes, and no fluorescence of what is scored. Intervals resample data sets, "
        "and cells within them; with so few sets they are wide, and the paired differences in the claims are sharper."
    )
    columns = ("model", "what it knows", "r, all frames", "r, second half")
    return Section(f"How near the models come: {split}", text, table=Table(columns, tuple(table)))


def _told(one: Figure) -> str:
    return f"{one.value:.2f} [{one.interval.low:.2f}, {one.interval.high:.2f}]".replace(" ", "\N{NO-BREAK SPACE}")


def _by_set(figures: Figures, split: str) -> Section:
    names = list(figures.sets[ALL, "surrogate"])

    def values(condition: str, model: str) -> list[float | None]:
        sets = figures.sets[condition, model]
        return [sets[name].value if name in sets else None for name in names]

    curves = {
        "one_kernel": values(ALL, "one_kernel"),
        "surrogate": values(ALL, "surrogate"),
        "adapted, second half": values(SECOND, "adapted"),
        "ceiling": values(ALL, "ceiling"),
    }
    shown = (("one_kernel", ALL), ("surrogate", ALL), ("ceiling", ALL), ("one_kernel", SECOND),
             ("own_kernel", SECOND), ("adapted", SECOND))  # fmt: skip
    table = tuple(
        (name, figures.sets[ALL, "surrogate"][name].interval.n,
         *(values(condition, model)[row] for model, condition in shown))
        for row, name in enumerate(names)
    )  # fmt: skip
    text = (
        "The ceiling is about what noise of single frames leaves, from differences of successive frames (where frames "
        "are slow, fast changes of the signal count as noise); drift, movement and light from neighbours lower it."
    )
    first, second = ("one kernel", "surrogate", "ceiling"), ("one kernel", "own kernel", "adapted")
    columns = ("data set", "cells", *first, *(f"{model}, 2nd half" for model in second))
    figure = drawing.dots(names, curves, "correlation", GOAL)
    return Section(f"Data sets: {split}", text, table=Table(columns, table), figure=figure)


def _examples(predicted: Predicted, figures: Figures) -> Section:
    adapted = figures.cells[SECOND, "adapted"]
    sets = sorted(figures.sets[SECOND, "adapted"], key=lambda name: figures.sets[SECOND, "adapted"][name].value)
    picked = [sets[round(at)] for at in np.linspace(0, len(sets) - 1, min(_SHOWN, len(sets)))]
    cells = {}
    for name in picked:
        members = sorted((value, cell) for cell, value in adapted.items() if cell.rsplit(" ", 1)[0] == name)
        value, cell = members[len(members) // 2]
        cells[f"{cell}, r {value:.2f}"] = _stretch(predicted, cell)
    text = (
        "The median cell of some data sets, from the worst to the best, in its second half. Scale and baseline of both "
        "predictions are fitted to the stretch that is shown, as correlation leaves them free."
    )
    return Section("Some cells", text, figure=drawing.traces(cells))


def _stretch(predicted: Predicted, cell: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    segments = predicted.corpus.segments
    members = [n for n, one in enumerate(segments) if one.cell == cell and one.is_scored(part(one, late=True))]
    number = max(members, key=lambda n: len(segments[n].dff) - segments[n].half)
    segment = segments[number]
    times = segment.times_s
    counts = np.searchsorted(segment.spikes_s, times + _SHOWN_S) - np.searchsorted(segment.spikes_s, times)
    usable = np.arange(len(times))
    usable = usable[(usable >= segment.half) & (times <= max(times[-1] - _SHOWN_S, times[segment.half]))]
    first = times[usable[int(counts[usable].argmax())]]
    shown = (times >= first) & (times < first + _SHOWN_S)
    value = segment.dff[shown]
    spikes = segment.spikes_s[(segment.spikes_s >= first) & (segment.spikes_s < times[shown][-1])]
    fitted = {model: _scaled(predicted.traces[model][number][shown], value) for model in ("one_kernel", "adapted")}
    return times[shown], value, spikes, fitted


def _scaled(trace: Trace, value: Trace) -> Trace:
    away = trace - trace.mean()
    return value.mean() + away * float((away * value).sum()) / max(float((away**2).sum()), 1e-12)


def _kinetics(predicted: Predicted) -> Section:
    table: list[tuple[Cell, ...]] = []
    for indicator in dict.fromkeys(predicted.corpus.indicator):
        mine = predicted.corpus.indicator == indicator
        middle = np.median(predicted.kinetics[mine], axis=0)
        named = dict(zip(Kinetics._fields, middle, strict=True))
        table.append((
            str(indicator), int(mine.sum()), *(float(np.exp(named[name])) for name in
            ("log_rise_s", "log_decay_s", "log_cooperativity", "log_saturation")), float(named["slow_share"]),
            float(np.exp(named["log_slow_s"])),
        ))  # fmt: skip
    text = (
        "Medians over the cells of an indicator, adapted on their first halves. Calcium jumps with a spike and decays, "
        "the indicator follows a Hill curve of it with an exponent (cooperativity), and a share of the signal is "
        f"filtered once more. What the protocol says enters as: {', '.join(FACTS[1:])}. An exponent of "
        "1 is linear. A rise below the 25 ms of the grid, and a small saturation, are hardly determined."
    )
    columns = ("indicator", "cells", "rise (s)", "decay (s)", "exponent", "saturation k", "slow share", "slow (s)")
    return Section("Kinetics", text, table=Table(columns, tuple(table)))


def _past(figures: Figures) -> Section:
    conditions = [condition for condition, model in figures.cells if model == "no_change"]
    table: list[tuple[Cell, ...]] = [
        (condition, *(figures.table[condition, model, R].value for model in ("adapted", "no_change")))
        for condition in conditions
    ]
    table.append((f"{SECOND}, spikes alone", figures.table[SECOND, "adapted", R].value, None))
    text = (
        "Another question, and not the goal: what is the fluorescence when it has just been measured? The drift that "
        "the filter follows comes from earlier frames of the same recording. Beside it the last known frame, held."
    )
    return Section(
        "When earlier frames are known", text, table=Table(("what is known", "adapted", "frame held"), tuple(table))
    )


def _calibration(figures: Figures) -> Section:
    told = {"earlier frames known": figures.coverage, "spikes alone": figures.coverage_spikes}
    shares = {name: np.array(list(one.values())) for name, one in told.items()}
    table = []
    for name, label in (("adapted", "drift and noise"), ("adapted_white_noise", "spikes alone")):
        table.append((label, figures.table[NEXT, name, "log_prob"].value))
    text = (
        "Drift (an Ornstein-Uhlenbeck process) and noise that grows with the signal are fitted to the first half of "
        "each cell; coverage and log-density are of its second half. Thin lines are cells."
    )
    return Section("Calibration", text, table=Table(("model", "log-density of a frame (nat)"), tuple(table)),
                   figure=drawing.calibration(LEVELS, shares))  # fmt: skip


def _limits(figures: Figures) -> Section:
    worst = sorted(figures.sets[SECOND, "adapted"].items(), key=lambda one: one[1].value)[:4]
    told = "; ".join(
        f"{name} {one.value:.2f}, frame noise leaves {ceiling:.2f}"
        for name, one in worst
        if (ceiling := finite(figures.sets[ALL, "ceiling"][name].value)) is not None
    )
    reference = figures.table[ALL, REFERENCE, R].value
    text = (
        f"Fitted to the very frames that are scored, which is no prediction, this model reaches {reference:.2f} on all "
        f"frames. Noise of single frames would leave {figures.table[ALL, 'ceiling', R].value:.2f}; what lies between "
        "is drift, movement, light from neighbours, or a mechanism that the model lacks. Knowing nothing of the cell's "
        f"fluorescence it has {figures.table[ALL, 'surrogate', R].value:.2f}: kinetics differ between cells by more "
        "than the protocol says.\n\n"
        f"Lowest after adaptation: {told}. A data set whose indicator belongs to no family that the others have gets "
        "the kinetics of a synthetic dye until it is adapted. Scale and baseline of a new cell are not predicted: "
        "correlation leaves them free, and log-density is told only after adaptation."
    )
    return Section("What is left", text)


def print_scores(scored: Mapping[str, Figures], console: Console) -> None:
    """The table that ends the experiment."""
    table = ConsoleTable("median r", "model", ALL, SECOND, box=None)
    for split, figures in scored.items():
        for model in (*FROM_OTHERS, *FROM_FIRST_HALF):
            cells = [figures.table.get((condition, model, R)) for condition in (ALL, SECOND)]
            table.add_row(split, model, *("" if one is None else f"{one.value:.3f}" for one in cells))
    console.print(table)
