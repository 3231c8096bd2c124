"""The report of the experiment: what a reader is told, in which order, with which figures."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table as ConsoleTable

from experiments.retina_corpus import gate
from experiments.retina_corpus.pretraining import AROUND, PAST, VARIANTS
from experiments.retina_corpus.rounds import ADAPTED, COUPLED, HISTORY, METRICS, POISSON, PRETRAINED, TASKS
from experiments.retina_corpus.verdicts import GOALS, NOTES, by_round, claims, medians, paired, scores
from twin import provenance
from twin.report import Report, Section, Table, figures
from twin.report.report import Cell

if TYPE_CHECKING:
    from experiments.retina_corpus.experiment import Found

MODELS = (POISSON, HISTORY, COUPLED, PRETRAINED, ADAPTED)
STUDY_FEATURES = {
    "six_numbers": "six numbers of the activity",
    "embedding_none": "embedding, no covariates",
    "embedding_protocol": "embedding, protocol covariates",
}


def compose(found: "Found", *, command: str, inputs: Mapping[str, str]) -> Report:
    """The report."""
    table = scores(found)
    return Report(
        name="retina_corpus",
        title="Retinal waves of many laboratories",
        summary=_summary(found),
        versions=provenance.versions(),
        command=command,
        seed=found.seed,
        claims=[claim.as_row() for claim in claims(found)],
        scores=table,
        sections=(
            _material(found),
            _overall(found, table),
            _by_study(found),
            _recordings(found),
            _strengths(found),
            _conditioning(found),
            _gate_section(found),
            _studies(found),
        ),
        inputs=inputs,
        metric_notes=NOTES,
    )


def _median(found: "Found", metric: str, model: str) -> float:
    return float(np.median([each.bits[metric, model] for each in found.scored]))


def _summary(found: "Found") -> str:
    words = []
    for sight, name in ((PAST, "from the past"), (AROUND, "co-smoothing")):
        metric = METRICS[sight]
        gain = paired(found.scored, metric, ADAPTED, COUPLED)
        words.append(
            f"{name} {_median(found, metric, ADAPTED):.2f} bits per spike (coupled GLM "
            f"{_median(found, metric, COUPLED):.2f}, better in {int((gain > 0).sum())} of {len(gain)})"
        )
    return (
        f"A network pretrained on other studies and adapted on the first part of a recording predicts the rest: "
        f"{'; '.join(words)}."
    )


def _material(found: "Found") -> Section:
    own = found.settings
    text = (
        f"Counts in {1e3 * own.window_s:g} ms of the first {own.most_s:g} s of a recording, at most {own.most_units} "
        f"usable units; the first {own.fitted_share:.0%} are fitted, the rest is scored once. Whatever is chosen is "
        f"chosen on the last {own.chosen_share:.0%} of the fitted part. No recording of a study that is scored has "
        "trained the network that predicts it."
    )
    items = [
        f"{'Scored' if found.has_test else 'Left out'}: {', '.join(one.left_out)}. Pretrained on "
        f"{len(one.material)} recordings ({sum(each.counts.shape[1] for each in one.material)} units); scored "
        f"{len(one.scored)}."
        for one in found.rounds
    ]
    unused = [f"{one.name} {one.reason}" for one in found.left]
    if unused:
        items.append(f"Not used, or not testable ({len(unused)}): {'; '.join(unused)}.")
    items.append("Intervals resample recordings; they say nothing about laboratories that are not here.")
    return Section("What was recorded, and what was left out", text, items=tuple(items))


def _overall(found: "Found", table: list) -> Section:
    condition = "test_folder" if found.has_test else "study_left_out"
    rows = [row for row in table if row["condition"] == condition]
    text = (
        'Median over recordings. The regressions are fitted to the recording alone; "pretrained" is the network as it '
        'is, of which only the mean of each unit belongs to the recording, and "adapted" adds a regression of each '
        "unit to it. Co-smoothing sees the others at the same time and 0.1 s to either side as well."
    )
    strip = figures.score_strip(rows, list(GOALS), list(MODELS))
    return Section("How much of each spike is predicted", text, figure=strip)


def _by_study(found: "Found") -> Section:
    studies = sorted({each.recording.study for each in found.scored})
    curves = {}
    for model in (COUPLED, PRETRAINED, ADAPTED):
        own = [
            [each.bits[METRICS[PAST], model] for each in found.scored if each.recording.study == study]
            for study in studies
        ]
        middle, worst, best = (np.array([pick(one) for one in own]) for pick in (np.median, np.min, np.max))
        curves[model] = (middle, worst, best)
    labels = [study[:-4] + "\n" + study[-4:] for study in studies]
    text = "The recordings of each study, from the past alone."
    figure = figures.effect_bars(labels, curves, y_label="bits per spike")
    figure = dataclasses.replace(figure, caption="Bars are medians; lines go from the worst to the best recording.")
    return Section("Study by study", text, figure=figure)


def _recordings(found: "Found") -> Section:
    columns = ["recording", "units", "s"]
    columns += [f"{where}: {what}" for where in ("past", "co") for what in ("GLM", "pretrained", "adapted")]
    rows: list[tuple[Cell, ...]] = []
    for each in found.scored:
        own: list[Cell] = [each.recording.name, each.recording.counts.shape[1], round(each.recording.duration_s)]
        for sight in (PAST, AROUND):
            own += [f"{each.bits[METRICS[sight], model]:.2f}" for model in (COUPLED, PRETRAINED, ADAPTED)]
        rows.append(tuple(own))
    text = (
        "Bits per spike over the mean rate of the scored part, from the past alone and in co-smoothing (co). Negative "
        "values come from rates that change between the two parts."
    )
    return Section("Recording by recording", text, table=Table(tuple(columns), tuple(rows)))


def _strengths(found: "Found") -> Section:
    """How much was adapted."""
    ridges = sorted({ridge for each in found.scored for ridge in each.ridges.values()}, reverse=True)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        ("as it is" if np.isinf(ridge) else f"{ridge:g}", *(_times(found, task, ridge) for task in TASKS))
        for ridge in ridges
    )
    columns = ("ridge", *(f"{sight}, {variant}" for sight, variant in TASKS))
    text = (
        "Recordings for which each strength of the adaptation was best on the end of the fitted part. A small ridge "
        "lets the units go their own way; the largest leaves the network as it is."
    )
    return Section("How much is adapted", text, table=Table(columns, rows))


def _times(found: "Found", task: tuple[str, str], ridge: float) -> int:
    return sum(each.ridges[task] == ridge for each in found.scored)


def _conditioning(found: "Found") -> Section:
    rows: list[tuple[Cell, ...]] = []
    metric = METRICS[PAST]
    for variant in VARIANTS:
        suffix = "" if variant == "none" else f"_{variant}"
        own: list[Cell] = [variant]
        for stage in (PRETRAINED, ADAPTED):
            value = _median(found, metric, stage + suffix)
            if variant == "none":
                own += [f"{value:.2f}", ""]
                continue
            gain, interval = medians(paired(found.scored, metric, stage + suffix, stage), found.seed)
            own += [f"{value:.2f}", f"{gain:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"]
        rows.append(tuple(own))
    text = (
        "The same network without covariates, with the identity of the laboratory (which of a study that was left out "
        "is unknown) and with age, temperature, genotype and condition. Gains are medians of differences within a "
        "recording."
    )
    columns = ("covariates", "pretrained", "gain", "adapted", "gain after adaptation")
    return Section("Does conditioning help?", text, table=Table(columns, tuple(rows)))


def _gate_section(found: "Found") -> Section:
    rows = tuple(
        (", ".join(one.left_out), one.covariate, one.verdict, one.reason, one.islands, _or_none(one.association))
        for one in found.answers
    )
    items = [
        f"Without {', '.join(left_out)}: {', '.join(passed) or 'nothing'} passes the gate; conditioning brought "
        f"{np.median(gains):+.3f} bits per spike before adaptation (median of {len(gains)})."
        for left_out, passed, gains in by_round(found)
        if len(gains)
    ]
    text = (
        "Asked before anything was trained. A covariate can only help where the recordings that are left out have a "
        "level that training saw beside another level of the same study; otherwise level and study are one. "
        f"Ages are compared in bands that begin at P{', P'.join(map(str, (0, *gate.AGE_BANDS_D)))}."
    )
    columns = ("left out", "covariate", "verdict", "why", "islands", "V with study")
    return Section("What the design allows", text, items=tuple(items), table=Table(columns, rows))


def _or_none(value: float) -> float | None:
    return round(value, 2) if np.isfinite(value) else None


def _studies(found: "Found") -> Section:
    rows = tuple(
        (
            STUDY_FEATURES[feature],
            found.features[feature].shape[1],
            f"{one.balanced:.2f} [{one.interval.low:.2f}, {one.interval.high:.2f}]",
            round(one.chance, 2),
            len(one.truth),
        )
        for feature, one in found.named.items()
    )
    text = (
        "A forest names the study of recordings that it has not seen. The embedding is the mean of the network's "
        "hidden features over units and time; this network is trained on all of the data. What names the study can "
        "serve as a shortcut, so transfer is judged by studies that were left out, not by this figure."
    )
    columns = ("from", "numbers", "balanced accuracy", "chance", "recordings")
    return Section("Is the study still visible?", text, table=Table(columns, rows))


def print_scores(found: "Found", console: Console) -> None:
    """The table that ends the experiment."""
    table = ConsoleTable("median bits per spike", "past", "co-smoothing", box=None)
    for model in MODELS:
        cells = []
        for metric in GOALS:
            values = [each.bits[metric, model] for each in found.scored if (metric, model) in each.bits]
            cells.append(f"{np.median(values):.2f}" if values else "")
        table.add_row(model, *cells)
    console.print(table)
