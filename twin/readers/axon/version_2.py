"""Axon's version 2 (pCLAMP 10 and later): a table of sections, which Neo reads."""

from pathlib import Path
from typing import Any

from twin.readers.axon.parts import BLOCK, Epoch, Input, Output, scaling, telegraph, text

Info = dict[str, Any]
_OFF = 0


def inputs(reader: Any, info: Info, path: Path) -> tuple[Input, ...]:
    """The channels that were recorded."""
    del path
    made = []
    for row, adc in zip(scaling(reader), info["listADCInfo"], strict=True):
        told = telegraph(
            adc["nTelegraphInstrument"], adc["nTelegraphMode"], adc["fTelegraphAdditGain"], adc["fTelegraphFilter"],
            adc["fTelegraphMembraneCap"], adc["fTelegraphAccessResistance"],
        )  # fmt: skip
        made.append(Input(*row, told if adc["nTelegraphEnable"] == 1 else None))
    return tuple(made)


def outputs(info: Info, path: Path) -> tuple[Output, ...]:
    """The commands."""
    del path
    made = []
    for number, dac in enumerate(info["listDACInfo"]):
        rows = info["dictEpochInfoPerDAC"].get(number, {})
        made.append(
            Output(
                text(dac["DACChNames"]),
                text(dac["DACChUnits"]),
                dac["fDACHoldingLevel"],
                enabled=bool(dac["nWaveformEnable"] and dac["nWaveformSource"]),
                from_file=dac["nWaveformSource"] == 2,
                keeps_last_level=bool(dac["nInterEpisodeLevel"]),
                epochs=tuple(_epoch(rows[k]) for k in sorted(rows) if rows[k]["nEpochType"] != _OFF),
            )
        )
    return tuple(made)


def _epoch(row: Info) -> Epoch:
    return Epoch(
        row["nEpochType"], row["fEpochInitLevel"], row["fEpochLevelInc"], row["lEpochInitDuration"],
        row["lEpochDurationInc"], row["lEpochPulsePeriod"], row["lEpochPulseWidth"],
    )  # fmt: skip


def tick_us(info: Info) -> float:
    """The unit of the times of tags, microseconds; 0 for samples."""
    return float(info["protocol"]["fSynchTimeUnit"])


def tags(info: Info, path: Path) -> list[tuple[int, str]]:
    """Ticks and words of each tag."""
    del path
    return [(tag["lTagTime"], text(tag["sComment"])) for tag in info["listTag"]]


def comment(info: Info, path: Path) -> str:
    """What was typed in, by its place among the texts of the file."""
    index, section = info["protocol"]["lFileCommentIndex"], info["sections"]["StringsSection"]
    with open(path, "rb") as file:
        file.seek(section["uBlockIndex"] * BLOCK)
        content = file.read(section["uBytes"])
    texts = content[content.rfind(b"\0\0") :].split(b"\0")[1:]  # the first one is empty: no text has the index 0
    return text(texts[index]) if index else ""


def protocol_path(info: Info, path: Path) -> str:
    """The file of the protocol."""
    del path
    return text(info["sProtocolPath"])


def varied_by_list(info: Info, path: Path) -> bool:
    """Whether a list, instead of the epochs' steps, says how the command differs from sweep to sweep."""
    del path
    return info["sections"]["UserListSection"]["llNumEntries"] > 0


def alternating(info: Info) -> bool:
    """Whether two commands take turns."""
    return bool(info["protocol"]["nAlternateDACOutputState"])
