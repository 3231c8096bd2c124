"""Sessions as recordings of a surrogate: one window is one trial, one unit is the choice, the past is tokens.

Nothing of the surrogate is special to choices: they are counts of a unit with a categorical likelihood, the task is
stimulus streams, and what happened in the trial before is a behaviour stream of codes.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import xarray as xr

from experiments.choice.sessions import Session, Subject
from experiments.choice.settings import Settings
from surrogate.config import Config, Data, Inputs, Model, Training
from twin import recording
from twin.protocol import Covariate, Protocol
from twin.recording import Stream
from twin.split import Parts, Segment

HISTORY, ACTIONS = "previous_choice_and_outcome", "previous_choice"
FEW_LEVELS = 16  # a column with at most so many values has a feature for each
CLOCK = 20  # bumps over the number of the trial: it sees what changes over some 40 trials
CONTEXT = 32  # trials that lend context before the first scored one


@dataclasses.dataclass(frozen=True)
class Shown:
    """What a surrogate may look at, beside the number of the trial and who decides.

    Attributes:
        name: of the variant, as a model of the report.
        task: whether it sees what the task gives: this trial's columns, earlier ones, outcomes.
        history: whether it sees earlier trials.
    """

    name: str
    task: bool
    history: bool


FULL = Shown("surrogate", True, True)
WITHOUT_TASK = Shown("without_task", False, True)
WITHOUT_HISTORY = Shown("without_history", True, False)
WITHOUT_BOTH = Shown("without_both", False, False)
VARIANTS = (FULL, WITHOUT_TASK, WITHOUT_HISTORY, WITHOUT_BOTH)


def previous(session: Session, outcomes: bool) -> np.ndarray:
    """(trial,) code of the trial before: 0 at the start, then 1 + choice, or 1 + 2 choice + rewarded."""
    codes = 1 + session.choice if not outcomes else 1 + 2 * session.choice + session.rewarded
    return np.concatenate([[0], codes[:-1]]).astype(np.int64)


def as_recording(name: str, subject: str, sessions: Sequence[Session]) -> xr.DataTree:
    """Sessions of one subject as trials of a recording, padded at their end to the length of the longest."""
    longest = max(map(len, sessions))

    def padded(rows: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack([np.pad(row, (0, longest - len(row))) for row in rows])

    def stream(rows: Sequence[np.ndarray]) -> Stream:
        return Stream(padded(rows), 1.0, "1", leading=("trial", "time"))

    stimuli = {column: stream([one.task[column] for one in sessions]) for column in sessions[0].task}
    tokens = {key: stream([previous(one, key == HISTORY) for one in sessions]) for key in (HISTORY, ACTIONS)}
    return recording.from_counts(
        padded([one.choice for one in sessions])[..., None],
        1.0,
        name=name,
        unit_ids=["choice"],
        stimuli=stimuli,
        behaviour=tokens,
        protocol=Protocol({"subject": Covariate(subject)}),
    )


def parts_of(subject: Subject) -> Parts:
    """Which trials of `as_recording(subject.every)` are for what, without their padding."""
    found, first = [], 0
    for sessions in (subject.fitted, subject.validation, subject.test):
        found.append(tuple(Segment(first + k, 0, len(one)) for k, one in enumerate(sessions)))
        first += len(sessions)
    return Parts(*found)


def config_of(
    shown: Shown, columns: Sequence[str], sessions: Sequence[Session], settings: Settings, seed: int
) -> Config:
    """The surrogate of a variant: without history it has no memory at all, not only no tokens."""
    chosen = tuple(columns) if shown.task else ()
    tokens = (HISTORY if shown.task else ACTIONS,) if shown.history else ()
    few = [name for name in chosen if len({v for one in sessions for v in np.unique(one.task[name])}) <= FEW_LEVELS]
    training: Training = settings.training
    return Config(
        name=shown.name,
        seed=seed,
        data=Data(
            window_s=1.0,
            streams=chosen,
            behaviour=tokens,
            levels=(*few, *tokens),
            clock_bumps=CLOCK,
            length=128,
            burn_in=CONTEXT,
        ),
        inputs=Inputs(own_past=False, others=False, trial_index=False),
        model=Model(
            head="categorical",
            core="gru" if shown.history else "none",
            memory=8 if shown.history else 1,
            width=settings.width,
            latents=0,
            history_taus=(1.0,),
            coupling_rank=1,
            embedding=8,
            decoder=settings.width,
            average_subject=0.1,
        ),
        training=training,
    )
