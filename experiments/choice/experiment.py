"""The experiment from folder to report: read, train with and without inputs, adapt, plant shortcuts, score, report."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from experiments.choice import page, predicting, results, scoring, sessions
from experiments.choice.scoring import Scored
from experiments.choice.sessions import Corpus
from experiments.choice.settings import QUICK, Settings
from experiments.choice.tokens import FULL, VARIANTS
from experiments.command import command_of, input_hashes
from twin import report

__all__ = ["QUICK", "Settings", "run"]


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """Everything that was found, for the page and the store.

    Attributes:
        corpus: who was fitted and who is new.
        known: held-out sessions of fitted subjects; None where a test folder has none.
        zero_shot: new subjects as the average one; None where there is none.
        adapted: new subjects adapted to ever more sessions.
        planted: kind of shortcut -> what the surrogate without task and history finds of it.
        share: of the choices that a planted shortcut decides.
        seed: of every random number.
    """

    corpus: Corpus
    known: Scored | None
    zero_shot: Scored | None
    adapted: tuple[Scored, ...]
    planted: Mapping[str, Scored]
    share: float
    seed: int

    @property
    def scored(self) -> list[Scored]:
        """All groups."""
        first = [one for one in (self.known, self.zero_shot) if one is not None]
        return [*first, *self.adapted, *self.planted.values()]


def run(
    data: Path, test: Path | None, out: Path, *, seed: int, console: Console, settings: Settings | None = None
) -> Path:
    """Run the experiment and write its report.

    Raises:
        InputError: `out` cannot be used, or a folder is at fault.
    """
    report.check_out_dir(out)
    corpus = sessions.load(data, test)
    found = find(corpus, seed, settings or Settings(), console)
    written = page.compose(
        found, command=command_of("choice", data, test, seed), inputs=input_hashes(data, test, sessions.FILE)
    )
    report.write(written, out, results.tree(found))
    page.print_scores(found, console)
    print(out / "report.html")
    return out


def find(corpus: Corpus, seed: int, settings: Settings, console: Console) -> Found:
    """All fits, predictions and figures."""
    columns = (TextColumn("{task.description:<16}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        training = bars.add_task("training", total=len(VARIANTS))
        fits = predicting.fit_variants(corpus, settings, seed, lambda: bars.advance(training))
        known = None
        if any(one.test for one in corpus.known):
            known = scoring.score(predicting.known_group(corpus, fits, settings, seed), seed)
        adapting = bars.add_task("new subjects", total=1)
        groups = list(predicting.new_groups(corpus, fits[FULL.name].surrogate, settings, seed))
        new = [scoring.score(one, seed) for one in groups]
        bars.advance(adapting)
        audit = bars.add_task("planted shortcuts", total=1)
        planted = {}
        if known is not None:
            copies = predicting.planted(corpus, settings, seed)
            planted = {name: scoring.score(one, seed) for name, one in copies.items()}
        bars.advance(audit)
    zero_shot = new[0] if new else None
    return Found(corpus, known, zero_shot, tuple(new[1:]), planted, settings.planted, seed)
