"""Add what people know beyond the files: a protocol file in TOML."""

from pathlib import Path

import xarray as xr

from twin import provenance
from twin.protocol import read_toml
from twin.recording.access import protocol_of, with_protocol


def with_protocol_file(tree: xr.DataTree, path: str | Path) -> xr.DataTree:
    """A copy of the recording whose protocol has the covariates of a file, which replace its own; logged by hash.

    Raises:
        InputError: as `twin.protocol.read_toml`.
    """
    stated = read_toml(path)
    supplemented = with_protocol(tree, protocol_of(tree).updated(stated))
    return provenance.log(supplemented, "add protocol file", inputs={Path(path).name: provenance.file_hash(path)})
