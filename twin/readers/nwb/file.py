"""One NWB file as a recording."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import xarray as xr

from twin import provenance, recording
from twin.errors import InputError, UnsupportedError
from twin.protocol import Protocol
from twin.readers.libraries import library, parsing
from twin.readers.nwb import population, streams, sweeps
from twin.readers.nwb.protocol import of_session

FORMAT = "Neurodata Without Borders (.nwb, version 2, on HDF5)"
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_ROLES = ("stimulus", "behaviour", "interventions")


def accepts(paths: Sequence[Path]) -> bool:
    """Whether this is one file that begins as HDF5 files do, or is named .nwb."""
    if len(paths) != 1:
        return False
    try:
        with open(paths[0], "rb") as file:
            return file.read(len(_SIGNATURE)) == _SIGNATURE or paths[0].suffix.lower() == ".nwb"
    except OSError:
        return False


def read(paths: Sequence[Path], name: str | None = None) -> xr.DataTree:
    """The signals of one NWB file, with everything that it states about them.

    Intracellular series become sweeps, the units table spikes, and a response series of regions of interest
    fluorescence. Arrays stay in the file until they are used, if they are long. What was not read is listed in the log
    of the recording under `not_read`.

    Args:
        paths: one file.
        name: what to call the recording; the stem of the file otherwise.

    Raises:
        InputError: the file is broken, or is HDF5 and no NWB file.
        UnsupportedError: the version is older than 2, or there is no signal that a recording can hold.
    """
    path = paths[0]
    with parsing(path, "an NWB file"):
        version = _version(path)
        io_class = library("pynwb", "reading an NWB file").NWBHDF5IO
        with io_class(str(path), mode="r", load_namespaces=True) as io:
            nwb = io.read()
            tree, not_read = _recording(nwb, path, name or path.stem)
    return provenance.log(
        tree,
        "read NWB file",
        inputs={path.name: provenance.file_hash(path)},
        parameters={"nwb_version": version, "not_read": not_read},
    )


def _version(path: Path) -> str:
    with h5py.File(path, "r") as file:
        if "nwb_version" in file:
            raise UnsupportedError(f"{path}: is an NWB file of version 1; convert it to version 2 first.")
        if "nwb_version" not in file.attrs:
            raise InputError(f"{path}: is an HDF5 file without the attribute nwb_version; wanted an NWB file.")
        return str(file.attrs["nwb_version"])


def _recording(nwb: Any, path: Path, name: str) -> tuple[xr.DataTree, list[str]]:
    found = sweeps.find(nwb, path.name)
    signals = [one for one in (population.spikes(nwb, name), population.fluorescence(nwb, name)) if one is not None]
    handled = found.handled.union(*(one.handled for one in signals))
    beside = streams.find(nwb, handled)
    not_read = [*found.not_read, *beside.not_read, *(text for one in signals for text in one.not_read)]
    not_read += _others(nwb, handled | beside.handled, not_read)
    stated = of_session(nwb, path.name)
    for covariates in (*(one.protocol for one in signals), found.protocol):
        stated |= covariates
    trees = [one.tree for one in signals]
    if found.kinds:
        trees.insert(0, recording.from_sweeps(found.kinds, name=name))
    if not trees:
        inside = "; ".join(not_read) or "nothing with a time axis"
        raise UnsupportedError(f"{path}: has no sweeps, no spike times and no fluorescence; it holds: {inside}.")
    tree = recording.with_protocol(recording.join(*trees), Protocol(stated))
    return _with_streams(tree, beside), not_read


def _with_streams(tree: xr.DataTree, beside: streams.Streams) -> xr.DataTree:
    for role in _ROLES:
        for name, stream in getattr(beside, role).items():
            tree[f"{role}/{name}"] = xr.DataTree(stream.to_dataset())
    recording.validate(tree)
    return tree


def _others(nwb: Any, handled: set[str], named: list[str]) -> list[str]:
    """Every time series, table and extension of the file that nothing above has taken up."""
    base = library("pynwb", "reading an NWB file")
    tables = library("hdmf.common", "reading an NWB file")
    kinds = (base.TimeSeries, tables.DynamicTable, base.file.LabMetaData)
    known = (base.icephys.IntracellularRecordingsTable, base.ophys.PlaneSegmentation)
    found = []
    for one in nwb.objects.values():
        structure = isinstance(one, known) or _module(one) in ("pynwb.icephys",)
        if (
            not isinstance(one, kinds)
            or one.object_id in handled
            or (structure and not isinstance(one, base.TimeSeries))
        ):
            continue
        if not any(text.startswith(f"{one.name}:") for text in named):
            found.append(f"{one.neurodata_type} {one.name}")
    return found


def _module(one: Any) -> str:
    return type(one).__module__
