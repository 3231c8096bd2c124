"""Fit one model to many cells, whose generations are evaluated as one batch."""

import dataclasses
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr

from biophys.calibrate.fit import Fit, fit_of
from biophys.calibrate.job import Job, job_of
from biophys.calibrate.jobs import run_together
from biophys.calibrate.methods.cma_es import Evolution
from biophys.calibrate.methods.method import Method
from biophys.calibrate.objectives.objective import Objective, Weighted
from biophys.calibrate.space import Bounds, Number
from biophys.calibrate.target import Target
from biophys.models.model import NeuronModel
from biophys.observation import ObservationModel
from twin.errors import InputError, NeurotwinError


@dataclasses.dataclass(frozen=True)
class Cells:
    """What became of many cells.

    Attributes:
        fits: cell -> its fit.
        failed: cell -> why it has none.
        batches: how many groups of equal shape there were; each compiled once.
    """

    fits: Mapping[str, Fit]
    failed: Mapping[str, str]
    batches: int


def calibrate_cells(
    recordings: Mapping[str, xr.DataTree | Target],
    model: NeuronModel,
    bounds: Bounds | None,
    objective: Objective | Weighted,
    method: Method | None = None,
    budget: int = 2000,
    key: Any = None,
    *,
    start: Mapping[str, Number] | None = None,
    fixed: Mapping[str, Number] | None = None,
    held_out: Sequence[str] = (),
    observation: ObservationModel | None = None,
    dt_s: float | None = None,
    settle_s: float = 0.0,
    dtype: Any = np.float32,
    tolerance: float | None = None,
    intervals: bool = True,
    folder: str | Path | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Cells:
    """Fit one model to many cells, as `calibrate` does to one.

    Cells with equally many sweeps, samples and spike trains make one batch, in which a generation of all of them is
    one call of one program. What a cell gets does not depend on which others there are, but for the rounding of
    another batch size. A cell that cannot be fitted does not stop the others.

    Args:
        recordings: cell -> recording or target. The names are folder names if there is a `folder`.
        budget: simulations of each cell.
        key: each cell has its own, made of this one and its name.
        held_out: sweeps of every cell that are scored and not fitted.
        folder: has a job folder for each cell.
        progress: told the share of the work that is done.
        model: see `calibrate`, as for all others.

    Raises:
        InputError: no recordings, or a name that cannot be a folder.
    """
    _require_names(recordings, folder)
    chosen, key = Evolution() if method is None else method, jax.random.key(0) if key is None else key
    jobs: dict[Any, dict[str, Job]] = {}
    failed: dict[str, str] = {}
    for name, recording in recordings.items():
        try:
            job = job_of(
                recording, model, bounds, objective, chosen, start, fixed, held_out, observation, dt_s, settle_s, dtype
            )
            jobs.setdefault(_shapes(job), {})[name] = job  # what the data lack for the objective is said here
        except NeurotwinError as error:
            failed[name] = str(error)
    fits: dict[str, Fit] = {}
    for number, group in enumerate(jobs.values()):
        keys = [jax.random.fold_in(key, zlib.crc32(name.encode())) for name in group]
        folders = [None if folder is None else Path(folder) / name for name in group]
        found = run_together(
            [job.problem for job in group.values()],
            chosen,
            budget,
            keys,
            folders,
            lambda share, number=number: progress((number + share) / len(jobs)),  # type: ignore[misc]
        )
        for (name, job), own_key, history in zip(group.items(), keys, found, strict=True):
            if isinstance(history, NeurotwinError):
                failed[name] = str(history)
            else:
                fits[name] = fit_of(job.problem, history, job.held_out, own_key, tolerance, intervals)
    return Cells({name: fits[name] for name in recordings if name in fits}, failed, len(jobs))


def _require_names(recordings: Mapping[str, Any], folder: str | Path | None) -> None:
    if not recordings:
        raise InputError("there are no recordings to be fitted; give at least one.")
    wrong = [name for name in recordings if not name or name in (".", "..") or Path(name).name != name]
    if folder is not None and wrong:
        raise InputError(f"{wrong[0]!r} cannot be the name of a job's folder; name cells without slashes.")


def _shapes(job: Job) -> tuple[Any, str]:
    """Equal for cells that can be one batch."""
    return job.problem.plan, str(jax.tree.map(lambda tape: (tape.shape, str(tape.dtype)), job.problem.tapes))
