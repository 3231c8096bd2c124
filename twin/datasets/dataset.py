"""What every public data set states about itself."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import xarray as xr


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A public data set.

    Attributes:
        name: the name on the command line.
        title: what was recorded, in one line.
        source: where it comes from.
        citation: what to cite.
        licence: under which terms.
        size: how large it is.
        folder: where it lies on this machine when nothing else is said.
        load: folder -> recordings by name.
    """

    name: str
    title: str
    source: str
    citation: str
    licence: str
    size: str
    folder: Callable[[], Path]
    load: Callable[[Path], dict[str, xr.DataTree]]
