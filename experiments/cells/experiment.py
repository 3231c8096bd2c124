"""The experiment from folder to report: read, divide, fit, extract features, hold against deviations, report."""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

import jax
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from experiments.cells import fitting, page, results
from experiments.cells.fitting import Predicted
from experiments.cells.material import Cell, read
from experiments.cells.tolerance import Values, deviations
from experiments.command import command_of, input_hashes
from twin import report
from twin.errors import InputError

FILES = ("*.abf", "*.ibw", "*.npz", "*.nwb")


@dataclasses.dataclass(frozen=True, eq=False)
class Done:
    """A cell with its features and what was predicted of them.

    Attributes:
        split: "validation" for held-out amplitudes of --data, "test" for those of --test.
        cell: see `Cell`.
        features: of the cell, for each sweep.
        deviation: for each sweep and feature.
        deviation_from: where the deviations come from.
        predicted: by models and baselines.
    """

    split: str
    cell: Cell
    features: list[Values]
    deviation: list[dict[str, float]]
    deviation_from: str
    predicted: tuple[Predicted, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """Everything that was found, for the page and the store.

    Attributes:
        dataset: name of the set.
        done: cells, those of --data first.
        left_out: recordings that were not used, with the reason.
        models: that were fitted.
        seed: of everything random.
    """

    dataset: str
    done: tuple[Done, ...]
    left_out: Mapping[str, str]
    models: tuple[str, ...]
    seed: int


def run(data: Path, test: Path | None, out: Path, *, seed: int, console: Console) -> Path:
    """Run the experiment and write its report.

    Raises:
        InputError: `out` cannot be used, a folder holds no such set, or --data and --test are different sets.
    """
    report.check_out_dir(out)
    found = find(data, test, fitting.BUDGETS, seed, console)
    written = page.compose(
        found, command=command_of("cells", data, test, seed), inputs=input_hashes(data, test, *FILES)
    )
    report.write(written, out, results.tree(found))
    page.print_scores(found, console)
    print(out / "report.html")
    return out


def find(data: Path, test: Path | None, budgets: Mapping[str, int], seed: int, console: Console) -> Found:
    """All figures of the experiment.

    Args:
        data: folder of the set.
        test: another folder of the same set; each of its cells is fitted on its own fitted amplitudes.
        budgets: model -> simulations.
        seed: of everything random.
        console: for the progress bar.
    """
    name, cells, left_out = read(data)
    every = [("validation", cell) for cell in cells]
    if test is not None:
        other, more, dropped = read(test)
        if other != name:
            raise InputError(f"{test}: holds {other}, and --data holds {name}; give two folders of one set.")
        shared = sorted({cell.name for cell in cells} & {cell.name for cell in more})
        if shared:
            raise InputError(f"{test}: holds {', '.join(shared)}, which --data holds too; give other cells.")
        every += [("test", cell) for cell in more]
        left_out = {**left_out, **dropped}
    done = []
    with _double_precision(), _bar(console, len(every) * len(budgets)) as bar:
        for number, (split, cell) in enumerate(every):
            done.append(_cell(split, cell, budgets, jax.random.fold_in(jax.random.key(seed), number), bar))
    return Found(name, tuple(done), left_out, tuple(budgets), seed)


def _cell(split: str, cell: Cell, budgets: Mapping[str, int], key: jax.Array, bar: "_Bar") -> Done:
    features = fitting.recorded(cell)
    deviation, source = deviations(cell, features)
    predicted = []
    for number, (model, budget) in enumerate(budgets.items()):
        bar.name(f"{cell.name}, {model}")
        predicted.append(fitting.fit_model(cell, model, budget, jax.random.fold_in(key, number), bar.share))
        bar.advance()
    predicted += fitting.baselines(cell, features)
    return Done(split, cell, features, deviation, source, tuple(predicted))


class _Bar:
    """The progress bar of all fits."""

    def __init__(self, bars: Progress, total: int) -> None:
        self._bars, self._task, self._whole = bars, bars.add_task("fit", total=total), 0

    def name(self, text: str) -> None:
        self._bars.update(self._task, description=text)

    def share(self, share: float, best: float) -> None:
        del best
        self._bars.update(self._task, completed=self._whole + share)

    def advance(self) -> None:
        self._whole += 1
        self._bars.update(self._task, completed=self._whole)


@contextlib.contextmanager
def _bar(console: Console, total: int) -> Iterator[_Bar]:
    columns = (TextColumn("{task.description:<28}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        yield _Bar(bars, total)


@contextlib.contextmanager
def _double_precision() -> Iterator[None]:
    # Features are taken from responses in double precision, as Brian2 would give them.
    before = jax.config.read("jax_enable_x64")
    jax.config.update("jax_enable_x64", True)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", before)
