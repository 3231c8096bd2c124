"""Two recordings of a grasshopper auditory receptor neuron, which the `nitime` wheel carries.

The files state nothing of temperature, species or electrode. What the publications say of this preparation stands in
`grasshopper.toml` beside this module, with its sources; it is added to the protocol as what it is.
"""

from functools import partial
from importlib import util
from pathlib import Path

import xarray as xr

from twin import recording
from twin.datasets.dataset import Dataset, Recordings
from twin.errors import InputError
from twin.protocol import read_toml
from twin.readers import crcns_ia1

SUPPLEMENT = Path(__file__).with_name("grasshopper.toml")
RECORDINGS = (1, 2)


def files(folder: Path, number: int) -> tuple[Path, Path]:
    """Stimulus file and spike-time file of recording 1 or 2."""
    return folder / f"grasshopper_stimulus{number}.txt", folder / f"grasshopper_spike_times{number}.txt"


def load(folder: Path) -> Recordings:
    """Both recordings, "grasshopper_1" and "grasshopper_2"."""
    return {f"grasshopper_{number}": partial(load_one, folder, number) for number in RECORDINGS}


def load_one(folder: Path, number: int, supplement: Path = SUPPLEMENT) -> xr.DataTree:
    """One of the two recordings, with the protocol that its files and `supplement` give.

    Raises:
        InputError: as `twin.readers.crcns_ia1.read` and `twin.protocol.read_toml` do.
    """
    read_toml(supplement)
    paths = files(folder, number)
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: no such file; give the folder that holds the four grasshopper_*.txt files.")
    if not crcns_ia1.accepts(paths):
        raise InputError(f"{paths[1]}: does not start with a '# key: value' header, as a spike-time file does.")
    return recording.with_protocol_file(crcns_ia1.read(paths, name=f"grasshopper_{number}"), supplement)


def nitime_folder() -> Path:
    """The data folder of the installed `nitime`.

    Raises:
        InputError: nitime is not installed.
    """
    spec = util.find_spec("nitime")
    if spec is None or spec.origin is None:
        raise InputError("the grasshopper recordings come with the package nitime, which is not installed: install it.")
    return Path(spec.origin).parent / "data"


DATASET = Dataset(
    name="grasshopper",
    title="grasshopper auditory receptor neuron, two 10 s recordings with noise-modulated sound",
    source="CRCNS ia-1, as shipped by nitime",
    citation="Rokem et al. 2006, J Neurophysiol 95:2541; doi 10.1152/jn.00891.2005",
    licence="BSD-3-Clause (nitime)",
    size="7.3 MB, 929 spikes in the first",
    folder=nitime_folder,
    load=load,
)
