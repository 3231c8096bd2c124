"""The experiment from folder to report: read, select, adjust, leave out, classify, gate, report."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr
from rich.console import Console
from rich.progress import track

from experiments.command import command_of, input_hashes
from experiments.neuroelectro import classify, gate, held_out, junction_effect, leave_out, page, results, table
from experiments.neuroelectro.additive import Measured, fit
from experiments.neuroelectro.coding import OFFERED, Coding
from experiments.neuroelectro.stepwise import Chosen, stepwise
from twin import report
from twin.errors import InputError

N_PERMUTATIONS = 40
SQUARED = ("spike_threshold",)  # offered squares of log age and temperature, as the authors' cross-validation chose
LEAST_FREE = 20  # rows beyond one for each type, below which no effect of conditions is estimated


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """Everything that was found, for the page and the store.

    Attributes:
        selected: the rows of --data.
        coding: how their conditions become columns.
        chosen: for each property the stepwise model that grew from the type alone; it makes the adjusted values.
        pruned: the one that the authors' start, all terms, ends at; with squares for thresholds.
        adjusted_r2: for each property its rows and, by model, the adjusted R2.
        junction: the shifts of potentials that were not corrected.
        left_out: for each property the predictions of labs that were left out.
        null: for each property the gains of permuted conditions.
        ladders: for each property none, lab, conditions, both, at two separations.
        classified: nearest centroids.
        gate: what the design can tell.
        held_out: predictions of --test; None without it.
        seed: of permutations and bootstraps.
    """

    selected: table.Selected
    coding: Coding
    chosen: Mapping[str, Chosen]
    pruned: Mapping[str, Chosen]
    adjusted_r2: Mapping[str, tuple[int, dict[str, float]]]
    junction: junction_effect.Junction
    left_out: Mapping[str, leave_out.Predictions]
    null: Mapping[str, np.ndarray]
    ladders: Mapping[str, dict[str, leave_out.Predictions]]
    classified: tuple[classify.Classified, ...]
    gate: gate.Gate
    held_out: Mapping[str, leave_out.Predictions] | None
    seed: int

    def adjusted(self, name: str) -> np.ndarray:
        """Every row's value of a property at the most frequent and mean conditions; NaN where it has none."""
        chosen = self.chosen.get(name)
        values = self.selected.rows[name].values
        if chosen is None:
            return values
        return values - self.coding.encode(self.selected.rows, chosen.terms) @ chosen.model.effects


def run(data: Path, test: Path | None, out: Path, *, seed: int, console: Console) -> Path:
    """Run the experiment and write its report.

    Raises:
        InputError: `out` cannot be used, a table is at fault, or --data and --test share an article.
    """
    report.check_out_dir(out)
    raw = table.read(data)
    other = None
    if test is not None:
        other = table.read(test)
        held_out.refuse_shared_articles(raw, other)
    found = find(raw, other, seed, console)
    written = page.compose(
        found,
        seed=seed,
        command=command_of("neuroelectro", data, test, seed),
        inputs=input_hashes(data, test, table.FILE),
    )
    report.write(written, out, results.tree(found))
    page.print_scores(found, console)
    print(out / "report.html")
    return out


def find(raw: xr.Dataset, other: xr.Dataset | None, seed: int, console: Console) -> Found:
    """All figures of the experiment."""
    selected = table.select(raw)
    rows = selected.rows
    coding = Coding.of(rows)
    measured = _enough({name: Measured.of(rows, name, coding) for name in table.NAMES})
    if not measured:
        raise InputError(
            f"{table.FILE}: no property has {LEAST_FREE} rows beyond one for each neuron type; give the full table."
        )
    shared = _enough({name: Measured.of(rows, name, coding, labs_per_type=2) for name in measured})
    left_out, null, ladders = {}, {}, {}
    for name, one in track(shared.items(), "leaving labs out", console=console, total=len(shared)):
        left_out[name] = leave_out.leave_one_lab_out(one)
        null[name] = leave_out.permuted_gains(one, N_PERMUTATIONS, seed)
        ladders[name] = leave_out.ladder(one)
    chosen = {name: stepwise(one) for name, one in measured.items()}
    pruned = {name: stepwise(one, start=OFFERED, squares=name in SQUARED) for name, one in measured.items()}
    test_rows = None if other is None else table.select(other, selected.time_constants_ms).rows
    return Found(
        selected=selected,
        coding=coding,
        chosen=chosen,
        pruned=pruned,
        adjusted_r2={name: _adjusted_r2(one, chosen[name], pruned[name]) for name, one in measured.items()},
        junction=junction_effect.shifts(rows, coding, seed),
        left_out=left_out,
        null=null,
        ladders={name: one for name, one in ladders.items() if one["other lab"].scored.any()},
        classified=classify.classify(rows, coding),
        gate=gate.examine(rows, coding),
        held_out=None if test_rows is None else held_out.score(rows, test_rows, coding),
        seed=seed,
    )


def _enough(measured: dict[str, Measured]) -> dict[str, Measured]:
    return {name: one for name, one in measured.items() if one.n_free >= LEAST_FREE}


def _adjusted_r2(data: Measured, chosen: Chosen, pruned: Chosen) -> tuple[int, dict[str, float]]:
    return len(data.values), {
        "type_only": fit(data, data.conditions(())).adjusted_r2,
        "type_and_chosen_terms": chosen.model.adjusted_r2,
        "type_and_pruned_terms": pruned.model.adjusted_r2,
    }
