"""A new session or animal: fit what belongs to its units, and leave all that is shared as it is."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from surrogate.batches import Loader, Session
from surrogate.config import Config, Training
from surrogate.survey import survey
from surrogate.train import Fit, Progress, opened, optimise, parts_of, placed
from surrogate.trained import Surrogate
from surrogate.vocabulary import AVERAGE, SessionFacts, Vocabulary
from surrogate.weights import Structure, Weights, fresh_weights
from twin.errors import InputError
from twin.split import Parts, Segment

SUBJECTS = "conditioning/subjects"


def adapt(
    surrogate: Surrogate,
    recordings: Sequence[xr.DataTree | str | Path],
    *,
    training: Training | None = None,
    parts: Mapping[str, Parts] | None = None,
    fit_core: bool = False,
    out: str | Path | None = None,
    progress: Progress = lambda share, look: None,
) -> Fit:
    """Give a surrogate readouts for new sessions, with the core frozen.

    Args:
        surrogate: a trained one; it stays as it is.
        recordings: of the new sessions, opened or stored.
        training: the optimiser and the loop; as the surrogate was trained otherwise.
        parts: a split of one's own for each session by name.
        fit_core: fit the shared weights too: fine-tuning.
        out: folder of the run, as `surrogate.fit`.
        progress: as `surrogate.fit`.

    Returns:
        A surrogate that knows the new sessions beside the old ones.

    Raises:
        InputError: a session of a name that it knows already, or as `surrogate.fit`.
    """
    config = surrogate.config
    if training is not None:
        training = dataclasses.replace(training, precision=config.training.precision)
        config = dataclasses.replace(config, training=training)
    added = _added(surrogate, dataclasses.replace(config, start_from=None), recordings, parts)
    config, structure, weights, vocabulary = added.config, added.structure, added.weights, added.vocabulary
    trained = surrogate.checkpoint.weights
    old_rows = {} if fit_core else {name: len(trained[name]) for name in structure.owned}
    # The average subject is no part of what is fitted here.
    own = dataclasses.replace(config, model=dataclasses.replace(config.model, average_subject=0.0))
    loader = Loader(added.sessions, added.split_of, vocabulary, own)
    fitted = None if fit_core else structure.owned
    folder = Path(out) if out is not None else None
    return optimise(
        structure, weights, loader, vocabulary, config, folder, None, progress,
        fitted=fitted, fixed_rows=old_rows, known_parts=surrogate.checkpoint.parts,
    )  # fmt: skip


def introduce(
    surrogate: Surrogate,
    recordings: Sequence[xr.DataTree | str | Path],
    *,
    parts: Mapping[str, Parts] | None = None,
) -> Surrogate:
    """Let a surrogate predict new sessions without fitting anything (zero shot).

    Of a unit it takes its mean, and on a video where its responses correlate with it.

    Args:
        surrogate: a trained one, best with training.fit_units = false; it stays as it is.
        recordings: of the new sessions, opened or stored.
        parts: a split of one's own for each session by name; the means are of its training part.

    Raises:
        InputError: as `adapt`.
    """
    added = _added(surrogate, dataclasses.replace(surrogate.config, start_from=None), recordings, parts)
    own = {one.name: part for one, part in zip(added.sessions, added.split_of, strict=True)}
    known = {**surrogate.checkpoint.parts, **own}
    return Surrogate(
        dataclasses.replace(
            surrogate.checkpoint,
            config=added.config,
            vocabulary=added.vocabulary,
            weights={name: np.asarray(value) for name, value in added.weights.items()},
            parts=known,
        )
    )


@dataclasses.dataclass(frozen=True)
class _Added:
    """A surrogate's weights with rows for further sessions."""

    config: Config
    sessions: list[Session]
    split_of: list[Parts]
    vocabulary: Vocabulary
    structure: Structure
    weights: Weights


