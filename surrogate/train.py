"""Training: look at the data once, then step by step; the best weights are kept, and a stopped run goes on exactly."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from surrogate import checkpoint as folders
from surrogate import run_state
from surrogate.batches import Loader, Session, open_session, session_of
from surrogate.checkpoint import Checkpoint
from surrogate.config import Config
from surrogate.evaluate import Evaluator, Score
from surrogate.places import places_of
from surrogate.progress import Look, write_curve
from surrogate.run_state import Run
from surrogate.sharding import Devices, is_first_process
from surrogate.step import Stepper
from surrogate.survey import survey
from surrogate.trained import Surrogate
from surrogate.vocabulary import Vocabulary
from surrogate.weights import Structure, Weights, fresh_weights
from twin import split as splits
from twin.errors import InputError, NeurotwinError
from twin.split import Parts

Progress = Callable[[float, Look | None], None]
TRIALS_FOR_A_SPLIT = 8  # with fewer trials, "auto" splits the time of each


@dataclasses.dataclass(frozen=True)
class Fit:
    """What training gave.

    Attributes:
        surrogate: with the best weights.
        curve: every look at the validation part.
        best: number of the look whose weights were kept.
        compilations: how often a step was compiled, by (time, unit) shape.
    """

    surrogate: Surrogate
    curve: tuple[Look, ...]
    best: int
    compilations: Mapping[tuple[int, ...], int]


def fit(
    config: Config,
    recordings: Sequence[xr.DataTree | str | Path] | None = None,
    *,
    parts: Mapping[str, Parts] | None = None,
    out: str | Path | None = None,
    stop_after: int | None = None,
    progress: Progress = lambda share, look: None,
) -> Fit:
    """Train a surrogate.

    Args:
        config: all of it; `config.start_from` names a checkpoint to fine-tune.
        recordings: opened or stored recordings, instead of those that the configuration names.
        parts: a split of one's own for each session by name, instead of the configuration's shares.
        out: folder for the run: `checkpoint`, `state.npz`, `curve.csv`, `curve.png`. A run that it holds already goes
            on. None writes nothing.
        stop_after: steps of this call, as if it were interrupted there.
        progress: told the share of the steps that is done, and the last look.

    Raises:
        InputError: recordings or a configuration that do not fit together; the sentence says which and why.
        NeurotwinError: the loss is no longer finite, or the disk fails.
    """
    sessions = opened(config, config.data.recordings if recordings is None else recordings)
    split_of = [(parts or {}).get(one.name) or parts_of(one, config) for one in sessions]
    vocabulary = survey(sessions, split_of, config)
    if config.model.average_subject:
        vocabulary = vocabulary.with_average()
    weights: Weights | None = None
    if config.start_from is not None:
        vocabulary, weights = _fine_tuned(folders.load(config.start_from), vocabulary, config)
    loader = Loader(sessions, split_of, vocabulary, config)
    structure, fresh = fresh_weights(config, vocabulary)
    fresh |= placed(sessions, split_of, config)
    if weights is not None:
        fresh = {name: weights.get(name, value) for name, value in fresh.items()}
    fitted = None if config.training.fit_units else set(structure.names) - structure.owned
    return optimise(
        structure, fresh, loader, vocabulary, config, Path(out) if out is not None else None, stop_after, progress,
        fitted=fitted,
    )  # fmt: skip


def opened(config: Config, recordings: Sequence[xr.DataTree | str | Path]) -> list[Session]:
    """Recordings as sessions; see `surrogate.batches.open_session`."""
    return [
        session_of(one, config.data) if isinstance(one, xr.DataTree) else open_session(one, config.data)
        for one in recordings
    ]


def placed(sessions: Sequence[Session], parts: Sequence[Parts], config: Config) -> Weights:
    """Where the units of these sessions start to look on a video, where there is one; see `surrogate.places`."""
    video = config.data.video
    if video is None:
        return {}
    found = [places_of(one, part.train, video) for one, part in zip(sessions, parts, strict=True)]
    return {"units/place": jnp.asarray(np.concatenate(found))}


def parts_of(session: Session, config: Config) -> Parts:
    """The split of a session by the configuration's shares."""
    data, n_windows = config.data, session.n_windows.tolist()
    by_trial = data.split_by == "trial" or (data.split_by == "auto" and len(n_windows) >= TRIALS_FOR_A_SPLIT)
    try:
        if by_trial:
            return splits.by_trial(n_windows, data.validation, data.test, config.seed)
        return splits.by_time(n_windows, data.validation, data.test)
    except InputError as error:
        raise InputError(f"{session.name}: {error}") from error


