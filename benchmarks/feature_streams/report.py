"""Tables in Markdown, and whether they are as they should be."""

from collections.abc import Sequence

from benchmarks.feature_streams.bold import TEST, Predicted
from benchmarks.feature_streams.known import LATE_S, Found
from benchmarks.feature_streams.scores import Row

OWN_LAG_S = 1  # by which a subject's own response may be early or late
MOST_LEFT = 0.25  # of the correlation, where the streams are late


def print_known(found: Found, seed: int) -> bool:
    """The generated subjects; returns whether all is as it should be."""
    sizes = found.sizes
    print(
        f"\n{sizes.known} known and {sizes.new} new subjects, {sizes.parcels} parcels, "
        f"{sizes.train_s / 60:g} minutes of film for each known subject, seed {seed}."
    )
    print("\nKnown subjects, a film that nobody was trained on:")
    _table(found.known)
    print("New subjects, nothing of theirs seen:")
    _table(found.zero_shot)
    for minutes, rows in found.adapted.items():
        print(f"New subjects after {minutes:g} minutes:")
        _table(rows)
    print("Correlation that new subjects lose without a modality:")
    heads = ("modality", "absent", "shuffled in time", "known loss of a perfect model")
    _print(heads, [(one.modality, *(f"{v:.3f}" for v in (one.lost, one.shuffled, one.known))) for one in found.knocked])
    print(
        f"Lag of the response after its prediction: {found.lag_s} s; with streams stored {LATE_S:g} s late: "
        f"{found.late_lag_s} s, and {found.late_share:.0%} of the correlation."
    )
    checks = {
        "adapting beats the average subject": _of(found.adapted[max(found.adapted)], "surrogate, adapted").correlation
        > _of(found.zero_shot, "surrogate, average subject").correlation,
        "the average subject beats the others' regression": _of(
            found.zero_shot, "surrogate, average subject"
        ).correlation
        > _of(found.zero_shot, "ridge of the known subjects").correlation,
        "every minute count: adapted beats ridge": all(
            _of(rows, "surrogate, adapted").correlation > _of(rows, "ridge, a subject each").correlation
            for rows in found.adapted.values()
        ),
        "every modality is missed where absent and where shuffled": all(
            min(one.lost, one.shuffled) > 0 for one in found.knocked
        ),
        "late streams are seen": abs(found.lag_s) <= OWN_LAG_S
        and abs(found.late_lag_s + LATE_S) <= OWN_LAG_S
        and found.late_share < MOST_LEFT,
    }
    _print(("check", "verdict"), [(name, "pass" if right else "fail") for name, right in checks.items()])
    return all(checks.values())


def print_fmri(found: Predicted, seed: int) -> bool:
    """The real series; returns whether its defect is seen."""
    n_runs = len(TEST)
    print(f"\nEvent-related fMRI of nitime, {n_runs} runs held out, one series; intervals over blocks of 40 s.")
    rows = []
    for name in found.models:
        one = found.interval(name, seed)
        rows.append((name, f"{found.correlation(name):.3f}", f"{one.low:.3f} to {one.high:.3f}"))
    _print(("model", "correlation", "95 %"), rows)
    apart = found.difference("surrogate", "fir_ridge", seed)
    print(f"Surrogate less ridge, the same blocks: {apart.low:.3f} to {apart.high:.3f}.")
    late = found.interval("fir_ridge_events_30_s_late", seed)
    return late.low < 0 < found.interval("surrogate", seed).low


def _of(rows: Sequence[Row], model: str) -> Row:
    return next(one for one in rows if one.model == model)


def _table(rows: Sequence[Row]) -> None:
    cells = [
        (
            one.model,
            f"{one.correlation:.3f}",
            f"{one.interval.low:.3f} to {one.interval.high:.3f}",
            f"{one.share:.0%}",
        )
        for one in rows
    ]
    _print(("model", "correlation", "95 % over subjects", "of the ceiling"), cells)


def _print(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print()
    for row in (heads, ["---"] * len(heads), *rows):
        print(f"| {' | '.join(row)} |")
    print(flush=True)
