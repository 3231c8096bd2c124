"""Little recordings of waves in the layout of the corpus: four studies whose retinas burst together at random times."""

import json

import numpy as np
import pytest

STUDIES = ("Ash2001", "Birch2002", "Cedar2003", "Doe2004")
TICK_S = 1e-5


def made_up_waves(seed, n_units=10, duration_s=60.0, every_s=6.0, rate_hz=12.0, drift=1.0):
    """Spike times of units on a line that a wave crosses now and then, in ticks, one array a unit."""
    random = np.random.default_rng(seed)
    starts = np.cumsum(random.gamma(4.0, every_s / 4.0, int(2 * duration_s / every_s)))
    trains = []
    for unit in range(n_units):
        times = []
        for start in starts[starts < duration_s - 2]:
            n = random.poisson(rate_hz * drift ** (start / duration_s))
            times.append(start + 0.05 * unit + random.gamma(2.0, 0.2, n))
        times = np.sort(np.concatenate(times))
        trains.append(np.unique((times[times < duration_s] / TICK_S).astype(np.int64)))
    return trains


def stored(name, trains, **meta):
    """The keys of one recording."""
    told = {"species": "mouse", "age": 5, "genotype": "wt", "cond": "ctl", "array": "line", **meta}
    steps = [np.diff(train, prepend=0) for train in trains]
    places = np.stack([100.0 * np.arange(len(trains)), np.zeros(len(trains))])
    return {
        f"{name}|dt": np.concatenate(steps).astype(np.int32),
        f"{name}|n": np.array([len(train) for train in trains], np.int32),
        f"{name}|xy": places.astype(np.float32),
        f"{name}|meta": np.array(json.dumps(told)),
    }


@pytest.fixture
def waves():
    """Spike times of made-up waves: waves(seed, n_units=10, duration_s=60, ...)."""
    return made_up_waves


@pytest.fixture
def save(tmp_path):
    """Write a study: save(folder, study, {name: trains}, **meta) -> folder."""

    def saved(folder, study, recordings, **meta):
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        keys = {}
        for name, trains in recordings.items():
            keys |= stored(name, trains, **meta)
        np.savez(place / f"{study}.npz", **keys)
        return place

    return saved


@pytest.fixture
def corpus_folder(save):
    """Four studies of two recordings each, of two ages and genotypes."""
    for number, study in enumerate(STUDIES):
        for_study = {f"{study}_{k}": made_up_waves(10 * number + k, drift=1.0 + 0.2 * k) for k in range(2)}
        folder = save("data", study, for_study, age=4 + 4 * (number % 2), genotype="wt" if number < 2 else "KO")
    return folder
