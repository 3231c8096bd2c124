"""`twin train CONFIG.toml`: train, show how it goes, and say what came out and where it lies."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from surrogate import Fit, fit
from surrogate import config as configs
from surrogate.progress import Look
from surrogate.train import Progress as Told
from surrogate.train import devices_in_words
from twin.errors import InputError


def train(path: Path, out: Path | None, console: Console) -> None:
    """Train the surrogate of a configuration file; a run that was stopped goes on.

    Raises:
        InputError: the configuration or a recording cannot be used.
    """
    config = configs.read(path)
    if not config.data.recordings:
        raise InputError(f"{path}: names no recording; give data.recordings, paths relative to the file.")
    folder = Path(config.out) if out is None else out
    console.print(f"{config.name}: {len(config.data.recordings)} recording(s), {devices_in_words()}, into {folder}")
    with shown(console, config.training.steps) as progress:
        fitted = fit(config, out=folder, progress=progress)
    summarise(fitted, folder, console)


@contextlib.contextmanager
def shown(console: Console, steps: int) -> Iterator[Told]:
    """A progress bar, with the last look at the validation part beside it."""
    columns = (
        TextColumn("train"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[look]}"),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("train", total=steps, look="")

        def told(share: float, look: Look | None) -> None:
            words = "" if look is None else f"loss {look.train_loss:.4f}, validation {look.validation_bits:+.4f} bits"
            bar.update(task, completed=round(share * steps), look=words)

        yield told


def summarise(fitted: Fit, folder: Path, console: Console) -> None:
    """What was kept, and three lines to use it."""
    best = fitted.curve[fitted.best]
    console.print(
        f"Best at step {best.step}: {best.validation_bits:+.4f} bits per response over each unit's mean on the "
        f"validation part (loss {best.validation_loss:.4f} nats). Learning curve: {folder / 'curve.png'}"
    )
    console.print(
        "Use it:\n"
        "  from surrogate import Surrogate\n"
        f'  model = Surrogate.from_checkpoint("{folder / "checkpoint"}")\n'
        '  model.predict("REC.zarr").mean'
    )
