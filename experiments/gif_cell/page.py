"""The report of the experiment: what a reader is told, in which order, with which figures."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table as ConsoleTable

from experiments.gif_cell import corrections
from experiments.gif_cell.fitting import AFTER_S, BEFORE_S
from experiments.gif_cell.predicting import ESCAPE_NAME, VOTE
from experiments.gif_cell.scoring import Figures, claims, rows
from experiments.spike_fits.coupled_gif import ESCAPE
from experiments.spike_fits.trains import WINDOW_S
from twin import provenance
from twin.report import MetricNote, Report, Section, Table, figures
from twin.report.report import Cell

if TYPE_CHECKING:
    from experiments.gif_cell.experiment import Found

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
}
_ZOOM_S, _SHOWN_TRIALS, _TRACE_S = 1.5, 9, 0.5


def compose(found: "Found", scored: Figures, *, command: str, inputs: Mapping[str, str]) -> Report:
    """The report."""
    return Report(
        name="gif_cell",
        title="One cortical cell under frozen noise",
        summary=_summary(scored),
        versions=provenance.versions(),
        command=command,
        seed=found.seed,
        claims=[claim.as_row() for claim in claims(found, scored)],
        scores=rows(scored),
        sections=(
            _recorded(found),
            _spikes(found),
            _scores(found, scored),
            _restarts(found, scored),
            _voltage(found, scored),
            corrections.side_by_side(found, scored),
            corrections.junction(found),
            _parameters(found),
        ),
        inputs=inputs,
        metric_notes=NOTES,
    )


def _summary(scored: Figures) -> str:
    share = scored.value("test", scored.chosen, "relative_coincidence")
    gif, glm = (scored.value("test", name, "bits_per_spike") for name in (ESCAPE_NAME, "glm"))
    md = [scored.value("test", name, "md_star") for name in (ESCAPE_NAME, "glm")]
    error = scored.value("test", ESCAPE_NAME, "rmse_mv")
    return (
        f"On time that no fit had seen, the spike times of the model that validation chose ({scored.chosen}) reach "
        f"{share:.2f} of the cell's own reliability; the escape-noise model explains {gif:.2f} bits per spike (history "
        f"GLM {glm:.2f}) with Md* {md[0]:.2f} ({md[1]:.2f}), and its voltage is {error:.2f} mV off."
    )


def _recorded(found: "Found") -> Section:
    cell, real = found.cell, found.test.real
    protocol = cell.raw.protocol
    missing = ", ".join(name.replace("_", " ") for name, one in protocol.items() if one.status == "unreported")
    spikes = [len(train) for train in real.trains]
    text = (
        f"{len(real.trains)} repeats of one current. Fitted: {cell.split.start_s:g} to {cell.split.validation_s:g} s; "
        f"chosen on: {cell.split.validation_s:g} to {cell.split.stop_s:g} s, after which the choice is fitted again on "
        f"both; scored: {cell.scored_s[0]:g} to {cell.scored_s[1]:g} s ({min(spikes)} to {max(spikes)} spikes a "
        f"repeat); {cell.history}. The scored spikes are opened once, when everything has been fitted and chosen."
    )
    items = (
        "One cell: intervals resample repeats and say nothing about other cells.",
        f"Not reported: {missing}.",
    )
    return Section("What was recorded", text, items=items)


def _spikes(found: "Found") -> Section:
    start_s = found.test.stretch[0]
    stop_s = min(start_s + _ZOOM_S, found.test.stretch[1])
    test, voters = found.test, found.settings.voters
    models: dict[str, tuple[np.ndarray, ...]] = {VOTE: (test.vote,)}
    models |= {name: test.restarts[name][:_SHOWN_TRIALS] for name in voters}
    models |= {name: trials[:_SHOWN_TRIALS] for name, trials in test.trials.items()}
    target = found.cell.raw
    first, last = round(start_s / target.dt_s), round(stop_s / target.dt_s)
    current = target.current_na.mean(axis=0)[first:last]
    strip = (np.arange(first, last)[::5] * target.dt_s, current[::5], "current", "nA")
    figure = figures.raster(test.real.trains, models, start_s, stop_s, stimulus=strip)
    n_fits = sum(len(found.fits[name].losses) for name in voters)
    text = (
        f"The vote puts a spike where most of {n_fits} fits ({', '.join(voters)}: every restart) and as many trials of "
        "the escape-noise model agree; it knows nothing of the recording but through them. Below it restarts of the "
        "models without noise, the best fit first, and free trials of the models with noise."
    )
    return Section("Recorded and predicted spikes", text, figure=figure)


def _scores(found: "Found", scored: Figures) -> Section:
    table = [row for row in rows(scored) if row["split"] == "test"]
    models = ["ceiling", VOTE, *reversed(found.settings.models), ESCAPE_NAME, "glm"]
    shown = [row for row in table if row["model"] in models]
    metrics = ["coincidence_factor", "relative_coincidence", "md_star", "bits_per_spike"]
    text = (
        "Coincidences within 4 ms. The coincidence factor of a model with noise punishes its own scatter, which Md* "
        "does not. Bits per spike count in bins of 1 ms and know all earlier spikes of the repeat; each model's own "
        "spikes are free everywhere else."
    )
    others = [
        (name, scored.table["test", name, "bits_per_spike"].value)
        for name in ("glm_without_history", "other_repeats", "poisson", f"{ESCAPE_NAME}_raw_voltage")
    ]
    rest = Table(("further predictors", "bits per spike"), tuple(others))
    return Section("How near the models come", text, table=rest, figure=figures.score_strip(shown, metrics, models))


def _restarts(found: "Found", scored: Figures) -> Section:
    columns = ("model", "restart", "loss, fit", "Γ / intrinsic, validation", "loss, both", "Γ / intrinsic, scored")
    spread = []
    for name in found.settings.voters:
        values = [row[5] for row in scored.restarts if row[0] == name and row[5] is not None]
        spread.append(f"{name}: {min(values):.2f} to {max(values):.2f} (mean {np.mean(values):.2f})")
    text = (
        "Every restart, the best fit first; the first two figures are of fits without the validation, the last two of "
        "other fits to both stretches. Loss is 1 - Γ / intrinsic + 0.1 x rate error. Fits that are about equally good "
        f"predict unseen time differently, in the scored stretch {'; '.join(spread)}: the best fit is not the best "
        "prediction, so the restarts vote instead of competing."
    )
    return Section("Restarts", text, table=Table(columns, tuple(scored.restarts)))


def _voltage(found: "Found", scored: Figures) -> Section:
    target, start_s = found.cell.corrected, found.test.stretch[0]
    first, last = (round(edge / target.dt_s) for edge in (start_s, min(start_s + _TRACE_S, found.test.stretch[1])))
    time_ms = 1e3 * target.dt_s * np.arange(first, last)
    assert target.voltage_mv is not None
    traces = {"recorded": target.voltage_mv[0, first:last], ESCAPE_NAME: found.voltages_mv["corrected"][0, first:last]}
    error = scored.table["test", ESCAPE_NAME, "rmse_mv"]
    text = (
        "First repeat, electrode compensated, and the escape-noise model that is reset where the cell spiked (it has "
        f"no spike shape). The error without {1e3 * BEFORE_S:g} ms before and {1e3 * AFTER_S:g} ms after each spike is "
        f"{error.value:.2f} mV [{error.interval.low:.2f}, {error.interval.high:.2f}] over the whole scored stretch."
    )
    return Section("Voltage between spikes", text, figure=figures.trace(time_ms, traces))


def _parameters(found: "Found") -> Section:
    fits = found.escapes["corrected"]
    table: tuple[tuple[Cell, ...], ...] = tuple(
        (one.name, *(fit.values[one.name] for fit in fits.tried), fits.final.values[one.name], one.unit_text)
        for one in ESCAPE.parameters
        if one.name in fits.final.values
    )
    heads = tuple(f"t_ref {one.values['t_ref']:g} ms" for one in fits.tried)
    told = "; ".join(
        f"{one.values['t_ref']:g} ms: {one.held_out_bits:.2f} bits per spike, {one.held_out_mv:.2f} mV"
        for one in fits.tried
    )
    text = (
        "Start values come from two regressions; all parameters then move together under the likelihood of the spikes "
        f"(steps of the recording) and the voltage error. Validation by refractory period: {told}."
    )
    return Section("The escape-noise model", text, table=Table(("parameter", *heads, "final", "unit"), table))


def print_scores(scored: Figures, console: Console) -> None:
    """The table that ends the experiment."""
    metrics = {
        "relative_coincidence": "gamma / intrinsic",
        "md_star": "Md*",
        "bits_per_spike": "bits/spike",
        "rmse_mv": "mV",
        "rate_hz": "Hz",
    }
    table = ConsoleTable(f"scored, window {1e3 * WINDOW_S:g} ms", *metrics.values(), box=None)
    for model in dict.fromkeys(model for split, model, _ in scored.table if split == "test"):
        cells = [scored.table.get(("test", model, metric)) for metric in metrics]
        table.add_row(model, *("" if one is None else f"{one.value:.3f}" for one in cells))
    console.print(table)
