"""The claims of the demo: what judge and referee decided, and what nobody can decide from one cell."""

from typing import TYPE_CHECKING

from twin.judge import Claim

if TYPE_CHECKING:
    from experiments.demo.story import Found


def claims(found: "Found") -> list[Claim]:
    """All claims, from the lowest rung of the ladder to the highest."""
    every = [one.claim() for one in found.agreements] + list(found.evaluation.claims) + _beyond()
    return sorted(every, key=lambda claim: claim.level)


def _beyond() -> list[Claim]:
    return [
        Claim(
            "L4",
            "twin_predicts_unseen_interventions",
            "not_testable",
            None,
            None,
            None,
            None,
            "session",
            "intervention",
            None,
            "no recording of this cell under an intervention: the dose-response is a prediction without a test",
        ),
        Claim(
            "L5",
            "twin_mechanism_supported",
            "not_testable",
            None,
            None,
            None,
            None,
            "session",
            "mechanism",
            None,
            "spike times alone do not show the currents behind them",
        ),
    ]
