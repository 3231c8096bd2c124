"""The whole judgement of one recorded unit: truth passes, planted defects are caught, gaps are named."""

import json

import numpy as np
import pytest

from twin.errors import InputError
from twin.judge import (
    Prediction,
    SpikeTrains,
    bits_per_spike,
    coincidence_factor,
    count_total_variation,
    evaluate,
    interval_ks,
    interval_wasserstein_ms,
    pearson,
)
from twin.judge.defects import with_jitter, with_rate_times, without_refractoriness
from twin.judge.statistics import window_counts

START_S, STOP_S = 2.0, 14.0
N_BINS = 12_000
SHAPE = 4.0


def driven_rate(seed=0):
    """A 90 Hz rate that follows a smooth random stimulus, one value per millisecond."""
    smooth = np.convolve(np.random.default_rng(seed).normal(size=N_BINS), np.exp(-np.arange(100) / 20), "same")
    return 90.0 * np.exp(0.5 * smooth / smooth.std() - 0.125)


def renewal(rate_hz, rng, shape=SHAPE):
    """A gamma process of this shape in operational time: regular for a large shape, Poisson for 1."""
    time = START_S + 1e-3 * np.arange(N_BINS + 1)
    expected = np.concatenate([[0.0], np.cumsum(rate_hz) * 1e-3])
    events = np.cumsum(rng.gamma(shape, 1.0 / shape, int(1.5 * expected[-1]) + 50))
    return np.interp(events[events < expected[-1]], expected, time)


def trains(rate_hz, rng, n=1, shape=SHAPE):
    return SpikeTrains(tuple(renewal(rate_hz, rng, shape) for _ in range(n)), START_S, STOP_S)


def judge(real, generated, unit="block", **options):
    options = {"families": ("logistic", "knn"), "n_permutations": 59, "n_resamples": 400} | options
    return evaluate(real, generated, unit=unit, start_s=START_S, stop_s=STOP_S, c2st_margin=0.2, **options)


def verdicts(found):
    return {claim.name: claim.verdict for claim in found.claims}


@pytest.fixture(scope="module")
def scene():
    """One recorded trial, the true model as the twin, and three lesser ones."""
    rng = np.random.default_rng(3)
    rate = driven_rate()
    flat = np.full(N_BINS, 90.0)
    blurred = 90.0 * np.sqrt(rate / 90.0)
    real = trains(rate, rng)
    generated = {
        "twin": Prediction(trains(rate, rng, 4), rate),
        "lnp": Prediction(trains(blurred, rng, 4, shape=1.0), blurred),
        "poisson": Prediction(trains(flat, rng, 4, shape=1.0), flat),
    }
    return real, generated, judge(real, generated)


def test_the_true_model_passes_what_can_be_tested_and_the_rest_is_said_to_be_open(scene):
    """Marginals, both baselines and both classifier families pass; cells, animals, labs and the ceiling are open."""
    found = verdicts(scene[2])
    assert {name for name, verdict in found.items() if verdict == "pass"} >= {
        "twin_interval_distribution",
        "twin_count_distribution",
        "twin_beats_lnp_bits_per_spike",
        "twin_beats_poisson_bits_per_spike",
        "twin_indistinguishable_logistic",
        "twin_indistinguishable_knn",
    }
    assert {name for name, verdict in found.items() if verdict == "not_testable"} == {
        "twin_transfers_to_another_cell",
        "twin_transfers_to_another_animal",
        "twin_transfers_to_another_lab",
        "twin_reaches_prediction_ceiling",
    }


def test_a_poisson_baseline_as_the_subject_fails(scene):
    """The same battery on a model of constant rate and no refractoriness passes no claim about it."""
    found = judge(*scene[:2], subject="poisson")
    named = {n: v for n, v in verdicts(found).items() if n.startswith("poisson") and v != "not_testable"}
    assert len(named) == 8
    assert set(named.values()) == {"fail"}


