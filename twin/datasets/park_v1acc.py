"""Mouse V1 under drifting gratings, with and without an astrocytic GABA transporter 3 knock-out."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr

from twin import recording
from twin.datasets.dataset import Dataset, Recordings
from twin.datasets.facts import reported
from twin.datasets.originals import Archive, find, logged, rate_from_times
from twin.errors import InputError
from twin.protocol import Protocol
from twin.recording import Stream

SOURCE = "surlab/Park_et_al, sample-data/glm"
PAPER = "Park et al. 2025, eLife 107298"


def load(folder: Path) -> Recordings:
    """A recording for each `MOUSE.npz`."""
    wanted = "files MOUSE.npz with activity (neuron, trial, time), pupil, speed, direction_deg, t_s and group"
    return {path.stem: partial(load_one, Archive(path)) for path in find(folder, "*.npz", wanted)}


def load_one(archive: Archive) -> xr.DataTree:
    """Calcium activity, pupil and speed of every trial; gratings come on at 0 s, in the direction of the trial."""
    activity = _finite(archive, "activity", ("neuron", "trial", "time"))
    _, n_trials, n_times = activity.shape
    times = archive.array("t_s", (n_times,))
    sampling_hz, start_s = rate_from_times(times, archive.path), float(times[0])
    directions = archive.array("direction_deg", (n_trials,)).astype(np.float64)
    group = archive.text("group")
    scaled = {"what": "scaled to 0-1 within the animal"}

    def behaviour(key: str) -> Stream:
        return Stream(_finite(archive, key, (n_trials, n_times)), sampling_hz, "1", start_s, ("trial", "time"), scaled)

    knock_out = {"what": "1: astrocytic GABA transporter 3 knocked out (CRISPR, virus in V1), 0: control virus"}
    tree = recording.from_fluorescence(
        activity.transpose(1, 2, 0),
        name=archive.path.stem,
        unit="1",
        sampling_hz=sampling_hz,
        start_s=start_s,
        trials={"direction": (directions, "deg")},
        stimuli={"direction": Stream(directions, None, "deg", leading=("trial",))},
        behaviour={"pupil": behaviour("pupil"), "speed": behaviour("speed")},
        interventions={
            "gat3_knock_out": Stream(float(group == "gat3_ko"), None, "1", leading=(), attributes=knock_out)
        },
        protocol=Protocol(
            reported(
                SOURCE,
                species="mouse",
                preparation="in vivo, awake, V1",
                recording_method="two-photon calcium imaging",
                mouse=archive.text("mouse"),
                session=archive.text("session"),
                group=group,
            )
            | reported(PAPER, indicator="red-shifted")
        ),
    )
    return logged(tree, [archive.path], unit_of_activity="not stated: like dF/F, with negative values")


def _finite(archive: Archive, key: str, shape: Sequence[int | str]) -> np.ndarray:
    found = archive.array(key, shape)
    n = int((~np.isfinite(found)).sum())
    if n:
        raise InputError(
            f"{archive.path}: {key} has {n} values that are not finite; wanted numbers throughout: leave those trials "
            "out of every array, or fill the gaps."
        )
    return found


DATASET = Dataset(
    name="park_v1acc",
    title="mouse V1, two-photon, drifting gratings; astrocytic GAT3 knock-out and controls",
    source=SOURCE,
    citation=PAPER,
    licence="MIT",
    size="5 MB, 128 trials of 3 s at 16 Hz a mouse",
    load=load,
    traps=(
        "the independent samples are the mice, not the neurons",
        "group and date are confounded: all knock-outs were imaged a week before the controls",
        "activity is a calcium signal with negative values and no stated unit, not spikes",
    ),
)
