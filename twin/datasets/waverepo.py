"""Spontaneous waves of the developing retina on multi-electrode arrays: many studies, genotypes and drugs."""

import csv
import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from twin import recording
from twin.datasets.dataset import Dataset, Recordings
from twin.datasets.facts import reported
from twin.datasets.originals import Archive, find, logged
from twin.errors import InputError
from twin.protocol import Covariate, Protocol
from twin.recording import Stream, UnitTable

SOURCE = "sje30/waverepo, hdf5"
RESOLUTION_S = 1e-5
COPY_WITHIN, COPY_FROM = 5, 10  # one sample at 20 kHz, in units of RESOLUTION_S; spikes
ADULT_CODE = 500  # the age that stands for "adult" in Wong1993
_XU2011_TEMPERATURE = re.compile(r"-(?P<value>31|37)C?(?=-|$)")


def load(folder: Path) -> Recordings:
    """A recording for each NAME of each `STUDY.npz` (NAME|dt, NAME|n, NAME|xy, NAME|meta)."""
    twins = _listed_duplicates(folder)
    recordings: dict = {}
    for path in find(folder, "*.npz", "files STUDY.npz with NAME|dt, NAME|n, NAME|xy and NAME|meta"):
        archive = Archive(path)
        names = [key[: -len("|dt")] for key in archive.keys if key.endswith("|dt")]
        if not names:
            raise InputError(f"{path}: has no key NAME|dt; found {', '.join(archive.keys[:8]) or 'nothing'}.")
        for name in names:
            unique = name if name not in recordings else f"{path.stem}_{name}"
            recordings[unique] = partial(load_one, archive, name, twins.get(name))
    return recordings


def load_one(archive: Archive, name: str, same_as: str | None = None) -> xr.DataTree:
    """Spikes of all units with the positions of their electrodes, from the first spike to the last.

    Args:
        archive: the study.
        name: of the recording.
        same_as: the recording that is the same one under another name.
    """
    per_unit = archive.array(f"{name}|n", ("unit",)).astype(np.int64)
    steps = _whole(archive, f"{name}|dt", archive.array(f"{name}|dt", (int(per_unit.sum()),)))
    places = archive.array(f"{name}|xy", (2, len(per_unit))).astype(np.float64)
    ends = np.cumsum(per_unit)
    stored = [np.cumsum(part) for part in np.split(steps, ends[:-1])]
    trains = [np.unique(train) for train in stored]
    if not any(train.size for train in trains):
        raise InputError(f"{archive.path}: {name} has no spikes; wanted one or more.")
    first = min(train[0] for train in trains if train.size)
    last = max(train[-1] for train in trains if train.size)
    copies = copied_units(trains)
    meta = _meta(archive, name)
    tree = recording.from_spikes(
        [[train * RESOLUTION_S for train in trains]],
        start_s=float(first * RESOLUTION_S),
        stop_s=float((last + 1) * RESOLUTION_S),
        name=name,
        unit_ids=UnitTable(
            [str(unit) for unit in range(len(trains))],
            {"x": (places[0], "um"), "y": (places[1], "um"), "copy_of": (copies, "1")},
        ),
        interventions=_drug(meta),
        protocol=Protocol(_facts(archive.path.stem, name, meta, same_as)),
    )
    repeated = int(per_unit.sum()) - sum(train.size for train in trains)
    facts = {"repeated_spike_times_dropped": repeated, "units_that_are_copies": int((copies >= 0).sum())}
    return logged(tree, [archive.path], limits="first and last spike", **facts)


def _whole(archive: Archive, key: str, values: np.ndarray) -> np.ndarray:
    """Values as whole numbers; one that is no number would become a time of its own."""
    if not np.isfinite(values).all():
        at = int(np.flatnonzero(~np.isfinite(values))[0])
        raise InputError(f"{archive.path}: {key} is {values[at]} at place {at}; wanted whole numbers of 10 us.")
    return values.astype(np.int64)


