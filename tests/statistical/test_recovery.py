"""Parameters that are known are found again, the intervals hold them as often as they say, and so do the draws."""

import dataclasses

import jax
import numpy as np
import pytest

from benchmarks.recovery import verdicts
from benchmarks.recovery.cases import ALL_CASES
from benchmarks.recovery.junction import CASES, INJECTED_MV, compare
from benchmarks.recovery.recover import N_DRAWS, recover
from biophys.calibrate import Free, PointProcess, Target
from biophys.calibrate.evaluator import Evaluator, Scores
from biophys.calibrate.methods.nuts import Nuts
from biophys.calibrate.objectives.objective import as_weighted
from biophys.calibrate.observer import Observer
from biophys.calibrate.plan import Plan
from biophys.calibrate.problem import Problem
from biophys.calibrate.space import Space
from biophys.models import ALL
from twin.judge import clopper_pearson, holm

PASSIVE = dataclasses.replace(ALL_CASES["passive"], budget=640, seconds=0.2)
SETS = 50


def believing(case, noise_mv):
    """The same case for a fit that believes in another noise."""
    return dataclasses.replace(case, objective=dataclasses.replace(case.objective, noise_sd_mv=noise_mv))


def sampled(y, covariance, seed=0):
    """Draws of NUTS, set up as for a recovery, from a normal around y that the bounds 0 and 1 cut off."""
    precision = np.linalg.inv(covariance)
    method = Nuts(tuple(np.clip(y, 0, 1)), tuple(map(tuple, covariance)), chains=10, warmup=12, draws=10)
    search = method.search(Space((Free("a", 0.5, 0, 1, "linear"), Free("b", 0.5, 0, 1, "linear"))), seed, 100_000)
    positions = next(search)
    while True:
        away = positions - y
        loss = 0.5 * (away @ precision * away).sum(axis=1)
        try:
            positions = search.send(Scores(loss, loss[:, None], away @ precision))
        except StopIteration as stop:
            return stop.value.draws.transpose(1, 0, 2).reshape(-1, 2)[:N_DRAWS]


def ranked(sets, believed_sd):
    """Ranks of the truth among draws of a sampler that believes in this deviation, where 0.1 is true."""
    random = np.random.default_rng(0)
    truth = random.random((sets, 2))
    measured = truth + 0.1 * random.normal(size=truth.shape)
    draws = [sampled(y, believed_sd**2 * np.eye(2), k) for k, y in enumerate(measured)]
    return verdicts.ranks(np.array(draws), truth)


def least_p(ranks):
    """Of both tests and both quantities, corrected."""
    tests = [test(ranks[:, k]) for k in range(2) for test in (verdicts.chi2_uniform, verdicts.ks_uniform)]
    return float(holm(np.array(tests)).min())


def test_nuts_is_calibrated_and_a_wrong_sampler_is_not():
    """Against normals that walls cut off ranks are even; of a sampler with a third of the deviation they are not."""
    assert least_p(ranked(40, 0.1)) > 0.05
    assert least_p(ranked(20, 0.03)) < 1e-3


def test_nuts_is_right_where_the_mode_is_at_a_bound():
    """sd 0.1, correlation 0.6, centre (0, 0.5): the means are 0.1 sqrt(2/pi) = 0.080, and 0.5 + 0.6 of that."""
    covariance = 0.01 * np.array([[1.0, 0.6], [0.6, 1.0]])
    draws = np.concatenate([sampled(np.array([0.0, 0.5]), covariance, seed) for seed in range(6)])
    np.testing.assert_allclose(draws.mean(axis=0), [0.0798, 0.5479], atol=0.015)
    np.testing.assert_allclose(draws.std(axis=0), [0.0603, 0.0877], atol=0.012)


def test_no_spike_is_missed_while_the_cell_is_refractory():
    """By hand: after the spike nothing can come for 4 ms, so those steps say nothing, however high the reset is."""
    dt_s, step, n_steps, tau_s, rest, reset = 5e-4, 100, 140, 0.02, -65.0, -49.0
    quiet = {name: 0.0 for name in ("a_eta_1", "a_eta_2", "a_eta_3", "a_gamma_1", "a_gamma_2")}
    fixed = {"C": 200.0, "g_L": 10.0, "E_L": rest, "V_r": reset, "Delta_V": 2.0, **quiet}
    still = Target(
        "still", dt_s, np.zeros((1, n_steps)), None, ((np.array([step * dt_s]),),), ("0",), (0.0, n_steps * dt_s)
    )
    space = Space((Free("V_T_star", -48, -52, -44, "linear"),))
    plan = Plan(ALL["gif"], space, as_weighted(PointProcess()), fixed, Observer(None), dt_s, dtype=np.float64)
    loss = Evaluator(Problem(plan, still).posterior(), 1)(np.array([[0.5]]), jax.random.key(0)).loss[0]

    def expected(v_mv):
        return 1e4 * np.exp((v_mv + 48.0) / 2.0) * dt_s

    after = rest + (reset - rest) * np.exp(-np.arange(1, n_steps - step - 7) * dt_s / tau_s)
    by_hand = step * expected(rest) - np.log(-np.expm1(-expected(rest))) + expected(after).sum()
    assert loss == pytest.approx(by_hand, rel=1e-9) and 7 * expected(reset) > 10


