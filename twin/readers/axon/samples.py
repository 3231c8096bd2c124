"""Samples and commands of an Axon file as arrays that are read or computed when they are used."""

from pathlib import Path
from typing import Any

import numpy as np

from twin.readers.axon import command
from twin.readers.axon.parts import Header, Output
from twin.readers.libraries import IN_MEMORY, library, scaled
from twin.readers.quantities import convert, measures

KEPT_IN = {"V": "mV", "A": "nA"}


def raw(path: Path, header: Header, sweep: int) -> np.ndarray:
    """The counts (time, channel) of one sweep, mapped from the file."""
    position, n, _ = header.sweeps[sweep]
    return np.memmap(path, header.dtype.newbyteorder("<"), "r", position, (n, len(header.inputs)))


def _stacked(path: Path, header: Header, channel: int, sweeps: list[int]) -> Any:
    """The raw samples (sweep, time) of a channel; of a long file a dask array on it."""
    if _values(header, sweeps) <= IN_MEMORY:
        return np.stack([raw(path, header, sweep)[:, channel] for sweep in sweeps])
    arrays = library("dask.array", "reading an Axon file")
    rows = []
    for sweep in sweeps:
        counts = raw(path, header, sweep)
        chunk = max(1, IN_MEMORY // counts.shape[1])
        rows.append(arrays.from_array(counts, chunks=(chunk, counts.shape[1]), name=False)[:, channel])
    return arrays.stack(rows)


def _values(header: Header, sweeps: list[int]) -> int:
    return sum(header.sweeps[sweep][1] for sweep in sweeps)


def signal(path: Path, header: Header, channel: int, sweeps: list[int]) -> Any:
    """A voltage or a current (sweep, time), in mV or nA."""
    one = header.inputs[channel]
    factor = convert(1.0, one.unit, KEPT_IN[str(measures(one.unit))])
    return scaled(_stacked(path, header, channel, sweeps), one.factor * factor, one.offset * factor)


def in_own_unit(path: Path, header: Header, channel: int) -> Any:
    """Any channel (sweep, time) of all sweeps, in the unit of its label."""
    one = header.inputs[channel]
    return scaled(_stacked(path, header, channel, list(range(len(header.sweeps)))), one.factor, one.offset)


def commanded(header: Header, output: Output, sweeps: list[int], factor: float) -> Any:
    """The command (sweep, time), float32; of a long file computed when it is used."""
    if _values(header, sweeps) <= IN_MEMORY:
        waves = np.stack([command.waveform(header, output, sweep) for sweep in sweeps])
        return scaled(waves, factor, dtype=np.dtype(np.float32))
    arrays, later = (library(module, "reading an Axon file") for module in ("dask.array", "dask"))
    wave = later.delayed(command.waveform)
    rows = [
        arrays.from_delayed(wave(header, output, sweep), (header.sweeps[sweep][1],), np.float64) for sweep in sweeps
    ]
    return scaled(arrays.stack(rows), factor, dtype=np.dtype(np.float32))
