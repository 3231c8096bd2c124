"""The report of a calibration: its summary and the order of its sections."""

import shlex
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table as ConsoleTable

from experiments.calibration import sections
from experiments.calibration.request import Request
from experiments.calibration.scores import mean_coincidence, pooled_rmse_mv
from experiments.calibration.verdicts import NOTES, claims, scores
from twin import provenance
from twin.report import Report

if TYPE_CHECKING:
    from experiments.calibration.command import Found


def compose(found: "Found") -> Report:
    """The report."""
    return Report(
        name="calibrate",
        title=f"{found.fit.model.name} fitted to {found.fit.recording}",
        summary=_summary(found),
        versions=provenance.versions(),
        command=command(found.asked),
        seed=found.asked.seed,
        claims=[claim.as_row() for claim in claims(found)],
        scores=scores(found),
        sections=(
            sections.what(found),
            *sections.traces(found),
            sections.parameters(found),
            sections.identifiability(found),
            sections.features(found),
            sections.sweep_scores(found),
            *sections.good_sets(found),
            sections.course(found),
        ),
        inputs={found.asked.recording.name: provenance.file_hash(found.asked.recording / "zarr.json")},
        metric_notes=NOTES,
    )


def _summary(found: "Found") -> str:
    rows, kind = (found.scored.rows, "fitted") if found.other is None else (found.other.rows, "held-out")
    parts = [f"voltage error {pooled_rmse_mv(rows):.2f} mV between spikes"]
    if found.has_spikes and found.fit.model.threshold:
        parts.append(f"coincidence factor {mean_coincidence(rows):.2f} within 4 ms")
    ended = "the search converged" if found.fit.converged else "the budget ended before the search converged"
    return f"On {kind} sweeps: {', '.join(parts)}; {ended}."


def command(asked: Request) -> str:
    """The command line that makes this report again."""
    words = ["twin", "calibrate", asked.recording.absolute().name, "--model", asked.model, "--out", "OUT"]
    words += ["--method", asked.method, "--objective", *asked.objective]
    words += ["--budget", str(asked.budget), "--restarts", str(asked.restarts), "--seed", str(asked.seed)]
    words += ["--held-out", *asked.held_out] if asked.held_out else []
    given = (
        ("--protocol", None if asked.protocol is None else asked.protocol.name),
        ("--kind", asked.kind),
        ("--spike-threshold", asked.spike_threshold_mv),
        ("--dt", asked.dt_ms),
    )
    for option, value in given:
        words += [] if value is None else [option, str(value)]
    return shlex.join(words)


def print_parameters(found: "Found", console: Console) -> None:
    """The table that ends the command."""
    table = ConsoleTable("parameter", "value", "unit", "low", "high", box=None)
    for free in found.fit.space.free:
        edges = ["–" if edge is None else f"{edge:.4g}" for edge in sections.interval_of(found.fit, free.name)]
        table.add_row(free.name, f"{found.fit.values[free.name]:.4g}", free.unit, *edges)
    console.print(table)
    console.print(_summary(found), highlight=False)
