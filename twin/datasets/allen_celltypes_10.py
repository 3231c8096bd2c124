"""Single current steps of ten cells of the Allen Cell Types Database, as used for inference of mechanistic models."""

from functools import partial
from pathlib import Path

import xarray as xr

from twin import recording
from twin.datasets.dataset import Dataset, Recordings
from twin.datasets.facts import reported
from twin.datasets.originals import Archive, find, logged
from twin.protocol import Protocol

SOURCE = "mackelab/IdentifyMechanisticModels_2020, 6_allen/support_files"


def load(folder: Path) -> Recordings:
    """A recording for each `cell_ID_sweep_N.npz`."""
    paths = find(folder, "cell_*_sweep_*.npz", "files cell_ID_sweep_N.npz with V_mV, I_pA, dt_ms, t_on_ms and t_off_ms")
    return {path.stem: partial(load_one, Archive(path)) for path in paths}


def load_one(archive: Archive) -> xr.DataTree:
    """One sweep; the step lasts from the column `step_start` to `step_stop` of the sweeps, s."""
    voltage = archive.array("V_mV", ("time",))
    current = archive.array("I_pA", voltage.shape)
    _, cell, _, sweep = archive.path.stem.split("_", 3)
    sampling_hz = archive.sampling_hz("dt_ms", 1e-3)
    edges = {"step_start": "t_on_ms", "step_stop": "t_off_ms"}
    tree = recording.from_voltage(
        voltage[None],
        sampling_hz,
        name=archive.path.stem,
        current_na=current[None] * 1e-3,
        sweep_ids=[sweep],
        sweeps={column: ([archive.number(key) * 1e-3], "s") for column, key in edges.items()},
        protocol=Protocol(
            reported(
                SOURCE,
                lab="Allen Institute for Brain Science",
                recording_method="whole-cell patch, current clamp",
                sampling_rate=sampling_hz,
                specimen=cell,
            )
        ),
    )
    return logged(tree, [archive.path], converted="pA to nA, ms to s")


DATASET = Dataset(
    name="allen_celltypes_10",
    title="cells of the Allen Cell Types Database, one 1 s current step each",
    source=SOURCE,
    citation="Gonçalves et al. 2020, eLife 56261; Allen Cell Types Database",
    licence="MIT (repository); Allen Institute Terms of Use (data)",
    size="0.5 MB, 1.45 s at 50 kHz a cell",
    load=load,
    traps=("species, cell type and whether the junction potential was corrected are not in the files",),
)
