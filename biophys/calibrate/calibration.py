"""Fit a model to a recording: the one call."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr

from biophys.calibrate.fit import Fit, fit_of
from biophys.calibrate.job import job_of
from biophys.calibrate.jobs import Progress, run
from biophys.calibrate.methods.cma_es import Evolution
from biophys.calibrate.methods.method import Method
from biophys.calibrate.objectives.objective import Objective, Weighted
from biophys.calibrate.space import Bounds, Number
from biophys.calibrate.target import Target
from biophys.models.model import NeuronModel
from biophys.observation import ObservationModel


def calibrate(
    recording: xr.DataTree | Target,
    model: NeuronModel,
    bounds: Bounds | None,
    objective: Objective | Weighted,
    method: Method | None = None,
    budget: int = 2000,
    key: Any = None,
    *,
    start: Mapping[str, Number] | None = None,
    fixed: Mapping[str, Number] | None = None,
    held_out: Target | Sequence[str] = (),
    observation: ObservationModel | None = None,
    dt_s: float | None = None,
    settle_s: float = 0.0,
    dtype: Any = np.float32,
    tolerance: float | None = None,
    intervals: bool = True,
    folder: str | Path | None = None,
    progress: Progress = lambda share, best: None,
) -> Fit:
    """Find parameters with which a model does what a recording shows.

    Args:
        recording: current clamp sweeps, or a `Target` made from them, which says what of them is compared.
        model: any model of `biophys.models`, or `biophys.models.from_equations`.
        bounds: parameter -> (low, high) in its own unit, or `Free` values, which may have priors; None for all
            parameters that have bounds in the model. Quantities of the observation model may be among them.
        objective: what is made small, or a `Weighted` set.
        method: how; `Evolution()` if not given.
        budget: simulations of all fitted sweeps.
        key: a `jax.random.key`; equal keys give equal results on one machine. key(0) if not given.
        start: first guesses in the parameters' units; the model's values otherwise.
        fixed: parameters that are held at other values than the model's.
        held_out: sweeps that are scored and not fitted, by name; or another `Target`.
        observation: what the amplifier shows; the model's voltage is compared as it is without.
        dt_s: step of the model, s; its recommended one, fitted to the samples, if not given.
        settle_s: how long the first current is held before the first sample.
        dtype: numpy.float32 is twice as fast as numpy.float64, which needs JAX's 64-bit mode.
        tolerance: parameter sets this near to the lowest loss are kept as equally good; 2 % of it if not given.
        intervals: whether to compute the curvature at the best set, for objectives that are likelihoods; takes seconds.
        folder: where the job writes down what it does; one that was stopped goes on from there.
        progress: told the share of the budget that is used, and the lowest loss.

    Raises:
        InputError: what was given does not fit together; the sentence says what and how to mend it.
        NeurotwinError: no parameter set gave a finite loss.
    """
    chosen, key = Evolution() if method is None else method, jax.random.key(0) if key is None else key
    job = job_of(
        recording, model, bounds, objective, chosen, start, fixed, held_out, observation, dt_s, settle_s, dtype
    )
    history = run(job.problem, chosen, budget, key, None if folder is None else Path(folder), progress)
    return fit_of(job.problem, history, job.held_out, key, tolerance, intervals)
