"""Random sources and functions: every distribution is the one that Brian2's language promises."""

from typing import Any

import brian2
import jax
import numpy as np
import pytest
from brian2 import Hz, Network, NeuronGroup, PoissonGroup, PoissonInput, ms
from scipy import stats

from biophys import compile_network

KEY = jax.random.key(0)
SURE = 1e-4  # a test that is right fails by chance once in ten thousand keys, and the key is fixed


def chi_square(counts: np.ndarray, p: np.ndarray) -> float:
    """p-value of counts in classes, those at the ends that would be too rare pooled with the rest."""
    n = counts.sum()
    common = np.flatnonzero(n * p > 10)
    inside = slice(common[0], common[-1] + 1)
    observed = np.append(counts[inside], n - counts[inside].sum())
    expected = np.append(n * p[inside], n * (1 - p[inside].sum()))
    keep = expected > 1e-9 * n
    assert observed[~keep].sum() == 0
    return float(stats.chisquare(observed[keep], expected[keep]).pvalue)


def test_poisson_group() -> None:
    """Each source has its own rate, a number or an expression, and one Bernoulli number a step."""
    rates = np.repeat([5.0, 20.0, 80.0, 320.0], 250)
    fixed = PoissonGroup(1000, rates=rates * Hz, name="fixed")
    moving = PoissonGroup(
        500, rates="peak*int(t > 0.5*second)*(1 + i % 2)", name="moving", namespace={"peak": 100 * Hz}
    )
    program = compile_network(Network(fixed, moving))
    assert program.units["fixed.rates"] == "Hz"

    def spikes(**given: Any) -> Any:
        _, out = program.run(1.0, key=KEY, record=program.event_names, **given)
        return np.asarray(out["fixed.spike"]), np.asarray(out["moving.spike"])

    first, late = spikes()
    p = rates * program.dt_s
    score = (first.sum(axis=0) - 10_000 * p) ** 2 / (10_000 * p * (1 - p))
    assert SURE < stats.chi2.cdf(score.sum(), 1000) < 1 - SURE
    assert not late[:5000].any()
    for start, expected in ((0, 250 * 50.0), (1, 250 * 100.0)):
        assert late[:, start::2].sum() == pytest.approx(expected, abs=4 * np.sqrt(expected))
    # other rates are another parameter, and neighbours are independent
    loud, _ = spikes(params={"fixed.rates": np.full(1000, 1000.0)})
    pairs = loud[:, ::2] & loud[:, 1::2]
    assert pairs.sum() == pytest.approx(pairs.size * 0.01, abs=4 * np.sqrt(pairs.size * 0.01))


@pytest.mark.parametrize(("n_inputs", "rate_hz"), [(10, 500.0), (1000, 100.0), (1, 0.0)])
def test_poisson_input_is_binomial(n_inputs: int, rate_hz: float) -> None:
    """The number of input spikes in a step is binomial, also where Brian2 itself takes a normal number for it."""
    group = NeuronGroup(2000, "x : 1", dt=0.5 * ms, name="cell")
    network = Network(group, PoissonInput(group, "x", N=n_inputs, rate=rate_hz * Hz, weight=0.25))
    _, out = compile_network(network).run(100 * ms, key=KEY, record=("cell.x",))
    drawn = np.diff(np.asarray(out["cell.x"]), axis=0) / 0.25
    np.testing.assert_allclose(drawn, np.round(drawn), atol=1e-9)
    p = rate_hz * 5e-4
    if p == 0:
        assert not drawn.any()
        return
    assert drawn.mean() == pytest.approx(n_inputs * p, abs=4 * np.sqrt(n_inputs * p * (1 - p) / drawn.size))
    assert drawn.var() == pytest.approx(n_inputs * p * (1 - p), rel=0.05)
    counts = np.bincount(np.round(drawn).astype(int).ravel(), minlength=n_inputs + 1)
    assert chi_square(counts, stats.binom.pmf(np.arange(n_inputs + 1), n_inputs, p)) > SURE


