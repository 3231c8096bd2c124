"""What an Axon file consists of, in one form for both versions."""

import dataclasses
from typing import Any

import numpy as np

BLOCK = 512  # bytes; positions in the header count blocks
# Instruments by their number in the header.
_INSTRUMENTS = {
    1: "Axopatch-1", 2: "Axopatch-1", 3: "Axopatch-1B", 4: "Axopatch-1B", 5: "Axopatch 200", 6: "Axopatch 200",
    7: "GeneClamp", 8: "Dagan 3900", 9: "Dagan 3900A", 15: "Axopatch 200B", 24: "MultiClamp 700", 25: "Turbo Tec",
    26: "OpusXpress 6000A", 27: "Axoclamp 900",
}  # fmt: skip
# Those that certainly say which clamp they are in. Others leave the mode at 0, which would read as "voltage clamp".
_TELLS_ITS_MODE = (24,)
_MODES = {0: "voltage", 1: "current", 2: "zero"}


@dataclasses.dataclass(frozen=True)
class Telegraph:
    """What the amplifier told the software about one input; zeros and empty texts where it told nothing."""

    instrument: str
    clamp: str
    gain: float
    low_pass_hz: float
    membrane_capacitance_pf: float
    access_resistance: float


@dataclasses.dataclass(frozen=True)
class Input:
    """One recorded channel: `value = raw * factor + offset` in `unit`."""

    name: str
    unit: str
    factor: float
    offset: float
    telegraph: Telegraph | None


@dataclasses.dataclass(frozen=True)
class Epoch:
    """One piece of a command waveform; level and duration (samples) grow by a step from sweep to sweep."""

    kind: int
    level: float
    level_step: float
    duration: int
    duration_step: int
    pulse_period: int = 0
    pulse_width: int = 0


@dataclasses.dataclass(frozen=True)
class Output:
    """One command channel."""

    name: str
    unit: str
    holding: float
    enabled: bool
    from_file: bool
    keeps_last_level: bool
    epochs: tuple[Epoch, ...]


@dataclasses.dataclass(frozen=True)
class Header:
    """The whole file: sweeps are (position in bytes, samples for each channel, start in s)."""

    version: str
    sampling_hz: float
    dtype: np.dtype
    sweeps: tuple[tuple[int, int, float], ...]
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    tags: tuple[tuple[float, str], ...]
    comment: str
    protocol_path: str
    recorded: str
    varied_by_list: bool
    alternating: bool


def telegraph(
    instrument: int, mode: int, gain: float, low_pass_hz: float, capacitance_pf: float, access: float = 0.0
) -> Telegraph:
    """The telegraph of an input, by the numbers of the header."""
    clamp = _MODES.get(mode, "") if instrument in _TELLS_ITS_MODE else ""
    return Telegraph(_INSTRUMENTS.get(instrument, ""), clamp, gain, low_pass_hz, capacitance_pf, access)


def scaling(reader: Any) -> list[tuple[str, str, float, float]]:
    """Name, unit, factor and offset of each channel: Neo's product of all gains."""
    channels = reader.header["signal_channels"]
    return [(text(c["name"]), str(c["units"]), float(c["gain"]), float(c["offset"])) for c in channels]


def text(value: Any) -> str:
    """A text of the header, without its padding."""
    raw = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return raw.replace("\0", " ").replace("\xb5", "u").strip()
