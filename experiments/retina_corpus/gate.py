"""What the design lets a covariate teach about a study that was left out, said before anything is trained.

A covariate can help on a left-out study only if its recordings have levels that training saw, and if training can tell
these levels from the studies that reported them: some study must have several of them, or they are one with the study.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from experiments.retina_corpus.corpus import Recorded
from twin.judge.identifiability import cramers_v, crossing

COVARIATES = ("age", "temperature", "genotype", "condition")
AGE_BANDS_D = (7, 11, 15)
UNREPORTED = "not reported"
IDENTIFIABLE, NOT = "identifiable", "not identifiable"


@dataclasses.dataclass(frozen=True)
class Answer:
    """What the gate says of a covariate in a round.

    Attributes:
        left_out: studies.
        covariate: name.
        verdict: identifiable or not.
        reason: why.
        islands: into which levels and training studies fall.
        association: bias-corrected Cramer's V of level and study in training; NaN where there is one level.
        known_share: of the scored recordings, whose level training saw in two studies or beside another level.
    """

    left_out: tuple[str, ...]
    covariate: str
    verdict: str
    reason: str
    islands: int
    association: float
    known_share: float


def examine(training: Sequence[Recorded], scored: Sequence[Recorded], left_out: tuple[str, ...]) -> list[Answer]:
    """The gate's answer for each covariate."""
    return [_answer(name, training, scored, left_out) for name in COVARIATES]


def level(one: Recorded, name: str) -> str:
    """A covariate's level: ages in bands, everything else as it was reported."""
    value = one.covariate(name)
    if value is None:
        return UNREPORTED
    if name != "age":
        return f"{value:g}" if isinstance(value, float | int) else str(value)
    edges = (0, *AGE_BANDS_D)
    place = int(np.searchsorted(AGE_BANDS_D, float(value), side="right"))
    return f"P{edges[place]}-{AGE_BANDS_D[place] - 1}" if place < len(AGE_BANDS_D) else f"P{edges[place]} or older"


def _answer(name: str, training: Sequence[Recorded], scored: Sequence[Recorded], left_out: tuple[str, ...]) -> Answer:
    levels, studies = [level(one, name) for one in training], [one.study for one in training]
    graph = crossing(levels, studies, factor=name, other="study")
    association = cramers_v(levels, studies)
    own = [level(one, name) for one in scored]
    separable = _separable(levels, studies)
    share = float(np.mean([one in separable for one in own])) if own else 0.0
    if set(own) <= {UNREPORTED}:
        verdict, reason = NOT, "no recording of the left-out studies reports it"
    elif not separable:
        verdict, reason = NOT, "no training study has two reported levels: level and study are one"
    elif share < 0.5:
        verdict, reason = NOT, f"{share:.0%} of the scored recordings have a level that training can tell from a study"
    else:
        verdict, reason = IDENTIFIABLE, f"{share:.0%} of the scored recordings have a level that training can tell"
    return Answer(left_out, name, verdict, reason, graph.n_components, association, share)


def _separable(levels: Sequence[str], studies: Sequence[str]) -> set[str]:
    """Reported levels that some training study has beside another reported one."""
    found: set[str] = set()
    for study in set(studies):
        own = {one for one, where in zip(levels, studies, strict=True) if where == study and one != UNREPORTED}
        if len(own) > 1:
            found |= own
    return found