def test_summed_scores_are_the_metrics_themselves(scene):
    """Each figure that the bootstrap resamples equals the plain metric on the whole recording."""
    real, generated, found = scene
    train, model = real.trials[0], generated["lnp"]
    counts = window_counts(train, START_S, STOP_S, 0.001)
    bits = bits_per_spike(counts, model.rate_hz * 1e-3, np.full(N_BINS, counts.mean()))
    assert found.score("bits_per_spike", "lnp").value == pytest.approx(bits)
    coarse = window_counts(train, START_S, STOP_S, 0.005), model.rate_hz.reshape(-1, 5).mean(axis=1)
    assert found.score("single_trial_correlation", "lnp").value == pytest.approx(pearson(*coarse))
    factors = [coincidence_factor(train, g, duration_s=12.0).value for g in model.trials.trials]
    assert found.score("coincidence_factor", "lnp").value == pytest.approx(np.mean(factors))
    intervals = np.diff(train), np.concatenate([np.diff(g) for g in model.trials.trials])
    assert found.score("interval_ks", "lnp").value == pytest.approx(interval_ks(*intervals), abs=2e-3)
    wasserstein = interval_wasserstein_ms(*intervals)
    assert found.score("interval_wasserstein_ms", "lnp").value == pytest.approx(wasserstein, abs=0.01)
    windows = [window_counts(g, START_S, STOP_S, 0.05) for g in (train, *model.trials.trials)]
    total_variation = count_total_variation(windows[0], np.concatenate(windows[1:]))
    assert found.score("count_tv", "lnp").value == pytest.approx(total_variation)
    assert found.score("rate_hz", "real").value == pytest.approx(train.size / 12.0)


def test_a_paired_difference_is_sharper_than_the_intervals_of_its_two_figures(scene):
    """Twin less lnp on the same blocks is positive, changes sign with the order, and is narrower than either alone."""
    found = scene[2]
    value, interval = found.difference("bits_per_spike", "twin", "lnp")
    back, mirrored = found.difference("bits_per_spike", "lnp", "twin")
    twin, lnp = found.score("bits_per_spike", "twin"), found.score("bits_per_spike", "lnp")
    assert value == pytest.approx(twin.value - lnp.value)
    assert back == -value
    assert interval.low == pytest.approx(-mirrored.high)
    assert 0 < interval.low < value < interval.high
    assert interval.high - interval.low < twin.high - twin.low
    with pytest.raises(InputError, match="was not resampled"):
        found.difference("c2st_accuracy_knn", "twin", "lnp")


def test_real_against_real_stands_beside_every_distance_and_accuracy(scene):
    """Each figure that could be called small has a ceiling row, and prediction has none from one trial."""
    with_ceiling = {s.metric for s in scene[2].scores if s.model == "ceiling"}
    assert with_ceiling == {
        "interval_ks",
        "interval_wasserstein_ms",
        "count_tv",
        "c2st_accuracy_logistic",
        "c2st_accuracy_knn",
    }


def test_the_report_rows_are_strict_json_and_unique(scene):
    """Every row survives strict JSON, and no (model, metric) comes twice."""
    found = scene[2]
    json.dumps([row.as_row() for row in (*found.claims, *found.scores)], allow_nan=False)
    keys = [(s.model, s.metric) for s in found.scores]
    assert len(keys) == len(set(keys))


def test_the_same_seed_gives_the_same_figures(scene):
    """Nothing is drawn outside of the seed."""
    again = judge(*scene[:2])
    assert [s.as_row() for s in again.scores] == [s.as_row() for s in scene[2].scores]
    assert again.claims == scene[2].claims


@pytest.mark.parametrize(
    ("defect", "claim"),
    [
        (lambda t: with_jitter(t, sd_s=0.005, seed=0), "twin_interval_distribution"),
        (lambda t: with_jitter(t, sd_s=0.005, seed=0), "twin_indistinguishable_logistic"),
        (lambda t: without_refractoriness(t, seed=0), "twin_interval_distribution"),
        (lambda t: without_refractoriness(t, seed=0), "twin_indistinguishable_knn"),
        (lambda t: with_rate_times(t, 1.2), "twin_interval_distribution"),
        (lambda t: with_rate_times(t, 1.2), "twin_count_distribution"),
    ],
)
def test_a_defect_planted_in_the_twin_is_caught_by_the_claim_that_names_it(scene, defect, claim):
    """Jitter and lost refractoriness show in intervals and classifiers, a rate 20 % too high in both marginals."""
    real, generated, _ = scene
    twin = generated["twin"]
    found = judge(real, {"twin": Prediction(defect(twin.trials), twin.rate_hz)})
    assert verdicts(found)[claim] == "fail"


