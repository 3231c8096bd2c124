"""Objectives: each has the value that its definition, or another implementation, gives for spikes made up here."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from biophys.calibrate import (
    Coincidence,
    Features,
    IntervalError,
    PointProcess,
    RateError,
    Target,
    TraceError,
    VanRossum,
    Weighted,
)
from biophys.calibrate.simulation import Seen
from biophys.features import Step, smooth_features
from twin.errors import InputError
from twin.judge.coincidence import coincidence_factor
from twin.judge.metrics import bits_per_spike

DT_S = 1e-4
N = 5000


def target(trains, voltage=None, n_sweeps=1, scored=(0.0, N * DT_S)) -> Target:
    """Trains: for each sweep those of its repeats, s."""
    return Target("made up", DT_S, np.zeros((n_sweeps, N)), voltage, trains, tuple(map(str, range(n_sweeps))), scored)


def scored(objective, of: Target, voltage=None, spikes=None, hazard=None, likelihood=False):
    """The loss of responses (sweep, time, n)."""
    prepared = objective.prepare(of)
    given = [np.asarray(one) for one in (voltage, spikes, hazard) if one is not None]
    shape = given[0].shape
    voltage = np.zeros(shape) if voltage is None else voltage
    spikes = np.zeros(shape, bool) if spikes is None else spikes
    hazard = np.ones(shape) if hazard is None else hazard

    def sweep(rows, facts, *seen):
        def body(carry, one):
            row, response = one
            return objective.add(carry, Seen(*response), row), None

        return jax.lax.scan(body, objective.start(facts, shape[2], jnp.float64), (rows, seen))[0]

    arrays = [jax.tree.map(jnp.asarray, dict(one)) for one in (prepared.rows, prepared.facts)]
    carry = jax.vmap(sweep)(*arrays, *(jnp.asarray(one) for one in (voltage, spikes, hazard)))
    facts = arrays[1]
    return np.asarray(objective.surprise(carry, facts) if likelihood else objective.loss(carry, facts))


def raster(*trains) -> np.ndarray:
    """(1, time, n) with one train, s, for each of n cells."""
    spikes = np.zeros((1, N, len(trains)), bool)
    for cell, train in enumerate(trains):
        spikes[0, np.floor(np.asarray(train) / DT_S + 1e-6).astype(int), cell] = True
    return spikes


def random_train(seed: int, rate_hz: float = 40.0) -> np.ndarray:
    """Spikes on the grid, s."""
    return np.flatnonzero(np.random.default_rng(seed).uniform(size=N) < rate_hz * DT_S) * DT_S


@pytest.mark.parametrize("window_s", [0.002, 0.004])
def test_coincidence_is_the_judge_s_for_random_trains(window_s):
    """Ten random trains against three repeats: the mean factor of `twin.judge`, to rounding."""
    common = random_train(0)
    repeats = tuple(np.sort(np.append(common, random_train(seed, 10.0))) for seed in (1, 2, 3))
    models = [random_train(seed, rate) for seed, rate in zip(range(10, 20), np.linspace(10, 100, 10), strict=True)]
    of = target((repeats,))
    ours = scored(Coincidence(window_s, rate_weight=0.0), of, spikes=raster(*models))
    factor = [
        [coincidence_factor(real, model, duration_s=N * DT_S, window_s=window_s).value for real in repeats]
        for model in models
    ]
    pairs = [
        coincidence_factor(a, b, duration_s=N * DT_S, window_s=window_s).value
        for a in repeats
        for b in repeats
        if a is not b
    ]
    np.testing.assert_allclose(ours, 1 - np.mean(factor, axis=1) / np.mean(pairs), atol=1e-6)
    assert np.ptp(ours) > 0.02


def test_a_copy_has_no_coincidence_loss_and_silence_has_all():
    """A copy scores 0; silence 1, and 0.1 more for the rate; only the scored stretch counts."""
    train = random_train(0)
    of = target(((train,),))
    np.testing.assert_allclose(scored(Coincidence(), of, spikes=raster(train, [])), [0.0, 1.1], atol=1e-12)
    late = target(((train,),), scored=(0.25, 0.5))
    half = train[train >= 0.25]
    np.testing.assert_allclose(scored(Coincidence(), late, spikes=raster(half, train)), [0.0, 0.0], atol=1e-12)


def test_sweeps_that_do_not_repeat_count_by_their_rate_alone():
    """Of two unrelated repeats the reliability is about 0, so a copy of one of them gains nothing by its times."""
    of = target(((random_train(0), random_train(1)), (random_train(2),)), n_sweeps=2)
    spikes = np.concatenate([raster(random_train(0)), raster(random_train(2))])
    objective = Coincidence(rate_weight=0.0)
    assert objective.prepare(of).facts["intrinsic"].tolist() == [0.0, 1.0]
    np.testing.assert_allclose(scored(objective, of, spikes=spikes), [0.0], atol=1e-12)


def test_trace_error_is_the_root_mean_square_away_from_spikes():
    """2 mV off everywhere is 2 mV; what lies around a recorded spike, or outside the windows, does not count."""
    voltage = np.zeros((1, N))
    of = target((((np.array([0.1])),),), voltage)
    model = np.full((1, N, 2), 2.0)
    model[0, 985:1045, 1] = 100.0
    errors = scored(TraceError(before_s=0.002, after_s=0.005), of, voltage=model)
    np.testing.assert_allclose(errors[0], 2.0)
    model[0, 981:1051, 1] = 100.0
    assert scored(TraceError(before_s=0.002, after_s=0.005), of, voltage=model)[1] == pytest.approx(2.0)
    model[0, 980, 1] = 100.0
    assert scored(TraceError(before_s=0.002, after_s=0.005), of, voltage=model)[1] > 2.3
    model[0, 2000:, :] = 7.0
    windows = TraceError(windows_s=((0.3, 0.4),))
    np.testing.assert_allclose(scored(windows, of, voltage=model), 7.0)


def test_trace_error_as_a_likelihood_is_gaussian():
    """Known noise: half the squares over the variance; unknown: n/2 ln of their mean; correlated: a share of that."""
    of = target(None, np.zeros((1, N)))
    model = np.full((1, N, 1), 2.0)
    known = scored(TraceError(noise_sd_mv=0.5), of, voltage=model, likelihood=True)
    np.testing.assert_allclose(known, 0.5 * N * 16)
    unknown = scored(TraceError(), of, voltage=model, likelihood=True)
    np.testing.assert_allclose(unknown, 0.5 * N * np.log(4.0))
    tenth = scored(TraceError(independent_s=10 * DT_S), of, voltage=model, likelihood=True)
    np.testing.assert_allclose(tenth, unknown / 10)


def test_van_rossum_costs_what_its_definition_says():
    """A copy 0, silence n/2 over n/2, a spike displaced by d: 1 - exp(-d/tau), over half the number of spikes."""
    of = target(((np.array([0.1, 0.3]),),))
    losses = scored(VanRossum(0.01), of, spikes=raster([0.1, 0.3], [], [0.1, 0.305]))
    displaced = 1 - np.exp(-0.5)
    np.testing.assert_allclose(losses, [0.0, 1.0, displaced], atol=1e-3)


def test_point_process_gains_what_the_judge_says():
    """Bits per spike over a constant rate, against `twin.judge` (Poisson): equal to the order of rate times step."""
    spikes = random_train(0, 30.0)
    rate_hz = 30.0 * np.exp(np.sin(np.arange(N) / 300.0))
    of = target(((spikes,),))
    counts = of.raster()[0].astype(float)
    judged = bits_per_spike(counts, rate_hz * DT_S, np.full(N, counts.mean()))
    ours = scored(PointProcess(), of, hazard=rate_hz[None, :, None])
    np.testing.assert_allclose(-ours, judged, atol=0.01)
    constant = -np.log1p(-counts.mean()) / DT_S
    np.testing.assert_allclose(scored(PointProcess(), of, hazard=np.full((1, N, 1), constant)), 0.0, atol=1e-9)


def test_point_process_is_exact_for_the_probability_of_a_step():
    """Two steps by hand: ln(1 - exp(-h dt)) for the one with the spike, -h dt for the one without."""
    of = target(((np.array([1000 * DT_S]),),), scored=(0.1, 0.1 + 2 * DT_S))
    hazard = np.full((1, N, 1), 5000.0)
    nats = scored(PointProcess(), of, hazard=hazard, likelihood=True)
    np.testing.assert_allclose(nats, -(np.log(1 - np.exp(-0.5)) - 0.5))


def test_rates_and_intervals_compare_numbers_and_gaps():
    """10 spikes in place of 8 in half a second are 4 Hz off; intervals half as long differ by ln 2."""
    real, model = np.arange(8) * 0.05 + 0.01, np.arange(16) * 0.025 + 0.01
    of = target(((real,),))
    np.testing.assert_allclose(scored(RateError(), of, spikes=raster(real, model[:10], [])), [0, 4, 16])
    binned = scored(RateError(0.1), of, spikes=raster(real, real + 0.1))
    np.testing.assert_allclose(binned, [0.0, np.sqrt(2 * 20**2 / 5)], atol=1e-9)
    np.testing.assert_allclose(
        scored(IntervalError(), of, spikes=raster(real, model, [])), [0, np.log(2), 3], atol=1e-6
    )


def test_features_are_distances_in_deviations():
    """A steady deflection of 6 mV in place of 4 with a deviation of 0.5 mV is 4 SD; a painted spike is counted."""
    step = Step(1e3 * DT_S, 100.0, 400.0, 0.1)
    times = np.arange(N) * 1e3 * DT_S
    response = lambda height: -70.0 + height * ((times >= 100) & (times < 400))  # noqa: E731
    of = target(None, response(4.0)[None])
    model = np.stack([response(4.0), response(6.0)], axis=-1)[None]
    np.testing.assert_allclose(scored(Features(("steady_state_voltage",), (step,), (0.5,)), of, voltage=model), [0, 4])
    spikes = np.zeros((1, N, 2), bool)
    spikes[0, [1500, 2500], 1] = True
    painted = Features(("spike_count",), (step,), (0.5,), painted_mv=20.0)
    np.testing.assert_allclose(scored(painted, of, voltage=model, spikes=spikes), [0, 4], atol=1e-3)
    assert (
        float(smooth_features(jnp.asarray(response(4.0)), step, ("steady_state_voltage",))["steady_state_voltage"])
        == -66
    )
    with pytest.raises(InputError, match="no feature speed; there are"):
        Features(("speed",), (step,), (1.0,))


def test_objectives_refuse_what_they_cannot_use():
    """No spikes, no voltage, windows that leave nothing, a step too coarse, and weights of nothing."""
    silent = target(((np.array([]),),), np.zeros((1, N)))
    for objective in (Coincidence(), VanRossum(), PointProcess(), RateError(), IntervalError()):
        with pytest.raises(
            InputError, match=f"made up: {type(objective).__name__} needs spikes, and there is none betw"
        ):
            objective.prepare(silent)
    with pytest.raises(InputError, match="TraceError needs a recorded voltage"):
        TraceError().prepare(target(((np.array([0.1]),),)))
    with pytest.raises(InputError, match="nothing is left to compare"):
        TraceError(windows_s=((9.0, 10.0),)).prepare(silent)
    with pytest.raises(InputError, match="do not resolve coincidences within 0.05 ms"):
        Coincidence(window_s=5e-5).prepare(target(((np.array([0.1]),),)))
    with pytest.raises(InputError, match="wanted 'forced' or 'free'"):
        TraceError(spikes="none")
    with pytest.raises(InputError, match="each with a weight above 0"):
        Weighted.of((TraceError(), 0.0))
