"""Sessions of choices from `trials.csv`, and which of them are fitted, chosen on, adapted to and scored.

| column | holds |
|---|---|
| `subject`, `session` | names |
| `choice` | 0 or 1 |
| `reward` | what the choice brought; above 0 counts as rewarded |
| `task_...` | any number of columns with what the task shows before the choice, such as a signed contrast |
| `p_choice_1` | optional, of simulated subjects: the chance that the learner gave to choice 1; it is never fitted |

Rows of a session are its trials in order.
"""

import csv
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from twin.errors import InputError, UnsupportedError

FILE = "trials.csv"
TASK, TRUTH = "task_", "p_choice_1"
NEEDED = ("subject", "session", "choice", "reward")
LEFT_OUT_SHARE = 0.25  # of the subjects
TEST_SHARE = 0.25  # of each subject's sessions


@dataclasses.dataclass(frozen=True, eq=False)
class Session:
    """One session of one subject.

    Attributes:
        subject: name.
        name: of the session.
        choice: (trial,) 0 or 1.
        reward: (trial,).
        task: column -> (trial,) what the task showed.
        truth: (trial,) the generator's chance of choice 1, or None.
    """

    subject: str
    name: str
    choice: np.ndarray
    reward: np.ndarray
    task: dict[str, np.ndarray]
    truth: np.ndarray | None

    def __len__(self) -> int:
        return len(self.choice)

    @property
    def rewarded(self) -> np.ndarray:
        """(trial,) whether the choice brought something."""
        return self.reward > 0


@dataclasses.dataclass(frozen=True)
class Subject:
    """A subject and what each of its sessions is for.

    Attributes:
        name: of the subject.
        fitted: of a known subject, to fit; of a new one, to adapt to, in order.
        validation: to choose on.
        test: to score.
    """

    name: str
    fitted: tuple[Session, ...]
    validation: tuple[Session, ...]
    test: tuple[Session, ...]

    @property
    def every(self) -> tuple[Session, ...]:
        """All of its sessions: fitted, validation, test."""
        return (*self.fitted, *self.validation, *self.test)


@dataclasses.dataclass(frozen=True)
class Corpus:
    """Who is known and who is new.

    Attributes:
        known: subjects whose first sessions are fitted and whose last ones are scored.
        new: subjects that no shared weight ever saw.
        columns: names of the task's columns.
        history: what was split how, for the reader.
    """

    known: tuple[Subject, ...]
    new: tuple[Subject, ...]
    columns: tuple[str, ...]
    history: str

    @property
    def is_simulated(self) -> bool:
        """Whether every scored choice comes with the chance that its learner gave to it."""
        return all(one.truth is not None for subject in (*self.known, *self.new) for one in subject.test)


