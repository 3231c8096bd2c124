"""`twin adapt CHECKPOINT REC.zarr --out DIR`: a readout for a new session, with all that is shared frozen."""

import csv
import dataclasses
from pathlib import Path

from rich.console import Console
from rich.table import Table

from experiments.training.training import shown, summarise
from surrogate import Surrogate, adapt, minutes_curve
from twin.errors import InputError


def run(
    checkpoint: Path,
    recordings: tuple[Path, ...],
    out: Path,
    minutes: tuple[float, ...],
    steps: int | None,
    from_scratch: bool,
    console: Console,
) -> None:
    """Adapt, and on request measure how the score grows with the minutes of data.

    Raises:
        InputError: a checkpoint or a recording that cannot be used.
    """
    if not recordings:
        raise InputError("no recording was given; name one or more zarr folders after the checkpoint.")
    surrogate = Surrogate.from_checkpoint(checkpoint)
    training = surrogate.config.training
    if steps is not None:
        every = min(training.check_every, steps)
        training = dataclasses.replace(training, steps=steps, check_every=every, warm_up=min(training.warm_up, steps))
    with shown(console, training.steps) as progress:
        fitted = adapt(surrogate, recordings, training=training, out=out, progress=progress)
    summarise(fitted, out, console)
    for path in recordings:
        for flag in fitted.surrogate.predict(path).outside:
            console.print(f"[yellow]{path}: outside of what the core was trained on: {flag}[/yellow]")
    if minutes:
        _curve(surrogate, recordings[0], out, minutes, training, from_scratch, console)


def _curve(surrogate, one: Path, out: Path, minutes, training, from_scratch: bool, console: Console) -> None:
    points = minutes_curve(surrogate, one, minutes, training=training, from_scratch=from_scratch)
    table = Table("minutes", "adapted", "from scratch", title=f"{one.name}: bits per response over each unit's mean")
    for point in points:
        scratch = f"{point.from_scratch_bits:+.4f}" if from_scratch else "not asked for"
        table.add_row(f"{point.minutes:g}", f"{point.validation_bits:+.4f}", scratch)
    console.print(table)
    with (out / "minutes.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([field.name for field in dataclasses.fields(points[0])])
        writer.writerows(dataclasses.astuple(point) for point in points)
