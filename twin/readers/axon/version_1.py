"""Axon's version 1 (pCLAMP 6 to 9): fields at fixed bytes, of which Neo reads some."""

import struct
from pathlib import Path
from typing import Any

from twin.readers.axon.parts import BLOCK, Epoch, Input, Output, scaling, telegraph, text

Info = dict[str, Any]
_OFF = 0
# Fields that Neo does not read, by their byte in the header (Axon's description of the format, version 1.8).
_FIELDS = {
    "old_comment": (310, "56s"), "dac_names": (1306, "10s10s10s10s"), "dac_units": (1346, "8s8s8s8s"),
    "holding": (1394, "4f"), "list_enabled": (3360, "4h"), "instrument": (4544, "16h"), "low_pass": (4640, "16f"),
    "capacitance": (4704, "16f"), "mode": (4768, "16h"), "protocol_path": (4898, "256s"), "comment": (5154, "128s"),
}  # fmt: skip
_EXTENDED = 6144  # bytes of the header from version 1.6 on; before, it ends at 2048
_EPOCHS = 10  # of each of two outputs


def inputs(reader: Any, info: Info, path: Path) -> tuple[Input, ...]:
    """The channels that were recorded."""
    rows = scaling(reader)
    if not _is_extended(info):
        return tuple(Input(*row, None) for row in rows)
    fields = [_field(path, field) for field in ("instrument", "mode", "low_pass", "capacitance")]
    made = []
    for row, channel in zip(rows, reader.header["signal_channels"], strict=True):
        n = int(channel["id"])
        instrument, mode, low_pass, capacitance = (field[n] for field in fields)
        told = telegraph(instrument, mode, float(info["fTelegraphAdditGain"][n]), low_pass, capacitance)
        made.append(Input(*row, told if info["nTelegraphEnable"][n] == 1 else None))
    return tuple(made)


def outputs(info: Info, path: Path) -> tuple[Output, ...]:
    """The commands; there are waveforms for the first two of them."""
    if not _is_extended(info):
        return ()
    names, units, holding = (_field(path, field) for field in ("dac_names", "dac_units", "holding"))
    return tuple(
        Output(
            text(names[number]),
            text(units[number]),
            holding[number],
            enabled=bool(info["nWaveformEnable"][number] and info["nWaveformSource"][number]),
            from_file=bool(info["nWaveformSource"][number] == 2),
            keeps_last_level=bool(info["nInterEpisodeLevel"][number]),
            epochs=_epochs(info, number),
        )
        for number in range(2)
    )


def _epochs(info: Info, number: int) -> tuple[Epoch, ...]:
    fields = ("nEpochType", "fEpochInitLevel", "fEpochLevelInc", "lEpochInitDuration", "lEpochDurationInc")
    own = slice(_EPOCHS * number, _EPOCHS * (number + 1))
    rows = zip(*(info[field][own].tolist() for field in fields), strict=True)
    return tuple(Epoch(*row) for row in rows if row[0] != _OFF)


def tick_us(info: Info) -> float:
    """The unit of the times of tags, microseconds; 0 for samples."""
    return float(info["fSynchTimeUnit"])


def tags(info: Info, path: Path) -> list[tuple[int, str]]:
    """Ticks and words of each tag; Neo takes the number of their block for one of bytes."""
    with open(path, "rb") as file:
        file.seek(info["lTagSectionPtr"] * BLOCK)
        rows = [struct.unpack("<i56s4x", file.read(64)) for _ in range(info["lNumTagEntries"])]
    return [(ticks, text(words)) for ticks, words in rows]


def comment(info: Info, path: Path) -> str:
    """What was typed in."""
    return text(_field(path, "comment" if _is_extended(info) else "old_comment")[0])


def protocol_path(info: Info, path: Path) -> str:
    """The file of the protocol; Neo's field runs on into the comment."""
    return text(_field(path, "protocol_path")[0]) if _is_extended(info) else ""


def varied_by_list(info: Info, path: Path) -> bool:
    """Whether a list, instead of the epochs' steps, says how the command differs from sweep to sweep."""
    return _is_extended(info) and any(_field(path, "list_enabled"))


def alternating(info: Info) -> bool:
    """Whether two commands take turns, which this version cannot."""
    del info
    return False


def _field(path: Path, name: str) -> tuple[Any, ...]:
    where, form = _FIELDS[name]
    with open(path, "rb") as file:
        file.seek(where)
        return struct.unpack("<" + form, file.read(struct.calcsize("<" + form)))


def _is_extended(info: Info) -> bool:
    return int(info["lDataSectionPtr"]) * BLOCK >= _EXTENDED
