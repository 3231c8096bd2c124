"""The experiment from folder to report: read, fit every cell, leave data sets out, adapt, predict, score, report."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from experiments.calcium import page, results, scoring
from experiments.calcium.cells import load
from experiments.calcium.corpus import Corpus
from experiments.calcium.models import Predicted, Taught, predict_all, teach
from experiments.calcium.settings import QUICK, Settings
from experiments.command import command_of, input_hashes
from twin import report
from twin.errors import InputError

__all__ = ["QUICK", "Settings", "run"]


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """Everything that was found, for the page and the store.

    Attributes:
        taught: cells of --data with the kinetics fitted to all of each.
        test: of --test; None without.
        predicted: split -> predictions: "test" is what no fit had seen; left-out data sets are the "validation" where
            there is a test folder.
        seed: of the bootstrap.
        settings: sizes.
    """

    taught: Taught
    test: Corpus | None
    predicted: Mapping[str, Predicted]
    seed: int
    settings: Settings


def run(
    data: Path, test: Path | None, out: Path, *, seed: int, console: Console, settings: Settings | None = None
) -> Path:
    """Run the experiment and write its report.

    Raises:
        InputError: `out` cannot be used, a folder is at fault, or --data and --test share a recording.
    """
    report.check_out_dir(out)
    corpus = Corpus(load(data, console))
    corpus.require_scored(data)
    if len(set(corpus.data_set[corpus.teaches])) < 2:
        raise InputError(f"{data}: has one data set with enough spikes and frames; leaving one out needs two or more.")
    other = None if test is None else Corpus(load(test, console))
    if other is not None and test is not None:
        corpus.refuse_shared(other)
        other.require_scored(test)
    found = find(corpus, other, seed, settings or Settings(), console)
    chosen = found.settings
    scored = {
        split: scoring.score(one, chosen.horizon_s, chosen.resamples, seed) for split, one in found.predicted.items()
    }
    written = page.compose(
        found, scored, command=command_of("calcium", data, test, seed), inputs=input_hashes(data, test, "*.npz")
    )
    report.write(written, out, results.tree(found, scored))
    page.print_scores(scored, console)
    print(out / "report.html")
    return out


def find(corpus: Corpus, test: Corpus | None, seed: int, settings: Settings, console: Console) -> Found:
    """All fits and predictions."""

    def tell(text: str) -> None:
        console.print(f"{text} ...", highlight=False)

    tell(f"fitting {len(corpus.cells)} cells")
    taught = teach(corpus, settings)
    predicted = {"test" if test is None else "validation": predict_all(corpus, taught, settings, tell)}
    if test is not None:
        predicted["test"] = predict_all(test, taught, settings, tell)
    return Found(taught, test, predicted, seed, settings)
