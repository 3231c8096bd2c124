"""Bits per choice over the base rate, accuracy, and their intervals over sessions or subjects."""

import dataclasses

import numpy as np

from experiments.choice.predicting import Group
from experiments.choice.sessions import Session
from twin.judge.inference import Interval, bootstrap

BITS, ACCURACY, POOLED_BITS = "bits_per_choice", "accuracy", "bits_per_choice_over_pooled_rate"
_SMALLEST = 1e-6


@dataclasses.dataclass(frozen=True)
class Value:
    """A figure and its interval."""

    value: float
    interval: Interval


@dataclasses.dataclass(frozen=True)
class Scored:
    """A group's figures.

    Attributes:
        group: that was scored.
        table: (model, metric) -> figure.
        seed: of the resampling.
    """

    group: Group
    table: dict[tuple[str, str], Value]
    seed: int

    def difference(self, model: str, other: str, share: float = 0.0) -> Value:
        """Bits per choice of one model less another's, and plus `share` of that one's own gain over the base rate.

        With a share of .05, model - (1 - .05) ceiling: above 0 where the model has 95 % of the ceiling's gain.
        """
        bits = {name: _bits(self.group, name) for name in (model, other, "base_rate")}
        base = bits["base_rate"]
        gain = (bits[model] - base) - (1.0 - share) * (bits[other] - base)
        return _ratio(self.group, gain, self.seed)


def score(group: Group, seed: int) -> Scored:
    """Every model of a group."""
    table: dict[tuple[str, str], Value] = {}
    base, pooled = _bits(group, "base_rate"), _bits(group, "pooled_base_rate")
    for model, chances in group.chances.items():
        bits = _bits(group, model)
        hits = [_hits(one, chance) for one, chance in zip(group.sessions, chances, strict=True)]
        table[model, BITS] = _ratio(group, bits - base, seed)
        table[model, POOLED_BITS] = _ratio(group, bits - pooled, seed)
        table[model, ACCURACY] = _ratio(group, np.array(hits), seed)
    return Scored(group, table, seed)


def _bits(group: Group, model: str) -> np.ndarray:
    """(session,) sum of the log-likelihoods of the choices, bits."""
    totals = []
    for session, chance in zip(group.sessions, group.chances[model], strict=True):
        kept = np.clip(chance, _SMALLEST, 1.0 - _SMALLEST)
        totals.append(np.where(session.choice == 1, np.log2(kept), np.log2(1.0 - kept)).sum())
    return np.array(totals)


def _hits(session: Session, chance: np.ndarray) -> float:
    # A chance of exactly one half is half a hit.
    return float(np.where(chance == 0.5, 0.5, (chance > 0.5) == (session.choice == 1)).sum())


def _ratio(group: Group, totals: np.ndarray, seed: int) -> Value:
    """A sum over sessions for each choice, with an interval over the group's unit."""
    counts = np.array([len(one) for one in group.sessions], np.float64)
    rows = np.stack([totals, counts], axis=1)
    if group.unit == "animal":
        names = np.array([one.subject for one in group.sessions])
        rows = np.stack([rows[names == name].sum(axis=0) for name in dict.fromkeys(names.tolist())])
    interval = bootstrap(lambda sums: sums[:, 0] / sums[:, 1], rows, unit=group.unit, seed=seed)
    return Value(float(totals.sum() / counts.sum()), interval)
