"""What is fitted and scored: the segments of every cell, and the grid on which models run."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from rich.console import Console
from rich.progress import track

from twin import recording
from twin.datasets import cascade_groundtruth
from twin.errors import InputError
from twin.protocol import Protocol

MIN_SPIKES, MIN_FRAMES = 5, 50  # of a segment that is scored


@dataclasses.dataclass(frozen=True, eq=False)
class Segment:
    """One uninterrupted recording of a cell.

    Attributes:
        name: as the recording is named.
        data_set: which it is of.
        cell: "DATASET c3": unique over all data sets.
        facts: indicator, species, cell type and whether neuropil was subtracted; "unknown" where nobody said.
        times_s: (frame,) from the first frame on.
        dff: (frame,).
        spikes_s: on the same clock.
        half: index of the first frame of the cell's second half of frames; 0 if it all is, all frames if none.
    """

    name: str
    data_set: str
    cell: str
    facts: Mapping[str, str]
    times_s: np.ndarray
    dff: np.ndarray
    spikes_s: np.ndarray
    half: int = 0

    @property
    def frame_s(self) -> float:
        """Usual time between frames."""
        return float(np.median(np.diff(self.times_s)))

    def is_scored(self, part: slice) -> bool:
        """Whether a part holds enough frames and spikes for a correlation."""
        times = self.times_s[part]
        if len(times) < MIN_FRAMES:
            return False
        return int(((self.spikes_s >= times[0]) & (self.spikes_s <= times[-1])).sum()) >= MIN_SPIKES


def load(folder: Path, console: Console) -> tuple[Segment, ...]:
    """Every segment of every cell in a folder.

    Raises:
        InputError: there is none, or a value is not finite.
    """
    loaders = cascade_groundtruth.load(folder)
    read = [_segment(name, loaders[name]()) for name in track(loaders, f"reading {folder.name}", console=console)]
    return halved(read)


def _segment(name: str, tree: xr.DataTree) -> Segment:
    protocol = recording.protocol_of(tree)
    frames = tree["fluorescence"].to_dataset()
    times = np.asarray(frames["time"].values, np.float64)
    dff = np.asarray(frames["fluorescence"].values[0, :, 0], np.float64)
    if not np.isfinite(dff).all():
        raise InputError(f"{name}: {int((~np.isfinite(dff)).sum())} frames are not finite; leave those out.")
    data_set = str(protocol["data_set"].value)
    facts = {one: _said(protocol, one) for one in ("indicator", "species", "cell_type", "neuropil_subtracted")}
    spikes = np.asarray(recording.spike_times(tree)[0], np.float64)
    cell = f"{data_set} {protocol['cell'].value}"
    return Segment(name, data_set, cell, facts, times - times[0], dff, spikes - times[0])


def _said(protocol: Protocol, name: str) -> str:
    value = protocol[name].value if name in protocol else None
    return "unknown" if value is None else str(value)


def halved(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """The same with `half`: the first half of a cell's frames, over its segments in their order."""
    totals: dict[str, int] = {}
    for one in segments:
        totals[one.cell] = totals.get(one.cell, 0) + len(one.dff)
    done = dict.fromkeys(totals, 0)
    out = []
    for one in segments:
        out.append(dataclasses.replace(one, half=int(np.clip(totals[one.cell] // 2 - done[one.cell], 0, len(one.dff)))))
        done[one.cell] += len(one.dff)
    return tuple(out)
