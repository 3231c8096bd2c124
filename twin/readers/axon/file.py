"""One Axon file as a recording.

Samples stay on disk until they are used. Amplifier settings come from telegraphs; what was not telegraphed stays
unreported, and a default in the header (100 kHz filter, mode 0) counts as nothing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from twin import provenance, recording
from twin.errors import UnsupportedError
from twin.protocol import Protocol
from twin.readers.axon import clamp as clamps
from twin.readers.axon import command, header, protocol
from twin.readers.axon.clamp import Electrode
from twin.readers.axon.parts import Header, Output
from twin.readers.axon.samples import KEPT_IN, commanded, in_own_unit, signal
from twin.readers.clamps import IMPOSED
from twin.readers.libraries import group_name, parsing
from twin.readers.quantities import convert, measures
from twin.recording import Stream, Sweeps

FORMAT = "Axon binary files (.abf, versions 1 and 2)"


def accepts(paths: Sequence[Path]) -> bool:
    """Whether this is one file that begins as Axon files do."""
    if len(paths) != 1:
        return False
    try:
        with open(paths[0], "rb") as file:
            return file.read(4) in (b"ABF ", b"ABF2")
    except OSError:
        return False


def read(paths: Sequence[Path], name: str | None = None, clamp: str | None = None) -> xr.DataTree:
    """The sweeps of one Axon file.

    A measured voltage and a measured current make sweeps together. Where only one of them was measured, the other is
    the command, if the header has it and its unit fits. Every command that is not used in that way, and every channel
    that is not part of the sweeps, becomes a stimulus stream (trial, time), one trial for each sweep.

    Args:
        paths: one file.
        name: what to call the recording; the stem of the file otherwise.
        clamp: "current", "zero" or "voltage", where the file does not say it.

    Raises:
        InputError: the file is cut off or broken, or holds values that are no numbers.
        UnsupportedError: there is no voltage and no current in it, or several of both and nothing that says which of
            them were measured.
    """
    path = paths[0]
    with parsing(path, "an Axon file"):
        head = header.read(path)
        electrodes = clamps.electrodes(path, head, clamp)
        tree = _recording(path, head, electrodes, name or path.stem)
    return provenance.log(
        tree,
        "read Axon file",
        inputs={path.name: provenance.file_hash(path)},
        parameters={"abf_version": head.version, "not_read": protocol.not_read(head)},
    )


def _recording(path: Path, head: Header, electrodes: list[Electrode], name: str) -> xr.DataTree:
    imposed_by = _imposed_by(head, electrodes)
    stated = protocol.stated_by(path, head, electrodes, imposed_by)
    return recording.from_sweeps(
        _kinds(path, head, electrodes, imposed_by),
        name=name,
        stimuli=_streams(path, head, electrodes, imposed_by),
        protocol=Protocol(stated),
    )


def _imposed_by(head: Header, electrodes: list[Electrode]) -> Output | None:
    """The command that stands for what was imposed and not measured: the only one, of the only electrode."""
    commands = command.known(head)
    if len(electrodes) != 1 or len(electrodes[0].channels) != 1 or len(commands) != 1:
        return None
    return commands[0] if measures(commands[0].unit) == IMPOSED[electrodes[0].layout] else None


def _kinds(path: Path, head: Header, electrodes: list[Electrode], imposed_by: Output | None) -> dict[str, Sweeps]:
    """Sweeps of the same length, for each electrode."""
    lengths = dict.fromkeys(n for _, n, _ in head.sweeps)
    kinds: dict[str, Sweeps] = {}
    for electrode in electrodes:
        for length in lengths:
            label = [head.inputs[next(iter(electrode.channels.values()))].name] if len(electrodes) > 1 else []
            label += [f"{length}_samples"] if len(lengths) > 1 else []
            rows = [k for k, (_, n, _) in enumerate(head.sweeps) if n == length]
            kinds[group_name("_".join(label) or "sweeps", kinds)] = _kind(path, head, electrode, rows, imposed_by)
    return kinds


def _kind(path: Path, head: Header, electrode: Electrode, rows: list[int], imposed_by: Output | None) -> Sweeps:
    arrays = {kind: signal(path, head, channel, rows) for kind, channel in electrode.channels.items()}
    if imposed_by is not None:
        kind = IMPOSED[electrode.layout]
        arrays[kind] = commanded(head, imposed_by, rows, convert(1.0, imposed_by.unit, KEPT_IN[kind]))
    starts = np.array([head.sweeps[k][2] for k in rows])
    return Sweeps(
        head.sampling_hz,
        voltage_mv=arrays.get("V"),
        current_na=arrays.get("A"),
        clamp=electrode.layout,
        ids=[str(k) for k in rows],
        columns={"sweep_start": (starts, "s")},
    )


def _streams(path: Path, head: Header, electrodes: list[Electrode], imposed_by: Output | None) -> dict[str, Stream]:
    """The channels and the commands that are not part of the sweeps, each in the unit of its label."""
    if len({n for _, n, _ in head.sweeps}) > 1:
        if protocol.others(head, electrodes):
            raise UnsupportedError(
                f"{path}: has {len(head.inputs)} channels in sweeps of different lengths, and only an electrode's can "
                "be held; export sweeps of one length."
            )
        return {}
    streams: dict[str, Stream] = {}
    for channel in protocol.others(head, electrodes):
        one = head.inputs[channel]
        facts = {"channel": one.name, "what": "recorded channel that is not part of the sweeps"}
        streams[group_name(one.name, streams)] = _stream(head, in_own_unit(path, head, channel), one.unit, facts)
    for output in command.known(head):
        if output is not imposed_by:
            facts = {"channel": output.name, "what": "command waveform of the header, in the unit of its label"}
            values = commanded(head, output, list(range(len(head.sweeps))), 1.0)
            streams[group_name(f"command {output.name}", streams)] = _stream(head, values, output.unit, facts)
    return streams


def _stream(head: Header, values: Any, unit: str, facts: dict[str, str]) -> Stream:
    return Stream(values, head.sampling_hz, unit or "1", leading=("trial", "time"), attributes=dict(facts))
