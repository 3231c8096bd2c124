"""Tables in Markdown, and whether they are as they should be."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.synthetic_vision.animals import BIN_S, Animal
from benchmarks.synthetic_vision.scores import Scored
from twin.judge import cc_max

WANTED = 0.9  # CC_norm of the adapted model with all of the data
AGREE = 0.02  # of the formula with the truth, median over units


def print_truth(new: Animal) -> None:
    """What there is to find."""
    trials = [one.trial for one in new.parts.test]
    truth, counts = new.expected[trials], new.array("counts")[trials].astype(np.float64)
    rates, ceilings = truth.mean(axis=(0, 1)) / BIN_S, cc_max(counts)
    print(
        f"The new animal: {truth.shape[2]} units of {rates.min():.1f} to {rates.max():.1f} Hz, median "
        f"{np.median(rates):.1f}; {len(trials)} repeats of {truth.shape[1] * BIN_S:g} s; CC_max "
        f"{np.nanmin(ceilings):.2f} to {np.nanmax(ceilings):.2f}, median {np.nanmedian(ceilings):.2f}."
    )


def print_scores(found: Sequence[Scored]) -> bool:
    """Every model by minutes; whether the adapted one is good enough and the formula right."""
    print("\nMedian over units; brackets are 95 % bootstrap intervals over units.")
    rows = []
    for one in sorted(found, key=lambda one: (one.minutes, one.name)):
        low, high = one.interval()
        told = f"{one.minutes:g}", one.name, f"{one.median:.3f} [{low:.3f}, {high:.3f}]"
        truth = f"{np.median(one.correlation):.3f}", f"{one.disagreement:.3f}"
        rows.append([*told, *truth, f"{np.nanmedian(one.feve):.3f}"])
    table(["minutes", "model", "CC_norm", "correlation with the true rate", "apart by", "FEVE"], rows)
    best = max((one for one in found if one.name == "adapted"), key=lambda one: one.minutes)
    return best.median >= WANTED and all(one.disagreement <= AGREE for one in found)


def print_defects(found: Sequence[Scored]) -> bool:
    """Defects in the adapted model; whether all but the smallest shift fall below what is wanted."""
    print("\nThe adapted model with a planted defect.")
    table(["defect", "CC_norm", "correlation with the true rate"], [
        [one.name, f"{one.median:.3f}", f"{np.median(one.correlation):.3f}"] for one in found
    ])  # fmt: skip
    return all(one.median < WANTED for one in found)


def write_scores(found: Sequence[Scored], path: Path) -> None:
    """Of every unit."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["model", "minutes", "unit", "cc_norm", "correlation", "feve"])
        for one in found:
            for unit, values in enumerate(zip(one.cc_norm, one.correlation, one.feve, strict=True)):
                rows.writerow([one.name, one.minutes, unit, *values])


def table(head: list[str], rows: list[list[str]]) -> None:
    """In Markdown."""
    print()
    for row in (head, ["---"] * len(head), *rows):
        print(f"| {' | '.join(row)} |", flush=True)
