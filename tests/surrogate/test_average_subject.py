"""The average subject: a readout for sessions that nobody adapted to, and where adaptation starts."""

import dataclasses

import numpy as np
import pytest

from surrogate import Config, adapt, fit
from surrogate.config import Data, Inputs, Model, Training
from surrogate.vocabulary import AVERAGE_SESSION
from twin import recording
from twin.errors import InputError
from twin.recording import Stream

N_TIMES, N_PARCELS = 400, 6
SHARED = np.random.default_rng(99).normal(size=(2, N_PARCELS))
CONFIG = Config(
    data=Data(window_s=1.0, streams=("film",), length=64, burn_in=4, validation=0.2, test=0.0),
    inputs=Inputs(own_past=False, others=False, trial_index=False),
    model=Model(
        head="gaussian", core="none", width=8, attention_heads=2, memory=2, embedding=4, decoder=4, latents=0,
        history_taus=(1.0,), average_subject=0.3,
    ),
    training=Training(steps=120, batch=8, check_every=40, learning_rate=0.02, warm_up=5, patience=0),
)  # fmt: skip


def subject(seed: int, n_parcels: int = N_PARCELS, n_times: int = N_TIMES):
    """Parcels that follow two features with weights that all subjects share, and a little of their own."""
    random = np.random.default_rng(seed)
    film = random.normal(size=(1, n_times, 2))
    shared = SHARED[:, :n_parcels]
    weights = shared + 0.3 * random.normal(size=shared.shape)
    parcels = film @ weights + 0.5 * random.normal(size=(1, n_times, n_parcels))
    film_stream = Stream(film.astype(np.float32), 1.0, "1", leading=("trial", "time"))
    return recording.from_fluorescence(
        parcels.astype(np.float32), name=f"subject {seed}", unit="1", sampling_hz=1.0, stimuli={"film": film_stream}
    )


def correlation(surrogate, tree) -> float:
    """Mean over parcels of the correlation of prediction and response."""
    mean, real = surrogate.predict(tree).mean[0], tree["fluorescence"]["fluorescence"].values[0]
    return float(np.mean([np.corrcoef(mean[:, k], real[:, k])[0, 1] for k in range(real.shape[1])]))


@pytest.fixture(scope="module")
def trained():
    """Four subjects."""
    return fit(CONFIG, [subject(seed) for seed in range(4)]).surrogate


def test_it_answers_for_a_subject_that_nobody_adapted_to(trained) -> None:
    """Its prediction of a new subject is nearly as good as that of the weights that subjects share, and is flagged."""
    new = subject(10)
    film, real = new["stimulus/film"]["value"].values[0], new["fluorescence"]["fluorescence"].values[0]
    known = film @ SHARED
    best = np.mean([np.corrcoef(known[:, k], real[:, k])[0, 1] for k in range(N_PARCELS)])
    assert best - 0.05 < correlation(trained, new)
    assert any(one.what == "subject" for one in trained.predict(new).outside)
    assert trained.vocabulary.average.name == AVERAGE_SESSION


def test_adaptation_starts_from_it(trained) -> None:
    """One step on a new subject leaves the average prediction; random rows would have lost it; the old rows stay."""
    new, training = subject(11), dataclasses.replace(CONFIG.training, steps=1, check_every=1, learning_rate=1e-6)
    adapted = adapt(trained, [new], training=training).surrogate
    one, other = adapted.predict(new).mean[0], trained.predict(new).mean[0]
    assert min(np.corrcoef(one[:, k], other[:, k])[0, 1] for k in range(N_PARCELS)) > 0.999
    old = len(trained.checkpoint.weights["units/readout"])
    for name in ("units/readout", "units/embedding", "decoder/out/kernel"):
        before, after = trained.checkpoint.weights[name], adapted.checkpoint.weights[name]
        assert np.array_equal(before, after[:old] if name.startswith("units") else after)


@pytest.mark.slow
def test_adaptation_finds_what_is_the_subjects_own(trained) -> None:
    """With data of its own a new subject is predicted better than as the average one."""
    new = subject(12)
    training = dataclasses.replace(CONFIG.training, steps=80, check_every=40)
    assert correlation(adapt(trained, [new], training=training).surrogate, new) > correlation(trained, new) + 0.005


def test_other_units_have_no_average(trained) -> None:
    """Sessions with different units are refused, as is a prediction for units that the average subject lacks."""
    with pytest.raises(InputError, match="has other units than subject 0, so that there is no average subject"):
        fit(CONFIG, [subject(0), subject(1, n_parcels=5)])
    with pytest.raises(InputError, match="the surrogate has no readout for it"):
        trained.predict(subject(13, n_parcels=5))
    with pytest.raises(InputError, match="wanted a chance below 1"):
        dataclasses.replace(CONFIG, model=dataclasses.replace(CONFIG.model, average_subject=1.5))
