"""The spike-timing competition of 2007: challenge A with noise currents, challenge B with steps and pulses."""

import re
from collections import defaultdict
from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr

from twin import recording
from twin.datasets.dataset import Dataset, Recordings
from twin.datasets.facts import reported
from twin.datasets.originals import Archive, find, logged, rate_from_times
from twin.errors import InputError
from twin.protocol import Covariate, Protocol
from twin.recording import Stream, Sweeps

SOURCE = "InPhyT/Quantitative_Single_Neuron_Modeling_Competition_2007"
CELLS = {
    "C010302A1": "continuously adapting pyramidal cell",
    "C140201C": "bitufted cell, initial burst and then not adapting",
}
_KEY = re.compile(r"(?P<cell>.+?)_(?P<protocol>[^_]+)_(?P<sweep>\d+)__(?P<part>train|test)")


def load(folder: Path) -> Recordings:
    """Challenge A as one recording, and one for each cell of challenge B."""
    recordings: dict = {}
    for path in find(
        folder, "*.npz", "challengeA.npz (names, I_pA, V_mV) or challengeB.npz (CELL_PROTOCOL_SWEEP__train)"
    ):
        archive = Archive(path)
        if "V_mV" in archive:
            recordings[path.stem] = partial(load_noise, archive)
            continue
        cells = dict.fromkeys(_parts(archive, key)["cell"] for key in archive.keys)
        recordings |= {f"{path.stem}_{cell}": partial(load_steps, archive, cell) for cell in cells}
    return recordings


def load_noise(archive: Archive) -> xr.DataTree:
    """Challenge A: every repeat of every stimulus is a sweep, named STIMULUS-REPEAT."""
    names = [str(name) for name in archive.array("names", ("sweep",), text=True)]
    voltage = archive.array("V_mV", (len(names), "time"))
    current = archive.array("I_pA", voltage.shape)
    stimuli, repeats = zip(*(name.rpartition("-")[::2] for name in names), strict=True)
    sampling_hz = archive.sampling_hz("dt_ms", 1e-3)
    tree = recording.from_voltage(
        voltage,
        sampling_hz,
        name=archive.path.stem,
        current_na=current * 1e-3,
        sweep_ids=names,
        sweeps={"stimulus": (list(stimuli), "1"), "repeat": ([int(one) for one in repeats], "1")},
        protocol=Protocol(
            reported(
                SOURCE,
                preparation="in vitro, cortical neuron",
                recording_method="whole-cell patch, current clamp, one electrode",
                sampling_rate=sampling_hz,
                stimulus_correlation_time=(1.0, "ms"),
                stimulus_start=(0.53, "s"),
                stimulus_stop=(33.47, "s"),
            )
        ),
    )
    return logged(tree, [archive.path], converted="pA to nA")


def load_steps(archive: Archive, cell: str) -> xr.DataTree:
    """One cell of challenge B: sweeps of the same protocol, length and sampling are one kind.

    The currents of sweeps whose voltage was never published are stimulus streams named PROTOCOL_SWEEP.
    """
    keys = [key for key in archive.keys if _parts(archive, key)["cell"] == cell]
    found = {key: _parts(archive, key) for key in keys}
    tables = archive.arrays(keys)
    grouped: dict[tuple[str, int, float], list[str]] = defaultdict(list)
    streams = {}
    for key, parts in found.items():
        table = _table(archive, key, tables[key], 3 if parts["part"] == "train" else 2)
        rate = rate_from_times(table[:, 0], archive.path)
        if parts["part"] == "train":
            grouped[parts["protocol"], len(table), rate].append(key)
        else:
            facts = {"what": "injected current of a sweep whose voltage was never published"}
            name = f"{parts['protocol']}_{parts['sweep']}"
            streams[name] = Stream(table[:, 1] * 1e-3, rate, "nA", float(table[0, 0]), attributes=facts)
    shared = [protocol for protocol, _, _ in grouped]
    kinds = {
        protocol if shared.count(protocol) == 1 else f"{protocol}_{n}": Sweeps(
            rate,
            voltage_mv=np.stack([tables[key][:, 2] for key in members]),
            current_na=np.stack([tables[key][:, 1] for key in members]) * 1e-3,
            ids=[f"{protocol}_{found[key]['sweep']}" for key in members],
        )
        for (protocol, n, rate), members in grouped.items()
    }
    name = f"{archive.path.stem}_{cell}"
    tree = recording.from_sweeps(kinds, name=name, stimuli=streams, protocol=Protocol(_facts(cell)))
    return logged(tree, [archive.path], converted="pA to nA", currents_without_voltage=sorted(streams))


def _parts(archive: Archive, key: str) -> dict[str, str]:
    match = _KEY.fullmatch(key)
    if match is None:
        raise InputError(f"{archive.path}: has the key {key!r}; wanted CELL_PROTOCOL_SWEEP__train or ...__test.")
    return match.groupdict()


def _table(archive: Archive, key: str, table: np.ndarray, columns: int) -> np.ndarray:
    if table.ndim != 2 or table.shape[1] != columns or table.dtype.kind != "f":
        raise InputError(f"{archive.path}: {key} has the shape {table.shape}; wanted (samples, {columns}): s, pA, mV.")
    return table


def _facts(cell: str) -> dict[str, Covariate]:
    described = {"cell_type": CELLS.get(cell)}
    facts = reported(SOURCE, recording_method="whole-cell patch, current clamp, one electrode", **described)
    if cell not in CELLS:
        return facts
    age = Covariate(
        14.0, "day", "computed", f"middle of P13 and P15; which cell is which is not stated; {SOURCE}", "P13/P15", 1.0
    )
    return facts | reported(SOURCE, species="rat", preparation="acute slice, somatosensory cortex") | {"age": age}


DATASET = Dataset(
    name="qsnmc2007",
    title="spike-timing competition 2007: one cortical neuron under noise (A), two under steps and pulses (B)",
    source=SOURCE,
    citation="Jolivet et al. 2008, Biol Cybern 99:417; A: Rauch et al. 2003, J Neurophysiol 90:1598; B: Blue Brain",
    licence="none seen: local use, do not redistribute; B made public for the workshop, proper reference to be given",
    size="3.7 MB; A 34 s sweeps at 1 kHz, B 2 to 100 kHz",
    load=load,
    traps=(
        "the noise of A is one realisation, scaled: another stimulus is another mean and deviation, not new noise",
        "stimuli 09 and 12 of A are practically constant currents",
        "at 1 kHz the peak and width of a spike of A are not resolved; upward crossings of 0 mV still count spikes",
    ),
)