def test_ranks_by_hand():
    """Two of three draws are below the truth; ranks that are all in one bin are not even; the bins have ten each."""
    assert verdicts.ranks(np.array([[[0.1], [0.2], [0.9]]]), np.array([[0.5]])).tolist() == [[2]]
    even, low = np.arange(0, 100, 2), np.zeros(50, int)
    assert verdicts.chi2_uniform(even) == 1.0 and verdicts.ks_uniform(even) > 0.99
    assert verdicts.chi2_uniform(low) < 1e-9 and verdicts.ks_uniform(low) < 1e-9


def test_holm_by_hand():
    """The smallest is multiplied by three, the next by two, and none may be below one before it."""
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])


def test_passive_membranes_are_recovered():
    """20 sets that Brian2 recorded: on the line, and held by 90 % of the intervals as far as 60 can tell."""
    found = recover(PASSIVE, 20, sampler=None)
    for one in verdicts.quantities(found):
        assert one.r2 > 0.999 and one.slope == pytest.approx(1, abs=0.01) and one.undecided == 0, one
    inside = verdicts.covered(found)
    low, high = clopper_pearson(int(inside.sum()), inside.size)
    assert low < 0.9 < high and verdicts.missed(found) == 0 and verdicts.p_surplus(found) > 0.01


def test_intervals_with_half_the_noise_are_caught():
    """A fit that believes in half the noise has intervals of half the width, which hold the truth in 59 %."""
    found = recover(PASSIVE, 20, sampler=None, believed=believing(PASSIVE, 0.5))
    inside = verdicts.covered(found)
    low, high = clopper_pearson(int(inside.sum()), inside.size)
    assert not verdicts.is_covered(inside) and high < 0.85 and low < 0.59 < high
    assert verdicts.p_surplus(found) < 1e-3


def test_what_the_data_do_not_decide_is_named():
    """Without current a voltage at rest says nothing about conductance and capacitance, and all about the rest."""
    still = dataclasses.replace(PASSIVE, current_na=(0.0, 0.0))
    named = {one.name: one.undecided for one in verdicts.quantities(recover(still, 4, sampler=None))}
    assert named == {"C": 4, "g_L": 4, "E_L": 0}


def test_a_junction_potential_is_a_bias_until_it_is_corrected():
    """+10 mV in the recording is +10 mV in the leak's potential and nothing else; corrected, it is gone."""
    found = compare(PASSIVE, 5)
    bias = {name: (found.raw - found.truth)[:, k] for k, name in enumerate(PASSIVE.space.names)}
    np.testing.assert_allclose(bias["E_L"], INJECTED_MV, atol=0.2)
    assert not found.raw_holds[:, 2].any()
    np.testing.assert_allclose(found.corrected[:, 2], found.truth[:, 2], atol=0.2)
    np.testing.assert_allclose(found.raw[:, :2], found.corrected[:, :2], rtol=0.01)
    assert found.corrected_holds.mean() >= 0.7


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL_CASES)
def test_every_model_is_recovered(name):
    """50 sets: coverage of intervals and of draws between 85 and 95 %, and even ranks."""
    found = recover(ALL_CASES[name], SETS, sampler="laplace")
    assert verdicts.is_covered(verdicts.covered(found)) and verdicts.is_covered(verdicts.covered_by_draws(found))
    assert verdicts.least_p(found) > verdicts.LEAST_P and verdicts.missed(found) == 0


@pytest.mark.slow
def test_draws_of_nuts_are_even_and_those_with_half_the_noise_are_caught():
    """Ranks among posteriors that are too narrow heap up at both ends."""
    case = ALL_CASES["passive"]
    right, wrong = (recover(case, SETS, seed=1, believed=one) for one in (case, believing(case, 0.5)))
    assert verdicts.is_covered(verdicts.covered_by_draws(right)) and verdicts.least_p(right) > verdicts.LEAST_P
    assert not verdicts.is_covered(verdicts.covered_by_draws(wrong)) and verdicts.least_p(wrong) < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_bias_of_every_model_is_gone_once_corrected(case):
    """Intervals that a junction potential empties hold the truth again after the correction."""
    found = compare(case, SETS)
    assert not verdicts.is_covered(found.raw_holds) and verdicts.is_covered(found.corrected_holds)