def _added(
    surrogate: Surrogate,
    config: Config,
    recordings: Sequence[xr.DataTree | str | Path],
    parts: Mapping[str, Parts] | None,
) -> _Added:
    sessions = opened(config, recordings)
    for one in sessions:
        if surrogate.vocabulary.session(one.name) is not None:
            raise InputError(f"{one.name}: the surrogate has a readout for a session of that name; rename the new one.")
    split_of = [(parts or {}).get(one.name) or parts_of(one, config) for one in sessions]
    # A stream that the new sessions lack is no error: training may have seen sessions without it.
    present = {key for one in sessions for key in one.streams}
    data = dataclasses.replace(
        config.data,
        streams=tuple(name for name in config.data.streams if ("stimulus", name) in present),
        behaviour=tuple(name for name in config.data.behaviour if ("behaviour", name) in present),
    )
    found = survey(sessions, split_of, dataclasses.replace(config, data=data))
    vocabulary = surrogate.vocabulary.with_sessions(found)
    structure, fresh = fresh_weights(config, vocabulary)
    trained = surrogate.checkpoint.weights
    weights = {name: _extended(trained[name], np.asarray(value)) for name, value in fresh.items()}
    average = surrogate.vocabulary.average
    if average is not None and all(one.unit_ids == average.unit_ids for one in sessions):
        weights |= _from_average(weights, trained, average)
    for name, rows in placed(sessions, split_of, config).items():
        weights[name] = np.concatenate([trained[name], np.asarray(rows)])
    return _Added(config, sessions, split_of, vocabulary, structure, weights)


def _extended(old: np.ndarray, fresh: np.ndarray) -> np.ndarray:
    """The trained rows, then fresh ones for what was added."""
    return np.asarray(old) if old.shape == fresh.shape else np.concatenate([old, fresh[len(old) :]])


def _from_average(
    weights: Mapping[str, np.ndarray], trained: Mapping[str, np.ndarray], average: SessionFacts
) -> dict[str, np.ndarray]:
    """What belongs to units and animals, of which every new one starts as the average subject's instead of anyhow."""
    rows = slice(average.first_unit, average.first_unit + len(average.unit_ids))
    changed = {}
    for name in (one for one in weights if one.startswith("units/")):
        old, value = len(trained[name]), weights[name].copy()
        times = (len(value) - old) // len(average.unit_ids)
        value[old:] = np.concatenate([trained[name][rows]] * times)
        changed[name] = value
    subjects = weights[SUBJECTS].copy()
    subjects[len(trained[SUBJECTS]) :] = trained[SUBJECTS][AVERAGE]
    return changed | {SUBJECTS: subjects}


def shortened(parts: Parts, windows: int) -> Parts:
    """The same split with the first `windows` windows of the training part alone.

    Raises:
        InputError: there are none.
    """
    kept, left = [], windows
    for one in parts.train:
        if left > 0:
            kept.append(Segment(one.trial, one.start, min(one.stop, one.start + left)))
            left -= kept[-1].stop - kept[-1].start
    if not kept:
        raise InputError(f"{windows} windows of training data are too few to fit anything; give one or more.")
    return dataclasses.replace(parts, train=tuple(kept))


@dataclasses.dataclass(frozen=True)
class Minutes:
    """One point of the curve of an adapted session.

    Attributes:
        minutes: of training data.
        validation_bits: gain of the adapted model over each unit's mean, bits for each response.
        from_scratch_bits: the same of the same network without what others taught it; NaN where it was not asked for.
    """

    minutes: float
    validation_bits: float
    from_scratch_bits: float


def minutes_curve(
    surrogate: Surrogate,
    one: xr.DataTree | str | Path,
    minutes: Sequence[float],
    *,
    training: Training | None = None,
    parts: Parts | None = None,
    from_scratch: bool = False,
    progress: Progress = lambda share, look: None,
) -> tuple[Minutes, ...]:
    """How the validation score of a new session grows with the minutes of data that it is adapted on.

    The validation part is the same for every point.

    Args:
        surrogate: a trained one.
        one: recording of the new session.
        minutes: of training data; more than there are stand for all.
        training: as `adapt`.
        parts: as `adapt`, of this session.
        from_scratch: train the same network on the same data alone, beside it.
        progress: told the share that is done.
    """
    from surrogate.train import fit

    config = dataclasses.replace(surrogate.config, training=training or surrogate.config.training, start_from=None)
    session = opened(config, [one])[0]
    whole, points = parts or parts_of(session, config), []
    for number, length in enumerate(minutes):
        part = {session.name: shortened(whole, max(1, round(60.0 * length / config.data.window_s)))}
        adapted = adapt(surrogate, [one], training=config.training, parts=part)
        scratch = fit(config, [one], parts=part) if from_scratch else None
        used = sum(segment.stop - segment.start for segment in part[session.name].train) * config.data.window_s / 60.0
        best = [float("nan") if it is None else it.curve[it.best].validation_bits for it in (adapted, scratch)]
        points.append(Minutes(used, *best))
        progress((number + 1) / len(minutes), None)
    return tuple(points)
