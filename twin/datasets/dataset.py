"""What every public data set states about itself, and how its recordings are taken from a folder."""

import dataclasses
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import xarray as xr

from twin import provenance
from twin.errors import InputError, UnsupportedError

Recordings = Mapping[str, Callable[[], xr.DataTree]]  # name -> what reads it: one at a time, however large the set
CHECKSUMS = Path(__file__).with_name("checksums.toml")


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A public data set.

    Attributes:
        name: the name on the command line.
        title: what was recorded, in one line.
        source: where the original files come from.
        citation: what to cite.
        licence: under which terms.
        size: how large it is.
        load: folder of original files -> recordings by name; None for a table that holds no recording.
        traps: what to know before the set is used.
        folder: where it lies on this machine when nothing else is said; None where it has to be given.
        experiment: the experiment that uses a table.
    """

    name: str
    title: str
    source: str
    citation: str
    licence: str
    size: str
    load: Callable[[Path], Recordings] | None
    traps: tuple[str, ...] = ()
    folder: Callable[[], Path] | None = None
    experiment: str | None = None

    def recordings(self, folder: Path | None = None, *, verify: bool = True) -> Recordings:
        """What reads each recording, by name, with citation and licence in the log of each.

        Args:
            folder: the original files; the usual place otherwise.
            verify: whether a file with a known checksum has to agree with it.

        Raises:
            InputError: no folder, a file is missing or not in the format of the set, or is not the public original.
            UnsupportedError: the set is a table.
        """
        if self.load is None:
            raise UnsupportedError(
                f"{self.name} is a table, not a recording, so there is nothing to store as one: run "
                f"`twin experiment {self.experiment} --data DIR` with the folder of its original files."
            )
        folder = self._usual_folder() if folder is None else folder
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder; give the one that holds the original files of {self.name}.")
        verified = verify_checksums(self.name, folder) if verify else ()
        return {name: self._with_terms(read, verified) for name, read in self.load(folder).items()}

    def _usual_folder(self) -> Path:
        if self.folder is None:
            raise InputError(
                f"{self.name}: give the folder of its original files with --from; they come from {self.source}."
            )
        return self.folder()

    def _with_terms(self, read: Callable[[], xr.DataTree], verified: tuple[str, ...]) -> Callable[[], xr.DataTree]:
        terms = {field: getattr(self, field) for field in ("source", "citation", "licence")}

        def read_with_terms() -> xr.DataTree:
            tree = read()
            used = {name for entry in tree.attrs["provenance"] for name in entry["inputs"]}
            facts = {**terms, "checked_against_public_original": sorted(used & set(verified))}
            return provenance.log(tree, f"take from the public data set {self.name}", parameters=facts)

        return read_with_terms


def verify_checksums(name: str, folder: Path) -> tuple[str, ...]:
    """The names of the files in `folder` whose SHA-256 is known and agrees; files that are not known are left alone.

    Raises:
        InputError: a file of a known name has other contents.
    """
    known = tomllib.loads(CHECKSUMS.read_text(encoding="utf-8")).get(name, {})
    present = [file for file in known if (folder / file).is_file()]
    for file in present:
        found = provenance.file_hash(folder / file)
        if found != known[file]:
            raise InputError(
                f"{folder / file}: differs from the public original (SHA-256 {found[:12]}..., wanted "
                f"{known[file][:12]}...): copy it again, or pass --unverified to read it as it is."
            )
    return tuple(present)
