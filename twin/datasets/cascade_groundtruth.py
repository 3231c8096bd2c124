"""Calcium imaging and juxtacellular recording of the same cells: fluorescence with its true spikes."""

import re
from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr

from twin import recording
from twin.datasets.dataset import Dataset, Recordings
from twin.datasets.facts import reported
from twin.datasets.originals import Archive, find, logged, regular_rate
from twin.errors import InputError
from twin.protocol import Covariate, Protocol

SOURCE = "PTRRupprecht/Cascade, Ground_truth"
SPIKE_UNIT_S = 1e-4
SPECIES = {"m": "mouse", "zf": "zebrafish"}
INTERNEURONS = ("PV", "SST", "VIP")
_SEGMENT = re.compile(r"c(?P<cell>\d+)_s(?P<segment>\d+)_dff")


def load(folder: Path) -> Recordings:
    """A recording for each segment of each cell, "DATASET_cI_sJ": segments differ in length and frame rate."""
    recordings: dict = {}
    wanted = "files DSnn-INDICATOR-species-area.npz with cI_sJ_dff, cI_sJ_t and cI_sJ_ap"
    for path in find(folder, "*.npz", wanted):
        archive = Archive(path)
        segments = [match for match in map(_SEGMENT.fullmatch, archive.keys) if match]
        if not segments:
            raise InputError(f"{path}: has no key such as c0_s0_dff; found {', '.join(archive.keys[:8]) or 'nothing'}.")
        for match in segments:
            name = f"c{match['cell']}_s{match['segment']}"
            recordings[f"{path.stem}_{name}"] = partial(load_segment, archive, name)
    return recordings


def load_segment(archive: Archive, segment: str) -> xr.DataTree:
    """dF/F (1 is 100 %) and spike times of one segment, joined.

    A frame with the same time stamp as the one before is dropped, and so is a spike outside the imaged time or at
    exactly the time of the one before; the log has their numbers.
    """
    fluorescence = archive.array(f"{segment}_dff", ("frame",))
    times = archive.array(f"{segment}_t", fluorescence.shape).astype(np.float64)
    stored = archive.array(f"{segment}_ap", ("spike",)).astype(np.float64) * SPIKE_UNIT_S
    kept = np.append(True, np.diff(times) > 0)
    fluorescence, times = fluorescence[kept], times[kept]
    if len(times) < 2:
        raise InputError(
            f"{archive.path}: {segment} has {len(times)} frame(s) with a time of their own; wanted two or more."
        )
    step_s = float(np.median(np.diff(times)))
    start_s, stop_s = float(times[0]), float(times[-1]) + step_s
    inside = stored[(stored >= start_s) & (stored < stop_s)]
    spikes = np.unique(inside)
    rate = regular_rate(times)
    axis = {"times_s": times} if rate is None else {"sampling_hz": rate, "start_s": start_s}
    name = f"{archive.path.stem}_{segment}"
    protocol = Protocol(_facts(archive, segment))
    imaged = recording.from_fluorescence(
        fluorescence[None, :, None], name=name, unit="dF/F", unit_ids=["cell"], protocol=protocol, **axis
    )
    true = recording.from_spikes([[spikes]], start_s=start_s, stop_s=stop_s, name=name, unit_ids=["cell"])
    return logged(
        recording.join(imaged, true),
        [archive.path],
        frames_with_repeated_time_dropped=int((~kept).sum()),
        spikes_outside_imaged_time_dropped=len(stored) - len(inside),
        repeated_spike_times_dropped=len(inside) - len(spikes),
        regular_frames=rate is not None,
    )


def _facts(archive: Archive, segment: str) -> dict[str, Covariate]:
    """What the name of the data set says: DSnn-INDICATOR-species-[interneuron-]area[-neuropil-corrected]."""
    cell = segment.split("_")[0]
    words = archive.path.stem.split("-")
    at = next((index for index, word in enumerate(words) if word in SPECIES), None)
    named = {} if at is None else {"species": SPECIES[words[at]], "indicator": "-".join(words[1:at])}
    source = f"{SOURCE}, name of the data set"
    return reported(
        source,
        **named,
        recording_method="two-photon calcium imaging and juxtacellular recording",
        data_set=archive.path.stem,
        cell=cell,
        cell_type=next((word for word in words if word in INTERNEURONS), None),
        neuropil_subtracted=True if "neuropil" in words else None,
        source_file=archive.text(f"{cell}_name") if f"{cell}_name" in archive else None,
    )


DATASET = Dataset(
    name="cascade_groundtruth",
    title="calcium imaging with true spikes, mouse and zebrafish, many indicators",
    source=SOURCE,
    citation="Rupprecht et al. 2021, Nat Neurosci, and the original paper of each data set",
    licence="GPL-3 (repository)",
    size="32 MB, 20 data sets, 609 segments",
    load=load,
    traps=(
        "spikes outside the imaged time, and repeated at exactly the same time, in some sets: dropped, and logged",
        "the last time stamp is repeated in some segments: that frame is dropped, and logged",
        "dF/F goes below -1 in some sets; the noise level differs 20-fold between segments",
        "segments of one cell are no independent samples: the protocol names the cell",
    ),
)
