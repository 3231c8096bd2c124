"""From a recording and what a user wants of it to the problem that is solved."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import xarray as xr

from biophys.calibrate.methods.method import Method
from biophys.calibrate.objectives.objective import Objective, Weighted, as_weighted
from biophys.calibrate.observer import Observer
from biophys.calibrate.plan import Plan
from biophys.calibrate.problem import Problem, step_of
from biophys.calibrate.space import Bounds, Number, space_of
from biophys.calibrate.target import Target, target_of
from biophys.models.model import NeuronModel
from biophys.observation import UNITS as OBSERVED
from biophys.observation import ObservationModel
from twin.errors import InputError


@dataclasses.dataclass(frozen=True)
class Job:
    """What is fitted, and what is only scored.

    Attributes:
        problem: what is made small.
        held_out: None for nothing.
    """

    problem: Problem
    held_out: Target | None


def job_of(
    recording: xr.DataTree | Target,
    model: NeuronModel,
    bounds: Bounds | None,
    objective: Objective | Weighted,
    method: Method,
    start: Mapping[str, Number] | None,
    fixed: Mapping[str, Number] | None,
    held_out: Target | Sequence[str],
    observation: ObservationModel | None,
    dt_s: float | None,
    settle_s: float,
    dtype: Any,
) -> Job:
    """Put a job together; the arguments are those of `calibrate`."""
    whole = recording if isinstance(recording, Target) else target_of(recording)
    step_s = step_of(whole, model, dt_s)
    fitted, other = _divided(whole, held_out)
    space = space_of(model, bounds, start)
    plan = Plan(
        model=model,
        space=space,
        objective=as_weighted(objective),
        fixed=dict(fixed or {}),
        observer=Observer(observation, tuple(name for name in space.names if name in OBSERVED)),
        dt_s=step_s,
        settle_s=settle_s,
        dtype=dtype,
        spike_width_mv=getattr(method, "spike_width_mv", None),
    )
    return Job(Problem(plan, fitted.at_step(step_s)), None if other is None else other.at_step(step_s))


def _divided(whole: Target, held_out: Target | Sequence[str]) -> tuple[Target, Target | None]:
    if isinstance(held_out, Target):
        return whole, held_out
    if not held_out:
        return whole, None
    rest = [one for one in whole.sweeps if one not in held_out]
    if not rest:
        raise InputError(f"{whole.name}: all sweeps were held out; leave some to fit.")
    return whole.part(rest), whole.part(held_out)
