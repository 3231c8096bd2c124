"""The claims of the demo: what judge and referee decided, and what nobody can decide from one cell."""

from typing import TYPE_CHECKING

from twin.judge import Claim
from twin.judge.verdicts import not_testable_claim

if TYPE_CHECKING:
    from experiments.demo.story import Found

BEYOND = (
    not_testable_claim(
        "L4",
        "twin_predicts_unseen_interventions",
        unit="session",
        separation="intervention",
        reason="no recording of this cell under an intervention: the dose-response is a prediction without a test",
    ),
    not_testable_claim(
        "L5",
        "twin_mechanism_supported",
        unit="session",
        separation="mechanism",
        reason="spike times alone do not show the currents behind them",
    ),
)


def claims(found: "Found") -> list[Claim]:
    """All claims, from the lowest rung of the ladder to the highest."""
    every = [one.claim() for one in found.agreements] + list(found.evaluation.claims) + list(BEYOND)
    return sorted(every, key=lambda claim: claim.level)
