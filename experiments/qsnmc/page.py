"""The report of the experiment: what a reader is told, in which order, with which figures."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table as ConsoleTable

from experiments.qsnmc.fitting import ESCAPE_NAME, VOTE
from experiments.qsnmc.scoring import BEST_SIMPLE, BLOCK_S, HANDED_IN, Figures, claims, rows
from experiments.qsnmc.stimuli import LEAST_RELIABILITY
from experiments.spike_fits.trains import WINDOW_S
from twin import provenance
from twin.report import MetricNote, Report, Section, Table, figures
from twin.report.report import Cell

if TYPE_CHECKING:
    from experiments.qsnmc.experiment import Found

NOTES = {
    "relative_coincidence": MetricNote(
        "Coincidence over reliability",
        "Coincidence factor (4 ms) over that of the repeats among themselves: 1 is as near as another repeat.",
        "higher",
    ),
    "md_star": MetricNote(
        "Md*",
        "Similarity of two sets of trains by pairs of spikes within 4 ms; fair to models with noise. 1 is the cell.",
        "higher",
    ),
    "rate_error": MetricNote("Rate error", "Predicted over recorded rate, less 1.", "nearest"),
}
_ZOOM_S, _SHOWN = (10.0, 12.0), 6
_TITLES = {"test": "Test", "validation": "Left out", "train": "Fitted"}


def compose(found: "Found", scored: Figures, *, command: str, inputs: Mapping[str, str]) -> Report:
    """The report."""
    return Report(
        name="qsnmc",
        title="Spike times of stimuli that were left out",
        summary=_summary(scored),
        versions=provenance.versions(),
        command=command,
        seed=found.seed,
        claims=[claim.as_row() for claim in claims(found, scored)],
        scores=rows(scored),
        sections=tuple(_sections(found, scored)),
        inputs=inputs,
        metric_notes=NOTES,
    )


def _summary(scored: Figures) -> str:
    one = scored.table.get(("test", "mean", VOTE, "relative_coincidence"))
    if one is None:
        return "No stimulus that was scored has spike times that repeat; its rates are compared."
    singles = ", ".join(
        f"{name} {scored.value('test', 'mean', name, 'relative_coincidence'):.2f}" for name in scored.singles
    )
    return (
        f"Spike times of stimuli that no fit had seen reach {one.value:.2f} of the cell's own reliability by the vote "
        f"of all fits ({singles} by the best fit of each model alone; best simple method {BEST_SIMPLE:.2f})."
    )


def _sections(found: "Found", scored: Figures) -> list[Section]:
    sections: list[Section | None] = [_recorded(found, scored)]
    for split in ("test", "validation", "train"):
        if split in found.predicted:
            sections.append(_times(scored, split))
    sections += [
        _raster(found, scored),
        *(_rates(scored, split) for split in ("test", "validation") if split in found.predicted),
    ]
    sections.append(_restarts(scored))
    return [one for one in sections if one is not None]


def _recorded(found: "Found", scored: Figures) -> Section:
    table: list[tuple[Cell, ...]] = []
    for split in found.predicted:
        if split == "train":
            continue
        stimuli = found.of(split)
        for name in found.predicted[split]:
            current, real = stimuli.current_na(name, stimuli.merged.dt_s), stimuli.real(name)
            spikes = " ".join(str(len(train)) for train in real.trains)
            reliability = scored.reliability[split][name]
            told = "spike times" if reliability > LEAST_RELIABILITY else "rate"
            table.append((name, _TITLES[split], float(current.mean()), float(current.std()), spikes, reliability, told))
    text = (
        "One cortical neuron, repeats of each noise current. A stimulus whose repeats coincide beyond a factor of "
        f"{LEAST_RELIABILITY:g} (window {1e3 * WINDOW_S:g} ms) is scored by spike times, any other by its rate. The "
        "noisy stimuli are one realisation of noise, scaled: a stimulus that is left out is a new combination of mean "
        f"and deviation, not new noise. Fits see the first {found.settings.fitted_s:g} s of the other stimuli, and "
        "scores are of the whole stimulus. The voltage holds an unknown drop over the electrode, so it gives start "
        "values only."
    )
    columns = ("stimulus", "split", "mean (nA)", "sd (nA)", "spikes", "intrinsic Γ", "scored by")
    return Section("What was recorded", text, table=Table(columns, tuple(table)))


def _times(scored: Figures, split: str) -> Section | None:
    stimuli = [
        name
        for where, name, model, metric in scored.table
        if (where, model, metric) == (split, VOTE, "relative_coincidence")
    ]
    if not stimuli:
        return None
    models = [*scored.models, HANDED_IN]
    curves = {}
    for model in models:
        each = [scored.table.get((split, name, model, "relative_coincidence")) for name in stimuli]
        if all(one is not None for one in each):
            known = [one for one in each if one is not None]
            curves[model] = (
                [one.value for one in known],
                [one.interval.low for one in known],
                [one.interval.high for one in known],
            )
    names = [f"stimulus {name}" if name != "mean" else "mean" for name in stimuli]
    figure = figures.effect_bars(names, curves, "Γ / intrinsic Γ")
    texts = {
        "test": "Stimuli that no fit had seen.",
        "validation": "Each stimulus predicted by models that were fitted to the others.",
        "train": "For comparison, stimuli that were fitted as well.",
    }
    text = (
        f"{texts[split]} The vote puts a spike where most restarts of all models and as many trials of the "
        f"escape-noise model agree; {ESCAPE_NAME} alone is scored by single trials, whose scatter the "
        f"coincidence factor punishes. {HANDED_IN.replace('_', ' ')}: the cell's own trains under the best other "
        f"stimulus. Intervals resample blocks of {BLOCK_S:g} s."
    )
    table = Table(
        ("stimulus", *models),
        tuple(
            (name, *(_value(scored, (split, name, model, "relative_coincidence")) for model in models))
            for name in stimuli
        ),
    )
    return Section(f"Spike times: {_TITLES[split].lower()}", text, table=table, figure=figure)


def _value(scored: Figures, place: tuple[str, str, str, str]) -> float | None:
    return scored.table[place].value if place in scored.table else None


def _raster(found: "Found", scored: Figures) -> Section | None:
    stimuli = found.of("test")
    testable = [name for name in found.predicted["test"] if stimuli.is_testable(name)]
    if not testable:
        return None
    # the one with a middle number of spikes can be read best
    name = sorted(testable, key=lambda one: scored.rates_hz["test"][one])[len(testable) // 2]
    start_s, stop_s = _ZOOM_S if stimuli.merged.duration_s > _ZOOM_S[1] else (0.0, stimuli.merged.duration_s)
    predicted = found.predicted["test"][name]
    models: dict[str, tuple[np.ndarray, ...]] = {VOTE: (predicted.vote,)}
    models |= {model: trains[:_SHOWN] for model, trains in predicted.restarts.items()}
    models |= {ESCAPE_NAME: predicted.trials[:_SHOWN]}
    dt_s = stimuli.merged.dt_s
    first, last = round(start_s / dt_s), round(stop_s / dt_s)
    strip = (np.arange(first, last) * dt_s, stimuli.current_na(name, dt_s)[first:last], "current", "nA")
    figure = figures.raster(stimuli.real(name).trains, models, start_s, stop_s, stimulus=strip)
    text = "Below the vote, restarts of the models without noise, the best fit first, and trials of the one with noise."
    return Section(f"Recorded and predicted spikes, stimulus {name}", text, figure=figure)


def _rates(scored: Figures, split: str) -> Section:
    table = tuple(
        (
            name,
            scored.rates_hz[split][name],
            *(_value(scored, (split, name, model, "rate_error")) for model in scored.models),
        )
        for name in scored.rates_hz[split]
    )
    text = (
        "Predicted over recorded rate, less 1; -1 is silence. The vote's rate is the mean of all voters. Under a "
        "current that is all but constant, a model without noise either fires regularly or not at all."
    )
    columns = ("stimulus", "recorded (Hz)", *scored.models)
    return Section(f"Rates: {_TITLES[split].lower()}", text, table=Table(columns, table))


def _restarts(scored: Figures) -> Section:
    table: list[tuple[Cell, ...]] = [
        (name, model, *(f"{value:.2f}" for value in values))
        for name, by_model in scored.restarts["test"].items()
        for model, values in by_model.items()
    ]
    n = max((len(row) - 2 for row in table), default=0)
    columns = ("stimulus", "model", *(str(number + 1) for number in range(n)))
    text = "Γ / intrinsic Γ of every restart on the scored stimuli, the best fit first."
    return Section("Restarts", text, table=Table(columns, tuple(table)))


def print_scores(scored: Figures, console: Console) -> None:
    """The table that ends the experiment."""
    models = [*scored.models, HANDED_IN]
    table = ConsoleTable("gamma / intrinsic", "stimulus", *models, box=None)
    for split, name in dict.fromkeys(
        (split, name) for split, name, _, metric in scored.table if metric == "relative_coincidence"
    ):
        cells = [_value(scored, (split, name, model, "relative_coincidence")) for model in models]
        table.add_row(split, name, *("" if one is None else f"{one:.2f}" for one in cells))
    console.print(table)
    rates = ConsoleTable("rate error", "stimulus", "Hz", *scored.models, box=None)
    for split, by_name in scored.rates_hz.items():
        for name, rate in by_name.items():
            cells = [_value(scored, (split, name, model, "rate_error")) for model in scored.models]
            rates.add_row(split, name, f"{rate:.1f}", *("" if one is None else f"{one:+.2f}" for one in cells))
    console.print(rates)
