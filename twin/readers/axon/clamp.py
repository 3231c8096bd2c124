"""Which electrodes an Axon file has, which clamp each was in, and how that is known."""

import dataclasses
from pathlib import Path

import numpy as np

from twin.errors import UnsupportedError
from twin.protocol import Covariate
from twin.readers import clamps
from twin.readers.axon import command
from twin.readers.axon.parts import Header, Output
from twin.readers.axon.samples import raw
from twin.readers.clamps import MEASURED
from twin.readers.quantities import measures

_FOLLOWS = 0.99  # share of its variance that the command explains of a channel that is clamped to it
_LOOKED_AT = 16  # sweeps
_WORDS = {"V": "voltage", "A": "current"}


@dataclasses.dataclass(frozen=True)
class Electrode:
    """The channels, by kind of unit ("V", "A"), that belong to one electrode, and the clamp it was in."""

    clamp: Covariate
    channels: dict[str, int]

    @property
    def layout(self) -> str:
        """The clamp that its sweeps are stored under."""
        return clamps.layout(self.clamp, "V" in self.channels)


def electrodes(path: Path, header: Header, stated: str | None) -> list[Electrode]:
    """The electrodes of a file: one with a voltage, a current or both; or one for each channel that was measured.

    Args:
        path: for the sentences.
        header: of the file.
        stated: the clamp, by whoever reads the file.

    Raises:
        UnsupportedError: no channel is a voltage or a current, or it cannot be told which were measured.
    """
    kinds = [measures(one.unit) for one in header.inputs]
    measured = {kind: [k for k, found in enumerate(kinds) if found == kind] for kind in ("V", "A")}
    if not measured["V"] and not measured["A"]:
        units = ", ".join(repr(one.unit) for one in header.inputs)
        raise UnsupportedError(
            f"{path}: no channel is a voltage or a current (units: {units}); export it with units, or give it as a "
            "table with a TOML file that states them."
        )
    if max(len(channels) for channels in measured.values()) > 1:
        return _several(path, header, measured, stated)
    channels = {kind: found[0] for kind, found in measured.items() if found}
    electrode = Electrode(_clamp(path, header, channels, stated), channels)
    if MEASURED[electrode.layout] not in channels:
        raise UnsupportedError(
            f"{path}: was recorded in {electrode.layout} clamp ({electrode.clamp.source}), but no channel has the unit "
            f"of a {_WORDS[MEASURED[electrode.layout]]}; give clamp to twin.readers.axon.read if that is wrong."
        )
    return [electrode]


def _clamp(path: Path, header: Header, channels: dict[str, int], stated: str | None) -> Covariate:
    told = {_told(header, channel) for channel in channels.values()} - {""}
    if stated is not None:
        return Covariate(stated, source="stated when the file was read")
    if len(told) == 1:
        return Covariate(told.pop(), source=f"telegraph in {path.name}")
    if len(channels) == 1:
        kind = next(iter(channels))
        clamp = "current" if kind == "V" else "voltage"
        return Covariate(clamp, "1", "computed", f"the only signal of {path.name} is a {_WORDS[kind]}")
    return _clamp_by_command(path, header, channels)


def _told(header: Header, channel: int) -> str:
    telegraph = header.inputs[channel].telegraph
    return telegraph.clamp if telegraph else ""


def _clamp_by_command(path: Path, header: Header, channels: dict[str, int]) -> Covariate:
    """With both measured: a clamped voltage follows its command, a free one does not. In doubt it is unreported."""
    outputs = command.known(header)
    if len(outputs) != 1:
        return clamps.unstated(True, f"{path.name} has a voltage, a current and no single command")
    voltage, current = (_explained(path, header, channels[kind], outputs[0]) for kind in ("V", "A"))
    words = f"the command explains {current:.2f} of the variance of the current and {voltage:.2f} of the voltage"
    if voltage < _FOLLOWS and current > voltage:
        return Covariate("current", "1", "computed", words)
    if voltage >= _FOLLOWS > current:
        return Covariate("voltage", "1", "computed", words)
    return clamps.unstated(True, words)


def _explained(path: Path, header: Header, channel: int, output: Output) -> float:
    """Squared correlation of a channel and a command over some sweeps; 0 where one of them is constant."""
    chosen = sorted({round(k) for k in np.linspace(0, len(header.sweeps) - 1, _LOOKED_AT).tolist()})
    wave = np.concatenate([command.waveform(header, output, k) for k in chosen])
    signal = np.concatenate([raw(path, header, k)[:, channel].astype(np.float64) for k in chosen])
    if np.ptp(wave) == 0 or np.ptp(signal) == 0:
        return 0.0
    return float(np.corrcoef(wave, signal)[0, 1] ** 2)


def _several(path: Path, header: Header, measured: dict[str, list[int]], stated: str | None) -> list[Electrode]:
    """Each channel that its telegraph, or the lack of any other kind of unit, says was measured: one electrode each."""
    found = []
    for kind, clamp in (("V", "current"), ("A", "voltage")):
        alone = Covariate(clamp, "1", "computed", f"all signals of {path.name} have units of a {_WORDS[kind]}")
        for channel in measured[kind]:
            told = _told(header, channel)
            if stated or told:
                source = "stated when the file was read" if stated else f"telegraph in {path.name}"
                known = Covariate(stated or told, source=source)
                if MEASURED.get(str(known.value)) == kind:
                    found.append(Electrode(known, {kind: channel}))
            elif not measured["A" if kind == "V" else "V"]:
                found.append(Electrode(alone, {kind: channel}))
    if not found:
        raise UnsupportedError(
            f"{path}: has {len(measured['V'])} voltages and {len(measured['A'])} currents and does not say which were "
            "clamped; give clamp to twin.readers.axon.read, as 'current' or 'voltage'."
        )
    return found


def joint(found: list[Electrode]) -> Covariate:
    """The clamp of all electrodes, or "by sweep" where they differ."""
    if len({one.clamp.value for one in found}) == 1:
        return found[0].clamp
    return Covariate("by sweep", source=found[0].clamp.source)
