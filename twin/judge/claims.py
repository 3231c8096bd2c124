"""The rows of a report: scores, and claims with their verdicts. The words that they may use are owned here."""

import math
import re
from collections.abc import Collection
from dataclasses import asdict, dataclass

from twin.errors import InputError
from twin.judge.inference import require_unit

LEVELS = {
    "L0": "runs and is verified",
    "L1": "marginals",
    "L2": "indistinguishable",
    "L3": "transfers to a new laboratory or animal",
    "L4": "predicts unseen interventions better than every trivial baseline",
    "L5": "mechanism supported",
}
VERDICTS = ("pass", "fail", "not_testable")
SPLITS = ("train", "validation", "test")
# One place for every metric: its name in a report and what a larger value means.
METRICS = {
    "bits_per_spike": "more likelihood than the mean rate",
    "co_bits_per_spike": "more likelihood of held-out units",
    "single_trial_correlation": "nearer to single trials",
    "correlation_to_mean": "nearer to the mean over trials",
    "feve": "more of the explainable variance",
    "coincidence_factor": "more spikes at the right time",
    "coincidence_factor_shuffled": "more spikes at the right time, chance from shuffled intervals",
    "copied_spikes": "more generated spikes at the very time of a real one",
    "rmse_mv": "farther, in millivolts",
    "effect_correlation": "nearer to the effects of an intervention",
    "sign_accuracy": "more effects of the right sign",
    "trial_matched_r2": "more variance, at the trial count of the data",
    "interval_ks": "farther interval distributions",
    "interval_wasserstein_ms": "farther interval distributions, in milliseconds",
    "count_tv": "farther count distributions",
    "c2st_accuracy": "easier to tell from real",
    "c2st_accuracy_logistic": "easier to tell from real",
    "c2st_accuracy_random_forest": "easier to tell from real",
    "c2st_accuracy_knn": "easier to tell from real",
    "rate_hz": "more spikes per second",
}
_WORD = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Score:
    """One figure of one model; baselines and ceilings are models too. None stands for a bound that there is not."""

    split: str
    condition: str
    model: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int
    unit: str

    def __post_init__(self) -> None:
        _one_of(self.split, SPLITS, "split")
        _one_of(self.metric, METRICS, "metric")
        _word(self.model, "model")
        _word(self.condition, "condition")
        require_unit(self.unit)

    def as_row(self) -> dict[str, str | int | float | None]:
        """The row of a report; NaN and infinity become None, which strict JSON can hold."""
        return _finite_row(asdict(self))


@dataclass(frozen=True)
class Claim:
    """One statement, its verdict, and the figures that decided it.

    Attributes:
        level: rung of the claim ladder, one of `LEVELS`.
        name: what is claimed, in snake case.
        verdict: pass, fail or not_testable.
        figure: the figure the verdict was read off; None where there is none.
        low: lower bound of the figure.
        high: upper bound of the figure.
        n: how many things the figure rests on.
        unit: which exchangeable unit the bounds speak about.
        separation: how far apart real and compared data were (same stretch, other block, trial, session, animal, lab).
        margin: what the bound was held against.
        reason: one phrase; never empty unless the verdict is pass.
    """

    level: str
    name: str
    verdict: str
    figure: float | None
    low: float | None
    high: float | None
    n: int | None
    unit: str
    separation: str
    margin: float | None
    reason: str

    def __post_init__(self) -> None:
        _one_of(self.level, LEVELS, "level")
        _one_of(self.verdict, VERDICTS, "verdict")
        _word(self.name, "name")
        require_unit(self.unit)
        if self.verdict == "pass" and (self.figure is None or not math.isfinite(self.figure)):
            raise InputError(f"The claim {self.name} passes without a figure; give the finite figure that decided it.")
        if self.verdict != "pass" and not self.reason:
            raise InputError(f"The claim {self.name} is {self.verdict} without a reason; say why in a phrase.")

    def as_row(self) -> dict[str, str | int | float | None]:
        """The row of a report; NaN and infinity become None, which strict JSON can hold."""
        return _finite_row(asdict(self))


def _finite_row(row: dict) -> dict[str, str | int | float | None]:
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}


def _one_of(word: str, allowed: Collection[str], what: str) -> None:
    if word not in allowed:
        raise InputError(f"The {what} {word!r} is not in the vocabulary of reports; use one of {', '.join(allowed)}.")


def _word(word: str, what: str) -> None:
    if not _WORD.fullmatch(word):
        raise InputError(f"The {what} {word!r} is not a word of a report; use small letters, digits and underscores.")