def _meta(archive: Archive, name: str) -> dict[str, Any]:
    words = archive.text(f"{name}|meta")
    try:
        meta = json.loads(words)
    except ValueError:
        meta = None
    if not isinstance(meta, dict):
        raise InputError(
            f"{archive.path}: {name}|meta is {words[:40]!r}; wanted a JSON object with species, age and cond."
        )
    return meta


def copied_units(trains: list[np.ndarray]) -> np.ndarray:
    """For each unit, the earlier unit that has its spikes, or -1; times are integers in units of `RESOLUTION_S`.

    Copies differ by a sample of the source here and there, so `COPY_WITHIN` is no difference; a train of fewer than
    `COPY_FROM` spikes proves nothing.
    """
    copies = np.full(len(trains), -1, np.int32)
    for unit, train in enumerate(trains):
        alike = (
            earlier
            for earlier in range(unit)
            if trains[earlier].size == train.size >= COPY_FROM and np.abs(trains[earlier] - train).max() <= COPY_WITHIN
        )
        copies[unit] = next(alike, -1)
    return copies


def _listed_duplicates(folder: Path) -> dict[str, str]:
    """What `duplicates.csv` says: name -> the recording that is the same one."""
    path = folder / "duplicates.csv"
    if not path.exists():
        return {}
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if rows and not {"recording_a", "recording_b"} <= set(rows[0]):
        raise InputError(
            f"{path}: has the columns {', '.join(rows[0])}; wanted recording_a and recording_b among them."
        )
    pairs = [(row["recording_a"], row["recording_b"]) for row in rows]
    return dict(pairs) | {second: first for first, second in pairs}


def _drug(meta: dict) -> dict[str, Stream] | None:
    """Whatever the condition says beside control and dark rearing; doses stand in its words."""
    condition = meta.get("cond")
    if condition in (None, "ctl", "dr"):
        return None
    return {"drug": Stream(1.0, None, "1", leading=(), attributes={"what": condition})}


def _facts(study: str, name: str, meta: dict, same_as: str | None) -> dict[str, Covariate]:
    age = meta.get("age")
    days = float(age) if isinstance(age, int | float) and age < ADULT_CODE else None
    stated = _XU2011_TEMPERATURE.search(name) if study == "Xu2011" else None
    reared = {"dr": "dark reared", "ctl": "control"}.get(str(meta.get("cond")), meta.get("cond"))
    facts = reported(
        f"{SOURCE}, {study}",
        species=meta.get("species"),
        age=days,
        age_as_stated="adult" if age == ADULT_CODE else str(age) if days is None and age is not None else None,
        genotype=meta.get("genotype"),
        condition=reared,
        array=meta.get("array"),
        study=study,
        preparation="isolated developing retina",
        recording_method="multi-electrode array" + (", unsorted" if study == "Stacy2005" else ", spike sorted"),
        spike_time_resolution=RESOLUTION_S,
        same_recording_as=same_as,
    )
    if stated:
        facts |= reported(f"name of the recording, {name}", temperature=float(stated["value"]))
    return facts


DATASET = Dataset(
    name="waverepo",
    title="spontaneous waves of the developing retina, multi-electrode arrays, many laboratories",
    source=SOURCE,
    citation="Eglen et al. 2014, GigaScience 3:3, and the paper of each study",
    licence="GPL-2 (repository)",
    size="30 MB, 8 studies, 215 recordings, 13.4 million spikes",
    load=load,
    traps=(
        "12 pairs of recordings are the same one, most of them in two studies: the protocol names same_recording_as",
        "Kirkby2013 repeats spike times exactly: repeats are dropped, and logged",
        "the study is a batch variable: bath, temperature and sorting differ between studies",
        "eleven units of Stacy2005p5ctrl2 repeat the few spikes of an earlier unit: the column copy_of names it",
    ),
)
