"""The commands `twin data` and `twin ingest`."""

from pathlib import Path

import xarray as xr
from rich.console import Console
from rich.table import Table

from twin import provenance, readers, recording
from twin.datasets import ALL, Dataset
from twin.errors import InputError
from twin.protocol import read_toml


def named(name: str | None) -> Dataset:
    """The data set of that name.

    Raises:
        InputError: there is none; the sentence lists those there are.
    """
    if name not in ALL:
        raise InputError(f"no data set {name!r}; the sets are: {', '.join(ALL)}.")
    return ALL[name]


def list_sets(console: Console) -> None:
    """A line for each data set."""
    table = Table("set", "what", "size", "licence", box=None)
    for dataset in ALL.values():
        table.add_row(dataset.name, dataset.title, dataset.size, dataset.licence)
    console.print(table)


def show(dataset: Dataset, console: Console) -> None:
    """Everything that a data set states about itself."""
    for field in ("name", "title", "source", "citation", "licence", "size"):
        console.print(f"[bold]{field:>9}[/bold]  {getattr(dataset, field)}", highlight=False)


def get(dataset: Dataset, source: Path | None, out: Path | None) -> None:
    """Write every recording of a data set to OUT/NAME.zarr.

    Raises:
        InputError: no `out`, or a recording of that name is there already; nothing is written then.
    """
    if out is None:
        raise InputError(f"twin data get {dataset.name}: give the folder to write to with --out.")
    recordings = dataset.load(source or dataset.folder())
    paths = {name: out / f"{name}.zarr" for name in recordings}
    for path in paths.values():
        if path.exists():
            raise InputError(f"{path}: exists already; give another folder with --out.")
    for name, tree in recordings.items():
        print(recording.write(tree, paths[name]))


def ingest(files: tuple[Path, ...], out: Path, protocol: Path | None) -> None:
    """Read files that belong together into one recording.

    Raises:
        InputError: as the reader that takes the files.
        UnsupportedError: no reader takes them.
    """
    if out.exists():
        raise InputError(f"{out}: exists already; give another name with --out.")
    stated = read_toml(protocol) if protocol else {}
    tree = readers.read(files)
    if protocol:
        tree = _with_protocol_file(tree, stated, protocol)
    print(recording.write(tree, out))


def _with_protocol_file(tree: xr.DataTree, stated: dict, path: Path) -> xr.DataTree:
    tree = recording.with_protocol(tree, recording.protocol_of(tree).updated(stated))
    return provenance.log(tree, "add protocol file", inputs={path.name: provenance.file_hash(path)})
