"""The demo from files to report: ingest, correct, calibrate, train, couple, judge, perturb, report."""

import contextlib
import dataclasses
import shlex
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from biophys.corrections.model import CorrectedModel, correct
from biophys.models import ALL
from experiments.demo import fitting, page, perturbing, prediction, results, verifying
from experiments.demo.settings import QUICK, Settings
from surrogate.single import Fit, fit
from twin import judge, recording, report, split
from twin.datasets import grasshopper
from twin.errors import InputError
from twin.judge.baselines import HomogeneousPoisson, LinearNonlinearPoisson
from twin.recording import Stream

__all__ = ["QUICK", "Settings", "run"]

STAGES = ("ingest", "correct", "calibrate", "train", "couple", "predict", "judge", "perturb", "report")
C2ST_MARGIN = 0.1
BLOCK_S = 1.0
Stage = Callable[[str], Callable[[float], None]]


@dataclasses.dataclass(frozen=True)
class Found:
    """Everything that the demo found, for the page and the store."""

    cell: CorrectedModel
    surrogate: Fit
    circuit: fitting.Calibrated
    twin: fitting.Calibrated
    lnp: LinearNonlinearPoisson
    recordings: dict[str, xr.DataTree]
    predictions: dict[str, judge.Prediction]
    generated: dict[str, xr.DataTree]
    real: judge.SpikeTrains
    accesses: list[str]
    evaluation: judge.Evaluation
    agreements: tuple[verifying.Agreement, ...]
    blocks: dict[str, perturbing.Effect]
    effects: dict[str, perturbing.Effect]
    settings: Settings
    latency_s: float
    validation_bits: dict[str, float]


def run(
    out: Path,
    *,
    seed: int,
    data: Path | None,
    protocol: Path | None,
    settings: Settings,
    console: Console,
) -> Path:
    """Run the demo and write its report.

    Raises:
        InputError: `out` cannot be used, or a file of the recordings or the protocol is at fault; before long work.
        UnreportedError: a correction needs a value that the protocol does not give.
    """
    report.check_out_dir(out)
    folder, supplement = data or grasshopper.nitime_folder(), protocol or grasshopper.SUPPLEMENT
    with _double_precision(), tempfile.TemporaryDirectory() as scratch, _stages(console) as stage:
        stage("ingest")
        for number in grasshopper.RECORDINGS:
            tree = grasshopper.load_one(folder, number, supplement)
            recording.write(tree, Path(scratch) / f"{number}.zarr")
        first = recording.loaded(recording.open(Path(scratch) / "1.zarr"))
        held_out = split.HeldOut(Path(scratch) / "2.zarr")
        stage("correct")
        cell = correct(ALL["auditory_receptor"], recording.protocol_of(first))
        judged = _judged(held_out, settings)
        found = _find(first, held_out, judged, cell, settings, seed, stage)
        found = dataclasses.replace(
            found, recordings={"1": first, "2": recording.loaded(recording.open(Path(scratch) / "2.zarr"))}
        )
        stage("report")
        written = page.compose(found, seed=seed, command=_command(seed, data, protocol, settings))
        report.write(written, out, results.tree(found))
    page.print_scores(found, console)
    print(out / "report.html")
    return out


