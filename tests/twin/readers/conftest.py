"""Small files of each format, made byte by byte, so that the readers are tested where no recordings are."""

import datetime
import struct
import warnings
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

BLOCK = 512


def abf1(
    path,
    raw,
    units=("mV", "pA"),
    *,
    sampling_hz=10_000.0,
    telegraph=None,
    dac_unit="pA",
    epochs=(),
    tags=(),
    scale=0.02,
):
    """An Axon file of version 1: `raw` int16 (sweep, time, channel), `value = raw * 10 / 32768 / scale`."""
    n_sweeps, n_samples, n_channels = raw.shape
    header = bytearray(6144)

    def put(offset, form, *values):
        struct.pack_into("<" + form, header, offset, *values)

    data_block, n_bytes = 12, raw.size * 2
    synch_block = data_block + -(-n_bytes // BLOCK)
    tag_block = synch_block + -(-(n_sweeps * 8) // BLOCK)
    put(0, "4sfhihi", b"ABF ", 1.83, 5, raw.size, 0, n_sweeps)
    put(20, "ii", 20260102, 36_000)
    put(40, "3i", data_block, tag_block if tags else 0, len(tags))
    put(92, "2i", synch_block, n_sweeps)
    put(120, "hf", n_channels, 1e6 / sampling_hz / n_channels)
    put(138, "i", n_samples * n_channels)
    put(244, "f", 10.0)
    put(252, "i", 32768)
    put(378, "16h", *range(16))
    put(410, "16h", *(k if k < n_channels else -1 for k in range(16)))
    for k in range(16):
        put(442 + 10 * k, "10s", f"Ch{k}".encode().ljust(10))
        put(602 + 8 * k, "8s", (units[k] if k < len(units) else "mV").encode().ljust(8))
    for offset, value in ((730, 1.0), (922, scale), (1050, 1.0)):
        put(offset, "16f", *[value] * 16)
    for k in range(4):
        put(1306 + 10 * k, "10s", f"Cmd {k}".encode().ljust(10))
        put(1346 + 8 * k, "8s", dac_unit.encode().ljust(8))
    put(2296, "2h2h2h", int(bool(epochs)), 0, 1, 1, 0, 0)
    for k, (kind, level, level_step, duration, duration_step) in enumerate(epochs):
        for offset, form, value in (
            (2308 + 2 * k, "h", kind), (2348 + 4 * k, "f", level), (2428 + 4 * k, "f", level_step),
            (2508 + 4 * k, "i", duration), (2588 + 4 * k, "i", duration_step),
        ):  # fmt: skip
            put(offset, form, value)
    put(4576, "16f", *[1.0] * 16)
    if telegraph:
        put(4512, "h", 1)
        put(4544, "h", telegraph["instrument"])
        put(4640, "f", telegraph["filter_hz"])
        put(4768, "h", telegraph["mode"])
    put(4898, "16s", b"C:\\steps.pro")
    put(5154, "12s", b"slice 3     ")
    synch = b"".join(
        struct.pack("<2i", 2 * k * n_samples * n_channels, n_samples * n_channels) for k in range(n_sweeps)
    )
    marks = b"".join(struct.pack("<i56shh", when, text.encode().ljust(56), 1, 0) for when, text in tags)
    body = raw.astype("<i2").tobytes().ljust((synch_block - data_block) * BLOCK, b"\0")
    path.write_bytes(bytes(header) + body + synch.ljust((tag_block - synch_block) * BLOCK, b"\0") + marks)
    return path


def ibw(path, values, unit="mV", *, step=2.5e-4, time_unit="s", note=b"", big_endian=False):
    """An Igor binary wave of version 5 with the samples of one sweep, float32."""
    order = ">" if big_endian else "<"
    data = np.asarray(values, order + "f4").tobytes()
    head = bytearray(384)

    def put(offset, form, *numbers):
        struct.pack_into(order + form, head, offset, *numbers)

    put(0, "hhiiiiii", 5, 0, 320 + len(data), 0, len(note), 0, 0, 0)
    wave = 64
    put(wave + 4, "II", 3_800_000_000, 3_800_000_000)
    put(wave + 12, "i", len(values))
    put(wave + 16, "h", 2)
    put(wave + 28, "32s", path.stem[:31].encode())
    put(wave + 68, "4i", len(values), 0, 0, 0)
    put(wave + 84, "4d", step, 1.0, 1.0, 1.0)
    put(wave + 148, "4s", unit.encode())
    put(wave + 152, "4s", time_unit.encode())
    words = np.frombuffer(bytes(head), order + "i2").astype(np.int64).sum()
    put(2, "h", (-int(words) + 2**15) % 2**16 - 2**15)
    path.write_bytes(bytes(head) + data + note)
    return path


def nwb(path, add: Callable, **fields):
    """An NWB file; `add(pynwb, file)` fills it."""
    import pynwb

    start = datetime.datetime(2026, 1, 2, 10, 0, tzinfo=datetime.UTC)
    file = pynwb.NWBFile(session_description="made for a test", identifier="t", session_start_time=start, **fields)
    with warnings.catch_warnings(action="ignore"):  # advice to whoever writes files
        add(pynwb, file)
        with pynwb.NWBHDF5IO(str(path), "w") as io:
            io.write(file)
    return path


def wcp(path, raw, units=("mV", "pA"), *, sampling_hz=10_000.0):
    """A WinWCP file: `raw` int16 (record, time, channel), `value = raw * 10 / 32767 / 0.01`."""
    n_records, n_samples, n_channels = raw.shape
    blocks = n_samples * n_channels * 2 // BLOCK
    lines = [
        "VER=8", f"NC={n_channels}", f"NR={n_records}", "NBH=2", "NBA=2", f"NBD={blocks}", "ADCMAX=32767",
        f"NP={n_samples * n_channels}", "AD=10", f"DT={1 / sampling_hz}",
    ]  # fmt: skip
    for k in range(n_channels):
        lines += [f"YN{k}=Ch{k}", f"YO{k}={k}", f"YU{k}={units[k]}", f"YG{k}=0.01"]
    content = ("\r\n".join(lines) + "\r\n").encode().ljust(1024, b"\0")
    for record in raw:
        analysis = struct.pack("<8s4s3f8f", b"ACCEPTED", b"TEST", 0.0, 0.0, 1 / sampling_hz, *[10.0] * 8)
        content += analysis.ljust(1024, b"\0") + record.astype("<i2").tobytes()
    path.write_bytes(content)
    return path


@pytest.fixture
def make_abf() -> Callable[..., Path]:
    """Write an Axon file of version 1."""
    return abf1


@pytest.fixture
def make_ibw() -> Callable[..., Path]:
    """Write an Igor wave."""
    return ibw


@pytest.fixture
def make_nwb() -> Callable[..., Path]:
    """Write an NWB file."""
    return nwb


@pytest.fixture
def make_wcp() -> Callable[..., Path]:
    """Write a WinWCP file."""
    return wcp


@pytest.fixture
def stored_values() -> Callable[..., np.ndarray]:
    """The physical values of an HDF5 data set of an NWB file, by h5py and the format's own rule."""

    def values(path, name):
        with h5py.File(path) as file:
            data = file[name]
            return data[()].astype(np.float64) * data.attrs.get("conversion", 1.0) + data.attrs.get("offset", 0.0)

    return values
