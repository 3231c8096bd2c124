"""Memory of `twin ingest` and `twin inspect` by the size of the recording: `python -m benchmarks.streaming --help`.

A file in NWB with one long sweep of current clamp is generated, read into a recording, and summarised, each in a
process of its own whose peak is what the operating system says. The peak must not grow with the file.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
from pynwb import NWBHDF5IO, NWBFile
from pynwb.icephys import CurrentClampSeries

BLOCK = 1_000_000  # samples that are generated at a time
BYTES = 4  # of a sample


def generate(path: Path, gigabytes: float) -> None:
    """A file with one sweep of noise and steps, about `gigabytes` large, written block by block."""
    n_samples = max(BLOCK, round(gigabytes * 1e9 / BYTES))
    file = NWBFile(
        session_description="generated", identifier="streaming", session_start_time=datetime(2020, 1, 1, tzinfo=UTC)
    )
    device = file.create_device(name="amplifier")
    electrode = file.create_icephys_electrode(name="electrode", description="generated", device=device)
    series = CurrentClampSeries(
        name="sweep", data=np.zeros(1, np.float32), electrode=electrode, gain=1.0, rate=2e4, conversion=1.0
    )
    file.add_acquisition(series)
    with NWBHDF5IO(path, "w") as io:
        io.write(file)
    with h5py.File(path, "r+") as h5:
        group = h5["acquisition/sweep"]
        attributes = dict(group["data"].attrs)
        del group["data"]
        data = group.create_dataset("data", (n_samples,), np.float32, chunks=(65_536,))
        data.attrs.update(attributes)
        random = np.random.default_rng(0)
        for start in range(0, n_samples, BLOCK):
            stop = min(start + BLOCK, n_samples)
            data[start:stop] = (-0.06 + 0.002 * random.standard_normal(stop - start)).astype(np.float32)


def measured(*command: str) -> tuple[float, float]:
    """Seconds and peak resident memory (MiB) of a command of this project.

    Raises:
        SystemExit: the command failed.
    """
    started = time.perf_counter()
    code = "from experiments.cli import main; main()"
    process = subprocess.Popen([sys.executable, "-c", code, *command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"twin {' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def main() -> None:
    """Prints a row for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, nargs="+", default=[0.01, 1.0, 4.0])
    parser.add_argument("--folder", type=Path, help="with room for twice the largest file; a temporary one otherwise")
    chosen = parser.parse_args()
    print("| file, GB | ingest, s | ingest, peak MiB | inspect, s | inspect, peak MiB |\n|---|---|---|---|---|")
    for gigabytes in chosen.gigabytes:
        folder = Path(tempfile.mkdtemp(dir=chosen.folder))
        try:
            generate(folder / "long.nwb", gigabytes)
            ingest = measured("ingest", str(folder / "long.nwb"), "--out", str(folder / "long.zarr"))
            inspect = measured("inspect", str(folder / "long.zarr"))
        finally:
            shutil.rmtree(folder)
        print(
            f"| {gigabytes:g} | {ingest[0]:.1f} | {ingest[1]:.0f} | {inspect[0]:.1f} | {inspect[1]:.0f} |", flush=True
        )


if __name__ == "__main__":
    main()
