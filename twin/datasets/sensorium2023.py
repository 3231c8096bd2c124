"""Sensorium 2023: responses of mouse visual cortex to natural videos, one folder a mouse.

```
MOUSE/data/videos/N.npy         (height, width, frame)        MOUSE/meta/trials/tiers.npy      one word a trial
MOUSE/data/responses/N.npy      (neuron, frame)               MOUSE/meta/neurons/unit_ids.npy
MOUSE/data/behavior/N.npy       (2, frame)                    MOUSE/meta/neurons/cell_motor_coordinates.npy (neuron, 3)
MOUSE/data/pupil_center/N.npy   (2, frame)
```
Everything is sampled at 30 Hz; shorter trials end in NaN.
"""

from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from twin import provenance, recording
from twin.datasets.dataset import Dataset, Recordings
from twin.datasets.facts import reported
from twin.datasets.originals import Archive, require
from twin.errors import InputError
from twin.protocol import Protocol
from twin.recording import Stream, UnitTable

PAPER = "Turishcheva et al. 2023, The Dynamic Sensorium competition, arXiv 2305.19654"
SAMPLING_HZ = 30.0
BEHAVIOUR = ("pupil size", "running speed")


def load(folder: Path) -> Recordings:
    """A recording for each mouse and number of frames: "MOUSE", or "MOUSE_Nframes" where trials differ in length."""
    mice = sorted(path.parent.parent for path in folder.glob("*/data/responses") if path.is_dir())
    if (folder / "data" / "responses").is_dir():
        mice = [folder]
    if not mice:
        raise InputError(f"{folder}: has no MOUSE/data/responses; wanted a folder for each mouse with data/ and meta/.")
    recordings: dict = {}
    for mouse in mice:
        trials, left_out = _trials_by_length(mouse)
        for n_frames, numbers in trials.items():
            name = mouse.name if len(trials) == 1 else f"{mouse.name}_{n_frames}frames"
            recordings[name] = partial(load_mouse, mouse, name, numbers, n_frames, left_out)
    return recordings


def load_mouse(mouse: Path, name: str, trials: list[int], n_frames: int, left_out: list[int]) -> xr.DataTree:
    """The trials of one length; videos and responses stay on disk until they are used."""
    units = _units(mouse, trials[0])
    tiers = Archive(require(mouse / "meta/trials/tiers.npy", "one tier (train, oracle, ...) a trial")).array(
        "array", ("trial",), text=True
    )
    if max(trials) >= len(tiers):
        raise InputError(
            f"{mouse / 'meta/trials/tiers.npy'}: has {len(tiers)} tiers; wanted one for trial {max(trials)} too."
        )
    videos = _stacked(mouse, "videos", trials, n_frames)
    features = {"features": list(BEHAVIOUR)}
    tree = recording.from_fluorescence(
        _stacked(mouse, "responses", trials, n_frames),
        name=name,
        unit="1",
        sampling_hz=SAMPLING_HZ,
        unit_ids=units,
        trials={
            "tier": ([str(tiers[trial]) for trial in trials], "1"),
            "number": (np.array(trials, np.int32), "1"),
        },
        stimuli={"video": _stream(videos, {"what": "luminance (height, width), 0-255"})},
        behaviour={
            "behaviour": _stream(_stacked(mouse, "behavior", trials, n_frames), features),
            "pupil_center": _stream(_stacked(mouse, "pupil_center", trials, n_frames), {"features": ["x", "y"]}),
        },
        protocol=Protocol(
            reported(
                PAPER,
                species="mouse",
                preparation="in vivo, awake, head-fixed on a treadmill, visual cortex",
                recording_method="two-photon calcium imaging",
                sampling_rate=SAMPLING_HZ,
            )
            | reported("name of the folder", mouse=mouse.name)
        ),
    )
    facts = {"trials": len(trials), "trials_without_responses_left_out": len(left_out)}
    return provenance.log(tree, "read Sensorium 2023 folder", parameters={"folder": mouse.name, **facts})