def _judged(held_out: split.HeldOut, settings: Settings) -> tuple[float, float]:
    """The stretch of the held-out recording that is judged: whole blocks of a second, s.

    Raises:
        InputError: it is shorter than a block or than what the perturbations hear.
    """
    start_s, stop_s = held_out.span
    length_s = min(settings.judged_s, BLOCK_S * ((stop_s - start_s) // BLOCK_S))
    if length_s < max(BLOCK_S, settings.perturbed_s):
        raise InputError(
            f"{held_out.name}: lasts {stop_s - start_s:g} s; wanted {max(BLOCK_S, settings.perturbed_s):g} s or more, "
            "so that there is something to judge and to perturb."
        )
    return start_s, start_s + length_s


def _find(
    first: xr.DataTree,
    held_out: split.HeldOut,
    judged: tuple[float, float],
    cell: CorrectedModel,
    settings: Settings,
    seed: int,
    stage: Stage,
) -> Found:
    keys = dict(zip(STAGES, jax.random.split(jax.random.key(seed), len(STAGES)), strict=True))
    parts = split.last_seconds(first, settings.validation_s)
    data = fitting.FittingData.of(first, parts, recording.stimulus_of(first, "sound"), settings)

    circuit = fitting.calibrate_circuit(cell, data, keys["calibrate"], stage("calibrate"))
    surrogate = fit(first, fitting.SOUND, parts, settings.surrogate, seed=seed, progress=stage("train"))
    twin = fitting.calibrate_twin(cell, surrogate, circuit, data, keys["couple"], stage("couple"))
    referee = data.sound.between(parts.start_s, min(parts.start_s + settings.referee_s, parts.validation_s))
    agreements = [verifying.agree("circuit", circuit.twin, referee, keys["calibrate"])]

    progress = stage("predict")
    start_s, stop_s = judged
    sound = held_out.stimulus("sound").between(start_s, stop_s)
    lnp = LinearNonlinearPoisson.fit(data.train.past, data.train.counts, data.validation.past, data.validation.counts)
    halves = {"twin": twin.twin, "surrogate": fitting.surrogate_alone(surrogate, settings), "circuit": circuit.twin}
    predictions, generated, bits = _predictions(halves, lnp, data, sound, settings, seed, keys["predict"], progress)
    agreements.append(verifying.agree("twin", twin.twin, sound, keys["predict"]))

    stage("judge")
    response = held_out.response("judge, for all scores and claims of this report")
    real = judge.SpikeTrains(tuple(response), *held_out.span).between(start_s, stop_s)
    evaluation = judge.evaluate(
        real,
        predictions,
        unit="block",
        start_s=start_s,
        stop_s=stop_s,
        block_s=BLOCK_S,
        c2st_margin=C2ST_MARGIN,
        seed=seed,
    )

    progress = stage("perturb")
    heard = sound.between(start_s, start_s + settings.perturbed_s)
    blocks, effects = {}, {}
    for number, name in enumerate(("twin", "circuit")):
        trials = settings.perturbed_trials
        blocks[name] = perturbing.dose_response(halves[name], heard, trials, keys["perturb"])
        progress((number + 0.7) / 2)
        effects[name] = perturbing.conditions(halves[name], heard, trials, keys["perturb"])
        progress((number + 1) / 2)
    return Found(
        cell=cell,
        surrogate=surrogate,
        circuit=circuit,
        twin=twin,
        lnp=lnp,
        recordings={},
        predictions=predictions,
        generated=generated,
        real=real,
        accesses=held_out.accesses,
        evaluation=evaluation,
        agreements=tuple(agreements),
        blocks=blocks,
        effects=effects,
        settings=settings,
        latency_s=settings.window_s * surrogate.surrogate.model.encoder.latency_windows,
        validation_bits=bits,
    )


def _predictions(
    halves: dict,
    lnp: LinearNonlinearPoisson,
    data: fitting.FittingData,
    sound: Stream,
    settings: Settings,
    seed: int,
    key: Any,
    progress: Callable[[float], None],
) -> tuple[dict[str, judge.Prediction], dict[str, xr.DataTree], dict[str, float]]:
    predictions, generated, bits = {}, {}, {}
    for number, (name, half) in enumerate(halves.items()):
        smoothing, bits[name] = prediction.choose_smoothing(half, data, key)
        progress((number + 0.5) / len(halves))
        predictions[name], generated[name] = prediction.predict(half, sound, smoothing, data.settings, key)
        progress((number + 1) / len(halves))
    past = fitting.past_of_sound(sound, settings)
    poisson = HomogeneousPoisson.fit(data.train.counts)
    baselines: dict[str, LinearNonlinearPoisson | HomogeneousPoisson] = {"lnp": lnp, "poisson": poisson}
    for number, (name, baseline) in enumerate(baselines.items()):
        expected = baseline.expected_count(past)
        bits[name] = prediction.validation_bits(baseline.expected_count(data.validation.past), data)
        predictions[name] = prediction.predict_poisson(
            expected, sound, settings.trials, settings.window_s, np.random.default_rng([seed, number])
        )
    return predictions, generated, bits


def _command(seed: int, data: Path | None, protocol: Path | None, settings: Settings) -> str:
    words = ["twin", "demo", "--out", "OUT", "--seed", str(seed)]
    for option, path in (("--data", data), ("--protocol", protocol)):
        words += [option, path.name] if path else []
    return shlex.join(words + (["--quick"] if settings == QUICK else []))


@contextlib.contextmanager
def _double_precision() -> Iterator[None]:
    # The compiled cell and Brian2 are compared spike by spike, so both count in double precision.
    before = jax.config.read("jax_enable_x64")
    jax.config.update("jax_enable_x64", True)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", before)


@contextlib.contextmanager
def _stages(console: Console) -> Iterator[Stage]:
    columns = (TextColumn("{task.description:<10}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        tasks = {name: bars.add_task(name, start=False, total=1.0) for name in STAGES}
        running: list[str] = []

        def stage(name: str) -> Callable[[float], None]:
            if not console.is_terminal:
                console.print(f"{name} ...", highlight=False)
            for before in running:
                bars.update(tasks[before], completed=1.0)
                bars.stop_task(tasks[before])
            running[:] = [name]
            bars.start_task(tasks[name])
            return lambda share: bars.update(tasks[name], completed=share)

        yield stage
        for name in running:
            bars.update(tasks[name], completed=1.0)
