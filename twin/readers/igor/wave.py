"""One Igor binary wave: its samples in mV or nA, and what its header says."""

import dataclasses
import datetime
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np

from twin.errors import InputError, UnsupportedError
from twin.readers.igor.notes import fields
from twin.readers.libraries import library, parsing, scaled
from twin.readers.quantities import convert, measures

KEPT_IN = {"V": "mV", "A": "nA"}
_CHANNEL = re.compile(r"_?(?:ch|chan|channel)_?\d+", re.IGNORECASE)
_EPOCH = datetime.datetime(1904, 1, 1)
_NUMBERS = ("<f4", "<f8", "|i1", "<i2", "<i4", "|u1", "<u2", "<u4")
# Version -> bytes of the header that the checksum covers, and where the sizes of its parts lie, and how many.
_HEADERS = {2: (126, 2, 3), 3: (130, 2, 4), 5: (384, 4, 13)}
_LONGEST_HEADER = 384


@dataclasses.dataclass(frozen=True)
class Wave:
    """One wave as (sweep, time), in mV or nA."""

    path: Path
    values: np.ndarray
    kind: str
    sampling_hz: float
    start_s: float
    note: str
    created: str

    @property
    def sweep(self) -> str:
        """The name of the file without its channel."""
        return _CHANNEL.sub("", self.path.stem)


def is_wave(path: Path) -> bool:
    """A header whose checksum fits vouches for itself; some programs write none, and then the name has to."""
    if path.suffix.lower() == ".ibw":
        return True
    start = _start(path)
    order, version = _version(start)
    length = _HEADERS.get(version, (0, 0, 0))[0]
    words = np.frombuffer(start[:length], order + "i2").astype(np.int64)
    return 0 < length <= len(start) and int(words.sum()) & 0xFFFF == 0


def _start(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_LONGEST_HEADER)
    except OSError:
        return b""


def _version(start: bytes) -> tuple[str, int]:
    """Byte order and version of a wave; version 0 of what is none."""
    versions = {order: struct.unpack(order + "h", start[:2].ljust(2))[0] for order in "<>"}
    return next(((order, version) for order, version in versions.items() if version in _HEADERS), ("<", 0))


def load(path: Path) -> Wave:
    """A wave.

    Raises:
        InputError: it is cut off, broken, or has no unit of time.
        UnsupportedError: it is neither voltage nor current, or holds texts or complex numbers.
    """
    if fault := _fault(path):
        raise InputError(
            f"{path}: is not an Igor binary wave, or was cut off or changed: {fault}; copy the file again."
        )
    parser = library("igor2.binarywave", "reading an Igor wave")
    with parsing(path, "an Igor binary wave"):
        loaded = parser.load(str(path))
        return _wave(path, loaded["wave"])


def _fault(path: Path) -> str:
    """What is wrong with the version of a wave, or with the sizes of its parts.

    This comes before the parser, which makes a list of as many entries as a broken size says.
    """
    start, size = _start(path), path.stat().st_size
    order, version = _version(start)
    if not version:
        return "it does not begin with a version of the format"
    length, sizes_at, n_sizes = _HEADERS[version]
    if len(start) < length:
        return f"it ends after {size} bytes, within its header"
    sizes = struct.unpack_from(f"{order}{n_sizes}i", start, sizes_at)
    if min(sizes) < 0 or sum(sizes) > size:
        return f"its header announces {sum(sizes)} bytes or more, and it has {size}"
    return ""


def _wave(path: Path, wave: dict[str, Any]) -> Wave:
    header, values = wave["wave_header"], np.asarray(wave["wData"])
    if (
        values.dtype.newbyteorder("<").str not in _NUMBERS + ("|i1", "|u1")
        or values.ndim not in (1, 2)
        or not values.size
    ):
        raise UnsupportedError(
            f"{path}: holds {values.dtype} of the shape {values.shape}; wanted real numbers (time) or (time, sweep)."
        )
    note = _text(wave.get("note", b""))
    unit = _unit(header["dataUnits"]) or _text(wave.get("data_units", b""))
    dimension = measures(unit)
    if dimension not in KEPT_IN:
        raise UnsupportedError(
            f"{path}: the unit of the wave is {unit!r}; wanted a voltage or a current (set it in "
            "Igor with SetScale d), or give the numbers as a table with a TOML file that states the unit."
        )
    step, first = _scaling(path, header, wave, note)
    factor = convert(1.0, unit, KEPT_IN[dimension])
    rows = values[None, :] if values.ndim == 1 else values.T
    created = (_EPOCH + datetime.timedelta(seconds=int(header["creationDate"]))).isoformat()
    return Wave(path, scaled(rows, factor), dimension, 1.0 / step, first, note, created)


def _unit(raw: Any) -> str:
    """Units are four single letters in a row, or the first row of a table of them."""
    letters = np.asarray(raw)
    letters = letters[0] if letters.ndim == 2 else letters
    return b"".join(letters.tolist()).split(b"\0")[0].decode("latin-1").replace("\xb5", "u").strip()


def _text(raw: Any) -> str:
    return raw.decode("latin-1").strip("\0") if isinstance(raw, bytes) else str(raw)


def _scaling(path: Path, header: dict[str, Any], wave: dict[str, Any], note: str) -> tuple[float, float]:
    """Sampling interval and time of the first sample, s.

    The older acquisition program leaves the unit of time out, and writes the interval in microseconds into the note.
    """
    if "sfA" in header:
        step, first = float(header["sfA"][0]), float(header["sfB"][0])
        unit = _unit(header["dimUnits"]) or _text((wave.get("dimension_units") or [b""])[0])
    else:
        step, first, unit = float(header["hsA"]), float(header["hsB"]), _unit(header["xUnits"])
    if not unit and np.isclose(step, float(fields(note).get("SI", "nan")) * 1e-6):
        unit = "s"
    if measures(unit) != "s":
        raise InputError(
            f"{path}: the unit of the wave's time axis is {unit!r}; wanted 's' or 'ms' (SetScale/P x in Igor sets it)."
        )
    step, first = convert(step, unit, "s"), convert(first, unit, "s")
    if not (np.isfinite([step, first]).all() and 1e-9 < step < 1e4):
        raise InputError(f"{path}: the samples are {step:g} s apart, from {first:g} s; copy the file again.")
    return step, first
