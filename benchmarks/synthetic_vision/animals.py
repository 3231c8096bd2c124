"""Animals whose rates are known: oriented units that drift past receptive fields of their own, gain and protocol.

A unit is a spatiotemporal filter pair in quadrature (Adelson and Bergen 1985, doi 10.1364/JOSAA.2.000284): Gabors by
biphasic courses of time. Its drive mixes one filter, rectified (a simple cell), with the energy of both (a complex
cell); a soft threshold and a power make it a rate, running and pupil scale it, and temperature sets how fast and how
strong it is: time constants by a Q10 of 2, rates by a Q10 of 1.5, about 34 degrees.
"""

import dataclasses
from pathlib import Path

import numpy as np
import xarray as xr
from jaxtyping import Float

from benchmarks.synthetic_vision.movies import FRAMES_HZ, movie
from twin import recording
from twin.protocol import Covariate, Protocol
from twin.recording import Stream
from twin.split import Parts, Segment

BIN_S = 1.0 / FRAMES_HZ
MEMORY = 10  # frames that a filter sees
REFERENCE_C = 34.0
STREAM = "movie"
BEHAVIOUR = ("running", "pupil")


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How much of everything.

    Attributes:
        animals: of which the last one is new to the core.
        units: of each.
        height: of a frame, pixels.
        width: of a frame, pixels.
        trial_s: length of a trial, s.
        trials: of each animal, each with a movie of its own; the last tenth is for validation.
        repeats: of the test movie, which is as long as a trial; the same for all animals.
    """

    animals: int = 5
    units: int = 40
    height: int = 20
    width: int = 24
    trial_s: float = 30.0
    trials: int = 30
    repeats: int = 20

    @property
    def validation(self) -> int:
        """Trials for validation."""
        return max(1, self.trials // 10)

    @property
    def bins(self) -> int:
        """Of a trial."""
        return round(self.trial_s * FRAMES_HZ)


@dataclasses.dataclass(frozen=True)
class Animal:
    """What was recorded, and the truth.

    Attributes:
        tree: counts, movie, running, pupil and protocol; the trials of the test movie are the last ones.
        expected: (trial, time, unit) true expected counts.
        parts: trials for training, validation and test.
    """

    tree: xr.DataTree
    expected: Float[np.ndarray, "trial time unit"]
    parts: Parts

    @property
    def name(self) -> str:
        """Of the recording."""
        return str(self.tree.attrs["name"])

    def array(self, path: str) -> np.ndarray:
        """A variable of the recording, such as "stimulus/movie"."""
        return self.tree[path]["count" if path == "counts" else "value"].values

    def write_arrays(self, folder: Path, behaviour: tuple[str, ...] = ()) -> None:
        """Write what another package reads, `NAME.npz`, with the trials of each part."""
        shown = self.array(f"stimulus/{STREAM}")
        columns = [self.array(f"behaviour/{name}") for name in behaviour]
        parts = {one.name: getattr(self.parts, one.name) for one in dataclasses.fields(self.parts)}
        np.savez(
            folder / f"{self.name}.npz",
            video=shown,
            behaviour=np.stack(columns, -1) if columns else np.zeros((*shown.shape[:2], 0), np.float32),
            counts=self.array("counts").astype(np.float32),
            **{name: np.array([one.trial for one in part]) for name, part in parts.items()},
        )


def animals(sizes: Sizes, seed: int) -> list[Animal]:
    """All animals; they share nothing but the test movie."""
    test = movie(sizes.trial_s, sizes.height, sizes.width, seed)
    temperatures = np.random.default_rng([seed, 0]).permutation(np.linspace(31.0, 37.0, sizes.animals))
    if temperatures[-1] in (31.0, 37.0):  # the new animal's is between those of the others
        temperatures[[0, -1]] = temperatures[[-1, 0]] if sizes.animals < 3 else np.roll(temperatures, 1)[[0, -1]]
    return [_animal(number, float(t), test, sizes, seed) for number, t in enumerate(temperatures)]


def _animal(number: int, temperature_c: float, test: np.ndarray, sizes: Sizes, seed: int) -> Animal:
    random = np.random.default_rng([seed, 1 + number])
    own = movie(sizes.trial_s * sizes.trials, sizes.height, sizes.width, int(random.integers(2**31)))
    movies = np.concatenate([own.reshape(sizes.trials, -1, *test.shape[1:]), test[None]])
    which = np.append(np.arange(sizes.trials), np.full(sizes.repeats, sizes.trials))
    shown = movies[which]
    behaviour = np.stack([_behaviour(shown.shape[:2], tau_s, random) for tau_s in (1.0, 3.0)], axis=-1)
    behaviour[..., 0] = np.maximum(behaviour[..., 0], 0.0)  # it stands still half of the time
    warmth = (temperature_c - REFERENCE_C) / 10.0
    rate = _rate(_drive(movies, 2.0**-warmth, sizes.units, random), random)[which]
    gain = np.exp(behaviour @ random.normal([[0.25], [0.1]], 0.15, size=(2, sizes.units)))
    mean_hz = 1.5**warmth * np.exp(random.normal(np.log(6.0), 0.5, sizes.units))
    expected = BIN_S * (0.3 + mean_hz * rate * gain)
    covariates = {"subject": Covariate(f"animal {number}"), "temperature": Covariate(temperature_c, "degC")}
    leading = ("trial", "time")
    tree = recording.from_counts(
        random.poisson(expected),
        BIN_S,
        name=f"animal-{number}",
        stimuli={STREAM: Stream(shown, FRAMES_HZ, "1", leading=leading)},
        behaviour={
            name: Stream(behaviour[..., k].astype(np.float32), FRAMES_HZ, "1", leading=leading)
            for k, name in enumerate(BEHAVIOUR)
        },
        protocol=Protocol(covariates),
    )
    kinds = np.split(np.arange(len(shown)), [sizes.trials - sizes.validation, sizes.trials])
    parts = Parts(*(tuple(Segment(int(trial), 0, sizes.bins) for trial in kind) for kind in kinds))
    return Animal(tree, expected, parts)


def _behaviour(shape: tuple[int, int], tau_s: float, random: np.random.Generator) -> np.ndarray:
    """An Ornstein-Uhlenbeck process of variance 1 in each trial."""
    keeps, state, course = np.exp(-1.0 / (FRAMES_HZ * tau_s)), random.normal(size=shape[0]), []
    for _ in range(shape[1]):
        state = keeps * state + np.sqrt(1 - keeps**2) * random.normal(size=shape[0])
        course.append(state)
    return np.stack(course, axis=1)


def _drive(movies: np.ndarray, slower: float, units: int, random: np.random.Generator) -> np.ndarray:
    """(movie, time, unit) drive, of unit order of magnitude."""
    spatial = _gabors(*movies.shape[2:], units, random)
    temporal = _courses(units, slower, random)
    even, odd = ((movies.reshape(-1, len(one)) @ one).reshape(*movies.shape[:2], units) for one in spatial)
    first, second = ((_filtered(even, temporal[k]), _filtered(odd, temporal[1 - k])) for k in (0, 1))
    pair = np.stack([first[0] - first[1], second[0] + second[1]])
    pair = pair / np.sqrt(np.square(pair).mean(axis=(0, 1, 2)))
    energy = np.sqrt(0.5 * np.square(pair).sum(axis=0))
    complexity = random.beta(0.6, 0.6, size=units)  # most units are nearly simple or nearly complex
    return (1 - complexity) * pair[0] + complexity * 1.5 * energy


def _rate(drive: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The drive through a soft threshold and a power; of mean 1 for each unit."""
    units = drive.shape[2]
    rate = np.logaddexp(0.0, 3.0 * (drive - random.uniform(0.2, 0.8, units))) ** random.uniform(1.0, 1.3, units)
    return rate / rate.mean(axis=(0, 1))


