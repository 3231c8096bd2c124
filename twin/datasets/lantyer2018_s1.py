"""Neurons of mouse barrel cortex in current clamp, voltage clamp and under sawtooth commands."""

from functools import partial
from pathlib import Path

import xarray as xr

from twin.datasets.dataset import Dataset, Recordings
from twin.datasets.facts import middle_of, reported, with_facts
from twin.datasets.originals import find, read_nwb
from twin.protocol import Covariate

SOURCE = "OpenSourceBrain/NWBShowcase, Lantyer (GigaDB 100535)"


def load(folder: Path) -> Recordings:
    """A recording for each `.nwb` file."""
    paths = find(folder, "*.nwb", "files LantyerEtAl2018_NAME.nwb")
    return {path.stem: partial(load_one, path) for path in paths}


def load_one(path: Path) -> xr.DataTree:
    """The sweeps of one file."""
    return with_facts(read_nwb(path, path.stem), _facts(), SOURCE)


def _facts() -> dict[str, Covariate]:
    stated = reported(
        SOURCE,
        species="mouse",
        preparation="coronal slice, 300 um, primary somatosensory (barrel) cortex, supragranular",
        recording_method="whole-cell patch",
        resting_potential_is_native=False,
    )
    return stated | {"electrode_resistance": middle_of(5.0, 10.0, "MOhm", SOURCE)}


DATASET = Dataset(
    name="lantyer2018_s1",
    title="mouse barrel cortex, whole-cell: current steps, voltage steps and sawtooth",
    source=SOURCE,
    citation="da Silva Lantyer et al. 2018, GigaScience",
    licence="none seen in the repository: local use, do not redistribute",
    size="3.4 MB",
    load=load,
    traps=("the cells are held at -70 mV by current, so the resting potential is not their own",),
)
