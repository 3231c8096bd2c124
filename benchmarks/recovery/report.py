"""Tables in Markdown and a figure of each model."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.recovery import verdicts
from benchmarks.recovery.junction import INJECTED_MV, POTENTIALS, Comparison
from benchmarks.recovery.recover import N_DRAWS, Recovered
from twin.judge import holm


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table in Markdown."""
    print()
    for row in (head, ["---"] * len(head), *rows):
        print(f"| {' | '.join(row)} |")
    print(flush=True)


def print_recovery(found: Recovered) -> None:
    """A line for each quantity of a model."""
    case, sets = found.case, len(found.truth)
    print(f"\n{case.name}: {case.title}; {case.seconds:g} s in steps of {1e3 * case.dt_s:g} ms, {sets} sets.")
    head = ("quantity", "prior", "R2", "slope", "in interval", "in draws", "chi2 p", "KS p", "undecided")
    rows = []
    for one, free in zip(verdicts.quantities(found), case.free, strict=True):
        prior = f"{free.low:g} to {free.high:g} {free.unit}, {free.scale}"
        if free.prior is not None:
            prior = f"{free.prior.mean:g} ± {free.prior.sd:g} {free.unit}, within {free.low:g} to {free.high:g}"
        numbers = (f"{one.r2:.4f}", f"{one.slope:.3f}", f"{one.covered}/{sets}", f"{one.drawn}/{sets}",
                   f"{one.p_chi2:.3f}", f"{one.p_ks:.3f}", f"{one.undecided}/{sets}")  # fmt: skip
        rows.append([one.name, prior, *numbers])
    print_table(head, rows)
    print(f"Recordings and fits took {found.fit_s:.0f} s, draws {found.sample_s:.0f} s, compilation included.")


def print_summary(models: Sequence[Recovered]) -> bool:
    """A line for each model, and one for all; returns whether all is as it should be."""
    head = ("model", "intervals hold the truth", "draws hold the truth", "least SBC p (Holm)", "truth under mode, p",
            "modes missed", "verdict")  # fmt: skip
    rows, right = [], []
    for found in models:
        inside, drawn = verdicts.covered(found), verdicts.covered_by_draws(found)
        p = verdicts.least_p(found)
        right.append(verdicts.is_covered(inside) and verdicts.is_covered(drawn) and p >= verdicts.LEAST_P)
        verdict = "pass" if right[-1] else "fail"
        rows.append([found.case.name, _share(inside), _share(drawn), f"{p:.3f}", f"{verdicts.p_surplus(found):.3f}",
                     f"{verdicts.missed(found)}/{len(found.truth)}", verdict])  # fmt: skip
    if len(models) > 1:
        both = [np.concatenate([hits(one).ravel() for one in models])[:, None]
                for hits in (verdicts.covered, verdicts.covered_by_draws)]  # fmt: skip
        all_p = [p for found in models for one in verdicts.quantities(found) for p in (one.p_chi2, one.p_ks)]
        rows.append(["all", *(_share(one) for one in both), f"{holm(np.array(all_p)).min():.3f}", "", "", ""])
    print_table(head, rows)
    return all(right)


def print_junction(found: Comparison) -> bool:
    """Biases beside each other; returns whether the correction took them away."""
    case, sets = found.case, len(found.truth)
    print(f"\n{case.name}, recorded with a junction potential of +{INJECTED_MV:g} mV: found minus true, {sets} sets.")
    head = ("quantity", "unit", "uncorrected", "in interval", "corrected", "in interval")
    rows = []
    for k, free in enumerate(case.free):
        cells = []
        for modes, holds in ((found.raw, found.raw_holds), (found.corrected, found.corrected_holds)):
            error = modes[:, k] - found.truth[:, k]
            unit = 1.0 if free.unit == "mV" else found.truth[:, k] / 100
            error, suffix = error / unit, "" if free.unit == "mV" else " %"
            cells += [f"{error.mean():+.2f} ± {error.std(ddof=1):.2f}{suffix}", f"{int(holds[:, k].sum())}/{sets}"]
        label = f"**{free.name}**" if free.name in POTENTIALS[case.name] else free.name
        rows.append([label, free.unit, *cells])
    print_table(head, rows)
    raw, corrected = (verdicts.pooled(one) for one in (found.raw_holds, found.corrected_holds))
    print(f"Intervals that hold the truth: {raw[0]:.1%} uncorrected, {corrected[0]:.1%} corrected.")
    return not verdicts.is_covered(found.raw_holds) and verdicts.is_covered(found.corrected_holds)


def draw_figure(found: Recovered, path: Path) -> None:
    """Found by true with intervals, and the ranks of the truth, a column for each quantity."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names, sets = found.case.space.names, len(found.truth)
    figure = Figure(figsize=(2.2 * len(names), 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = np.asarray(figure.subplots(2, len(names), squeeze=False))
    ranked = verdicts.ranks(found.draws, found.truth)
    for k, name in enumerate(names):
        reach = np.abs(np.stack([found.found[:, k] - found.low[:, k], found.high[:, k] - found.found[:, k]]))
        axes[0, k].errorbar(found.truth[:, k], found.found[:, k], reach, fmt=".", ms=3, lw=0.6, color="tab:blue")
        axes[0, k].axline((0, 0), slope=1, lw=0.6, color="black")
        axes[0, k].set(title=name, xlabel="true", ylabel="found" if k == 0 else "", xlim=(0, 1), ylim=(0, 1))
        axes[1, k].hist(ranked[:, k], bins=np.linspace(0, N_DRAWS + 1, 11), color="tab:grey")
        axes[1, k].axhline(sets / 10, lw=0.6, color="black")
        axes[1, k].set(xlabel="rank of the truth", ylabel="sets" if k == 0 else "")
    figure.savefig(path, dpi=120)


def _share(inside: np.ndarray) -> str:
    share, low, high = verdicts.pooled(inside)
    return f"{share:.1%} ({low:.1%} to {high:.1%})"