def _gabors(height: int, width: int, units: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Even and odd filters (pixel, unit) of sum of squares 1."""
    down = np.arange(height)[:, None, None] - random.uniform(0.15, 0.85, units) * (height - 1)
    across = np.arange(width)[None, :, None] - random.uniform(0.15, 0.85, units) * (width - 1)
    angle, wavelength = random.uniform(0, 2 * np.pi, units), random.uniform(5.0, 11.0, units)
    phase = 2 * np.pi * (across * np.cos(angle) + down * np.sin(angle)) / wavelength + random.uniform(0, 6.3, units)
    window = np.exp(-0.5 * (down**2 + across**2) / (random.uniform(0.35, 0.5, units) * wavelength) ** 2)
    filters = [(window * wave).reshape(height * width, units) for wave in (np.cos(phase), np.sin(phase))]
    return tuple(one / np.sqrt(np.square(one).sum(axis=0)) for one in filters)  # type: ignore[return-value]


def _courses(units: int, slower: float, random: np.random.Generator) -> Float[np.ndarray, "two lag unit"]:
    """Courses of time in quadrature: a windowed cosine and sine of a gamma envelope."""
    lag_s = (np.arange(MEMORY)[:, None] + 0.5) * BIN_S
    tau_s, tuned_hz = random.uniform(0.03, 0.045, units) * slower, random.uniform(2.0, 6.0, units) / slower
    envelope = (lag_s / tau_s) ** 2 * np.exp(-lag_s / tau_s)
    phase = 2 * np.pi * tuned_hz * (lag_s - 2 * tau_s)
    return np.stack([envelope * np.cos(phase), envelope * np.sin(phase)])


def _filtered(course: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """(trial, time, unit), each unit by its causal kernel (lag, unit); zeros before the start of a trial."""
    out = np.zeros_like(course)
    for lag, weight in enumerate(kernel):
        out[:, lag:] += weight * course[:, : course.shape[1] - lag]
    return out
