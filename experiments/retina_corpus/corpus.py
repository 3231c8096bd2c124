"""The recordings of a folder, each once: counts of its usable units in 50 ms, where they are, and how it was made."""

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from jaxtyping import Float

from experiments.retina_corpus.settings import Settings
from experiments.retina_corpus.six_numbers import six_numbers
from twin import recording
from twin.datasets import waverepo
from twin.errors import InputError
from twin.protocol import Protocol
from twin.recording import UnitTable
from twin.split import Parts, Segment

SAME_UNITS = 0.5  # share of the units with the same intervals from which two recordings are one
FEWEST_INTERVALS = 20  # of a unit that can prove it
COVARIATES = ("age", "temperature", "genotype", "condition", "species", "array")


@dataclasses.dataclass(frozen=True, eq=False)
class Recorded:
    """The used stretch of one recording: from its first spike, 1,200 s at the most.

    Attributes:
        name: of the recording.
        study: that published it.
        counts: of every unit.
        places_um: x and y of its electrode.
        unit_ids: names of the units.
        protocol: how it was made.
        prints: fingerprints of the units' intervals.
        six: of all its units; see `six_numbers`.
        fitted: windows of the part to fit.
        window_s: one window.
    """

    name: str
    study: str
    counts: Float[np.ndarray, "window unit"]
    places_um: Float[np.ndarray, "2 unit"]
    unit_ids: tuple[str, ...]
    protocol: Protocol
    prints: frozenset[str]
    six: Float[np.ndarray, "six"]
    fitted: int
    window_s: float

    @property
    def duration_s(self) -> float:
        """Length of the used stretch."""
        return len(self.counts) * self.window_s

    def of_units(self, units: np.ndarray) -> "Recorded":
        """The same recording with some of its units."""
        return dataclasses.replace(
            self,
            counts=self.counts[:, units],
            places_um=self.places_um[:, units],
            unit_ids=tuple(self.unit_ids[unit] for unit in units),
        )

    def until(self, window: int) -> "Recorded":
        """Its first windows."""
        return dataclasses.replace(self, counts=self.counts[:window])

    def covariate(self, name: str) -> str | float | None:
        """A covariate of the protocol, None where nobody reported it."""
        value = self.protocol[name].value if name in self.protocol else None
        return value if isinstance(value, str | float | int) else None

    @property
    def tree(self) -> xr.DataTree:
        """As a recording of counts, which a surrogate takes."""
        return recording.from_counts(
            self.counts[None],
            self.window_s,
            name=self.name,
            unit_ids=UnitTable(list(self.unit_ids), {"x": (self.places_um[0], "um"), "y": (self.places_um[1], "um")}),
            protocol=self.protocol,
        )

    @property
    def parts(self) -> Parts:
        """The part to fit, and the rest to score."""
        return Parts((Segment(0, 0, self.fitted),), (), (Segment(0, self.fitted, len(self.counts)),))

    @property
    def whole(self) -> Parts:
        """All of it to fit: for a recording that only pretrains."""
        return Parts((Segment(0, 0, len(self.counts)),))


@dataclasses.dataclass(frozen=True, eq=False)
class Left:
    """A recording that is not used, and why."""

    name: str
    reason: str


def read(
    folder: Path, settings: Settings, progress: Callable[[float], None] = lambda share: None
) -> tuple[list[Recorded], list[Left]]:
    """Every recording of a folder once, and those that were left out.

    Raises:
        InputError: no file, or one that is not as published; see `twin.datasets.waverepo`.
    """
    loaders = waverepo.load(folder)
    found, left = [], []
    for number, load in enumerate(loaders.values()):
        progress(number / len(loaders))
        one = _recorded(load(), settings)
        if isinstance(one, Left):
            left.append(one)
        else:
            found.append(one)
    kept: list[Recorded] = []
    for one in sorted(found, key=lambda one: (one.study, one.name)):
        twin = same_as(one, kept)
        if twin is None:
            kept.append(one)
        else:
            left.append(Left(one.name, f"is the same recording as {twin}"))
    if not kept:
        reasons = "; ".join(f"{one.name}: {one.reason}" for one in left[:3])
        raise InputError(f"{folder}: no recording can be used ({reasons or 'there is none'}).")
    return kept, left


