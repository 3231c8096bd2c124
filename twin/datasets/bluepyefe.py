"""Cortical and hippocampal neurons under current steps: the test data of BluePyEfe, in three formats."""

import re
from collections import defaultdict
from functools import partial
from pathlib import Path

import xarray as xr

from twin.datasets.dataset import Dataset, Recordings
from twin.datasets.facts import reported, with_facts
from twin.datasets.originals import read_nwb
from twin.errors import InputError
from twin.protocol import Covariate
from twin.readers import axon, igor

SOURCE = "BlueBrain/BluePyEfe, test data"
SUBTRACTED = f"{SOURCE}: what its configuration subtracts"
SHIFTED_MV = {"B6": 14.0, "B8": 14.0, "B95": 14.0, "C060109A1-SR-C1": 14.0, "C060109A2-SR-C1": 14.0}
UCL = re.compile(r"9\d{7}")  # Thomson laboratory, UCL, 1996-1999
WITHOUT_DC = ("98205017", "98205018", "99111002")
_WAVE = re.compile(r"(?P<prefix>.+?)__(?P<stem>.+)\.ibw")


def load(folder: Path) -> Recordings:
    """A recording for each cell of the `.ibw` waves, and one for each `.abf` and `.nwb` file.

    The prefix of an `.abf` or `.nwb` file ("cell01__") names a folder of the source and no neuron, and is left out.
    """
    recordings: dict = {cell: partial(load_waves, paths, cell) for cell, paths in _cells(folder).items()}
    for path in sorted([*folder.glob("*.abf"), *folder.glob("*.nwb")]):
        recordings[_after_prefix(path.stem)] = partial(load_file, path)
    if not recordings:
        raise InputError(f"{folder}: has no .ibw, .abf or .nwb file; wanted the test data of BluePyEfe.")
    return recordings


def load_waves(paths: list[Path], cell: str) -> xr.DataTree:
    """All sweeps of one cell: pairs of waves, one of them the voltage and one the current, by their units."""
    return with_facts(igor.read(paths, name=cell, clamp="current"), _facts(cell), SOURCE)


def load_file(path: Path) -> xr.DataTree:
    """The sweeps of one Axon or NWB file."""
    name = _after_prefix(path.stem)
    tree = axon.read([path], name=name, clamp="current") if path.suffix == ".abf" else read_nwb(path, name)
    return with_facts(tree, _facts(name), SOURCE)


def _cells(folder: Path) -> dict[str, list[Path]]:
    cells: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.glob("*.ibw")):
        match = _WAVE.fullmatch(path.name)
        if match is None:
            raise InputError(f"{path}: the name has no CELL__ in front; wanted CELL__..._chN_..._SWEEP.ibw.")
        cell = match["stem"].split("_")[0] if match["prefix"] == "exp_data" else match["prefix"]
        cells[cell.removesuffix("_MPG_Folder")].append(path)
    return cells


def _after_prefix(stem: str) -> str:
    return stem.partition("__")[2] or stem


def _facts(name: str) -> dict[str, Covariate]:
    facts = reported(SOURCE, junction_potential_corrected=False if name in SHIFTED_MV or UCL.fullmatch(name) else None)
    if name in SHIFTED_MV:
        facts |= reported(SUBTRACTED, junction_potential=SHIFTED_MV[name])
    if name.startswith("C060109"):
        facts |= reported(SOURCE, species="rat", preparation="somatosensory cortex")
    if "CA1py" in name:
        facts |= reported(SOURCE, preparation="hippocampus", cell_type="CA1 pyramidal cell")
    if UCL.fullmatch(name):
        facts |= reported(SUBTRACTED, junction_potential=0.0)
        facts |= reported(
            SOURCE,
            species="rat",
            strain="Sprague-Dawley",
            lab="Thomson, UCL",
            preparation="hippocampus",
            imposed_signal="command of the stimulus, which is no proof that the current was injected",
            dc_reference_recorded=False if name in WITHOUT_DC else None,
        )
    return facts


DATASET = Dataset(
    name="bluepyefe",
    title="cortical and hippocampal neurons under current steps, test data of BluePyEfe (Igor, Axon, NWB)",
    source=SOURCE,
    citation="the BluePyEfe repository, BlueBrain/BluePyEfe",
    licence="BSD (tests and examples); LGPL-3 (library)",
    size="12 MB",
    load=load,
    traps=(
        "the prefix cell01__ or cell02__ names a folder upstream and no neuron",
        "at 4 kHz an action potential has 2 to 4 samples",
        "98205017, 98205018 and 99111002 lack the DC reference and rest at -2 to -15 mV",
        "UCL cells: the first sweeps (most negative steps) of some files show no response to the nominal current",
    ),
)
