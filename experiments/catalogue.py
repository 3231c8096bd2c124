"""The named experiments: each a line here, imported when it is run."""

import dataclasses
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

from twin.errors import InputError


@dataclasses.dataclass(frozen=True)
class Experiment:
    """An experiment on a public data set.

    Attributes:
        name: as in `twin experiment NAME`.
        title: what it does, in a line.
        module: has `run(data, test, out, *, seed, console)`, which writes report.html, report.json and results.zarr.
    """

    name: str
    title: str
    module: str


ALL = {
    one.name: one
    for one in (
        Experiment(
            "neuroelectro",
            "what recording conditions explain of published neuron properties, with labs left out",
            "experiments.neuroelectro.experiment",
        ),
        Experiment(
            "cells",
            "models fitted to some current steps of each cell, and scored by features of the steps held out",
            "experiments.cells.experiment",
        ),
        Experiment(
            "gif_cell",
            "one cortical cell under frozen noise: spike times, escape noise and voltage, electrode in and out",
            "experiments.gif_cell.experiment",
        ),
        Experiment(
            "qsnmc",
            "competition of 2007, challenge A: spike times and rates of stimuli that were left out",
            "experiments.qsnmc.experiment",
        ),
        Experiment(
            "calcium",
            "from spikes to fluorescence: an observation model on data sets that were left out",
            "experiments.calcium.experiment",
        ),
        Experiment(
            "v1_transfer",
            "mouse V1: a core trained on some mice, read and adapted on a mouse that was left out",
            "experiments.v1_transfer.experiment",
        ),
        Experiment(
            "choice",
            "choices of many subjects from task and history, with task, history or both taken away",
            "experiments.choice.experiment",
        ),
        Experiment(
            "retina_corpus",
            "retinal waves of many laboratories: a network pretrained on other studies, and what covariates bring",
            "experiments.retina_corpus.experiment",
        ),
    )
}


def list_all(console: Console) -> None:
    """A line for each experiment."""
    table = Table("experiment", "what", box=None)
    for one in ALL.values():
        table.add_row(one.name, one.title)
    console.print(table)


def run(name: str, data: Path | None, test: Path | None, out: Path | None, seed: int, console: Console) -> None:
    """Run one experiment.

    Raises:
        InputError: there is none of that name, --data or --out is missing, or as the experiment itself.
    """
    if name not in ALL:
        raise InputError(f"no experiment {name!r}; the experiments are: {', '.join(ALL)}.")
    if data is None or out is None:
        missing = [option for option, value in (("--data DIR", data), ("--out DIR", out)) if value is None]
        raise InputError(f"twin experiment {name}: give {' and '.join(missing)}.")
    import_module(ALL[name].module).run(data, test, out, seed=seed, console=console)
