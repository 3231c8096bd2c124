"""The report of the experiment: what a reader is told, in which order, with which figures."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table as ConsoleTable

from experiments.v1_transfer import pairs
from experiments.v1_transfer.claims import claims
from experiments.v1_transfer.recipes import (
    ABLATIONS,
    ADAPTED,
    ENCODING,
    GLM,
    INPUTS,
    NO_PAST,
    NO_PAST_OTHERS,
    WITH_OTHERS,
)
from experiments.v1_transfer.scoring import CEILING, FEVE, FLATTENED, MEAN, VARIANCE, WITHIN, Figure, Figures, rows
from experiments.v1_transfer.transfer import GRADIENT, SCRATCH, inputs_of
from experiments.v1_transfer.words import spoken, told
from twin import provenance
from twin.report import MetricNote, Report, Section, Table, figures
from twin.report.report import Cell

if TYPE_CHECKING:
    from experiments.v1_transfer.experiment import Found

NOTES = {
    WITHIN: MetricNote(
        "Within-trial correlation",
        "Correlation over the windows of one trial, mean over trials: what a prediction knows beyond the trial's mean.",
        "higher",
    ),
    VARIANCE: MetricNote("Explained variance", "1 less the squared error over the variance.", "higher"),
}
SHOWN = ("condition_mean", GLM, "glm_trial_index", "glm_own_past", ADAPTED.model, WITH_OTHERS.model)
# In the order of what they may look at.
GROUPS = {
    "stimulus and behaviour": (
        "condition_mean", "running_and_pupil", "zero_shot_glm", "zero_shot", GLM, "random_core_encoding",
        "adapted_encoding",
    ),
    "and the number of the trial": ("trial_index", "glm_trial_index", "adapted_no_past"),
    "and the other neurons": ("glm_shared_gain", "glm_others", "glm_trial_index_others", NO_PAST_OTHERS.model),
    "and the neuron's own past, but no other neuron": (
        "zero_shot_past", "glm_own_past", "random_core", SCRATCH, GRADIENT, ADAPTED.model,
    ),
    "and both": ("glm_everything", WITH_OTHERS.model),
}  # fmt: skip


def compose(found: "Found", scored: Figures, *, command: str, inputs: Mapping[str, str]) -> Report:
    """The report."""
    return Report(
        name="v1_transfer",
        title="A mouse that the core has not seen",
        summary=_summary(scored),
        versions=provenance.versions(),
        command=command,
        seed=found.seed,
        claims=[claim.as_row() for claim in claims(scored)],
        scores=rows(scored),
        sections=tuple(_sections(found, scored)),
        inputs=inputs,
        metric_notes=NOTES,
        model_notes={model: told(model) for _, _, _, model, _ in scored.table},
    )


def _summary(scored: Figures) -> str:
    def pair(model: str) -> str:
        return f"{scored.value(model, FLATTENED):.2f} / {scored.value(model, WITHIN):.2f}"

    return (
        f"Single trials of mice that the core had not seen ({', '.join(scored.mice)}), correlation "
        "flattened / within trial: "
        f"{pair('adapted_no_past')} from stimulus, behaviour and trial number ({GLM} with the trial number "
        f"{pair('glm_trial_index')}); {pair(ADAPTED.model)} with the neuron's own past as well (the linear model "
        f"{pair('glm_own_past')}); {pair(WITH_OTHERS.model)} with the other neurons too."
    )


def _sections(found: "Found", scored: Figures) -> list[Section]:
    return [
        _recorded(found, scored),
        _overview(scored),
        *pairs.sections(scored),
        *(_per_mouse(scored, metric) for metric in (FLATTENED, WITHIN)),
        _ablations(scored),
        _quarter(scored),
        _feve(scored),
    ]


def _recorded(found: "Found", scored: Figures) -> Section:
    table: list[tuple[Cell, ...]] = []
    for one in found.left_out:
        reliability = scored.reliability[one.mouse.name]
        table.append(
            (
                one.mouse.name, one.mouse.group, one.mouse.n_neurons, len(one.mouse.fitted), len(one.mouse.scored),
                float(reliability.mean_response.mean()), float(reliability.single_trial.mean()),
                ", ".join(one.pretrained_on),
            )
        )  # fmt: skip
    text = (
        "Calcium activity under drifting gratings in eight directions. Each mouse is left out in turn: a network is "
        "trained on the others, its shared weights are frozen, and readouts of the mouse's neurons are fitted to its "
        "training trials. Penalties are chosen within those trials. The sample is the mouse, and there are few: "
        "intervals over mice resample mice, then neurons. Groups and dates of imaging are confounded."
    )
    columns = (
        "mouse", "group", "neurons", "trials fitted", "scored", "reliability of the mean", "ceiling of the stimulus",
        "core trained on",
    )  # fmt: skip
    return Section("What was recorded", text, table=Table(columns, tuple(table)))


def _overview(scored: Figures) -> Section:
    table: list[tuple[Cell, ...]] = []
    for models in GROUPS.values():
        for model in models:
            if scored.has(model, FLATTENED):
                cells = (_told(scored, model, metric) for metric in (FLATTENED, WITHIN, VARIANCE))
                table.append((model, spoken(inputs_of(model)), *cells))
    table.append((CEILING, "stimulus", _told(scored, CEILING, FLATTENED), "", ""))
    text = (
        "Correlation with single trials that no fit had seen, mean of mice. A score is to be compared with those of "
        "the same inputs: the number of the trial knows slow drift, the other neurons know the state of the animal, "
        "and the neuron's own past, up to the window before, knows both and the calcium that is still there. The "
        "other neurons are seen in the same window; adapted readouts see them one window before and after and in the "
        "mean over the trial too. random_core is the readout of a network that was never trained."
    )
    columns = ("model", "inputs", "flattened", "within trial", "explained variance")
    return Section("All models", text, table=Table(columns, tuple(table)))


def _told(scored: Figures, model: str, metric: str, amount: str = "full", condition: str = MEAN) -> str:
    one: Figure | None = scored.table.get(("test", condition, amount, model, metric))
    if one is None:
        return ""
    low, high = one.interval.low, one.interval.high
    return f"{one.value:.3f}" if low != low else f"{one.value:.3f} [{low:.2f},\u00a0{high:.2f}]"


def _per_mouse(scored: Figures, metric: str) -> Section:
    word = "flattened" if metric == FLATTENED else "within trial"
    curves = {}
    for model in SHOWN:
        every = [scored.table["test", name, "full", model, metric] for name in scored.mice]
        curves[model] = (
            [one.value for one in every],
            [one.interval.low for one in every],
            [one.interval.high for one in every],
        )
    figure = figures.effect_bars(list(scored.mice), curves, f"correlation, {word}")
    models = [model for group in GROUPS.values() for model in group if scored.has(model, metric)]
    table: tuple[tuple[Cell, ...], ...] = tuple(
        (model, *(scored.value(model, metric, condition=name) for name in scored.mice), scored.value(model, metric))
        for model in models
    )
    text = "Intervals of a mouse resample its neurons."
    return Section(f"By mouse, {word}", text, table=Table(("model", *scored.mice, "mean"), table), figure=figure)


def _ablations(scored: Figures) -> Section:
    lacking = {
        "nothing": WITH_OTHERS.model,
        "other neurons": ADAPTED.model,
        "own past": NO_PAST_OTHERS.model,
        **{one.model.removeprefix("adapted_without_").replace("_", " "): one.model for one in ABLATIONS},
        "own past, other neurons": NO_PAST.model,
        "own past, other neurons, trial index": ENCODING.model,
    }
    table = []
    for left, model in lacking.items():
        cells: list[Cell] = [_told(scored, model, FLATTENED), _told(scored, model, WITHIN)]
        for metric in (FLATTENED, WITHIN):
            lost = scored.difference((WITH_OTHERS.model, "full"), (model, "full"), metric)
            cells.append(
                f"{lost.value:.3f} [{lost.interval.low:.3f},\u00a0{lost.interval.high:.3f}]"
                if left != "nothing"
                else ""
            )
        table.append((left, *cells))
    text = (
        f"The readout of all inputs ({spoken(INPUTS)}), and what it loses without some: the "
        "flag is off in the network and its bands are gone from the readout, which is fitted anew. Without the "
        "stimulus there is no clock either. Losses are paired over mice and neurons."
    )
    columns = ("left out", "flattened", "within trial", "lost, flattened", "lost, within trial")
    return Section("Inputs left out", text, table=Table(columns, tuple(table)))


def _quarter(scored: Figures) -> Section:
    models = [model for group in GROUPS.values() for model in group if scored.has(model, FLATTENED, amount="quarter")]
    table: Sequence[tuple[Cell, ...]] = [
        (
            model,
            *(_told(scored, model, metric, amount) for metric in (FLATTENED, WITHIN) for amount in ("quarter", "full")),
        )
        for model in models
    ]
    text = (
        "Readouts from three trials of each direction instead of thirteen. What the other mice teach is the core, "
        "and the neuron that is like their average."
    )
    columns = ("model", "flattened, quarter", "flattened, all", "within trial, quarter", "within trial, all")
    return Section("A quarter of the trials", text, table=Table(columns, tuple(table)))


def _feve(scored: Figures) -> Section:
    testable = [name for name, one in scored.reliability.items() if one.testable]
    if not testable:
        return Section("Explainable variance", "In no mouse does the response repeat well enough.")
    models = [model for group in GROUPS.values() for model in group if scored.has(model, FEVE, condition=testable[0])]
    table = tuple((model, *(_told(scored, model, FEVE, condition=name) for name in testable)) for model in models)
    text = (
        "Share of the explainable variance, only where the mean reliability of the response is above .5. Above 1 is "
        "possible: behaviour, past and the other neurons explain what differs between repeats."
    )
    return Section("Explainable variance", text, table=Table(("model", *testable), table))


def print_scores(scored: Figures, console: Console) -> None:
    """The table that ends the experiment."""
    table = ConsoleTable("flattened / within trial", *scored.mice, "mean", "quarter", box=None)
    for model in (model for group in GROUPS.values() for model in group):
        if scored.has(model, FLATTENED):
            cells = [_pair(scored, model, "full", name) for name in (*scored.mice, MEAN)]
            table.add_row(model, *cells, _pair(scored, model, "quarter", MEAN))
    console.print(table)


def _pair(scored: Figures, model: str, amount: str, condition: str) -> str:
    if not scored.has(model, FLATTENED, amount=amount, condition=condition):
        return ""
    values = (scored.value(model, metric, amount=amount, condition=condition) for metric in (FLATTENED, WITHIN))
    return " / ".join(f"{value:.2f}" for value in values)
