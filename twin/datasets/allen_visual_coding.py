"""Allen Brain Observatory, Visual Coding: two-photon sessions (NWB 1) and Neuropixels sessions (NWB 2).

A two-photon file has `processing/brain_observatory_pipeline/DfOverF/imaging_plane_1` with data (cell, frame) and
timestamps, and `stimulus/presentation/NAME_stimulus` with data and `frame_duration`, the first frame of each
presentation and the first one after it.
"""

from functools import partial
from pathlib import Path

import h5py
import numpy as np
import xarray as xr

from twin import recording
from twin.datasets import hdf5
from twin.datasets.dataset import Dataset, Recordings
from twin.datasets.facts import reported
from twin.datasets.originals import find, logged, read_nwb, regular_rate
from twin.errors import InputError
from twin.protocol import Covariate, Protocol
from twin.recording import Stream, UnitTable

PIPELINE = "processing/brain_observatory_pipeline"
DFF = f"{PIPELINE}/DfOverF/imaging_plane_1"
RUNNING = f"{PIPELINE}/BehavioralTimeSeries/running_speed"
OFF_GRID = 1.0  # of a frame, the most that a frame may lie off the grid on which the stimuli are told
TEXTS = {
    "subject": "general/subject/subject_id",
    "genotype": "general/subject/genotype",
    "age_as_stated": "general/subject/age",
    "area": "general/optophysiology/imaging_plane_1/location",
    "imaging_depth": "general/optophysiology/imaging_plane_1/imaging depth",
    "indicator": "general/optophysiology/imaging_plane_1/indicator",
    "session": "general/session_id",
    "container": "general/experiment_container_id",
    "session_type": "general/session_type",
}


def load(folder: Path) -> Recordings:
    """A recording for each `.nwb` file, also in folders below."""
    paths = find(folder, "**/*.nwb", "ophys_experiment_data/ID.nwb or session_ID.nwb")
    return {path.stem: partial(load_one, path) for path in paths}


def load_one(path: Path) -> xr.DataTree:
    """dF/F of every cell with the stimuli told frame by frame; a Neuropixels session as the NWB reader gives it.

    The features of a stimulus are zero where it is not shown, and its last feature, `shown`, is 1 where it is.
    """
    if hdf5.generation(path) == 2:
        return read_nwb(path, path.stem)
    with hdf5.opened(path) as file:
        times = hdf5.numbers(file, f"{DFF}/timestamps", ("frame",)).astype(np.float64)
        traces = hdf5.numbers(file, f"{DFF}/data", ("cell", len(times)))
        ids = hdf5.numbers(file, f"{PIPELINE}/ImageSegmentation/cell_specimen_ids", (len(traces),))
        known = np.isfinite(traces).all(axis=1)
        if not known.any():
            raise InputError(f"{path}: no cell of {DFF}/data has finite values throughout; wanted one or more.")
        grid_hz = regular_rate(times, OFF_GRID)
        if grid_hz is None:
            raise InputError(f"{path}: {DFF}/timestamps are not regular to one frame; wanted one imaging run.")
        start_s = float(times[0])
        regular = regular_rate(times) is not None
        axis = {"sampling_hz": grid_hz, "start_s": start_s} if regular else {"times_s": times}
        tree = recording.from_fluorescence(
            traces[known].T[None],
            name=path.stem,
            unit="dF/F",
            unit_ids=UnitTable([str(one) for one in ids[known]]),
            stimuli=_stimuli(file, len(times), grid_hz, start_s),
            behaviour=_running(file, times, grid_hz, start_s),
            protocol=Protocol(_facts(file)),
            **axis,
        )
    return logged(tree, [path], cells_without_finite_traces_left_out=int((~known).sum()), regular_frames=regular)


