"""Any dandiset: a folder of NWB 2 files, each a recording."""

from functools import partial
from pathlib import Path

from twin.datasets.dataset import Dataset, Recordings
from twin.datasets.originals import find, read_nwb


def load(folder: Path) -> Recordings:
    """A recording for each `.nwb` file, also in folders below; files of the same name are named by folder and name."""
    paths = find(folder, "**/*.nwb", "the .nwb files of a dandiset")
    stems = [path.stem for path in paths]
    names = [path.stem if stems.count(path.stem) == 1 else _place(path, folder) for path in paths]
    return {name: partial(read_nwb, path, name) for name, path in zip(names, paths, strict=True)}


def _place(path: Path, folder: Path) -> str:
    return "_".join(path.relative_to(folder).with_suffix("").parts)


DATASET = Dataset(
    name="dandi",
    title="any dandiset: a folder of NWB 2 files as the DANDI archive has them",
    source="the DANDI archive, dandiarchive.org",
    citation="the dandiset's own citation",
    licence="the dandiset's own licence",
    size="that of the dandiset",
    load=load,
)