def test_a_leaked_copy_is_caught(scene):
    """A generator that hands the recording back has all spikes copied and a perfect coincidence, and fails L2."""
    real, generated, _ = scene
    found = judge(real, {"twin": Prediction(real, generated["twin"].rate_hz)})
    assert found.score("copied_spikes", "twin").value == 1.0
    assert found.score("coincidence_factor", "twin").value == pytest.approx(1.0)
    claim = next(c for c in found.claims if c.name == "twin_indistinguishable_logistic")
    assert claim.verdict == "fail"
    assert "saw the reference" in claim.reason


def test_repeats_give_a_prediction_ceiling_that_the_true_model_reaches():
    """With six repeats the ceiling of the single-trial correlation is the true model's, up to noise."""
    rng = np.random.default_rng(5)
    rate = driven_rate()
    real = trains(rate, rng, 6, shape=1.0)
    generated = {"twin": Prediction(trains(rate, rng, 6, shape=1.0), rate)}
    for unit in ("block", "trial"):
        found = judge(real, generated, unit=unit, families=("logistic",), n_permutations=0)
        ceiling = found.score("single_trial_correlation", "ceiling").value
        assert found.score("single_trial_correlation", "twin").value == pytest.approx(ceiling, abs=0.02)
        gamma = found.score("coincidence_factor_shuffled", "ceiling").value
        assert found.score("coincidence_factor_shuffled", "twin").value == pytest.approx(gamma, abs=0.03)
        assert "twin_reaches_prediction_ceiling" not in verdicts(found)
        assert found.score("bits_per_spike", "twin").n == (12 if unit == "block" else 6)


def test_one_trial_cannot_speak_about_trials(scene):
    """With unit trial and a single trial, figures have no interval and every claim that needs one is not testable."""
    found = judge(*scene[:2], unit="trial")
    assert found.score("bits_per_spike", "twin").as_row()["low"] is None
    assert {verdict for name, verdict in verdicts(found).items() if "transfers" not in name} == {"not_testable"}


def test_a_silent_twin_fails_and_a_silent_recording_decides_nothing(scene):
    """No generated spike: the marginals fail. No real spike: they cannot be tested."""
    real, generated, _ = scene
    rate = generated["twin"].rate_hz
    silent = SpikeTrains((np.array([]),), START_S, STOP_S)
    mute = judge(real, {"twin": Prediction(silent, rate)}, families=("knn",))
    assert verdicts(mute)["twin_interval_distribution"] == "fail"
    assert verdicts(mute)["twin_indistinguishable_knn"] == "fail"
    deaf = judge(silent, {"twin": Prediction(silent, rate)}, families=("knn",))
    assert verdicts(deaf)["twin_interval_distribution"] == "not_testable"
    assert verdicts(deaf)["twin_indistinguishable_knn"] == "not_testable"
    assert deaf.score("interval_wasserstein_ms", "twin").as_row()["value"] is None


def test_bad_requests_are_refused_with_a_way_out(scene):
    """A missing unit or margin is a TypeError; units, widths, subjects and rates of no use are InputErrors."""
    real, generated, _ = scene
    with pytest.raises(TypeError, match="unit"):
        evaluate(real, generated, start_s=START_S, stop_s=STOP_S, c2st_margin=0.2)
    with pytest.raises(TypeError, match="c2st_margin"):
        evaluate(real, generated, unit="block", start_s=START_S, stop_s=STOP_S)
    with pytest.raises(InputError, match="pool the scores of several recordings"):
        judge(real, generated, unit="animal")
    with pytest.raises(InputError, match="not among the predictions"):
        judge(real, generated, subject="surrogate")
    with pytest.raises(InputError, match="cut it to 11.9 s|whole number of blocks"):
        judge(real, generated, block_s=0.7)
    with pytest.raises(InputError, match="classifier windows"):
        judge(real, generated, block_s=0.5)
    rate = generated["twin"].rate_hz.copy()
    rate[7] = 0.0
    with pytest.raises(InputError, match="rate_hz of twin is zero or negative in 1 of 12000"):
        judge(real, {"twin": Prediction(generated["twin"].trials, rate)})
    with pytest.raises(InputError, match="one rate for each bin"):
        judge(real, {"twin": Prediction(generated["twin"].trials, rate[:-1])})
