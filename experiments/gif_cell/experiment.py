"""The experiment from folder to report: compensate, fit, choose, fit again, predict, score, report."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from experiments.command import command_of, input_hashes
from experiments.gif_cell import fitting, page, results, scoring
from experiments.gif_cell.cell import Cell, load
from experiments.gif_cell.fitting import Escapes
from experiments.gif_cell.predicting import ESCAPE_NAME, Predicted, other_repeats, predict, rates, voltages
from experiments.gif_cell.settings import QUICK, Settings
from experiments.spike_fits.history_glm import HistoryGlm
from experiments.spike_fits.restarts import Restarts, keys
from twin import report

__all__ = ["QUICK", "Settings", "run"]

RAW, OTHERS = f"{ESCAPE_NAME}_raw_voltage", "other_repeats"
STAGES = ("spike times", "chosen on", "escape noise", "raw voltage", "predict", "report")


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """Everything that was found, for the page and the store.

    Attributes:
        cell: the recording.
        chosen_from: models fitted without the validation.
        fits: the same fitted on all that may be fitted.
        escapes: the escape-noise model, by version of the voltage: "corrected" and "raw".
        glms: history GLMs.
        validation: what the first fits predict of the validation.
        test: what the second fits predict of the scored stretch.
        counts: recorded spikes in bins of 1 ms.
        expected: model -> expected spikes in the same bins.
        voltages_mv: version of the voltage -> forced voltage of each repeat.
        seed: of every random number.
        settings: sizes.
    """

    cell: Cell
    chosen_from: Mapping[str, Restarts]
    fits: Mapping[str, Restarts]
    escapes: Mapping[str, Escapes]
    glms: Mapping[str, HistoryGlm]
    validation: Predicted
    test: Predicted
    counts: np.ndarray
    expected: Mapping[str, np.ndarray]
    voltages_mv: Mapping[str, np.ndarray]
    seed: int
    settings: Settings


def run(
    data: Path, test: Path | None, out: Path, *, seed: int, console: Console, settings: Settings | None = None
) -> Path:
    """Run the experiment and write its report.

    Raises:
        InputError: `out` cannot be used, or a folder is at fault.
    """
    report.check_out_dir(out)
    settings = settings or Settings()
    cell = load(data, test, settings)
    found = find(cell, seed, settings, console)
    figures = scoring.score(found)
    written = page.compose(
        found, figures, command=command_of("gif_cell", data, test, seed), inputs=input_hashes(data, test, "*.npz")
    )
    report.write(written, out, results.tree(found))
    page.print_scores(figures, console)
    print(out / "report.html")
    return out


def find(cell: Cell, seed: int, settings: Settings, console: Console) -> Found:
    """All fits and predictions."""
    n = len(settings.models)
    every = keys(seed, 2 * n + 3)
    columns = (TextColumn("{task.description:<13}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        tasks = {name: bars.add_task(name, start=False, total=1.0) for name in STAGES[:5]}

        def progress(name: str) -> Callable[[float], None]:
            bars.start_task(tasks[name])
            return lambda share: bars.update(tasks[name], completed=share)

        glms = fitting.fit_glms(cell)
        first = fitting.fit_spike_times(cell, cell.split.train, every[:n], settings, progress(STAGES[0]))
        second = fitting.fit_spike_times(cell, cell.whole_fit, every[n : 2 * n], settings, progress(STAGES[1]))
        escapes = {
            "corrected": fitting.fit_escape(cell, True, every[2 * n], settings, progress(STAGES[2])),
            "raw": fitting.fit_escape(cell, False, every[2 * n], settings, progress(STAGES[3])),
        }
        done = progress(STAGES[4])
        best = fitting.preferred(escapes["corrected"].tried, settings)
        early = predict(cell.fitted, cell.split.validation, first, best, glms, every[2 * n + 1], seed, settings)
        final = {name: one.final for name, one in escapes.items()}
        expected = rates(cell, {ESCAPE_NAME: final["corrected"], RAW: final["raw"]}, glms)
        _, counts = fitting.binned(cell.raw)
        expected[OTHERS] = other_repeats(counts)
        late = predict(cell.raw, cell.scored_s, second, final["corrected"], glms, every[2 * n + 2], seed, settings)
        forced = {
            "corrected": voltages(cell.corrected, final["corrected"]).voltage_mv,
            "raw": voltages(cell.raw, final["raw"]).voltage_mv,
        }
        done(1.0)
    return Found(cell, first, second, escapes, glms, early, late, counts, expected, forced, seed, settings)
