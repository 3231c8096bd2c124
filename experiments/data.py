"""The commands `twin data` and `twin ingest`."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import xarray as xr
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from twin import readers, recording
from twin.datasets import ALL, Dataset
from twin.errors import InputError
from twin.protocol import read_toml

NAMES_TOLD = 12  # of the recordings of a set, in an error


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
    """Everything that a data set states about itself, and what to know before it is used."""
    facts = [(field, getattr(dataset, field)) for field in ("name", "title", "source", "citation", "licence", "size")]
    facts += [("know", trap) for trap in dataset.traps]
    if dataset.load is None:
        facts.append(("use", f"twin experiment {dataset.experiment} --data DIR"))
    elif dataset.folder is None:
        facts.append(("use", f"twin data get {dataset.name} --from DIR --out OUT"))
    for field, text in facts:
        console.print(f"[bold]{field:>9}[/bold]  {text}", highlight=False)


def get(dataset: Dataset, source: Path | None, out: Path | None, only: str | None = None, verify: bool = True) -> None:
    """Write the recordings of a data set, one at a time: all of them, or none.

    Args:
        dataset: the set.
        source: the folder of its original files; the usual place otherwise.
        out: NAME.zarr for a single recording, otherwise a folder in which each becomes NAME.zarr.
        only: the one recording to write.
        verify: whether files with a known checksum have to agree with it.

    Raises:
        InputError: no `out`, a recording of that name is there already, several recordings for one NAME.zarr, or a
            fault in the files; nothing is written then.
        UnsupportedError: the set is a table.
    """
    recordings = dataset.recordings(source, verify=verify)
    if out is None:
        raise InputError(f"twin data get {dataset.name}: give the folder to write to with --out.")
    if only is not None:
        recordings = {only: recordings[_one_of(only, recordings, dataset)]}
    if out.suffix == ".zarr" and len(recordings) > 1:
        raise InputError(
            f"{out}: {dataset.name} has {len(recordings)} recordings here, which one .zarr cannot hold; give a folder "
            f"with --out, or one of them with --only: {_told(recordings)}."
        )
    paths = {name: out if out.suffix == ".zarr" else out / f"{name}.zarr" for name in recordings}
    for path in paths.values():
        if path.exists():
            raise InputError(f"{path}: exists already; give another name with --out.")
    write_all(recordings, paths)


def _one_of(only: str, recordings: Mapping[str, object], dataset: Dataset) -> str:
    if only not in recordings:
        raise InputError(f"{dataset.name} has no recording {only!r} here; it has: {_told(recordings)}.")
    return only


def _told(recordings: Mapping[str, object]) -> str:
    names = list(recordings)
    more = f" and {len(names) - NAMES_TOLD} more" if len(names) > NAMES_TOLD else ""
    return ", ".join(names[:NAMES_TOLD]) + more


def write_all(recordings: Mapping[str, Callable[[], xr.DataTree]], paths: Mapping[str, Path]) -> None:
    """Write every recording to its path, with a progress bar; after a failure none of them is there."""
    parent = next(iter(paths.values())).parent
    made = [folder for folder in (parent, *parent.parents) if not folder.exists()]
    parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".get-", dir=parent))
    try:
        _write_to(scratch, recordings)
        for name, path in paths.items():
            (scratch / f"{name}.zarr").rename(path)
            print(path)
        made = []
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        for folder in made:
            folder.rmdir()


def _write_to(scratch: Path, recordings: Mapping[str, Callable[[], xr.DataTree]]) -> None:
    look = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*look, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(recordings))
        for name, read in recordings.items():
            progress.update(task, description=name)
            recording.write(read(), scratch / f"{name}.zarr")
            progress.advance(task)


def ingest(files: tuple[Path, ...], out: Path, protocol: Path | None) -> None:
    """Read files that belong together into one recording.

    Raises:
        InputError: as the reader that takes the files.
        UnsupportedError: no reader takes them.
    """
    if out.exists():
        raise InputError(f"{out}: exists already; give another name with --out.")
    stated = {} if protocol is None else read_toml(protocol)  # its faults are said before a long file is read
    tree = readers.read(files, clamp=str(stated["clamp"].value) if "clamp" in stated else None)
    if protocol is not None:
        tree = recording.with_protocol_file(tree, protocol)
    print(recording.write(tree, out))
