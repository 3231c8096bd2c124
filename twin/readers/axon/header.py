"""The header of an Axon file, on top of Neo's parser."""

import struct
from pathlib import Path
from typing import Any

import numpy as np

from twin.errors import InputError
from twin.readers.axon import version_1, version_2
from twin.readers.axon.parts import BLOCK, Header
from twin.readers.libraries import library

_MOST_SWEEPS = 1_000_000
_FASTEST_HZ = 1e8
# Of version 2: the bytes of the table of sections (block, bytes of an entry, entries), and the section of the texts.
_INDEX, _INDEX_END, _TEXTS = 76, 364, 9


def read(path: Path) -> Header:
    """The header of an Axon file.

    Raises:
        InputError: the header has impossible values. Whatever Neo stumbles over passes: call it within
            `twin.readers.libraries.parsing`.
    """
    _require_sections(path)
    reader = library("neo.rawio", "reading an Axon file").AxonRawIO(filename=str(path))
    reader.parse_header()
    info = reader._axon_info
    version = version_1 if info["fFileVersionNumber"] < 2.0 else version_2
    inputs, sampling_hz = version.inputs(reader, info, path), float(reader._sampling_rate)
    if not (np.isfinite(sampling_hz) and 0 < sampling_hz < _FASTEST_HZ) or not inputs:
        raise InputError(f"{path}: the header gives {len(inputs)} channels at {sampling_hz:g} Hz; copy the file again.")
    if not all(np.isfinite([one.factor, one.offset]).all() and one.factor != 0 for one in inputs):
        raise InputError(f"{path}: the header gives a channel without a finite gain; copy the file again.")
    # Tags count ticks of a length that the header states, or samples of any channel where that is 0.
    tick_s = version.tick_us(info) * 1e-6 or 1.0 / (sampling_hz * len(inputs))
    return Header(
        version=f"{info['fFileVersionNumber']:.4g}",
        sampling_hz=sampling_hz,
        dtype=np.dtype(str(reader.header["signal_channels"][0]["dtype"])),
        sweeps=_sweeps(reader, path),
        inputs=inputs,
        outputs=version.outputs(info, path),
        tags=tuple((ticks * tick_s, words) for ticks, words in version.tags(info, path)),
        comment=version.comment(info, path),
        protocol_path=version.protocol_path(info, path),
        recorded="" if info["rec_datetime"] is None else info["rec_datetime"].isoformat(),
        varied_by_list=version.varied_by_list(info, path),
        alternating=version.alternating(info),
    )


def _require_sections(path: Path) -> None:
    """Refuse parts beyond the end of the file: the parser would go through as many entries as the header says."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        start = file.read(_INDEX_END).ljust(_INDEX_END, b"\0")
    if start[:4] == b"ABF2":
        parts = list(struct.iter_unpack("<IIq", start[_INDEX:]))
        parts[_TEXTS] = (*parts[_TEXTS][:2], 1)  # of the texts the size is that of all of them
    else:
        tags, sweeps = struct.unpack_from("<ii", start, 44), struct.unpack_from("<ii", start, 92)
        parts = [(tags[0], 64, tags[1]), (sweeps[0], 8, sweeps[1])]
    for block, n_bytes, n in parts:
        if n and not (n > 0 and n_bytes > 0 and block >= 0 and block * BLOCK + n_bytes * n <= size):
            raise InputError(
                f"{path}: the header announces {n} entries of {n_bytes} bytes from byte {block * BLOCK} on, and the "
                f"file has {size} bytes; copy the file again."
            )


def _sweeps(reader: Any, path: Path) -> tuple[tuple[int, int, float], ...]:
    n = int(reader.header["nb_segment"][0])
    if not 0 < n <= _MOST_SWEEPS:
        raise InputError(f"{path}: the header counts {n} sweeps; copy the file again.")
    found = []
    for sweep in range(n):
        buffer, start_s = reader._buffer_descriptions[0][sweep]["0"], float(reader.segment_t_start(0, sweep))
        n_samples = int(buffer["shape"][0])
        if not (np.isfinite(start_s) and n_samples > 0):
            raise InputError(f"{path}: sweep {sweep} has {n_samples} samples from {start_s:g} s; copy the file again.")
        found.append((int(buffer["file_offset"]), n_samples, start_s))
    return tuple(found)
