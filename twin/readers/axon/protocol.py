"""What the header of an Axon file states about the recording, and what of it was not read."""

from pathlib import Path

from twin.protocol import Covariate
from twin.readers.axon import command
from twin.readers.axon.clamp import Electrode, joint
from twin.readers.axon.parts import Header, Input, Output
from twin.readers.axon.samples import KEPT_IN
from twin.readers.quantities import convert, measures


def stated_by(
    path: Path, header: Header, electrodes: list[Electrode], imposed_by: Output | None
) -> dict[str, Covariate]:
    """The covariates that the header states.

    Args:
        path: for their sources.
        header: of the file.
        electrodes: whose telegraphs count.
        imposed_by: the command that stands for what was imposed.
    """
    source = f"header of {path.name}"
    stated = {
        "sampling_rate": Covariate(header.sampling_hz, "Hz", "reported", source),
        "clamp": joint(electrodes),
        **_imposed(electrodes, imposed_by, source),
    }
    texts = {"session_start": header.recorded, "stimulus_protocol": header.protocol_path, "notes": header.comment}
    stated |= {name: Covariate(text, "1", "reported", source) for name, text in texts.items() if text}
    if header.tags:
        tags = "; ".join(f"{time_s:g} s: {words}" for time_s, words in header.tags)
        stated["tags"] = Covariate(tags, "1", "reported", f"tags of {path.name}")
    signals = [header.inputs[channel] for one in electrodes for channel in one.channels.values()]
    return stated | _telegraphs(path, [one for one in signals if one.telegraph])


def _imposed(electrodes: list[Electrode], imposed_by: Output | None, source: str) -> dict[str, Covariate]:
    if imposed_by is None:
        measured = len(electrodes) == 1 and len(electrodes[0].channels) == 2
        return {"imposed_signal": Covariate("measured", "1", "reported", source)} if measured else {}
    kind = str(measures(imposed_by.unit))
    holding = convert(imposed_by.holding, imposed_by.unit, KEPT_IN[kind])
    return {
        "imposed_signal": Covariate(f"command waveform of the header ({imposed_by.name})", "1", "reported", source),
        "holding_potential" if kind == "V" else "holding_current": Covariate(
            holding, KEPT_IN[kind], "reported", source
        ),
    }


def others(header: Header, electrodes: list[Electrode]) -> list[int]:
    """The channels that belong to no electrode."""
    taken = {channel for one in electrodes for channel in one.channels.values()}
    return [channel for channel in range(len(header.inputs)) if channel not in taken]


def _telegraphs(path: Path, signals: list[Input]) -> dict[str, Covariate]:
    """Amplifier settings, where all the telegraphed channels have the same one; zeros say nothing."""
    fields = {
        "low_pass_filter": ("low_pass_hz", "Hz"),
        "amplifier_gain": ("gain", "1"),
        "whole_cell_capacitance_compensation": ("membrane_capacitance_pf", "pF"),
        "amplifier": ("instrument", "1"),
    }
    source = f"telegraph in {path.name}"
    stated = {}
    for name, (field, unit) in fields.items():
        values = {getattr(one.telegraph, field) for one in signals} - {0.0, ""}
        if len(values) == 1:
            stated[name] = Covariate(values.pop(), unit, "reported", source)
        elif values:
            words = "; ".join(f"{one.name}: {getattr(one.telegraph, field)} {unit}" for one in signals)
            stated[name] = Covariate(None, unit, "unreported", source, verbatim=words)
    return stated


def not_read(header: Header) -> list[str]:
    """What the header has and the recording has not."""
    missing = [command.unknown(header, out) for out in header.outputs if out.enabled]
    access = {one.name: one.telegraph.access_resistance for one in header.inputs if one.telegraph}
    return [words for words in missing if words] + [
        f"telegraphed access resistance of {name!r}, in a unit that is not stated: {value:g}"
        for name, value in access.items()
        if value
    ]
