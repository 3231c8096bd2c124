"""Every simple method, and the adapted readout that it is paired with over the same neurons and trials."""

import dataclasses
from collections.abc import Sequence
from typing import Literal

from experiments.v1_transfer.recipes import (
    ADAPTED,
    CONDITION_MEAN,
    GLM,
    NO_PAST,
    NO_PAST_OTHERS,
    WITH_OTHERS,
    ZERO_SHOT,
)
from experiments.v1_transfer.scoring import FLATTENED, WITHIN, Figure, Figures
from experiments.v1_transfer.transfer import GRADIENT, SCRATCH, inputs_of
from experiments.v1_transfer.words import spoken
from twin.report import Section, Table
from twin.report.report import Cell


@dataclasses.dataclass(frozen=True)
class Pair:
    """A simple method and what is held against it, fitted to the same trials.

    Attributes:
        told: the method in words.
        model: its name in the scores.
        amount: "full" or "quarter".
        fair: the adapted model that sees no own past either, and other neurons only where the method does.
        past: the adapted model that sees the neuron's own past as well.
    """

    told: str
    model: str
    amount: str = "full"
    fair: str = NO_PAST.model
    past: str = ADAPTED.model


_OTHERS = (NO_PAST_OTHERS.model, WITH_OTHERS.model)
PAIRS = (
    Pair("mean of the direction", CONDITION_MEAN),
    Pair("mean of the direction, quarter of the data", CONDITION_MEAN, "quarter"),
    Pair("running, pupil, common time course", "running_and_pupil"),
    Pair("number of the trial, common time course", "trial_index"),
    Pair("GLM: direction by time, running, pupil", GLM),
    Pair("GLM, quarter of the data", GLM, "quarter"),
    Pair("GLM and shared gain of the others", "glm_shared_gain", "full", *_OTHERS),
    Pair("GLM and number of the trial", "glm_trial_index"),
    Pair("GLM and all other neurons", "glm_others", "full", *_OTHERS),
    Pair("GLM and all other neurons, quarter of the data", "glm_others", "quarter", *_OTHERS),
    Pair("GLM, number of the trial, all other neurons", "glm_trial_index_others", "full", *_OTHERS),
    Pair("average neuron of the other mice, nothing fitted", ZERO_SHOT),
    Pair("the same network from scratch", SCRATCH, "full", GRADIENT, ADAPTED.model),
    Pair("the same network from scratch, quarter of the data", SCRATCH, "quarter", GRADIENT, ADAPTED.model),
)


def sections(scored: Figures) -> list[Section]:
    """Differences of the mean of mice, and of each mouse."""
    seen = (
        "Gain of an adapted model over each simple method, fitted to as many trials, paired over mice and neurons. The "
        "adapted model sees no past of the neuron, as the method does not, and other neurons only where the method "
        "does. The network from scratch, and what is held against it, see the past."
    )
    past = "The same where the adapted model sees the neuron's own past too: fair in the last two rows alone."
    return [
        _means(scored, "Against every simple method", seen, "fair"),
        _means(scored, "Against every simple method, with the past", past, "past"),
        *(_by_mouse(scored, metric) for metric in (FLATTENED, WITHIN)),
    ]


def _means(scored: Figures, title: str, text: str, which: Literal["fair", "past"]) -> Section:
    table: list[tuple[Cell, ...]] = []
    for pair in PAIRS:
        model = pair.fair if which == "fair" else pair.past
        gains = (
            _told(scored.difference((model, pair.amount), (pair.model, pair.amount), metric))
            for metric in (FLATTENED, WITHIN)
        )
        own = " / ".join(
            f"{scored.value(pair.model, metric, amount=pair.amount):.3f}" for metric in (FLATTENED, WITHIN)
        )
        table.append((pair.told, spoken(inputs_of(pair.model)), own, model, *gains))
    columns = (
        "simple method", "its inputs", "flattened / within", "held against it", "gain, flattened", "gain, within",
    )  # fmt: skip
    return Section(title, text, table=Table(columns, tuple(table)))


def _by_mouse(scored: Figures, metric: str) -> Section:
    table: Sequence[tuple[Cell, ...]] = [
        (
            pair.told,
            *(
                _told(scored.difference((pair.fair, pair.amount), (pair.model, pair.amount), metric, condition=name))
                for name in scored.mice
            ),
        )
        for pair in PAIRS
    ]
    word = "flattened" if metric == FLATTENED else "within trial"
    text = "Gain of the same models as in the first table, paired over neurons; intervals resample neurons."
    return Section(
        f"Against every simple method, by mouse, {word}",
        text,
        table=Table(("simple method", *scored.mice), tuple(table)),
    )


def _told(one: Figure) -> str:
    low, high = one.interval.low, one.interval.high
    return f"{one.value:+.3f}" if low != low else f"{one.value:+.3f} [{low:+.3f},\u00a0{high:+.3f}]"
