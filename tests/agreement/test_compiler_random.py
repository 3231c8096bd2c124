"""Random numbers: one key, one noise, and noise in equations has its analytic moments."""

import re
from typing import Any

import brian2
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from brian2 import Hz, Network, NeuronGroup, PoissonGroup, PoissonInput, SpikeMonitor, TimedArray, linked_var, ms, mV
from scipy import stats

from biophys import Program, compile_network
from twin.errors import InputError

KEY = jax.random.key(0)
SURE = 1e-4  # a test that is right fails by chance once in ten thousand keys, and the key is fixed

NOISY_CELL = """
dv/dt = (drive - v)/tau + sigma*xi_in*tau**-0.5 : volt (unless refractory)
dw/dt = xi_in*second**-0.5 : 1
drive : volt
"""
NOISY_NAMES = {"tau": 10 * ms, "sigma": 4 * mV}


def noisy_cells(n: int = 5, equations: str = NOISY_CELL, **options: Any) -> NeuronGroup:
    group = NeuronGroup(
        n,
        equations,
        **{"threshold": "v > 15*mV", "reset": "v = 0*mV", "refractory": 2 * ms, "method": "euler", **options},
        name="cell",
    )
    group.drive = np.linspace(10, 16, n) * mV
    return group


@pytest.fixture(scope="module", name="everything")
def _everything() -> Program:
    """Noise, random numbers in a threshold, a reset and an operation of another clock, and random sources."""
    return compile_network(everything_random(), NOISY_NAMES)


def everything_random() -> Network:
    cells = noisy_cells(4, NOISY_CELL + "kick : 1\n", threshold="v > 12*mV + 4*mV*rand()", reset="v = 3*mV*randn()")
    cells.run_regularly("kick = rand()", dt=0.7 * ms)
    return Network(
        cells,
        PoissonInput(cells, "w", N=20, rate=100 * Hz, weight=0.1),
        PoissonGroup(3, rates="(200 + 100*i)*Hz", name="source"),
    )


EVERYTHING = ("cell.v", "cell.w", "cell.kick", "cell.spike", "source.spike")


def equal(first: Any, other: Any) -> bool:
    return all(np.array_equal(first[name], other[name]) for name in first)


def recorded(program: Program, *lengths_ms: float, **given: Any) -> dict[str, np.ndarray]:
    """What is recorded in a run that may be divided."""
    state, parts = program.init(KEY), []
    for length_ms in lengths_ms:
        state, out = program.run(length_ms * ms, state=state, record=EVERYTHING, **given)
        parts.append(out)
    return {name: np.concatenate([part[name] for part in parts]) for name in EVERYTHING}


def test_one_key_one_noise(everything: Program) -> None:
    """Equal keys give equal runs, whole, in parts and checkpointed; other keys give other runs."""
    assert everything.is_random
    whole = recorded(everything, 20)
    assert all(np.asarray(value).std() > 0 for value in whole.values())
    assert equal(whole, recorded(everything, 20))
    assert equal(whole, recorded(everything, 10, 10))
    assert equal(whole, recorded(everything, 20, checkpoint=True))
    assert equal(recorded(everything, 21.1), recorded(everything, 21.1, checkpoint=True))  # 211 steps, a prime
    other = everything.run(20 * ms, key=jax.random.key(1), record=EVERYTHING)[1]
    assert not any(np.array_equal(whole[name], other[name]) for name in EVERYTHING)


def test_steps_have_the_noise_of_a_run(everything: Program) -> None:
    """Single steps draw what a run draws; a key given on the way takes over from then on."""
    state = everything.init(KEY)
    rows = []
    for _ in range(20):
        rows.append(state["cell.w"])
        before, (state, events) = state, everything.step(state)
    assert set(events) == {"cell.spike", "source.spike"}
    np.testing.assert_allclose(recorded(everything, 20)["cell.w"][:20], rows, rtol=1e-12)
    ends = [everything.step(before, key=key)[0]["cell.w"] for key in (None, KEY, jax.random.key(1))]
    np.testing.assert_array_equal(ends[0], ends[1])
    assert not np.allclose(ends[0], ends[2])


def test_trials_are_a_vmap_over_keys(everything: Program) -> None:
    """A batch of keys is a batch of trials, each what its key alone gives."""
    keys = jax.random.split(KEY, 3)

    def trial(key: jax.Array) -> Any:
        return everything.run(20 * ms, key=key, record=EVERYTHING)[1]

    together = jax.vmap(trial)(keys)
    for k in range(3):
        alone = trial(keys[k])
        for name in EVERYTHING:
            np.testing.assert_allclose(together[name][k], alone[name], rtol=1e-12, atol=1e-18)
            assert not np.array_equal(together[name][k], together[name][k - 1])


@pytest.mark.parametrize(
    ("key", "found"), [(None, "none"), (0, "a int"), (np.zeros(2, np.uint32), "a ndarray"), ("0", "a str")]
)
def test_a_key_is_wanted(everything: Program, key: Any, found: str) -> None:
    """A network that draws random numbers is not run without a key, or with something else."""
    with pytest.raises(InputError, match=rf"draws random numbers and wants a key, and got {found}: key=jax.random.key"):
        everything.run(1 * ms, key=key)


