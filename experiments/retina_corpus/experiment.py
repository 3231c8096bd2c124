"""The experiment from folder to report: read, leave out, pretrain, adapt, score, decode, report."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from experiments.command import command_of, input_hashes
from experiments.retina_corpus import corpus, gate, page, results, rounds
from experiments.retina_corpus.corpus import Left, Recorded
from experiments.retina_corpus.decoding import Named, name_studies
from experiments.retina_corpus.embedding import embedded
from experiments.retina_corpus.pretraining import PAST, material
from experiments.retina_corpus.rounds import Round, Scored
from experiments.retina_corpus.settings import QUICK, Settings
from twin import report
from twin.errors import InputError

__all__ = ["QUICK", "Settings", "run"]

EMBEDDINGS = ("none", "protocol")


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """Everything that was found, for the page and the store.

    Attributes:
        rounds: what was left out at a time.
        left: recordings that are not used, and why.
        scored: of each recording that was scored.
        answers: of the identifiability gate, before anything was trained.
        features: six numbers or embedding -> (recording, feature), with the studies and names of the recordings.
        studies: of these recordings.
        names: of these recordings.
        named: how well each of the features names the study.
        has_test: whether a test folder was given.
        seed: of every random number.
        settings: sizes.
    """

    rounds: Sequence[Round]
    left: Sequence[Left]
    scored: Sequence[Scored]
    answers: Sequence[gate.Answer]
    features: Mapping[str, np.ndarray]
    studies: np.ndarray
    names: np.ndarray
    named: Mapping[str, Named]
    has_test: bool
    seed: int
    settings: Settings


def run(
    data: Path, test: Path | None, out: Path, *, seed: int, console: Console, settings: Settings | None = None
) -> Path:
    """Run the experiment and write its report.

    Networks and scores are kept in a folder beside `out` (OUT.work) as they are finished; the same command goes on from
    there.

    Raises:
        InputError: `out` cannot be used, a folder is at fault, or no recording can be scored.
    """
    report.check_out_dir(out)
    settings = settings or Settings()
    work = out.absolute().with_name(out.absolute().name + ".work")
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        task = bars.add_task("read the recordings", total=1.0)
        found = find(
            data, test, work, seed, settings, lambda what, at: bars.update(task, description=what, completed=at)
        )
    written = page.compose(
        found, command=command_of("retina_corpus", data, test, seed), inputs=input_hashes(data, test, "*.npz")
    )
    report.write(written, out, results.tree(found))
    page.print_scores(found, console)
    console.print(f"Networks and scores of each recording: {work}")
    print(out / "report.html")
    return out


def find(data: Path, test: Path | None, work: Path, seed: int, settings: Settings, tell: rounds.Tell) -> Found:
    """All figures of the experiment."""
    recordings, left = corpus.read(data, settings, lambda share: tell("read the recordings", share))
    others = None
    if test is not None:
        others, dropped = corpus.read(test, settings, lambda share: tell("read the test folder", share))
        others, twins = _without_twins(others, recordings)
        left = [*left, *dropped, *twins]
    every = rounds.rounds_of(recordings, others, settings)
    if not any(one.scored for one in every):
        raise InputError(
            f"{(test or data).name}: no recording can be scored: give at least two studies, with recordings of "
            f"{settings.least_s:g} s and {settings.fewest_units} units of {settings.fewest_train} spikes."
        )
    left = [*left, *_unusable(others if others is not None else recordings, settings)]
    answers = [answer for one in every for answer in gate.examine(one.material, one.scored, one.left_out)]
    scored = rounds.score(every, work, settings, seed, tell)
    features, chosen = _features(recordings, work, seed, settings, tell)
    studies = np.array([one.study for one in chosen])
    tell("name the studies", 0.0)
    named = {name: name_studies(values, studies, settings, seed) for name, values in features.items()}
    names = np.array([one.name for one in chosen])
    known = {name: one for name, one in named.items() if one is not None}
    return Found(every, left, scored, answers, features, studies, names, known, test is not None, seed, settings)


def _without_twins(test: Sequence[Recorded], data: Sequence[Recorded]) -> tuple[list[Recorded], list[Left]]:
    """Test recordings that are not also in the data: a network must not be scored on what it was trained on."""
    kept, dropped = [], []
    for one in test:
        twin = corpus.same_as(one, data)
        if twin is None:
            kept.append(one)
        else:
            dropped.append(Left(one.name, f"is the same recording as {twin} of --data, so it cannot test"))
    if not kept:
        raise InputError("--test: all of its recordings are in --data too; give recordings that are not.")
    return kept, dropped


def _unusable(recordings: Sequence[Recorded], settings: Settings) -> list[Left]:
    tried = (corpus.usable(one, settings, scored=True) for one in recordings)
    return [one for one in tried if isinstance(one, Left)]


def _features(
    recordings: Sequence[Recorded], work: Path, seed: int, settings: Settings, tell: rounds.Tell
) -> tuple[dict[str, np.ndarray], list[Recorded]]:
    """Six numbers and embeddings of all recordings that have both; the networks are trained on all of the data."""
    chosen = [one for one in recordings if np.isfinite(one.six).all()]
    with_units = [corpus.usable(one, settings, scored=False) for one in chosen]
    both = [(one, units) for one, units in zip(chosen, with_units, strict=True) if isinstance(units, Recorded)]
    whole = Round("all", (), material(recordings, (), settings), ())
    features = {"six_numbers": np.stack([one.six for one, _ in both])}
    for variant in EMBEDDINGS:
        surrogate = rounds.network(whole, (PAST, variant), work, settings, seed, tell)
        tell(f"embed, {variant}", 0.0)
        features[f"embedding_{variant}"] = embedded(surrogate, [units for _, units in both])
    return features, [one for one, _ in both]