def test_poisson_input_has_brian2s_mean_and_variance() -> None:
    """Beside Brian2's own run: the same filtered input, in mean and variance over neurons."""
    group = NeuronGroup(4000, "dx/dt = -x/(5*ms) : 1", method="exact", name="cell")
    network = Network(group, PoissonInput(group, "x", N=200, rate=50 * Hz, weight=0.1))
    program = compile_network(network)
    state, _ = program.run(30 * ms, key=KEY)
    brian2.seed(0)
    network.run(30 * ms)
    here, there = np.asarray(state["cell.x"]), group.x_[:]
    assert stats.ttest_ind(here, there).pvalue > SURE
    assert here.var() == pytest.approx(there.var(), rel=4 * np.sqrt(4 / 4000))


def test_binomial_functions() -> None:
    """Several binomial functions in one operation have each its own distribution."""
    group = NeuronGroup(5000, "few : 1\nmany : 1", name="cell")
    group.run_regularly("few = rare(); many = usual()")
    drawn = {"rare": (10, 0.05), "usual": (60, 0.8)}
    names = {name: brian2.BinomialFunction(n, p) for name, (n, p) in drawn.items()}
    state, _ = compile_network(Network(group), names).run(0.1 * ms, key=KEY)
    for key, (n, p) in zip(("cell.few", "cell.many"), drawn.values(), strict=True):
        counts = np.bincount(np.asarray(state[key]).astype(int), minlength=n + 1)
        assert chi_square(counts, stats.binom.pmf(np.arange(n + 1), n, p)) > SURE


def test_random_functions() -> None:
    """`rand`, `randn` and `poisson` have their distributions, and every call draws numbers of its own."""
    group = NeuronGroup(
        5000,
        """u : 1
           other : 1
           z : 1
           few : 1
           many : 1
           mean : 1""",
        name="cell",
    )
    group.mean = "0.5 + i % 2"
    group.run_regularly("""u = rand()
                           other = rand()
                           z = 3 + 2*randn() + 0*rand()
                           few = poisson(mean)
                           many = poisson(40)""")
    program = compile_network(Network(group))
    state, _ = program.run(0.2 * ms, key=KEY)
    u, other, z, few, many = (np.asarray(state[f"cell.{name}"]) for name in ("u", "other", "z", "few", "many"))
    assert stats.kstest(u, "uniform").pvalue > SURE and stats.kstest(other, "uniform").pvalue > SURE
    assert stats.kstest((z - 3) / 2, "norm").pvalue > SURE
    pairs = np.corrcoef([u, other, z, few, many])[np.triu_indices(5, 1)]
    assert np.abs(pairs).max() < 4.5 / np.sqrt(5000)
    for drawn, mean in ((few[::2], 0.5), (few[1::2], 1.5), (many, 40.0)):
        counts = np.bincount(drawn.astype(int), minlength=120)
        assert chi_square(counts, stats.poisson.pmf(np.arange(120), mean)) > SURE


def test_random_numbers_in_events() -> None:
    """Escape noise has its rate, and a reset to a random value reaches those that spike and no others."""
    n, rate_hz = 4000, 250.0
    group = NeuronGroup(n, "x : 1\nhits : 1", threshold="rand() < rate*dt", reset="x = rand(); hits += 1", name="cell")
    group.x = -1
    state, out = compile_network(Network(group), {"rate": rate_hz * Hz}).run(2 * ms, key=KEY, record=("cell.spike",))
    spikes = np.asarray(out["cell.spike"])
    p = rate_hz * 1e-4
    assert spikes.sum() == pytest.approx(spikes.size * p, abs=4 * np.sqrt(spikes.size * p))
    np.testing.assert_array_equal(state["cell.hits"], spikes.sum(axis=0))
    hit = spikes.any(axis=0)
    assert np.all(np.asarray(state["cell.x"])[~hit] == -1)
    assert stats.kstest(np.asarray(state["cell.x"])[hit], "uniform").pvalue > SURE
