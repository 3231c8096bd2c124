"""Searches find what they were not told, the same way twice, and the sampler has the right distribution."""

import numpy as np
import pytest

from biophys.calibrate import DifferentialEvolution, Evolution, Free, Gradient
from biophys.calibrate.evaluator import Scores
from biophys.calibrate.methods.nuts import Drawn, Nuts
from biophys.calibrate.posterior import effective_draws, split_r_hat
from biophys.calibrate.space import Space
from twin.errors import InputError

SPACE = Space(tuple(Free(name, 0.5, 0.0, 1.0, "linear") for name in "abc"))
GOAL = np.array([0.2, 0.7, 0.55])


def bent(positions: np.ndarray) -> Scores:
    """A curved valley with its minimum of 0 at GOAL, and its slope; NaN where a < 0.1."""
    d = positions - GOAL
    across = d[:, 1] - 2 * d[:, 0] ** 2
    loss = d[:, 0] ** 2 + 30 * across**2 + 3 * d[:, 2] ** 2
    gradient = np.stack([2 * d[:, 0] - 240 * across * d[:, 0], 60 * across, 6 * d[:, 2]], axis=1)
    bad = positions[:, 0] < 0.1
    return Scores(np.where(bad, np.nan, loss), loss[:, None], np.where(bad[:, None], np.nan, gradient))


def run(method, budget: int = 6000, seed: int = 1, score=bent):
    """Everything that was asked for, and the ending."""
    search, asked = method.search(SPACE, seed, budget), []
    positions = next(search)
    while True:
        asked.append(positions)
        try:
            positions = search.send(score(positions))
        except StopIteration as stop:
            return np.concatenate(asked), stop.value


@pytest.mark.parametrize(
    ("method", "within"), [(Evolution(2), 0.01), (DifferentialEvolution(), 0.01), (Gradient(8), 0.02)]
)
def test_the_minimum_is_found_and_the_search_repeats_itself(method, within):
    """Near the goal, in the bounds and the budget, past NaN, and equal when run again; the ending says why."""
    asked, ending = run(method)
    losses = bent(asked).loss
    np.testing.assert_allclose(asked[np.nanargmin(losses)], GOAL, atol=within)
    assert asked.min() >= 0 and asked.max() <= 1 and len(asked) <= 6000 and np.isnan(losses).any()
    assert asked[: method.size(SPACE)].shape == (method.size(SPACE), 3)
    again, _ = run(method)
    np.testing.assert_array_equal(asked, again)
    assert ending.converged and ending.reason
    assert not np.array_equal(run(method, seed=2)[0], asked)


@pytest.mark.parametrize("method", [Evolution(2), DifferentialEvolution(), Gradient(8)])
def test_a_small_budget_ends_without_convergence(method):
    """Two generations are not enough, and the ending says so."""
    asked, ending = run(method, 2 * method.size(SPACE))
    assert not ending.converged and "budget" in ending.reason and len(asked) == 2 * method.size(SPACE)


def test_other_random_numbers_do_not_disturb_a_search():
    """NumPy's global generator may be used by anyone between two generations."""

    def disturbing(positions):
        np.random.seed(3)  # noqa: NPY002
        return bent(positions)

    np.testing.assert_array_equal(run(Evolution(2), 400)[0], run(Evolution(2), 400, score=disturbing)[0])


def test_nuts_draws_from_a_correlated_normal():
    """Means within 4 standard errors, covariances within 15 %, and no divergence."""
    spread = np.array([[1.0, 0.7, 0.0], [0.7, 1.0, -0.3], [0.0, -0.3, 1.0]]) * np.outer([1, 2, 0.5], [1, 2, 0.5]) * 4e-4
    precision = np.linalg.inv(spread)

    def normal(positions: np.ndarray) -> Scores:
        d = positions - GOAL
        return Scores(0.5 * np.einsum("ni,ij,nj->n", d, precision, d), d, d @ precision)

    start = tuple((GOAL + 0.01).tolist())
    method = Nuts(start, tuple(map(tuple, (2 * spread).tolist())), chains=8, warmup=50, draws=300)
    _, ending = run(method, 10**6, score=normal)
    assert isinstance(ending, Drawn) and ending.converged and ending.divergences == 0
    draws = ending.draws.reshape(-1, 3)
    effective = effective_draws(ending.draws)
    assert (effective > 500).all() and (split_r_hat(ending.draws) < 1.02).all()
    error = np.sqrt(np.diag(spread) / effective)
    assert (np.abs(draws.mean(axis=0) - GOAL) < 4 * error).all()
    np.testing.assert_allclose(np.diag(np.cov(draws.T)), np.diag(spread), rtol=0.15)
    assert np.corrcoef(draws.T)[0, 1] == pytest.approx(0.7, abs=0.06)


def test_r_hat_sees_chains_that_disagree():
    """Chains around different means have a large ratio; independent draws are worth their number."""
    draws = np.random.default_rng(0).normal(size=(4, 500, 1))
    assert split_r_hat(draws)[0] < 1.02 and effective_draws(draws)[0] == pytest.approx(2000, rel=0.25)
    apart = draws + np.arange(4.0)[:, None, None]
    assert split_r_hat(apart)[0] > 1.5
    slow = np.cumsum(draws, axis=1) * 0.1
    assert effective_draws(slow)[0] < 100


def test_impossible_searches_are_refused():
    """Sizes and rates out of their range, and CMA-ES in one dimension."""
    for wrong in (
        lambda: Evolution(0),
        lambda: Evolution(step=2.0),
        lambda: DifferentialEvolution(3),
        lambda: Gradient(0),
        lambda: Nuts((0.5,), ((1.0,),), chains=1),
    ):
        with pytest.raises(InputError, match="wanted|needs"):
            wrong()
    with pytest.raises(InputError, match="two free quantities or more; use DifferentialEvolution"):
        next(Evolution().search(Space(SPACE.free[:1]), 1, 100))