def load(data: Path, test: Path | None) -> Corpus:
    """The corpus of one or two folders.

    Without `test` every fourth subject is new; of each subject the last quarter of its sessions is scored, and of a
    known one the session before them chooses. With it, all of `data` is fitted (the last session of each subject
    chooses), and `test` is scored: a subject of `data` there as known, another one as new, adapted to the first half
    of its sessions.

    Raises:
        InputError: a file is missing or at fault, or there are too few subjects or sessions.
    """
    by_subject = _grouped(read(data))
    if test is None:
        return _split(by_subject, data)
    others = _grouped(read(test))
    columns = {tuple(one.task) for group in (by_subject, others) for sessions in group.values() for one in sessions}
    if len(columns) > 1:
        raise InputError(f"{test / FILE}: has other task columns than {data / FILE}; give the same task in both.")
    known = [Subject(name, sessions[:-1], sessions[-1:], others.get(name, ())) for name, sessions in by_subject.items()]
    new = [_new(name, sessions, len(sessions) // 2) for name, sessions in others.items() if name not in by_subject]
    _require(known, new, data)
    told = "all of --data is fitted, its last session a subject chooses; --test is scored"
    return Corpus(tuple(known), tuple(new), columns.pop(), told)


def read(folder: Path) -> list[Session]:
    """The sessions of a folder, in the order of the file.

    Raises:
        InputError: no file, a column is missing, or a value is not what its column holds.
        UnsupportedError: choices other than 0 and 1.
    """
    path = folder / FILE
    if not path.is_file():
        raise InputError(
            f"{path}: no such file; give a folder that holds the choices as {FILE} (docs/choice.md has its columns), "
            "or make a simulated one with `python -m experiments.choice.simulate DIR`."
        )
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        heads = tuple(reader.fieldnames or ())
        rows = list(reader)
    missing = [name for name in NEEDED if name not in heads]
    if missing or not rows:
        raise InputError(f"{path}: lacks {', '.join(missing) or 'any row'}; it has the columns {', '.join(heads)}.")
    groups: dict[tuple[str, str], list[int]] = {}
    for index, row in enumerate(rows):
        groups.setdefault((row["subject"], row["session"]), []).append(index)
    columns = {name: _numbers(path, name, rows) for name in heads if name not in ("subject", "session", "trial")}
    _check(path, columns)
    task = sorted(name for name in heads if name.startswith(TASK))
    found = []
    for (subject, session), indices in groups.items():
        part = {name: values[indices] for name, values in columns.items()}
        shown = {name: part[name] for name in task}
        choice = part["choice"].astype(np.int64)
        found.append(Session(subject, session, choice, part["reward"], shown, part.get(TRUTH)))
    return found


def _numbers(path: Path, name: str, rows: Sequence[dict[str, str]]) -> np.ndarray:
    try:
        values = np.array([float(row[name]) for row in rows])
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: the column {name!r} has a value that is no number ({error}).") from error
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0]) + 2
        raise InputError(f"{path}: the column {name!r} is not finite in line {row}; leave such trials out.")
    return values


def _check(path: Path, columns: dict[str, np.ndarray]) -> None:
    odd = np.setdiff1d(columns["choice"], (0.0, 1.0))
    if len(odd):
        raise UnsupportedError(
            f"{path}: has the choice {odd[0]:g}; the learners that stand beside the surrogate decide between two "
            "options, so give choices 0 and 1, and leave trials without a choice out."
        )
    truth = columns.get(TRUTH)
    if truth is not None and not ((truth > 0) & (truth < 1)).all():
        raise InputError(f"{path}: {TRUTH} holds chances that are not between 0 and 1.")


def _grouped(sessions: Sequence[Session]) -> dict[str, tuple[Session, ...]]:
    names = dict.fromkeys(one.subject for one in sessions)
    return {name: tuple(one for one in sessions if one.subject == name) for name in names}


def _split(by_subject: dict[str, tuple[Session, ...]], data: Path) -> Corpus:
    names = list(by_subject)
    every = round(1 / LEFT_OUT_SHARE)
    left_out = set(names[every - 1 :: every])
    known, new = [], []
    for name, sessions in by_subject.items():
        n_test = max(1, round(TEST_SHARE * len(sessions)))
        if name in left_out:
            new.append(_new(name, sessions, len(sessions) - n_test))
        else:
            fitted, last = sessions[: -n_test - 1], sessions[-n_test - 1 : -n_test]
            known.append(Subject(name, fitted, last, sessions[-n_test:]))
    _require(known, new, data)
    columns = tuple(next(iter(by_subject.values()))[0].task)
    told = f"every {every}th subject is new; the last quarter of the sessions of each subject is scored"
    return Corpus(tuple(known), tuple(new), columns, told)


def _new(name: str, sessions: tuple[Session, ...], n_adapted: int) -> Subject:
    return Subject(name, sessions[:n_adapted], (), sessions[n_adapted:])


def _require(known: Sequence[Subject], new: Sequence[Subject], data: Path) -> None:
    if len(known) < 2:
        raise InputError(f"{data / FILE}: leaves {len(known)} subjects to fit; give 3 subjects or more.")
    for one in known:
        if not one.fitted:
            raise InputError(
                f"{data / FILE}: subject {one.name!r} has too few sessions to fit, choose and score; give 3."
            )
    for one in new:
        if not one.fitted:
            raise InputError(f"subject {one.name!r} is new and has one session; give 2 or more, some to adapt to.")
    if not any(one.test for one in (*known, *new)):
        raise InputError(f"{data / FILE}: there is no session to score.")
