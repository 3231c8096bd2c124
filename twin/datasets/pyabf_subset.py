"""Whole-cell recordings of neurons, and of an electronic model cell, from the test files of pyABF."""

from functools import partial
from pathlib import Path

import xarray as xr

from twin.datasets.dataset import Dataset, Recordings
from twin.datasets.facts import reported, with_facts
from twin.datasets.originals import find
from twin.protocol import Covariate
from twin.readers import axon

SOURCE = "swharden/pyABF, data/abfs"
MODEL_CELLS = ("2018_11_16_sh_0006",)  # beside those whose name starts with "model"


def load(folder: Path) -> Recordings:
    """A recording for each `.abf` file."""
    paths = find(folder, "*.abf", "Axon files of pyABF")
    return {path.stem: partial(load_one, path) for path in paths}


def load_one(path: Path) -> xr.DataTree:
    """The sweeps of one file; a model cell is called one, whatever its tags say."""
    return with_facts(axon.read([path]), _facts(path.stem), SOURCE)


def _facts(name: str) -> dict[str, Covariate]:
    if not (name.startswith("model") or name in MODEL_CELLS):
        return reported(SOURCE, recording_method="whole-cell patch")
    return reported(
        SOURCE,
        preparation="electronic model cell",
        recording_method="amplifier on a model cell",
        drug="none: a tag about a drug on a model cell is a test of the software",
    )


DATASET = Dataset(
    name="pyabf_subset",
    title="membrane tests, ramps and current steps on neurons and on a model cell (Axon files)",
    source=SOURCE,
    citation="the pyABF repository, swharden/pyABF",
    licence="MIT",
    size="6.3 MB, 10 files, 255 sweeps at 20 kHz",
    load=load,
    traps=(
        "2018_11_16_sh_0006 carries the tag '+drug at 3min' and is a model cell: a ready-made false drug effect",
        "2 kHz filtering biases the access resistance of a membrane test up and the capacitance down",
    ),
)