def _stimuli(file: h5py.File, n_frames: int, rate_hz: float, start_s: float) -> dict[str, Stream]:
    shown = hdf5.member(file, "stimulus/presentation")
    return {
        name.removesuffix("_stimulus"): Stream(
            _told(shown[name], n_frames), rate_hz, "1", start_s, attributes={"features": _features(shown[name])}
        )
        for name in shown
        if "frame_duration" in shown[name]
    }


def _features(stimulus: h5py.Group) -> list[str]:
    """A series of features names them; an indexed one has the number of its image or frame; another only comes on."""
    if "features" in stimulus:
        return [*(hdf5.text(one) for one in stimulus["features"][()]), "shown"]
    return ["shown"] if _is_interval(stimulus) else ["frame", "shown"]


def _is_interval(stimulus: h5py.Group) -> bool:
    return stimulus.name.endswith("/spontaneous_stimulus")


def _told(stimulus: h5py.Group, n_frames: int) -> np.ndarray:
    """(frame, feature): what is shown during each frame."""
    edges = hdf5.numbers(stimulus, "frame_duration", ("presentation", 2)).astype(np.int64)
    values = np.asarray(hdf5.member(stimulus, "data")[()], np.float64).reshape(len(edges), -1)
    if _is_interval(stimulus):  # 1 where a stretch starts, -1 where it ends
        edges = np.stack([edges[values[:, 0] == 1, 0], edges[values[:, 0] == -1, 0]], axis=1)
        values = np.zeros((len(edges), 0))
    if (edges < 0).any() or (edges > n_frames).any():
        raise InputError(
            f"{stimulus.file.filename}: {stimulus.name} is shown outside the {n_frames} frames of the session."
        )
    told = np.zeros((n_frames, values.shape[1] + 1), np.float32)
    for (first, after), row in zip(edges, np.nan_to_num(values), strict=True):
        told[first : max(after, first + 1)] = [*row, 1.0]
    return told


def _running(file: h5py.File, times: np.ndarray, rate_hz: float, start_s: float) -> dict[str, Stream] | None:
    """Running speed on the frames; its last feature is 1 where it was measured."""
    if RUNNING not in file:
        return None
    at = hdf5.numbers(file, f"{RUNNING}/timestamps", ("sample",)).astype(np.float64)
    speed = hdf5.numbers(file, f"{RUNNING}/data", (len(at),)).astype(np.float64)
    frames = np.clip(np.searchsorted(times, at - 0.5 / rate_hz), 0, len(times) - 1)
    good = np.isfinite(speed) & (np.abs(times[frames] - at) <= 1.0 / rate_hz)
    told = np.zeros((len(times), 2), np.float32)
    told[frames[good]] = np.stack([speed[good], np.ones(good.sum())], axis=1)
    return {"running_speed": Stream(told, rate_hz, "cm/s", start_s, attributes={"features": ["speed", "measured"]})}


def _facts(file: h5py.File) -> dict[str, Covariate]:
    source = f"Allen Brain Observatory, {Path(file.filename).name}"
    return reported(
        source,
        species="mouse",
        lab="Allen Institute for Brain Science",
        preparation="in vivo, awake, head-fixed, visual cortex",
        recording_method="two-photon calcium imaging",
        **{name: hdf5.text_at(file, place) for name, place in TEXTS.items()},
    )


DATASET = Dataset(
    name="allen_visual_coding",
    title="Allen Brain Observatory, Visual Coding: two-photon (NWB 1) and Neuropixels (NWB 2) sessions",
    source="Allen Brain Observatory, observatory.brain-map.org (ophys_experiment_data/ID.nwb, session_ID.nwb)",
    citation="de Vries et al. 2020, Nat Neurosci 23:138; Siegle et al. 2021, Nature 592:86",
    licence="Allen Institute Terms of Use",
    size="0.2 to 0.4 GB a two-photon session, 2 to 3 GB a Neuropixels session",
    load=load,
    traps=("dF/F of the first releases is in the file as it was published: later releases corrected neuropil again",),
)
