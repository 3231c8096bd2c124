"""The experiment from folder to report: leave each mouse out, pretrain on the others, read, adapt, score, report."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from experiments.command import command_of, input_hashes
from experiments.v1_transfer import page, results, scoring, transfer
from experiments.v1_transfer.mice import Mouse, load, refuse_other_times, refuse_shared
from experiments.v1_transfer.settings import QUICK, Settings
from experiments.v1_transfer.transfer import LeftOut
from twin import report
from twin.errors import InputError

__all__ = ["QUICK", "Settings", "run"]


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """Everything that was found, for the page and the store.

    Attributes:
        left_out: every mouse that a core had not seen.
        with_test: whether those are the mice of --test, and one core knows all of --data.
        seed: of every random number.
        settings: sizes.
    """

    left_out: tuple[LeftOut, ...]
    with_test: bool
    seed: int
    settings: Settings


def run(
    data: Path, test: Path | None, out: Path, *, seed: int, console: Console, settings: Settings | None = None
) -> Path:
    """Run the experiment and write its report.

    Raises:
        InputError: `out` cannot be used, a folder is at fault, or --data and --test share a mouse.
    """
    report.check_out_dir(out)
    settings = settings or Settings()
    mice = load(data, settings)
    others = None if test is None else load(test, settings)
    if others is not None:
        refuse_shared(mice, others)
    elif len(mice) < 2:
        raise InputError(f"{data}: has one mouse; leaving one out needs two or more, or give others as --test.")
    refuse_other_times([*mice, *(others or [])])
    found = find(mice, others, seed, settings, console)
    figures = scoring.score(found.left_out, settings.resamples, seed)
    written = page.compose(
        found, figures, command=command_of("v1_transfer", data, test, seed), inputs=input_hashes(data, test, "*.npz")
    )
    report.write(written, out, results.tree(found, figures))
    page.print_scores(figures, console)
    print(out / "report.html")
    return out


def find(mice: list[Mouse], test: list[Mouse] | None, seed: int, settings: Settings, console: Console) -> Found:
    """All predictions of every mouse that is left out."""
    every = [*mice, *(test or [])]
    directions = np.unique(np.concatenate([mouse.direction for mouse in every]))
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    left_out = []
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("linear models")

        def told(text: str) -> None:
            bar.update(task, description=text)

        weights = {mouse.name: transfer.glm_weights(mouse, directions, settings) for mouse in mice}
        networks = None
        for mouse, known in _left_out(mice, test):
            if networks is None or test is None:
                told(f"{mouse.name}: pretraining on the other mice")
                networks = transfer.pretrain(known, test is not None, settings, seed)
            own = [weights[one.name] for one in known]
            left_out.append(transfer.leave_out(mouse, known, networks, own, directions, settings, seed, told))
            console.print(f"{mouse.name} done", highlight=False)
    return Found(tuple(left_out), test is not None, seed, settings)


def _left_out(mice: list[Mouse], test: list[Mouse] | None) -> Iterable[tuple[Mouse, list[Mouse]]]:
    """Each mouse to leave out, with those that its core may know."""
    if test is not None:
        return [(mouse, mice) for mouse in test]
    return [(mouse, [one for one in mice if one is not mouse]) for mouse in mice]
