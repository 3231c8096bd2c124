"""Small recordings with a known answer, and the smallest model that can be trained on them."""

import dataclasses
from collections.abc import Callable, Iterator

import jax
import numpy as np
import pytest

from surrogate.config import Config, Data, Model, Training
from twin import recording
from twin.protocol import Covariate, Protocol
from twin.recording import Stream

WINDOW_S = 0.05
SMALL = Config(
    data=Data(
        window_s=WINDOW_S, streams=("level",), behaviour=("running",), covariates=("age", "lab"), length=32, burn_in=4,
        trial_bumps=3, clock_bumps=2, validation=0.2, test=0.0,
    ),
    model=Model(
        width=8, attention_heads=2, attention_windows=8, memory=3, embedding=4, decoder=6, latents=2, coupling_rank=3,
        history_taus=(0.5, 3.0),
    ),
    training=Training(steps=6, batch=8, check_every=3, warm_up=2, patience=0),
)  # fmt: skip


def counts_of(name: str, n_trials: int = 4, n_times: int = 60, n_units: int = 5, seed: int = 0):
    """A population whose log rate is a weighted stimulus plus a gain with running."""
    random = np.random.default_rng(seed)
    level = random.normal(size=(n_trials, n_times, 2)).astype(np.float32)
    running = np.abs(random.normal(size=(n_trials, n_times))).astype(np.float32)
    rate = np.exp(-0.5 + 0.7 * level @ random.normal(size=(2, n_units)) + 0.2 * running[..., None])
    facts = {"age": Covariate(10.0 + seed, "day"), "lab": Covariate("north" if seed % 2 else "south")}
    return recording.from_counts(
        random.poisson(np.minimum(rate, 30.0)),
        WINDOW_S,
        name=name,
        stimuli={"level": Stream(level, 1 / WINDOW_S, "1", leading=("trial", "time"))},
        behaviour={"running": Stream(running, 1 / WINDOW_S, "cm/s", leading=("trial", "time"))},
        protocol=Protocol({**facts, "subject": Covariate(f"mouse{seed}")}),
    )


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests that train the same small model share what was compiled."""
    folder = str(tmp_path_factory.mktemp("compiled"))
    settings = {"jax_compilation_cache_dir": folder, "jax_persistent_cache_min_compile_time_secs": 0.2}
    before = {name: getattr(jax.config, name) for name in settings}
    for name, value in settings.items():
        jax.config.update(name, value)
    yield
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.fixture(scope="session")
def small() -> Config:
    """The smallest configuration."""
    return SMALL


@pytest.fixture(scope="session")
def changed() -> Callable[..., Config]:
    """The smallest configuration with other values: changed(model={"core": "none"}, seed=1)."""

    def change(**values) -> Config:
        made = {
            name: dataclasses.replace(getattr(SMALL, name), **value) if isinstance(value, dict) else value
            for name, value in values.items()
        }
        return dataclasses.replace(SMALL, **made)

    return change


@pytest.fixture(scope="session")
def population() -> Callable:
    """Makes a recording; see `counts_of`."""
    return counts_of


@pytest.fixture(scope="session")
def trees():
    """Two recordings with different units, trials and lengths."""
    return [counts_of("one"), counts_of("two", n_trials=5, n_times=41, n_units=11, seed=1)]
