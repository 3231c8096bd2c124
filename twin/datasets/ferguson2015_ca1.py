"""CA1 pyramidal cells of the intact mouse hippocampus under current steps."""

import re
from functools import partial
from pathlib import Path

import xarray as xr

from twin import provenance, recording
from twin.datasets import hdf5
from twin.datasets.dataset import Dataset, Recordings
from twin.datasets.facts import middle_of, reported, with_facts
from twin.datasets.originals import read_nwb
from twin.errors import InputError
from twin.protocol import Covariate
from twin.readers import axon

SOURCE = "OpenSourceBrain/NWBShowcase, FergusonEtAl2015 (Zenodo record 17794)"
COPY = "FergusonEtAl2015_"
REVERSED = ("PYR5_rebound",)  # cells whose copy has the sweeps in reverse order
_ESTIMATE = re.compile(r"(Estimated junction potential: *[-+]?[\d.]+ *mV)")


def load(folder: Path) -> Recordings:
    """A recording for each cell: from its `.abf` file, or from the NWB copy where that is all there is."""
    originals = {path.stem: path for path in sorted(folder.glob("*.abf"))}
    copies = {path.stem.removeprefix(COPY): path for path in sorted(folder.glob("*.nwb"))}
    if not originals and not copies:
        raise InputError(f"{folder}: has no .abf and no .nwb file; wanted CELL.abf or {COPY}CELL.nwb.")
    cells = {**copies, **originals}
    return {cell: partial(load_one, cells[cell], cell, copies.get(cell)) for cell in sorted(cells)}


def load_one(path: Path, cell: str, copy: Path | None) -> xr.DataTree:
    """The sweeps with the measured current: the command of the `.abf` files is not in the unit of its label."""
    facts = _facts() | (_stated_in_copy(copy) if copy else {})
    if path.suffix == ".abf":
        return with_facts(axon.read([path], name=cell, clamp="current"), facts, SOURCE)
    tree = read_nwb(path, cell)
    return with_facts(_in_order(tree) if cell in REVERSED else tree, facts, SOURCE)


def _in_order(tree: xr.DataTree) -> xr.DataTree:
    """The sweeps as they were recorded."""
    ordered = tree.copy()
    sweeps = recording.sweep_sets(tree)["/voltage"]
    ordered["voltage"] = xr.DataTree(sweeps.isel(sweep=slice(None, None, -1)))
    return provenance.log(ordered, "put sweeps in order", parameters={"sweeps_of_the_copy": "reversed"})


def _stated_in_copy(copy: Path) -> dict[str, Covariate]:
    """The estimate of the junction potential, in the words of the copy: the sign convention is not stated."""
    with hdf5.opened(copy) as file:
        comments = {hdf5.text(series.attrs.get("comments")) for series in hdf5.member(file, "acquisition").values()}
    words = {match[1] for match in map(_ESTIMATE.search, comments) if match}
    return reported(f"comments in {copy.name}", junction_potential_as_stated="; ".join(sorted(words)) or None)


def _facts() -> dict[str, Covariate]:
    temperature = Covariate(30.0, "degC", "reported", SOURCE, "30 ± 2 °C", 2.0)
    stated = reported(
        SOURCE,
        species="mouse",
        preparation="whole intact hippocampus in vitro, CA1",
        cell_type="pyramidal cell",
        recording_method="whole-cell patch, current clamp",
        blockers="DNQX 5 uM, bicuculline 5 uM, AP5 25 uM, throughout",
        imposed_signal="measured, with transients of up to 0.7 nA during spikes and an offset that drifts over sweeps",
    )
    age = middle_of(20.0, 90.0, "day", SOURCE)
    return stated | {
        "temperature": temperature,
        "age": age,
        "electrode_resistance": middle_of(2.5, 4.0, "MOhm", SOURCE),
    }


DATASET = Dataset(
    name="ferguson2015_ca1",
    title="mouse CA1 pyramidal cells, whole hippocampus in vitro, 1 s current steps",
    source=SOURCE,
    citation="Ferguson et al. 2015, original data on Zenodo, record 17794",
    licence="none seen in the repository: local use, do not redistribute",
    size="8 MB, 2 s sweeps at 10 kHz",
    load=load,
    traps=(
        "the sweeps of the NWB copy of PYR5_rebound run in reverse order: the .abf file is read where it is there",
        "the command channel is labelled mV and is neither mV nor pA: the measured current is used",
        "current and resting voltage drift over the sweeps; the current is not zero at rest",
    ),
)
