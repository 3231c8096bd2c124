"""Spike trains of the R package STAR: cockroach antennal lobe with odour puffs, and cerebellar Purkinje cells."""

from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr

from twin import recording
from twin.datasets.dataset import Dataset, Recordings
from twin.datasets.facts import reported
from twin.datasets.originals import Archive, find, logged
from twin.errors import InputError
from twin.protocol import Covariate, Protocol
from twin.recording import Stream

SOURCE = "cran/STAR, data/*.rda"
VALVE_HZ = 100.0  # the published times of the valve are multiples of 10 ms
VALVE_S = {  # when the valve of the odour was open, s
    "CAL1V": (4.49, 4.99),
    "CAL2C": (5.87, 6.37),
    "e060517ionon": (6.07, 6.57),
    "e060817terpi": (6.03, 6.53),
    "e060817citron": (5.99, 6.49),
    "e060817mix": (6.01, 6.51),
    "e060824citral": (6.01, 6.51),
    "e070528citronellal": (6.14, 6.64),
}
ODOURS = {
    "ionon": "beta-ionone",
    "terpi": "terpineol",
    "mix": "mixture",
    "citral": "citral",
    "citronellal": "citronellal",
}
PURKINJE = {"mPK": "silicon probe", "sPK": "cell-attached"}
BICUCULLINE_UM = {"ctl": 0.0, "bicu": 25.0}


def load(folder: Path) -> Recordings:
    """A recording for each set of trains (`SET|neuron|trial or condition`)."""
    recordings: dict = {}
    for path in find(folder, "*.npz", "spike times, s, with keys SET|neuron|trial-or-condition"):
        archive = Archive(path)
        for key in archive.keys:
            if not 2 <= len(key.split("|")) <= 3:
                raise InputError(f"{path}: has the key {key!r}; wanted SET|neuron or SET|neuron|trial-or-condition.")
            name = key.split("|")[0]
            recordings[name] = partial(load_set, archive, name)
    return recordings


def load_set(archive: Archive, name: str) -> xr.DataTree:
    """All neurons of one set; trials are puffs, or the conditions control and bicuculline."""
    parts = {key: _neuron_and_trial(key) for key in archive.keys if key.split("|")[0] == name}
    trains = {parts[key]: times for key, times in archive.arrays(parts).items()}
    neurons = sorted({neuron for neuron, _ in trains}, key=_natural)
    trials = sorted({trial for _, trial in trains}, key=_natural, reverse=name in PURKINJE)  # control was first
    absent = [pair for pair in ((neuron, trial) for neuron in neurons for trial in trials) if pair not in trains]
    if absent:
        raise InputError(
            f"{archive.path}: set {name} has no {'|'.join(absent[0])}; wanted every neuron in every trial."
        )
    spikes = [[np.unique(trains[neuron, trial]) for neuron in neurons] for trial in trials]
    repeated = sum(train.size for train in trains.values()) - sum(train.size for trial in spikes for train in trial)
    stop_s = float(np.floor(max((train[-1] for trial in spikes for train in trial if train.size), default=0.0)) + 1.0)
    tree = recording.from_spikes(
        spikes,
        start_s=0.0,
        stop_s=stop_s,
        name=name,
        unit_ids=neurons,
        trials={"condition": ([trial or "spontaneous" for trial in trials], "1")},
        stimuli=_odour(name, len(trials), stop_s),
        interventions=_drug(trials) if set(trials) <= set(BICUCULLINE_UM) else None,
        protocol=Protocol(_facts(name)),
    )
    end = "the last spike, rounded up to a whole second: the files have no length"
    return logged(tree, [archive.path], repeated_spike_times_dropped=repeated, end_of_trials=end)


def _neuron_and_trial(key: str) -> tuple[str, str]:
    """Spontaneous sets have no trial, and the set of one Purkinje cell has no neuron."""
    _, *rest = key.split("|")
    if len(rest) == 2:
        return rest[0], rest[1]
    return ("neuron 1", rest[0]) if rest[0] in BICUCULLINE_UM else (rest[0], "")


def _natural(text: str) -> tuple[str, int]:
    """Order "stim. 2" before "stim. 10"."""
    digits = "".join(character for character in text if character.isdigit())
    return text.rstrip("0123456789"), int(digits or 0)


def _odour(name: str, n_trials: int, stop_s: float) -> dict[str, Stream] | None:
    """The valve, 1 while it is open."""
    if name not in VALVE_S:
        return None
    opens, closes = VALVE_S[name]
    time = np.arange(round(stop_s * VALVE_HZ)) / VALVE_HZ
    valve = ((time >= opens - 1e-9) & (time < closes - 1e-9)).astype(np.float32)
    odour = next((odour for short, odour in ODOURS.items() if name.endswith(short)), "not in the name of the set")
    facts = {"odour": odour, "what": "1 while the valve is open"}
    return {"valve": Stream(np.tile(valve, (n_trials, 1)), VALVE_HZ, "1", 0.0, ("trial", "time"), facts)}


def _drug(conditions: list[str]) -> dict[str, Stream]:
    doses = np.array([BICUCULLINE_UM[condition] for condition in conditions])
    facts = {"what": "concentration in the bath", "order": "control first, so drug and time are confounded"}
    return {"bicuculline": Stream(doses, None, "uM", leading=("trial",), attributes=facts)}


def _facts(name: str) -> dict[str, Covariate]:
    if name in PURKINJE:
        return reported(SOURCE, preparation="slice, cerebellar Purkinje cells", recording_method=PURKINJE[name])
    method = "extracellular, spike sorted"
    return reported(SOURCE, species="Periplaneta americana", preparation="antennal lobe", recording_method=method)


DATASET = Dataset(
    name="star_pouzat",
    title="cockroach antennal lobe under odour puffs, and Purkinje cells with and without bicuculline",
    source=SOURCE,
    citation="Pouzat, R package STAR; recordings A. Chaffiol and M. Delescluse",
    licence="GPL (>= 2), as part of the package",
    size="0.7 MB, 16 sets, 514 spike trains",
    load=load,
    traps=(
        "mPK and sPK: the two conditions are consecutive, so drug and time are confounded, and rates drift",
        "spike sorting leaves artefacts in the cross-correlograms of neighbouring neurons",
    ),
)
