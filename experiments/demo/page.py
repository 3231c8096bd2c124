"""The report of the demo: what a reader is told, in which order, with which figures."""

from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table as ConsoleTable

from experiments.demo import perturbing
from experiments.demo.verdicts import claims
from twin import provenance, recording
from twin.judge import Score
from twin.recording import Stream
from twin.report import Report, Section, Table, figures

if TYPE_CHECKING:
    from experiments.demo.story import Found

METRICS = {
    "bits_per_spike": "bits/spike",
    "single_trial_correlation": "r, 5 ms",
    "coincidence_factor": "coincidence",
    "interval_ks": "interval KS",
    "count_tv": "count TV",
    "rate_hz": "rate, Hz",
}
MODELS = ("twin", "surrogate", "circuit", "lnp", "poisson")
_ZOOM_S = (4.0, 4.6)
_SHOWN_TRIALS = 10


def compose(found: "Found", *, seed: int, command: str) -> Report:
    """The report."""
    return Report(
        name="demo",
        title="A twin of a grasshopper auditory receptor neuron",
        summary=_summary(found),
        versions=provenance.versions(),
        command=command,
        seed=seed,
        claims=[claim.as_row() for claim in claims(found)],
        scores=[score.as_row() for score in (*found.evaluation.scores, *_validated(found))],
        sections=_sections(found),
        inputs=_inputs(found),
    )


def _validated(found: "Found") -> list[Score]:
    """How well the models do on the part of recording 1 that chose between them: no test, but the same sound."""
    return [
        Score("validation", "fitted_recording", model, "bits_per_spike", bits, None, None, 1, "trial")
        for model, bits in found.validation_bits.items()
    ]


def _summary(found: "Found") -> str:
    def value(metric: str, model: str) -> float:
        return found.evaluation.score(metric, model).value

    return (
        "Fitted on recording 1 and judged on recording 2, which it had never seen, the twin explains "
        f"{value('bits_per_spike', 'twin'):.2f} bits per spike (surrogate alone "
        f"{value('bits_per_spike', 'surrogate'):.2f}, circuit alone {value('bits_per_spike', 'circuit'):.2f}, "
        f"linear-nonlinear-Poisson {value('bits_per_spike', 'lnp'):.2f}) and its spikes coincide with the recorded "
        f"ones with a coincidence factor of {value('coincidence_factor', 'twin'):.2f} "
        f"(linear-nonlinear-Poisson {value('coincidence_factor', 'lnp'):.2f})."
    )


def _sections(found: "Found") -> tuple[Section, ...]:
    return (
        _recorded(found),
        _generated(found),
        _scores(found),
        _intervals(found),
        _corrected(found),
        _calibrated(found),
        _blocked(found),
        _disturbed(found),
        _provenance(found),
    )


def _recorded(found: "Found") -> Section:
    protocol = recording.protocol_of(found.recordings["1"])
    stated = {name: one for name, one in protocol.items() if one.status != "unreported"}
    rows = tuple((name.replace("_", " "), str(one), one.status, one.source) for name, one in stated.items())
    missing = ", ".join(name.replace("_", " ") for name in protocol if name not in stated)
    text = (
        "Two recordings of one neuron that heard noise-modulated sound. Recording 1 was fitted (its last "
        f"{found.settings.validation_s:g} s only chose between models); {found.real.duration_s:g} s of recording 2, "
        "with four times the bandwidth of modulation, were opened once, by the judge."
    )
    table = Table(("covariate", "value", "status", "source"), rows, caption="Protocol of recording 1.")
    return Section("What was recorded", text, items=(f"Not reported anywhere: {missing}.",), table=table)


def _generated(found: "Found") -> Section:
    start_s, stop_s = _ZOOM_S if found.real.stop_s > _ZOOM_S[1] else (found.real.start_s, found.real.stop_s)
    sound = recording.stimulus_of(found.recordings["2"], "sound").between(start_s, stop_s)
    models = {name: found.predictions[name].trials.trials[:_SHOWN_TRIALS] for name in MODELS if name != "poisson"}
    raster = figures.raster(found.real.trials, models, start_s, stop_s, stimulus=_strip(sound))
    text = "Recorded spikes on top; below, trials that each model generated on its own from the same sound."
    return Section("Recorded and generated spikes", text, figure=raster)


def _strip(sound: Stream) -> tuple[np.ndarray, np.ndarray, str, str]:
    time = sound.start_s + np.arange(len(sound.values)) / sound.rate_hz
    return time[::10], np.asarray(sound.values)[::10], "sound level", sound.unit


def _scores(found: "Found") -> Section:
    rows = [score.as_row() for score in found.evaluation.scores]
    strip = figures.score_strip(rows, [metric for metric in METRICS if metric != "rate_hz"], list(MODELS))
    text = (
        f"Intervals resample {found.evaluation.n_units} blocks of recording 2: they speak about this recording of this "
        "cell, not about cells. Bits per spike and correlation score the expected rate given the sound alone; for "
        f"models that generate spikes it is estimated from {found.settings.rate_trials} further trials. The validation "
        "scores are of recording 1, whose sound has the statistics that were fitted: they chose between models."
    )
    return Section("How near the models come", text, figure=strip)


