"""hERG potassium channels in CHO cells under voltage clamp: a sum of sines, and action potentials as command."""

from functools import partial
from pathlib import Path

import xarray as xr

from twin import recording
from twin.datasets.dataset import Dataset, Recordings
from twin.datasets.facts import reported
from twin.datasets.originals import Archive, find, logged, require
from twin.errors import InputError
from twin.protocol import Protocol
from twin.recording import Sweeps

SOURCE = "mirams/sine-wave, ExperimentalData and Protocols"
PAPER = "Beattie et al. 2018, J Physiol 596:1813, doi 10.1113/JP275733"
SAMPLING_HZ = 10_000.0
COMMANDS = {"sine_I_nA": "sine_wave", "ap_I_nA": "ap"}  # currents of a cell -> the command that evoked them


def load(folder: Path) -> Recordings:
    """A recording for each `cell_ID.npz`, with the commands of `protocols_mV.npz`."""
    paths = find(folder, "cell_*.npz", "files cell_ID.npz with sine_I_nA and ap_I_nA")
    commands = Archive(require(folder / "protocols_mV.npz", "the commands sine_wave and ap, mV at 10 kHz"))
    return {path.stem: partial(load_one, Archive(path), commands) for path in paths}


def load_one(archive: Archive, commands: Archive) -> xr.DataTree:
    """The sweeps of one cell, one kind for each command."""
    kinds = {}
    for key, command in COMMANDS.items():
        if key in archive:
            voltage = commands.array(command, ("time",))
            current = archive.array(key, voltage.shape)
            kinds[command] = Sweeps(SAMPLING_HZ, voltage[None], current[None], clamp="voltage", ids=[command])
    if not kinds:
        raise InputError(f"{archive.path}: has neither {' nor '.join(COMMANDS)}; found {', '.join(archive.keys)}.")
    protocol = Protocol(
        reported(
            SOURCE,
            preparation="CHO cell line expressing hERG channels",
            recording_method="whole-cell patch, voltage clamp",
            sampling_rate=SAMPLING_HZ,
            current_is="control minus dofetilide (concentration not stated), leak-subtracted",
        )
        | reported(PAPER, temperature_as_stated="room temperature")
    )
    tree = recording.from_sweeps(kinds, name=archive.path.stem, protocol=protocol)
    return logged(tree, [archive.path, commands.path])


DATASET = Dataset(
    name="herg_sinewave",
    title="hERG channels in CHO cells, voltage clamp with sums of sines and action potentials",
    source=SOURCE,
    citation=PAPER,
    licence="CC BY 4.0",
    size="3.9 MB, 16.8 s at 10 kHz a cell",
    load=load,
    traps=(
        "a cell line, not neurons: for the kinetics of a channel",
        "the current is control minus drug, so it is the blocked current, and about 0 at -80 mV by construction",
        "capacitive transients of up to 16 nA at the steps of the command: mask some milliseconds after each",
    ),
)
