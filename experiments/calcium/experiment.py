"""The experiment from folder to report: read, fit every cell, leave data sets out, adapt, predict, score, report."""

import dataclasses
import shlex
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from experiments.calcium import page, results, scoring
from experiments.calcium.cells import load
from experiments.calcium.corpus import Corpus
from experiments.calcium.models import Predicted, Taught, predict_all, teach
from experiments.calcium.settings import QUICK, Settings
from twin import provenance, report
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
    written = page.compose(found, scored, command=_command(data, test, seed), inputs=_inputs(data, test))
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


def _command(data: Path, test: Path | None, seed: int) -> str:
    words = ["twin", "experiment", "calcium", "--data", data.absolute().name]
    words += ["--test", test.absolute().name] if test else []
    return shlex.join([*words, "--out", "OUT", "--seed", str(seed)])


def _inputs(data: Path, test: Path | None) -> dict[str, str]:
    folders = {"--data": data} | ({"--test": test} if test else {})
    return {
        f"{option} {path.name}": provenance.file_hash(path)
        for option, folder in folders.items()
        for path in sorted(folder.glob("*.npz"))
    }