def optimise(
    structure: Structure,
    weights: Weights,
    loader: Loader,
    vocabulary: Vocabulary,
    config: Config,
    out: Path | None,
    stop_after: int | None,
    progress: Progress,
    *,
    fitted: Collection[str] | None = None,
    fixed_rows: Mapping[str, int] | None = None,
    known_parts: Mapping[str, Parts] | None = None,
) -> Fit:
    """Steps until the end, or until the validation part stops improving; see `fit`, and `Stepper` for the next two.

    `known_parts` are those of sessions that the weights knew before.
    """
    devices, stepper = Devices(config.training.batch), Stepper(structure, config, fitted, fixed_rows)
    evaluator = Evaluator(structure, config, np.asarray(weights["units/start"]), devices)
    fingerprint = _fingerprint(config, loader, vocabulary)
    start = stepper.start(weights)
    run = (out and run_state.load(out, start, fingerprint)) or Run(start, [], -1, 0, fingerprint)
    run.state = devices.everywhere(run.state)
    own_parts = {one.name: part for one, part in zip(loader.items.sessions, loader.parts, strict=True)}
    parts = {**(known_parts or {}), **own_parts}

    def kept(chosen: Weights) -> Checkpoint:
        told = {"steps": run.curve[-1].step, "curve": [dataclasses.asdict(look) for look in run.curve]}
        whole = {name: np.asarray(value) for name, value in chosen.items()}
        return Checkpoint(config, vocabulary, whole, parts, told)

    best: Checkpoint | None = None
    if out is not None and run.curve:
        best = folders.load(out / "checkpoint")
    done, ahead = int(run.state.step), ThreadPoolExecutor(1)
    last = config.training.steps if stop_after is None else min(config.training.steps, done + stop_after)
    with ahead:
        waiting, losses = ahead.submit(devices.batch, loader, done), []
        while done < last and not _is_over(run, config):
            batch, waiting = waiting.result(), ahead.submit(devices.batch, loader, done + 1)
            run.state, loss = stepper.advance(run.state, batch)
            losses.append(loss)
            done += 1
            if done % config.training.check_every and done != config.training.steps:
                continue
            score = evaluator.score(run.state.average, loader, "validation")
            run.curve.append(look_at(done, losses, score))
            losses = []
            if run.best < 0 or _criterion(run.curve[-1]) < _criterion(run.curve[run.best]):
                run.best, run.waited, best = len(run.curve) - 1, 0, kept(run.state.average)
            else:
                run.waited += 1
            if out is not None and is_first_process():
                if run.waited == 0 and best is not None:
                    folders.save(best, out / "checkpoint")
                write_curve(run.curve, out)
                run_state.save(run, out)
            progress(done / config.training.steps, run.curve[-1])
        waiting.cancel()
    if best is None:
        raise InputError(
            f"{last} steps are fewer than training.check_every = {config.training.check_every}: nothing kept."
        )
    return Fit(Surrogate(best), tuple(run.curve), run.best, dict(stepper.compilations))


def _criterion(look: Look) -> float:
    """What the best weights are chosen by: the validation part, or the training objective where there is none."""
    return look.train_loss if math.isnan(look.validation_loss) else look.validation_loss


def _is_over(run: Run, config: Config) -> bool:
    return 0 < config.training.patience <= run.waited


def look_at(step: int, losses: list, score: Score | None) -> Look:
    """A point of the learning curve.

    Raises:
        NeurotwinError: a loss is no number.
    """
    loss = float(np.mean([float(one) for one in losses]))
    if not np.isfinite(loss):
        raise NeurotwinError(
            f"the loss is {loss} at step {step}: lower training.learning_rate, or look for extreme values in the "
            "streams; the last good checkpoint is kept."
        )
    return Look(step, loss, *((float("nan"),) * 2 if score is None else (score.loss, score.bits)))


def _fingerprint(config: Config, loader: Loader, vocabulary: Vocabulary) -> str:
    told = config.to_json() | {"out": None}
    told["data"]["recordings"] = [one.digest for one in vocabulary.sessions]
    told["parts"] = [part.to_json() for part in loader.parts]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _fine_tuned(base: Checkpoint, found: Vocabulary, config: Config) -> tuple[Vocabulary, Weights]:
    """The vocabulary of a fine-tuned model, and the weights that it takes over: all but those of units."""
    if dataclasses.replace(base.config.model, dropout=config.model.dropout) != config.model:
        raise InputError(
            f"{config.start_from}: has another [model] than the configuration; copy its values, they are in its "
            "checkpoint.json."
        )
    owned = base.structure.owned
    known = base.vocabulary
    same = {name: getattr(known, name) for name in ("clock_windows", "streams", "video", "covariates")}
    weights = {name: value for name, value in base.weights.items() if name not in owned}
    return dataclasses.replace(found, **same), weights


def devices_in_words() -> str:
    """Which devices train."""
    return f"{jax.device_count()} {jax.devices()[0].platform} device(s), {jax.process_count()} process(es)"
