"""The experiment from folder to report: leave each stimulus out, fit the others, predict it, score, report."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import jax
from rich.console import Console
from rich.progress import track

from experiments.command import command_of, input_hashes
from experiments.qsnmc import page, results, scoring
from experiments.qsnmc.fitting import Fitted, Predicted, fit, predict
from experiments.qsnmc.settings import QUICK, Settings
from experiments.qsnmc.stimuli import Stimuli, load, refuse_shared
from twin import report
from twin.errors import InputError

__all__ = ["QUICK", "Settings", "run"]


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """Everything that was found, for the page and the store.

    Attributes:
        stimuli: of --data.
        test: of --test; None without.
        left_out: stimulus -> models fitted to the others.
        fitted_to_all: models fitted to every stimulus of --data.
        predicted: split -> stimulus -> prediction: "test" is what no fit had seen; left-out stimuli are the
            "validation" where there is a test folder; "train" is of models that were fitted to the stimulus too.
        seed: of every random number.
        settings: sizes.
    """

    stimuli: Stimuli
    test: Stimuli | None
    left_out: Mapping[str, Fitted]
    fitted_to_all: Fitted
    predicted: Mapping[str, Mapping[str, Predicted]]
    seed: int
    settings: Settings

    def of(self, split: str) -> Stimuli:
        """The stimuli that a split is about."""
        return self.test if split == "test" and self.test is not None else self.stimuli


def run(
    data: Path, test: Path | None, out: Path, *, seed: int, console: Console, settings: Settings | None = None
) -> Path:
    """Run the experiment and write its report.

    Raises:
        InputError: `out` cannot be used, a folder is at fault, or --data and --test share a stimulus.
    """
    report.check_out_dir(out)
    stimuli = load(data)
    if len(stimuli.names) < 2:
        raise InputError(f"{data}: has one stimulus; leaving one out needs two or more.")
    other = None if test is None else load(test)
    if other is not None:
        refuse_shared(stimuli, other)
    found = find(stimuli, other, seed, settings or Settings(), console)
    figures = scoring.score(found)
    written = page.compose(
        found, figures, command=command_of("qsnmc", data, test, seed), inputs=input_hashes(data, test, "challengeA.npz")
    )
    report.write(written, out, results.tree(found))
    page.print_scores(figures, console)
    print(out / "report.html")
    return out


def find(stimuli: Stimuli, test: Stimuli | None, seed: int, settings: Settings, console: Console) -> Found:
    """All fits and predictions."""
    names = stimuli.names
    keys = jax.random.split(jax.random.key(seed), 2 * len(names) + 2)
    left_out, predicted = {}, {}
    for number, name in enumerate(track(names, "leaving stimuli out", console=console)):
        others = tuple(one for one in names if one != name)
        left_out[name] = fit(stimuli, others, keys[2 * number], settings)
        current = stimuli.current_na(name, settings.dt_s)
        predicted[name] = predict(left_out[name], current, keys[2 * number + 1], settings)
    console.print("fitting all stimuli ...", highlight=False)
    every = fit(stimuli, names, keys[-2], settings)
    splits = {"test" if test is None else "validation": predicted, "train": _all(every, stimuli, keys[-1], settings)}
    if test is not None:
        splits["test"] = _all(every, test, keys[-1], settings)
    return Found(stimuli, test, left_out, every, splits, seed, settings)


def _all(fitted: Fitted, stimuli: Stimuli, key: jax.Array, settings: Settings) -> dict[str, Predicted]:
    return {
        name: predict(fitted, stimuli.current_na(name, settings.dt_s), jax.random.fold_in(key, number), settings)
        for number, name in enumerate(stimuli.names)
    }