def test_a_network_without_noise_wants_no_key() -> None:
    """Its state has none, and one that is given anyway changes nothing."""
    program = compile_network(Network(noisy_cells(2, "dv/dt = (drive - v)/tau : volt\ndrive : volt")), NOISY_NAMES)
    assert not program.is_random and "key" not in program.init()
    np.testing.assert_array_equal(program.run(5 * ms, key=KEY)[0]["cell.v"], program.run(5 * ms)[0]["cell.v"])


def test_given_the_same_noise_brian2_gives_the_same_spikes() -> None:
    """The noise that a key stands for, handed to Brian2 as a TimedArray, gives the program's spikes and traces."""
    program = compile_network(Network(noisy_cells()), NOISY_NAMES)
    _, out = program.run(200 * ms, key=KEY, record=("cell.v", "cell.w", "cell.spike"))
    # w adds up xi*dt: the noise of each step is its increment
    noise = np.diff(np.asarray(out["cell.w"]), axis=0) / np.sqrt(program.dt_s)
    assert stats.kstest(noise.ravel(), "norm").pvalue > SURE

    table = TimedArray(noise, dt=program.dt_s * brian2.second)
    driven = noisy_cells(equations=NOISY_CELL.replace("xi_in*", "noise(t, i)*dt**-0.5*"))
    spikes = SpikeMonitor(driven)
    trace = brian2.StateMonitor(driven, "v", record=True)
    Network(driven, spikes, trace).run(len(noise) * 0.1 * ms, namespace={**NOISY_NAMES, "noise": table})
    expected = np.zeros((len(noise), 5), bool)
    expected[np.round(spikes.t_ / program.dt_s).astype(int), spikes.i] = True
    assert expected.sum() > 20
    np.testing.assert_array_equal(out["cell.spike"][:-1], expected)
    np.testing.assert_allclose(out["cell.v"][:-1], trace.v_.T, atol=1e-14)


def test_ornstein_uhlenbeck() -> None:
    """Variance and autocorrelation of filtered white noise are the analytic ones, within their sampling error."""
    n, tau_s, dt_s, sigma = 20_000, 5e-3, 1e-4, 2.0
    equations = "dx/dt = -x/tau + sigma*(2/tau)**0.5*xi : 1"
    group = NeuronGroup(n, equations, method="euler", dt=dt_s * brian2.second, name="cell")
    group.x = sigma * np.random.default_rng(0).normal(size=n)
    program = compile_network(Network(group), {"tau": 5 * ms, "sigma": sigma})
    _, out = program.run(30 * ms, key=KEY, record=("cell.x",))
    start, end = np.asarray(out["cell.x"][200]), np.asarray(out["cell.x"][250])
    # Of Euler's steps x (1 - dt/tau) + ...: sigma^2/(1 - dt/(2 tau)), and (1 - dt/tau)^k after k steps.
    variance = sigma**2 / (1 - dt_s / (2 * tau_s))
    for x in (start, end):
        assert x.mean() == pytest.approx(0, abs=4 * np.sqrt(variance / n))
        assert x.var() == pytest.approx(variance, rel=4 * np.sqrt(2 / n))
    correlation = (1 - dt_s / tau_s) ** 50
    assert correlation == pytest.approx(np.exp(-1), rel=0.02)
    assert np.corrcoef(start, end)[0, 1] == pytest.approx(correlation, abs=4 * (1 - correlation**2) / np.sqrt(n))
    assert stats.kstest(end / np.sqrt(variance), "norm").pvalue > SURE


def geometric_motion(method: str, dt_s: float, n: int, extra: str = "") -> Any:
    """At 1 s, from 1."""
    equations = "dx/dt = mu*x/second + sigma*x*xi_in/second**0.5 : 1" + extra
    group = NeuronGroup(n, equations, method=method, dt=dt_s * brian2.second, name="cell")
    group.x = 1
    return compile_network(Network(group), {"mu": 0.5, "sigma": 0.8}).run(1.0, key=KEY)[0]


@pytest.mark.parametrize("method", ["heun", "milstein"])
def test_multiplicative_noise(method: str) -> None:
    """Geometric Brownian motion is Stratonovich's, as in Brian2: log x is normal with mean mu t, variance sigma^2 t."""
    n = 10_000
    x = np.asarray(geometric_motion(method, 1 / 512, n)["cell.x"])
    assert np.log(x).mean() == pytest.approx(0.5, abs=4 * 0.8 / np.sqrt(n))  # Ito's would be 0.5 - 0.8^2/2
    assert np.log(x).var() == pytest.approx(0.64, rel=4 * np.sqrt(2 / n) + 0.005)
    assert stats.kstest(np.log(x), "norm", args=(0.5, 0.8)).pvalue > SURE
    assert x.mean() == pytest.approx(np.exp(0.5 + 0.32), abs=4 * x.std() / np.sqrt(n))


