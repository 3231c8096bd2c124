"""Mouse visual cortex, Neuropixels: light on parvalbumin cells, and sham windows without it."""

import re
from functools import partial
from pathlib import Path

import xarray as xr

from twin import recording
from twin.datasets.dataset import Dataset, Recordings
from twin.datasets.facts import reported
from twin.datasets.originals import Archive, find, logged
from twin.errors import InputError
from twin.protocol import Protocol
from twin.recording import Stream

SOURCE = "DuncDennis/perturbation_testing_tutorial, data/cache"
_NUMBER = re.compile(r"\d+(\.\d+)?")
_SETTING = re.compile(r"(?P<key>[a-z]+)=(?P<value>[^_]+)")


def load(folder: Path) -> Recordings:
    """A recording for each file, "session_ID"; the file name has bin (dt), window (dur) and time before light (pre)."""
    paths = find(folder, "*.npz", "a file perturb_sess=ID_dt=..._dur=..._pre=..._....npz with z, light, kind and level")
    named = [(_settings(path), path) for path in paths]
    sessions = [settings["sess"] for settings, _ in named]
    return {
        f"session_{settings['sess']}" + (f"_{number}" if sessions.count(settings["sess"]) > 1 else ""): partial(
            load_one, path, settings
        )
        for number, (settings, path) in enumerate(named)
    }


def load_one(path: Path, settings: dict[str, str]) -> xr.DataTree:
    """Counts of all units, the light, and what differs from trial to trial; light may start at 0 s.

    The levels are arbitrary units of the light source. Pulses of 5 and of 10 ms have the same light in 10 ms bins: the
    column `duration` tells them apart.
    """
    archive = Archive(path)
    counts = archive.array("z", ("trial", "unit", "time"))
    n_trials, _, n_bins = counts.shape
    bin_s, start_s = float(settings["dt"]), -float(settings["pre"])
    light = archive.array("light", (n_trials, n_bins))
    if abs(n_bins * bin_s - float(settings["dur"])) > bin_s / 2:
        raise InputError(f"{path}: {n_bins} bins of {bin_s:g} s do not last the {settings['dur']} s of the file name.")
    columns = {
        "kind": archive.array("kind", (n_trials,), text=True),
        "waveform": archive.array("stimulus_name", (n_trials,), text=True),
        "level": archive.array("level", (n_trials,)),
        "condition": archive.array("condition", (n_trials,)),
    }
    trials = {name: (values, "1") for name, values in columns.items()}
    facts = {
        "what": "optogenetic light, arbitrary units of the source",
        "acts_on": "parvalbumin cells (Pvalb-Cre x Ai32)",
    }
    tree = recording.from_counts(
        counts.transpose(0, 2, 1),
        bin_s,
        name=f"session_{settings['sess']}",
        start_s=start_s,
        trials=trials | {"duration": (archive.array("duration", (n_trials,)), "s")},
        interventions={"light": Stream(light, 1.0 / bin_s, "1", start_s, ("trial", "time"), facts)},
        protocol=Protocol(
            reported(
                SOURCE,
                species="mouse",
                lab="Allen Institute for Brain Science",
                preparation="in vivo, awake, head-fixed, visual cortex",
                recording_method="Neuropixels",
                genotype="Pvalb-Cre x Ai32 (channelrhodopsin in parvalbumin cells)",
                areas=settings.get("areas"),
            )
        ),
    )
    sham = "gaps at least 0.1 s away from any light, so they follow stimulation"
    return logged(tree, [path], order="opto trials before sham trials, not in time order", sham=sham)


def _settings(path: Path) -> dict[str, str]:
    settings = {match["key"]: match["value"] for match in _SETTING.finditer(path.stem)}
    numbers = [key for key in ("dt", "dur", "pre") if not _NUMBER.fullmatch(settings.get(key, ""))]
    missing = [] if "sess" in settings else ["sess"]
    missing += numbers
    if missing:
        raise InputError(
            f"{path}: the file name has no {missing[0]}=...; wanted perturb_sess=ID_dt=..._dur=..._pre=...."
        )
    return settings


DATASET = Dataset(
    name="allen_npx_pvopto",
    title="mouse visual cortex, Neuropixels, optogenetic activation of parvalbumin cells with sham windows",
    source=SOURCE,
    citation="Siegle et al. 2021, Nature; Sourmpis et al., eLife 106827",
    licence="none seen; Allen Institute Terms of Use (data): local use, do not redistribute",
    size="0.5 MB, 371 units, trials of 1.5 s in 10 ms bins",
    load=load,
    traps=(
        "pulses of 5 and 10 ms have identical light in 10 ms bins: use the trial column duration",
        "sham windows are gaps between light periods, not randomised, and are listed after the opto trials",
        "which unit lies in which area is not in the file",
    ),
)
