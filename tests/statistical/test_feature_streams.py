"""The benchmark of feature streams: the generator is what it says, defects show, and the real series is read."""

import dataclasses

import numpy as np
import pytest

from benchmarks.feature_streams import bold, generator, known, models, scores
from benchmarks.feature_streams.generator import MODALITIES
from surrogate.batches import Loader, session_of
from surrogate.survey import survey
from surrogate.train import opened
from twin.split import Parts, Segment

N_PARCELS, SECONDS = 20, 900


@pytest.fixture(scope="module")
def shared():
    """What subjects share."""
    return generator.encoding(N_PARCELS, 0)


@pytest.fixture(scope="module")
def scans(shared):
    """Three subjects, one film."""
    film = generator.film(SECONDS, 1)
    return [generator.scan(shared, number, film, 0) for number in range(3)]


def test_the_ceiling_is_the_stated_one(shared, scans) -> None:
    """Signal and response of a parcel correlate as much as the generator says, but for the noise of 900 s."""
    found = np.mean([scores.by_parcel(one.signal, one.response) for one in scans], axis=0)
    np.testing.assert_allclose(found, shared.ceiling, atol=0.12)
    assert abs(found.mean() - shared.ceiling.mean()) < 0.03


def test_the_response_comes_with_the_haemodynamic_delay(shared) -> None:
    """After one flash nothing happens for a second, and most of it about 5 s later."""
    film = {name: np.zeros((80, n)) for name, (n, _) in MODALITIES.items()}
    film["audio"][0] = 1.0
    signal = np.abs(generator.scan(shared, 0, film, 0).signal).sum(axis=1)
    assert 3 <= int(signal.argmax()) <= 7 and signal[0] < 0.05 * signal.max() and signal[30:].max() < 1e-6


def test_a_modality_that_is_taken_away_costs_its_own_parcels(scans) -> None:
    """Without it some parcels lose much, others little, and none gains beyond noise."""
    for modality in MODALITIES:
        one = scans[0]
        lost = scores.by_parcel(one.signal, one.response) - scores.by_parcel(one.parts[modality], one.response)
        assert lost.max() > 0.1 and -0.05 < lost.min() < 0.05 and lost.mean() > 0.02


def test_ridge_predicts_and_late_streams_show(scans) -> None:
    """A regression of the first subject is on the clock of its response; one on late streams lags by as much."""
    one, other = scans[0], generator.film(SECONDS, 2)
    scan = generator.scan(generator.encoding(N_PARCELS, 0), 0, other, 0, salt=1)
    found = models.ridge([(one.features, one.response)])
    assert scores.by_parcel(found.predict(other), scan.response).mean() > 0.2
    assert scores.best_lag_s(found.predict(other), scan.response) == 0
    late = {name: np.roll(values, 20, axis=0) for name, values in other.items()}
    assert scores.best_lag_s(found.predict(late), scan.response) == -10


def test_a_constant_prediction_scores_nothing(scans) -> None:
    """And the signal itself is the ceiling."""
    flat = [np.ones_like(one.response) for one in scans]
    rows = scores.rows(scans, {"flat": flat, "signal": [one.signal for one in scans]}, 0)
    assert {one.model: one.share for one in rows} == {"ceiling": 1.0, "flat": 0.0, "signal": 1.0}


def test_stream_dropout_shows_streams_as_absent(scans) -> None:
    """Of the items of training about the asked share lacks a stream, with its flag at 0; scoring lacks none."""
    config = models.config_of(0)
    config = dataclasses.replace(config, model=dataclasses.replace(config.model, stream_dropout=0.5))
    sessions = opened(config, [one.recording() for one in scans])
    parts = [Parts((Segment(0, 0, 700),), (Segment(0, 700, SECONDS),)) for _ in scans]
    loader = Loader(sessions, parts, survey(sessions, parts, config), config)
    edges = np.cumsum([0] + [n + 1 for n, _ in MODALITIES.values()])
    shown = np.concatenate([loader.batch(step).stimulus[:, :, edges[1:] - 1].max(axis=1) for step in range(12)])
    assert 0.35 < shown.mean() < 0.65
    batch = loader.batch(0)
    absent = batch.stimulus[:, :, edges[1] - 1].max(axis=1) == 0
    assert (batch.stimulus[absent][:, :, : edges[1] - 1] == 0).all()
    assert all((tile.stimulus[:1, 0, edges[1:] - 1] == 1).all() for tile, _ in loader.tiles("validation"))
    assert session_of(scans[0].recording(), config.data).n_units == N_PARCELS


def test_the_real_series_has_twelve_runs_with_every_event_eight_times() -> None:
    """That is how it was cut into runs, which are scored whole."""
    found = bold.series()
    assert found.bold.shape == found.event.shape == (12, 280)
    for kind in range(1, 7):
        assert ((found.event == kind).sum(axis=1) == 8).all()


def test_events_predict_the_real_series_and_late_ones_do_not() -> None:
    """Held-out runs from a finite impulse response: a correlation near .5; with events 30 s late, none."""
    found = bold.series()
    made = {
        "right": bold.by_regression(found, penalised=True),
        "late": bold.by_regression(found, penalised=True, shift=15),
    }
    predicted = bold.Predicted(found.bold[list(bold.TEST)], made)
    assert predicted.interval("right", 0).low > 0.3
    assert abs(predicted.correlation("late")) < 0.1
    assert predicted.difference("right", "late", 0).low > 0.2


@pytest.mark.slow
def test_the_surrogate_learns_what_subjects_share() -> None:
    """A small run from film to figures: new subjects are predicted, and late streams are seen."""
    training = dataclasses.replace(models.TRAINING, steps=200, check_every=50)
    adapting = dataclasses.replace(models.ADAPTING, steps=60, check_every=20)
    sizes = known.Sizes(
        parcels=30, known=4, new=2, train_s=600, test_s=240, minutes=(4.0,), training=training, adapting=adapting
    )
    found = known.run(sizes, 0)
    shares = {one.model: one.share for one in (*found.zero_shot, *found.adapted[4.0])}
    assert shares["surrogate, average subject"] > 0.25
    assert shares["surrogate, adapted"] > shares["ridge, a subject each"]
    assert abs(found.lag_s) <= 1 and found.late_lag_s - found.lag_s == -10
