"""Claims and scores: the vocabulary of reports and strict JSON."""

import json
from dataclasses import replace

import pytest

from twin.errors import InputError
from twin.judge import METRICS, Claim, Score

SCORE = Score("test", "held_out", "twin", "bits_per_spike", 0.5, 0.4, float("nan"), 10, "block")
CLAIM = Claim("L1", "twin_beats_lnp", "pass", 0.1, 0.05, float("inf"), 10, "block", "same stretch", 0.0, "")


def test_rows_are_strict_json():
    """NaN and infinity become null, and every promised column is there."""
    row = json.loads(json.dumps(SCORE.as_row(), allow_nan=False))
    assert list(row) == ["split", "condition", "model", "metric", "value", "low", "high", "n", "unit"]
    assert row["high"] is None
    assert row["value"] == 0.5
    row = json.loads(json.dumps(CLAIM.as_row(), allow_nan=False))
    assert list(row) == [
        "level", "name", "verdict", "figure", "low", "high", "n", "unit", "separation", "margin", "reason",
    ]  # fmt: skip
    assert row["high"] is None


@pytest.mark.parametrize(
    ("field", "word"),
    [("split", "holdout"), ("metric", "accuracy"), ("unit", "window"), ("model", "My Twin"), ("condition", "")],
)
def test_a_score_uses_the_words_that_are_the_same_everywhere(field, word):
    """A word outside of the vocabulary is refused when the row is made, not when the report is read."""
    with pytest.raises(InputError, match="use|unknown"):
        replace(SCORE, **{field: word})


@pytest.mark.parametrize(("field", "word"), [("level", "L6"), ("verdict", "true"), ("unit", "cell"), ("name", "Twin!")])
def test_a_claim_uses_the_words_that_are_the_same_everywhere(field, word):
    """Levels are L0 to L5 and verdicts pass, fail and not_testable."""
    with pytest.raises(InputError):
        replace(CLAIM, **{field: word})


def test_a_pass_has_a_figure_and_all_else_a_reason():
    """No claim passes on nothing, and none fails or stays open without saying why."""
    with pytest.raises(InputError, match="passes without a figure"):
        replace(CLAIM, figure=float("nan"))
    with pytest.raises(InputError, match="without a reason"):
        replace(CLAIM, verdict="not_testable")


def test_the_promised_metrics_are_in_the_vocabulary():
    """The words that every report shares, and those that this judge adds, are in one place."""
    promised = {
        "bits_per_spike", "co_bits_per_spike", "single_trial_correlation", "correlation_to_mean", "feve",
        "coincidence_factor", "rmse_mv", "effect_correlation", "sign_accuracy", "trial_matched_r2",
    }  # fmt: skip
    added = {"interval_ks", "interval_wasserstein_ms", "count_tv", "c2st_accuracy", "rate_hz"}
    assert promised | added <= set(METRICS)
