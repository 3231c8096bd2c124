"""Fits and posteriors of recordings whose parameters are known, side by side with the truth."""

import dataclasses
import time
from collections.abc import Sequence
from typing import Literal, TypeAlias

import jax
import numpy as np
from jaxtyping import Bool, Float

from benchmarks.recovery.cases import Case
from benchmarks.recovery.recordings import draw, record
from biophys.calibrate import Curvature, Evolution, Fit, Target, calibrate_cells
from biophys.calibrate.cells_evaluator import CellsEvaluator
from biophys.calibrate.course import Course
from biophys.calibrate.evaluator import Evaluator
from biophys.calibrate.methods.nuts import Drawn, Nuts
from biophys.calibrate.problem import Problem
from twin.errors import NeurotwinError

Sampler: TypeAlias = Literal["nuts", "laplace"] | None
N_DRAWS = 99  # ranks from 0 to 99 fall evenly into ten bins
_CHAINS, _WARMUP, _EACH, _BUDGET = 20, 12, 5, 100_000
_TOGETHER = 10  # posteriors; the batch waits for the one with the longest trajectories


@dataclasses.dataclass(frozen=True)
class Recovered:
    """What was true and what was found, as positions: 0 is the lower bound and 1 the upper one.

    Attributes:
        case: what was recovered.
        truth: (set, free).
        found: (set, free) the mode.
        low: (set, free) lower ends of the 90 % intervals of `calibrate`.
        high: (set, free) upper ends.
        undecided: (set, free) what `Curvature.undecided` names.
        surplus: (set,) twice the negative log posterior of the truth over that of the mode: chi-squared with as many
            degrees of freedom as there are quantities, and negative by much where the search missed the mode.
        draws: (set, draw, free) from the posterior; no draws without sampling.
        fit_s: seconds of recording and fitting all sets, compilation included.
        sample_s: seconds of drawing from all posteriors.
    """

    case: Case
    truth: Float[np.ndarray, "set free"]
    found: Float[np.ndarray, "set free"]
    low: Float[np.ndarray, "set free"]
    high: Float[np.ndarray, "set free"]
    undecided: Bool[np.ndarray, "set free"]
    surplus: Float[np.ndarray, " set"]
    draws: Float[np.ndarray, "set draw free"]
    fit_s: float
    sample_s: float


def recover(
    case: Case, sets: int, seed: int = 0, *, sampler: Sampler = "nuts", believed: Case | None = None
) -> Recovered:
    """Draw parameter sets from the prior, record each with Brian2, and calibrate all recordings as one batch.

    Args:
        case: what is recorded.
        sets: how many.
        seed: of everything random.
        sampler: of the posteriors: "nuts"; "laplace" for the normal with the mode's curvature, within the bounds, which
            is where the intervals come from; None for no draws.
        believed: what the fit believes of the recording, to plant a defect; the truth otherwise.
    """
    truth, told, started = draw(case, sets, seed), believed or case, time.perf_counter()
    fits = fitted(told, record(case, truth, seed), seed)
    fit_s, started = time.perf_counter() - started, time.perf_counter()
    draws = np.empty((sets, 0, len(case.free)))
    if sampler is not None:
        draws = _by_nuts(told, fits, seed) if sampler == "nuts" else _by_curvature(fits, seed)
    curvatures = [_curvature(fit) for fit in fits]
    ends = [[{name: edge[side] for name, edge in fit.intervals.items()} for fit in fits] for side in (0, 1)]
    return Recovered(
        case=case,
        truth=truth,
        found=np.array([one.mode for one in curvatures]),
        low=_positions(told, ends[0]),
        high=_positions(told, ends[1]),
        undecided=np.array([[name in one.undecided for name in case.space.names] for one in curvatures]),
        surplus=np.array([_surplus(fit, row) for fit, row in zip(fits, truth, strict=True)]),
        draws=draws,
        fit_s=fit_s,
        sample_s=time.perf_counter() - started,
    )


def fitted(case: Case, targets: Sequence[Target], seed: int) -> list[Fit]:
    """The call whose intervals are put to the test.

    Raises:
        NeurotwinError: a recording could not be fitted.
    """
    cells = calibrate_cells(
        {target.name: target for target in targets}, case.neuron, case.free, case.objective, Evolution(restarts=4),
        case.budget, jax.random.key(seed), fixed=case.fixed, dt_s=case.dt_s, dtype=np.float64,
    )  # fmt: skip
    if cells.failed:
        raise NeurotwinError("; ".join(f"{name}: {reason}" for name, reason in cells.failed.items()))
    return [cells.fits[target.name] for target in targets]


def _curvature(fit: Fit) -> Curvature:
    assert fit.curvature is not None  # every objective here is a likelihood
    return fit.curvature


def _posterior(fit: Fit) -> Problem:
    assert fit.problem is not None  # the fit was made here
    return fit.problem.posterior()


def _surplus(fit: Fit, truth: np.ndarray) -> float:
    scores = Evaluator(_posterior(fit), 16)(truth[None], jax.random.key(0))
    return 2.0 * (float(scores.loss[0]) - _curvature(fit).loss)


def _by_nuts(case: Case, fits: Sequence[Fit], seed: int) -> Float[np.ndarray, "set draw free"]:
    """As `sample` draws from each posterior, all in step; few of each of many chains, so that they are almost free."""
    courses = []
    for k, fit in enumerate(fits):
        found = _curvature(fit)
        method = Nuts(tuple(found.mode), tuple(map(tuple, found.covariance)), _CHAINS, _WARMUP, _EACH)
        courses.append(Course(_posterior(fit), method, _BUDGET, jax.random.fold_in(jax.random.key(seed), k), None))
    for first in range(0, len(courses), _TOGETHER):
        _follow(courses[first : first + _TOGETHER])
    endings = [one.history(0.0).ending for one in courses]
    draws = np.array([ending.draws for ending in endings if isinstance(ending, Drawn)])
    return draws.transpose(0, 2, 1, 3).reshape(len(fits), -1, len(case.free))[:, :N_DRAWS]


def _by_curvature(fits: Sequence[Fit], seed: int) -> Float[np.ndarray, "set draw free"]:
    """From the Laplace approximation; what falls outside the bounds is drawn again."""
    random, every = np.random.default_rng([seed, 3]), []
    for found in map(_curvature, fits):
        kept = np.empty((0, len(found.mode)))
        while len(kept) < N_DRAWS:
            drawn = random.multivariate_normal(found.mode, found.covariance, 1000)
            kept = np.concatenate([kept, drawn[((drawn >= 0) & (drawn <= 1)).all(axis=1)]])
        every.append(kept[:N_DRAWS])
    return np.array(every)


def _follow(courses: Sequence[Course]) -> None:
    """To their ends."""
    evaluator = CellsEvaluator([one.problem for one in courses], _CHAINS, gradient=True)
    while asked := {k: one.asked for k, one in enumerate(courses) if one.asked is not None}:
        scores = evaluator(list(asked), list(asked.values()), [courses[k].key for k in asked])
        for k, one in zip(asked, scores, strict=True):
            courses[k].tell(one)


def _positions(case: Case, values: Sequence[dict[str, float]]) -> Float[np.ndarray, "row free"]:
    return np.array([case.space.positions(one) for one in values])