def _trials_by_length(mouse: Path) -> tuple[dict[int, list[int]], list[int]]:
    """Numbers of the trials with responses by their number of frames, and those without responses."""
    by_length: dict[int, list[int]] = defaultdict(list)
    left_out = []
    try:
        numbers = sorted(int(path.stem) for path in (mouse / "data/videos").glob("*.npy"))
    except ValueError as error:
        raise InputError(f"{mouse / 'data/videos'}: holds a file that is no N.npy ({error}).") from error
    for trial in numbers:
        response = mouse / "data/responses" / f"{trial}.npy"
        n_frames = _finite_frames(response) if response.exists() else 0
        if n_frames:
            by_length[n_frames].append(trial)
        else:
            left_out.append(trial)
    if not by_length:
        raise InputError(f"{mouse}: none of the {len(numbers)} videos has responses; wanted data/responses/N.npy.")
    return dict(sorted(by_length.items())), left_out


def _mapped(path: Path, dims: int) -> np.ndarray:
    """An array on disk, its last axis the frames."""
    require(path, "an array whose last axis is the frames")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: cannot be read as a numpy .npy file ({error}); copy it again.") from error
    if array.ndim != dims:
        raise InputError(f"{path}: has the shape {array.shape}; wanted {dims} axes, the last of them the frames.")
    return array


def _finite_frames(path: Path) -> int:
    """Frames before the padding, by the first neuron."""
    return int(np.isfinite(_mapped(path, 2)[0]).sum())


def _stacked(mouse: Path, kind: str, trials: list[int], n_frames: int) -> Any:
    """The arrays of all trials (trial, frame, ...), each read when it is used."""
    import dask  # here, so that listing data sets does not wait for it
    import dask.array

    dims = 3 if kind == "videos" else 2
    paths = [mouse / "data" / kind / f"{trial}.npy" for trial in trials]
    first = _mapped(paths[0], dims)
    shape = (n_frames, *first.shape[:-1])
    for path in paths:
        found = _mapped(path, dims).shape
        if found[:-1] != first.shape[:-1] or found[-1] < n_frames:
            raise InputError(
                f"{path}: has the shape {found}; wanted {first.shape[:-1]} as trial {trials[0]} has, and {n_frames} "
                "frames or more, as the responses have."
            )
    parts = [dask.array.from_delayed(dask.delayed(_frames_first)(path, n_frames), shape, first.dtype) for path in paths]
    return dask.array.stack(parts)


def _frames_first(path: Path, n_frames: int) -> np.ndarray:
    return np.moveaxis(np.load(path, allow_pickle=False)[..., :n_frames], -1, 0)


def _stream(values: Any, attributes: dict[str, Any]) -> Stream:
    return Stream(values, SAMPLING_HZ, "1", 0.0, ("trial", "time"), attributes)


def _units(mouse: Path, trial: int) -> UnitTable | None:
    n_units = len(_mapped(mouse / "data/responses" / f"{trial}.npy", 2))
    ids, places = (mouse / "meta/neurons" / name for name in ("unit_ids.npy", "cell_motor_coordinates.npy"))
    names = Archive(ids).array("array", (n_units,)) if ids.exists() else np.arange(n_units)
    columns = {}
    if places.exists():
        coordinates = Archive(places).array("array", (n_units, 3)).astype(np.float64)
        columns = {axis: (coordinates[:, index], "um") for index, axis in enumerate("xyz")}
    return UnitTable([str(one) for one in names], columns)


DATASET = Dataset(
    name="sensorium2023",
    title="mouse visual cortex, two-photon responses to natural videos (Sensorium 2023 folders)",
    source="the Sensorium 2023 competition, G-Node gin.g-node.org/pollytur/sensorium_2023_dataset",
    citation=PAPER,
    licence="that of the repository: Creative Commons, non-commercial",
    size="tens of GB, 10 mice, 30 Hz",
    load=load,
    traps=(
        "trials of test tiers come without responses: they are left out, and counted in the log",
        "responses are deconvolved or calcium traces resampled to 30 Hz, not spikes",
    ),
)
