"""What a calibration found."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from biophys.calibrate.course import History
from biophys.calibrate.curvature import Curvature, curvature
from biophys.calibrate.evaluator import Evaluator, Scores
from biophys.calibrate.frames import JUNCTION, Frames, frames_of, potentials
from biophys.calibrate.objectives.objective import Likelihood, named
from biophys.calibrate.problem import Problem
from biophys.calibrate.script import brian2_script
from biophys.calibrate.space import Number, Space
from biophys.calibrate.target import Target
from biophys.models.model import NeuronModel
from biophys.observation import UNITS as OBSERVED

_MOST_SETS = 10
_SCORED_AGAIN, _TRIALS = 32, 16
_APART = 0.02  # of the bounds: parameter sets nearer than this in every quantity are the same
LEVEL = 0.9


@dataclasses.dataclass(frozen=True)
class Fit:
    """The result.

    Attributes:
        recording: name of what was fitted.
        model: that was fitted.
        space: what was free.
        fixed: parameters that were held at other values than the model's.
        values: the best parameter set, by name, each in its own unit.
        loss: its loss; of a model with noise a mean over trials that were not used in the search.
        terms: objective -> its loss in its unit.
        intervals: name -> (low, high).
        interval_kind: "laplace 90 %", from the curvature of the likelihood; or "range of equally good sets", which is
            no confidence interval and is all that an objective without likelihood gives, or a weighted set.
        sets: equally good parameter sets, the best first: (set, free) in the parameters' units. They may differ where
            nothing was recorded, so try a perturbation on all of them.
        set_losses: (set,). The first is the mode that Newton steps lead to, where there is a likelihood.
        held_out: objective -> loss of each of these sets on the held-out target, (set,); empty without one.
        frames: potentials as recorded and as corrected.
        curvature: mode and observed information; None for an objective without likelihood.
        history: all that was evaluated, with the reason why it ended.
        dt_s: step of the model.
        settle_steps: how long the first current was held before the first sample.
        current_na: (sweep, time) that was injected, at that step.
        problem: to go on with, for profiles and samples; None for a fit that was loaded.
    """

    recording: str
    model: NeuronModel
    space: Space
    fixed: Mapping[str, Number]
    values: Mapping[str, float]
    loss: float
    terms: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    interval_kind: str
    sets: Float[np.ndarray, "set free"]
    set_losses: Float[np.ndarray, " set"]
    held_out: Mapping[str, np.ndarray]
    frames: Frames
    curvature: Curvature | None
    history: History
    dt_s: float
    settle_steps: int
    current_na: Float[np.ndarray, "sweep time"]
    problem: Problem | None

    @property
    def converged(self) -> bool:
        """Whether the search ended by itself."""
        return self.history.ending.converged

    @property
    def reason(self) -> str:
        """Why it ended."""
        return self.history.ending.reason

    @property
    def nan_sets(self) -> int:
        """Parameter sets whose simulation was not finite; they were scored worst."""
        return self.history.nan_sets

    @property
    def parameters(self) -> dict[str, float]:
        """All parameters of the model that differ from its own: fixed and fitted."""
        return {name: value for name, value in {**self.fixed, **self.values}.items() if name not in OBSERVED}

    def brian2_script(self) -> str:
        """A script that runs the fitted cell with Brian2 alone; it reads the currents from a file beside it."""
        return brian2_script(self.model, self.parameters, self.dt_s, self.settle_steps)


def fit_of(
    problem: Problem, history: History, held_out: Target | None, key: Any, tolerance: float | None, with_intervals: bool
) -> Fit:
    """The result of a search."""
    space, likely = problem.plan.space, isinstance(problem.plan.terms[0], Likelihood)
    positions, losses, terms, found = history.positions, history.loss, history.terms, None
    if problem.plan.is_random:
        # the lowest of many noisy losses is too low
        positions = positions[np.argsort(losses, kind="stable")[:_SCORED_AGAIN]]
        losses, terms, _ = _scored(problem, positions, key)
    if with_intervals and likely and (problem.plan.in_nats or len(problem.plan.terms) == 1):
        found = curvature(problem, positions[np.nanargmin(losses)])
        mode = _scored(problem, found.mode[None], key)
        positions, losses = np.concatenate([found.mode[None], positions]), np.concatenate([mode.loss, losses])
        terms = np.concatenate([mode.terms, terms])
    chosen = _equally_good(positions, losses, tolerance)
    positions, losses, terms = positions[chosen], losses[chosen], terms[chosen]
    values = space.values(positions.astype(problem.plan.dtype).astype(np.float64))
    sets = np.stack([values[name] for name in space.names], axis=-1)
    names = [named(objective) for objective in problem.plan.terms]
    scored: dict[str, np.ndarray] = {}
    if held_out is not None:
        other = Problem(problem.plan, held_out)
        scored = dict(zip(names, _scored(other, positions, key).terms.T, strict=True))
    best = dict(zip(space.names, sets[0].tolist(), strict=True))
    kind = "range of equally good sets"
    intervals = {name: (float(sets[:, k].min()), float(sets[:, k].max())) for k, name in enumerate(space.names)}
    if found is not None:
        kind, intervals = f"laplace {100 * LEVEL:g} %", found.interval(LEVEL)
    return Fit(
        recording=problem.target.name,
        model=problem.plan.model,
        space=space,
        fixed=problem.plan.fixed,
        values=best,
        loss=float(losses[0]),
        terms=dict(zip(names, terms[0].tolist(), strict=True)),
        intervals=intervals,
        interval_kind=kind,
        sets=sets,
        set_losses=losses,
        held_out=scored,
        frames=_frames(problem, best),
        curvature=found,
        history=history,
        dt_s=problem.plan.dt_s,
        settle_steps=problem.plan.settle_steps,
        current_na=problem.target.current_na,
        problem=problem,
    )


def _scored(problem: Problem, positions: np.ndarray, key: Any) -> Scores:
    """Scores outside the search: of a model with noise, means over trials with fresh keys."""
    evaluator, n_trials = Evaluator(problem, len(positions)), _TRIALS if problem.plan.is_random else 1
    trials = [evaluator(positions, jax.random.fold_in(key, 2**31 + trial)) for trial in range(n_trials)]
    return Scores(np.mean([one.loss for one in trials], axis=0), np.mean([one.terms for one in trials], axis=0), None)


def _frames(problem: Problem, best: Mapping[str, float]) -> Frames:
    whole = {**problem.plan.fixed, **best}
    own = {name: value for name, value in whole.items() if name not in OBSERVED}
    in_loop = None
    if problem.plan.observer.model is not None:
        in_loop = float(whole[JUNCTION] if JUNCTION in whole else problem.plan.observer.model.params[JUNCTION])
    in_mv = {name: 1e3 * value * problem.plan.model.parameter(name).scale for name, value in own.items()}
    return frames_of(potentials(problem.plan), in_mv, problem.target.protocol, in_loop)


def _equally_good(positions: np.ndarray, losses: np.ndarray, tolerance: float | None) -> list[int]:
    """Simulations whose loss is within the tolerance of the lowest, apart from each other, the best first."""
    order = np.argsort(losses, kind="stable")
    lowest = losses[order[0]]
    allowed = 0.02 * abs(lowest) if tolerance is None else tolerance
    kept: list[int] = []
    for number in order[losses[order] <= lowest + allowed]:
        near = [np.max(np.abs(positions[number] - positions[one])) < _APART for one in kept]
        if not any(near):
            kept.append(int(number))
        if len(kept) == _MOST_SETS:
            break
    return kept