def _corrected(found: "Found") -> Section:
    rows = tuple((row.quantity, row.raw, row.corrected, row.unit, row.correction, row.source) for row in found.cell.log)
    columns = ("quantity", "raw", "corrected", "unit", "correction", "source")
    text = (
        f"{found.cell.model.title[0].upper()}{found.cell.model.title[1:]}. The junction potential was taken out of the "
        "published voltages, and rates, conductances and reversal potentials were brought to the temperature of the "
        "preparation."
    )
    return Section("Parameters, raw and corrected", text, table=Table(columns, rows))


def _calibrated(found: "Found") -> Section:
    names = list(found.twin.values)
    units = {one.name: one.unit_text for one in found.cell.model.parameters}
    units |= {"gain": "nA/dB; twin nA/nat", "slow_gain": "nA/nat", "bias": "nA"}
    rows = []
    for name in names:
        free = next(one for one in found.twin.space if one.name == name)
        rows.append(
            (
                name,
                found.circuit.values.get(name),
                found.twin.values[name],
                units[name],
                f"{free.low:.3g} to {free.high:.3g}",
                found.twin.calibration.spread[name],
            )
        )
    columns = ("parameter", "circuit alone", "twin", "unit", "range searched", "spread")
    caption = (
        "Spread is the width of the last search distribution as a share of the range (on the scale of the search): "
        "near 0.2, where it started, the data did not decide."
    )
    text = (
        f"Cell and twin heard the sound {1e3 * found.latency_s:g} ms late; in the twin the surrogate adds its code of "
        "the sound and adaptation over seconds. "
        f"{found.twin.calibration.simulations} parameter sets were simulated ({found.twin.calibration.ending})."
    )
    return Section("Calibrated values", text, table=Table(columns, tuple(rows), caption))


def _blocked(found: "Found") -> Section:
    doses = [100 * dose for dose in perturbing.DOSES]
    curves = {name: effect.rate() for name, effect in found.blocks.items()}
    figure = figures.dose_response(doses, curves, "sodium channels blocked (%)", "firing rate (Hz)")
    text = (
        "No recording of this cell under a sodium channel blocker exists, so this is a prediction, not a test. Twin "
        "and circuit share the mechanism; they differ in what drives it."
    )
    return Section("Sodium channel block", text, figure=figure)


def _disturbed(found: "Found") -> Section:
    curves = {name: effect.change() for name, effect in found.effects.items()}
    figure = figures.effect_bars(list(perturbing.CONDITIONS), curves, "change of firing rate (Hz)")
    text = (
        "The same sound and the same noise with and without the intervention. Temperature acts on the cell's gates, "
        "conductances and reversal potentials, not on the ear before it. For comparison: receptor neurons of this "
        "species increased their firing rate by 40 to 50 % for 10 degrees (Roemschied et al. 2014, eLife 3:e02078); "
        f"the twin's rate changes by a factor of {_q10(found):.2f} for 10 degrees."
    )
    return Section("Temperature and current", text, figure=figure)


def _q10(found: "Found") -> float:
    rates = found.effects["twin"].rates_hz.mean(axis=1)
    names = list(perturbing.CONDITIONS)
    cooled, warmed = rates[names.index("cooled by 5 °C")], rates[names.index("warmed by 5 °C")]
    return float(warmed / cooled) if cooled > 0 else float("nan")


def _provenance(found: "Found") -> Section:
    items = [f"Recording {name}: {step['step']}" for name, tree in found.recordings.items() for step in _log(tree)]
    items += [f"Recording 2: response opened for the {reason}" for reason in found.accesses]
    return Section("What was done to the recordings", items=tuple(items))


def _log(tree) -> list[dict]:
    return tree.attrs["provenance"]


def _inputs(found: "Found") -> dict[str, str]:
    return {
        name: digest
        for tree in found.recordings.values()
        for step in _log(tree)
        for name, digest in step["inputs"].items()
    }


def _intervals(found: "Found") -> Section:
    models = {
        name: np.concatenate([1e3 * np.diff(train) for train in found.predictions[name].trials.trials])
        for name in found.generated
    }
    figure = figures.interval_histogram(1e3 * np.diff(found.real.trials[0]), models)
    return Section(
        "Intervals between spikes", "Of all trials of the models that have a memory of their spikes.", figure=figure
    )


def print_scores(found: "Found", console: Console) -> None:
    """The table of scores that ends the demo."""
    table = ConsoleTable("held out", *METRICS.values(), box=None)
    for model in ("real", *MODELS):
        cells = []
        for metric in METRICS:
            rows = [one for one in found.evaluation.scores if (one.metric, one.model) == (metric, model)]
            cells.append(f"{rows[0].value:.3f}" if rows else "")
        table.add_row(model, *cells)
    console.print(table)