def test_heun_converges_strongly() -> None:
    """Path by path, the distance from the exact solution for the same Brownian motion falls with the step: order 1."""
    steps_s, errors = np.array([1 / 16, 1 / 64]), []
    for dt_s in steps_s:
        state = geometric_motion("heun", dt_s, 4000, "\ndw/dt = xi_in/second**0.5 : 1")
        errors.append(np.abs(state["cell.x"] - np.exp(0.5 + 0.8 * state["cell.w"])).mean())
    assert np.polyfit(np.log(steps_s), np.log(errors), 1)[0] == pytest.approx(1, abs=0.15)


def test_the_default_method_takes_multiplicative_noise() -> None:
    """Left a choice, a group with multiplicative noise is integrated by the method that Brian2 would take, heun."""
    equations = "dx/dt = x*xi/second**0.5 : 1"
    ends = []
    for method in (("exact", "euler", "heun"), "heun"):
        group = NeuronGroup(4, equations, method=method, dt=1 * ms, name="cell")
        group.x = 1
        ends.append(compile_network(Network(group)).run(50 * ms, key=KEY)[0]["cell.x"])
    np.testing.assert_array_equal(ends[0], ends[1])


def test_noise_that_is_constant_over_a_step_is_shared_by_its_users() -> None:
    """Two variables that use one random subexpression see the same number; a shared one is one for all neurons."""
    group = NeuronGroup(
        50,
        """common = randn() : 1 (constant over dt, shared)
           noise = randn() : 1 (constant over dt)
           dx/dt = noise/ms : 1
           dy/dt = (noise + common)/ms : 1""",
        method="euler",
        name="cell",
    )
    follower = NeuronGroup(50, "dz/dt = noise/ms : 1\nnoise : 1 (linked)", method="euler", name="follower")
    follower.noise = linked_var(group, "noise")
    state, _ = compile_network(Network(group, follower)).run(5 * ms, key=KEY)
    x, y, z = (np.asarray(state[key]) for key in ("cell.x", "cell.y", "follower.z"))
    assert np.ptp(x) > 0.1
    assert np.ptp(y - x) < 1e-12 < abs(y[0] - x[0])
    # the follower's step comes after the group's, and after its subexpression
    np.testing.assert_allclose(z, x, atol=1e-12)


def test_groups_draw_their_own_numbers() -> None:
    """Two groups with the same text have other noise."""
    groups = [NeuronGroup(1000, "dx/dt = xi/ms**0.5 : 1", method="euler", name=name) for name in ("first", "second")]
    state, _ = compile_network(Network(*groups)).run(1 * ms, key=KEY)
    assert abs(np.corrcoef(state["first.x"], state["second.x"])[0, 1]) < 4 / np.sqrt(1000)


def test_several_noises_in_one_equation() -> None:
    """`xi_1` and `xi_2` are independent, and one name is one noise wherever it stands."""
    equations = """dx/dt = (xi_1 + xi_2)/ms**0.5 : 1
                   dy/dt = (xi_1 - xi_2)/ms**0.5 : 1
                   dz/dt = xi_1/ms**0.5 : 1"""
    group = NeuronGroup(2000, equations, method="euler", name="cell")
    state, _ = compile_network(Network(group)).run(1 * ms, key=KEY)
    x, y, z = (np.asarray(state[f"cell.{name}"]) for name in "xyz")
    np.testing.assert_allclose(x + y, 2 * z, atol=1e-12)
    assert abs(np.corrcoef(x, y)[0, 1]) < 4 / np.sqrt(2000)
    assert x.var() == pytest.approx(2, rel=4 * np.sqrt(2 / 2000))


def test_gradients_pass_through_noise() -> None:
    """With the key fixed, the derivative of a noisy trajectory is the finite difference: the noise is fixed too."""
    equations = "dx/dt = -x/tau + sigma*xi*tau**-0.5 : 1\nsigma : 1"
    group = NeuronGroup(3, equations, method="euler", name="cell")
    program = compile_network(Network(group), {"tau": 5 * ms})

    def end(sigma: jax.Array) -> jax.Array:
        return jnp.sum(program.run(10 * ms, {"cell.sigma": sigma}, key=KEY)[0]["cell.x"])

    sigma = jnp.full(3, 0.5)
    slope = float(jax.grad(end)(sigma).sum())
    assert slope == pytest.approx(float(end(sigma + 1e-4) - end(sigma - 1e-4)) / 2e-4, rel=1e-6)


def test_float32_draws_float32() -> None:
    """A float32 program draws single-precision numbers of every kind: no array of float64 anywhere."""
    program = compile_network(everything_random(), NOISY_NAMES, dtype=np.float32)
    text = str(jax.make_jaxpr(lambda key: program.run(1 * ms, key=key, record=EVERYTHING))(KEY))
    assert "f32[4]" in text and not re.search(r"f64\[\d", text)
