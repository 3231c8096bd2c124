"""Allen Cell Types Database: whole-cell recordings of single cells, one NWB file each (version 1, or version 2).

A file of version 1 has `epochs/Sweep_N/{stimulus,response}/timeseries`, `epochs/Experiment_N` (the sweep without its
test pulse) and `stimulus/presentation/Sweep_N/aibs_stimulus_name`. Files that the pipeline made before its version 1.1
state a factor that is not to be applied: their samples are volts and amperes already.
"""

import re
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from twin import recording
from twin.datasets import hdf5
from twin.datasets.dataset import Dataset, Recordings
from twin.datasets.facts import reported
from twin.datasets.originals import find, logged, read_nwb
from twin.errors import InputError, UnsupportedError
from twin.protocol import Covariate, Protocol
from twin.recording import Sweeps

SOURCE = "Allen Cell Types Database"
FIRST_TRUE_FACTOR = (1, 1)  # the first version of the pipeline whose files state the factor that is to be applied
SUBJECT = {
    "species": "general/subject/species",
    "subject": "general/subject/subject_id",
    "genotype": "general/subject/genotype",
    "cre_line": "general/aibs_cre_line",
    "specimen": "general/aibs_specimen_id",
    "dendrite_type": "general/aibs_dendrite_type",
    "age_as_stated": "general/subject/age",
}


def load(folder: Path) -> Recordings:
    """A recording for each `.nwb` file, also in folders below."""
    paths = find(folder, "**/*.nwb", "files SPECIMEN.nwb or SPECIMEN_ephys.nwb")
    return {path.stem: partial(load_one, path) for path in paths}


def load_one(path: Path) -> xr.DataTree:
    """All sweeps of a cell; those of one stimulus, clamp, length and sampling are one kind."""
    if hdf5.generation(path) == 2:
        return read_nwb(path, path.stem)
    with hdf5.opened(path) as file:
        factors_are_true = pipeline_version(file) >= FIRST_TRUE_FACTOR
        numbers = sorted(int(name.split("_")[1]) for name in hdf5.member(file, "epochs") if name.startswith("Sweep_"))
        sweeps = [_describe(file, number) for number in numbers]
        facts = _facts(file)
    if not sweeps:
        raise InputError(f"{path}: has no epochs/Sweep_N; wanted one or more sweeps.")
    groups: dict[tuple, list[dict[str, Any]]] = defaultdict(list)
    for sweep in sweeps:
        groups[sweep["stimulus"], sweep["clamp"], sweep["n"], sweep["rate"]].append(sweep)
    names = [stimulus for stimulus, *_ in groups]
    kinds = {
        _kind_name(names, index, clamp, n): _kind(path, members, factors_are_true)
        for index, ((_, clamp, n, _), members) in enumerate(groups.items())
    }
    tree = recording.from_sweeps(kinds, name=path.stem, protocol=Protocol(facts))
    return logged(tree, [path], factors_of_the_file_applied=factors_are_true)


def pipeline_version(file: h5py.File) -> tuple[int, int]:
    """Of `general/generated_by`, a list of keys and values; (0, 0) where it is not stated."""
    if "general/generated_by" not in file:
        return 0, 0
    words = [hdf5.text(word) for word in np.asarray(file["general/generated_by"][()]).reshape(-1)]
    stated = words[words.index("version") + 1] if "version" in words[:-1] else ""
    match = re.match(r"(\d+)\.(\d+)", stated)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _describe(file: h5py.File, number: int) -> dict[str, Any]:
    """What is known of a sweep without its samples."""
    sweep = hdf5.member(file, f"epochs/Sweep_{number}")
    stimulus, response = (hdf5.member(sweep, f"{role}/timeseries") for role in ("stimulus", "response"))
    if hdf5.member(stimulus, "data").shape != hdf5.member(response, "data").shape:
        raise InputError(f"{file.filename}: stimulus and response of Sweep_{number} differ in length; wanted the same.")
    rate = float(hdf5.member(stimulus, "starting_time").attrs["rate"])
    n = int(stimulus["data"].shape[0])
    experiment = f"epochs/Experiment_{number}/stimulus"
    first, count = (file[f"{experiment}/{key}"][()] for key in ("idx_start", "count")) if experiment in file else (0, n)
    shown = f"stimulus/presentation/Sweep_{number}"
    return {
        "number": number,
        "clamp": _clamp(file.filename, number, hdf5.text(stimulus["data"].attrs.get("unit"))),
        "n": n,
        "rate": rate,
        "stimulus": hdf5.text_at(file, f"{shown}/aibs_stimulus_name") or "sweeps",
        "amplitude": _number(file, f"{shown}/aibs_stimulus_amplitude_pa") * 1e-3,
        "sweep_start": float(np.asarray(response["starting_time"][()]).reshape(-1)[0]),
        "experiment_start": float(first) / rate,
        "experiment_stop": float(first + count) / rate,
    }


