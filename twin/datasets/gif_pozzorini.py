"""One cortical pyramidal neuron under frozen noise, nine times, with a test of the electrode."""

from functools import partial
from pathlib import Path

import xarray as xr

from twin import recording
from twin.datasets.dataset import Dataset, Recordings
from twin.datasets.facts import reported
from twin.datasets.originals import Archive, find, logged
from twin.protocol import Protocol

SOURCE = "pozzorin/GIFFittingToolbox, data/gif_test"
PAPER = "Pozzorini et al. 2015, PLoS Comput Biol, doi 10.1371/journal.pcbi.1004275"
KINDS = {"": ("V_volt", "I_amp"), "_electrode_test": ("aec_V_volt", "aec_I_amp")}


def load(folder: Path) -> Recordings:
    """For each `.npz` file the repeats, NAME, and the electrode test that goes with them, NAME_electrode_test."""
    archives = [Archive(path) for path in find(folder, "*.npz", "arrays V_volt, I_amp (repeat, time) and dt_s")]
    return {
        f"{archive.path.stem}{suffix}": partial(load_one, archive, suffix)
        for archive in archives
        for suffix, keys in KINDS.items()
        if not suffix or keys[0] in archive
    }


def load_one(archive: Archive, suffix: str) -> xr.DataTree:
    """The repeats ("") or the electrode test; V to mV and A to nA."""
    voltage_key, current_key = KINDS[suffix]
    voltage = archive.array(voltage_key, ("time",) if suffix else ("repeat", "time"))
    current = archive.array(current_key, voltage.shape)
    n = 1 if suffix else len(voltage)
    sampling_hz = archive.sampling_hz("dt_s")
    tree = recording.from_voltage(
        (voltage * 1e3).reshape(n, -1),
        sampling_hz,
        name=f"{archive.path.stem}{suffix}",
        current_na=(current * 1e9).reshape(n, -1),
        sweep_ids=["electrode_test"] if suffix else [f"repeat_{sweep}" for sweep in range(n)],
        protocol=Protocol(
            reported(PAPER, species="mouse", preparation="acute slice, neocortex, layer 5 pyramidal neuron")
            | reported(
                SOURCE,
                recording_method="whole-cell patch, current clamp, one electrode",
                series_resistance_compensation=0.0,
                sampling_rate=sampling_hz,
            )
        ),
    )
    return logged(tree, [archive.path], converted="V to mV, A to nA", voltage_holds_electrode_drop=True)


DATASET = Dataset(
    name="gif_pozzorini",
    title="cortical pyramidal neuron, repeats of frozen noise, and an electrode test",
    source=SOURCE,
    citation=f"{PAPER}; Mensi et al. 2016, PLoS Comput Biol",
    licence="none seen: local use, do not redistribute",
    size="4.7 MB, 9 repeats of 12 s at 10 kHz",
    load=load,
    traps=(
        "the voltage holds the drop over the electrode: the electrode test allows its removal",
        "slow drift: the voltage rises by a millivolt and the spike count with it from the first to the last repeat",
    ),
)
