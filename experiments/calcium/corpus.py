"""Segments with their cells, data sets and grid, and what the protocol says of each cell as numbers."""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float

from experiments.calcium.cells import MIN_FRAMES, MIN_SPIKES, Segment
from experiments.calcium.grid import Grid, cut
from twin.errors import InputError

FACTS = (
    "constant",
    "protein of the GCaMP family",
    "slow variant",
    "red protein",
    "zebrafish",
    "interneuron",
    "neuropil",
)


@dataclasses.dataclass(frozen=True, eq=False)
class Corpus:
    """The segments of a folder."""

    segments: tuple[Segment, ...]

    @cached_property
    def cells(self) -> tuple[str, ...]:
        """Names of the cells."""
        return tuple(dict.fromkeys(one.cell for one in self.segments))

    @cached_property
    def cell(self) -> np.ndarray:
        """(segment,) index of its cell."""
        index = {name: number for number, name in enumerate(self.cells)}
        return np.array([index[one.cell] for one in self.segments])

    @cached_property
    def data_set(self) -> np.ndarray:
        """(cell,) name of its data set."""
        named = {one.cell: one.data_set for one in self.segments}
        return np.array([named[cell] for cell in self.cells])

    @cached_property
    def teaches(self) -> np.ndarray:
        """(cell,) whether it has a segment that could be scored; a silent cell has no kinetics to pass on."""
        able = {one.cell for one in self.segments if one.is_scored(slice(None))}
        return np.array([cell in able for cell in self.cells])

    @cached_property
    def indicator(self) -> np.ndarray:
        """(cell,) its indicator."""
        named = {one.cell: one.facts["indicator"] for one in self.segments}
        return np.array([named[cell] for cell in self.cells])

    @cached_property
    def facts(self) -> Float[np.ndarray, "cell fact"]:
        """What the protocol says."""
        named = {one.cell: one.facts for one in self.segments}
        return np.array([coded(named[cell]) for cell in self.cells])

    @cached_property
    def grid(self) -> Grid:
        """Everything in pieces."""
        return cut(self.segments)

    def require_scored(self, folder: Path) -> None:
        """Raises: InputError: no cell has enough spikes and frames in its second half."""
        if not any(one.is_scored(slice(one.half, None)) for one in self.segments):
            raise InputError(
                f"{folder}: no cell has a segment with {MIN_SPIKES} spikes and {MIN_FRAMES} frames in its second half; "
                "give longer recordings or more active cells."
            )

    def refuse_shared(self, other: "Corpus") -> None:
        """Raises: InputError: a recording is in both folders."""
        shared = sorted({one.name for one in self.segments} & {one.name for one in other.segments})
        if shared:
            raise InputError(
                f"--data and --test share {len(shared)} recordings, such as {shared[0]}; give each to one of them."
            )


def coded(facts: Mapping[str, str]) -> list[float]:
    """One row of `Corpus.facts`; an indicator of no known family is a synthetic dye or an unknown one: zeros."""
    indicator = facts["indicator"].lower().replace("-", "")  # jRCaMP1a, R-CaMP
    flags: Sequence[bool] = (
        True,
        "gcamp" in indicator,
        "gcamp" in indicator and indicator.rstrip("0123456789.").endswith("s"),
        "rcamp" in indicator or "geco" in indicator,
        facts["species"] == "zebrafish",
        facts["cell_type"] != "unknown",
        facts["neuropil_subtracted"] == "True",
    )
    return [float(flag) for flag in flags]