def _number(file: h5py.File, name: str) -> float:
    return float(np.asarray(file[name][()]).reshape(-1)[0]) if name in file else np.nan


def _clamp(path: str, number: int, unit: str) -> str:
    """What was imposed tells the clamp: "Amps" or "A" the current, "Volts" or "V" the voltage."""
    if unit[:1].upper() not in ("A", "V"):
        raise UnsupportedError(
            f"{path}: the stimulus of Sweep_{number} has the unit {unit!r}; wanted amperes or volts to tell the clamp."
        )
    return "current" if unit[:1].upper() == "A" else "voltage"


def _kind_name(names: list[str], index: int, clamp: str, n: int) -> str:
    """The stimulus, as a name; with clamp and length where several kinds have that stimulus."""
    stimulus = names[index]
    plain = re.sub(r"\W+", "_", stimulus).strip("_")
    if names.count(stimulus) == 1:
        return plain
    same = sum(name == stimulus for name in names[:index])
    return f"{plain}_{clamp}_{n}" + (f"_{same}" if same else "")


def _kind(path: Path, sweeps: list[dict[str, Any]], factors_are_true: bool) -> Sweeps:
    import dask  # here, so that listing data sets does not wait for it
    import dask.array

    def stacked(role: str, factor: float) -> Any:
        read = dask.delayed(_samples)
        rows = [
            dask.array.from_delayed(
                read(path, sweep["number"], role, factors_are_true, factor), (sweep["n"],), np.float32
            )
            for sweep in sweeps
        ]
        return dask.array.stack(rows)

    clamp = sweeps[0]["clamp"]
    voltage, current = ("response", "stimulus") if clamp == "current" else ("stimulus", "response")
    columns = {key: "s" for key in ("sweep_start", "experiment_start", "experiment_stop")}
    columns |= {"amplitude": "nA"} if clamp == "current" else {}
    return Sweeps(
        sweeps[0]["rate"],
        voltage_mv=stacked(voltage, 1e3),
        current_na=stacked(current, 1e9),
        clamp=clamp,
        ids=[str(sweep["number"]) for sweep in sweeps],
        columns={key: (np.array([sweep[key] for sweep in sweeps]), unit) for key, unit in columns.items()},
    )


def _samples(path: Path, number: int, role: str, factors_are_true: bool, factor: float) -> np.ndarray:
    with hdf5.opened(path) as file:
        data = file[f"epochs/Sweep_{number}/{role}/timeseries/data"]
        stated = float(data.attrs.get("conversion", 1.0)) if factors_are_true else 1.0
        return (data[()].astype(np.float64) * (stated * factor)).astype(np.float32)


def _facts(file: h5py.File) -> dict[str, Covariate]:
    source = f"{SOURCE}, {Path(file.filename).name}"
    return reported(
        source,
        lab="Allen Institute for Brain Science",
        recording_method="whole-cell patch",
        preparation="acute slice",
        **{name: hdf5.text_at(file, place) for name, place in SUBJECT.items()},
    )


DATASET = Dataset(
    name="allen_cell_types",
    title="Allen Cell Types Database, whole-cell recordings of single cells (NWB 1 and 2)",
    source="Allen Cell Types Database, celltypes.brain-map.org (one .nwb a specimen); NWB 2 on DANDI",
    citation="Gouwens et al. 2019, Nat Neurosci 22:1182; Allen Cell Types Database",
    licence="Allen Institute Terms of Use",
    size="about 20 to 200 MB a cell",
    load=load,
    traps=(
        "a sweep starts with a test pulse: the columns experiment_start and experiment_stop leave it out",
        "early files state a factor that must not be applied; the version of the pipeline decides",
    ),
)