def same_as(one: Recorded, others: Sequence[Recorded]) -> str | None:
    """The name of the recording that shares its spike intervals, which no two recordings do by chance."""
    for other in others:
        n_shared = len(one.prints & other.prints)
        if n_shared and n_shared >= SAME_UNITS * min(len(one.prints), len(other.prints)):
            return other.name
    return None


def _recorded(tree: xr.DataTree, settings: Settings) -> Recorded | Left:
    spikes, name = tree["spikes"].to_dataset(), str(tree.attrs["name"])
    times, units = spikes["spike_time"].values, spikes["unit_index"].values
    start_s, stop_s = (float(spikes[edge].values[0]) for edge in ("trial_start", "trial_stop"))
    n_units = spikes.sizes["unit"]
    n_windows = int((min(stop_s - start_s, settings.most_s)) / settings.window_s + 1e-6)
    if n_windows < settings.length:
        return Left(name, f"lasts {stop_s - start_s:.3g} s")
    window = np.floor((times - start_s) / settings.window_s + 1e-6).astype(np.int64)
    inside = window < n_windows
    counts = np.bincount(window[inside] * n_units + units[inside], minlength=n_windows * n_units)
    protocol = recording.protocol_of(tree)
    return Recorded(
        name=name,
        study=str(protocol["study"].value),
        counts=counts.reshape(n_windows, n_units).astype(np.float32),
        places_um=np.stack([spikes[axis].values for axis in ("x", "y")]).astype(np.float64),
        unit_ids=tuple(str(unit) for unit in spikes["unit"].values),
        protocol=protocol,
        prints=_prints(times, units, n_units),
        six=six_numbers(_trains(times[inside] - start_s, units[inside], n_units), n_windows * settings.window_s),
        fitted=int(settings.fitted_share * n_windows),
        window_s=settings.window_s,
    )


def _prints(times: np.ndarray, units: np.ndarray, n_units: int) -> frozenset[str]:
    ticks = np.round(times / waverepo.RESOLUTION_S).astype(np.int64)
    enough = (np.diff(train) for train in _trains(ticks, units, n_units) if len(train) > FEWEST_INTERVALS)
    return frozenset(hashlib.sha256(intervals.tobytes()).hexdigest() for intervals in enough)


def _trains(times: np.ndarray, units: np.ndarray, n_units: int) -> list[np.ndarray]:
    """Times of each unit, sorted."""
    order = np.lexsort((times, units))
    return np.split(times[order], np.cumsum(np.bincount(units, minlength=n_units))[:-1])


def usable(one: Recorded, settings: Settings, *, scored: bool) -> Recorded | Left:
    """A recording with its usable units, at most 60 drawn at random; or why it has too few.

    Args:
        one: the recording.
        settings: sizes.
        scored: ask for spikes in the scored part too, and for the least length.
    """
    in_fit, in_score = one.counts[: one.fitted].sum(axis=0), one.counts[one.fitted :].sum(axis=0)
    enough = in_fit >= settings.fewest_train
    if scored:
        enough &= in_score >= settings.fewest_test
    units = np.random.default_rng(0).permutation(np.flatnonzero(enough))[: settings.most_units]
    if scored and one.duration_s < settings.least_s:
        return Left(one.name, f"lasts {one.duration_s:.0f} s, and {settings.least_s:.0f} s are wanted")
    fewest = settings.fewest_units if scored else 2
    if len(units) < fewest:
        return Left(one.name, f"has {len(units)} usable units, and {fewest} are wanted")
    return one.of_units(units)


def chosen_for_scoring(recordings: Sequence[Recorded], settings: Settings) -> list[Recorded]:
    """Of each study so many recordings, drawn at random among its names in order; the units of the baselines."""
    chosen = []
    for study in sorted({one.study for one in recordings}):
        of_study = sorted((one for one in recordings if one.study == study), key=lambda one: one.name)
        drawn = (usable(of_study[place], settings, scored=True) for place in _order(len(of_study)))
        chosen += [one for one in drawn if isinstance(one, Recorded)][: settings.per_study]
    return chosen


def _order(n: int) -> list[int]:
    return np.random.default_rng(0).permutation(n).tolist()
