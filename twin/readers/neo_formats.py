"""Further formats of amplifiers and sorters, through Neo: WinWCP, WinEDR, AxoGraph, Spike2, Plexon, NeuroExplorer.

Neo tells samples, scaling, units and spike times, and little about the preparation; everything it does not tell stays
unreported. Voltages and currents become sweeps, one for each segment, spike trains spikes, one trial for each segment.
Channels without a unit are listed as not read.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from twin import provenance, recording
from twin.errors import InputError, UnsupportedError
from twin.protocol import Covariate, Protocol
from twin.readers.clamps import layout, unstated
from twin.readers.libraries import IN_MEMORY, group_name, library, parsing, scaled
from twin.readers.quantities import convert, measures
from twin.recording import Stream, Sweeps

FORMAT = (
    "WinWCP (.wcp), WinEDR (.edr), AxoGraph (.axgx, .axgd), Spike2 (.smr), Plexon (.plx), NeuroExplorer (.nex) by Neo"
)
_KEPT_IN = {"V": "mV", "A": "nA"}
_MOST_SEGMENTS = 100_000


@dataclasses.dataclass(frozen=True)
class Channel:
    """One analog channel: where Neo has it, and its length in each segment."""

    stream: int
    index: int
    name: str
    unit: str
    sampling_hz: float
    factor: float
    offset: float
    lengths: tuple[int, ...]
    starts_s: tuple[float, ...]


def accepts(paths: Sequence[Path]) -> bool:
    """Whether this is one file of a format that is read by Neo here, by its first bytes."""
    return len(paths) == 1 and _format(paths[0]) is not None


def _format(path: Path) -> str | None:
    """The name of Neo's reader."""
    try:
        with open(path, "rb") as file:
            start = file.read(1024)
    except OSError:
        return None
    suffix = path.suffix.lower()
    signs = {
        "PlexonRawIO": start[:4] == b"PLEX",
        "NeuroExplorerRawIO": start[:4] == b"NEX1",
        "AxographRawIO": start[:4] in (b"AxGr", b"axgx"),
        "Spike2RawIO": start[2:9] == b"(C) CED",
        "WinWcpRawIO": suffix == ".wcp" and b"VER=" in start[:64],
        "WinEdrRawIO": suffix == ".edr" and b"NC=" in start,
    }
    return next((name for name, found in signs.items() if found), None)


def read(paths: Sequence[Path], name: str | None = None) -> xr.DataTree:
    """The signals of one file that Neo reads.

    Args:
        paths: one file.
        name: what to call the recording; the stem of the file otherwise.

    Raises:
        InputError: the file is cut off or broken.
        UnsupportedError: it has neither a voltage, a current nor spikes.
    """
    path = paths[0]
    format_name = _format(path)
    with parsing(path, f"a file of {str(format_name).removesuffix('RawIO')}"):
        reader = _reader(path, str(format_name))
        tree, not_read = _recording(reader, path, str(format_name), name or path.stem)
    return provenance.log(
        tree,
        f"read by neo.rawio.{format_name}",
        inputs={path.name: provenance.file_hash(path)},
        parameters={"not_read": not_read},
    )


def _reader(path: Path, format_name: str) -> Any:
    options = {"progress_bar": False} if format_name == "PlexonRawIO" else {}
    reader = getattr(library("neo.rawio", "reading this format"), format_name)(filename=str(path), **options)
    reader.parse_header()
    return reader


def _recording(reader: Any, path: Path, format_name: str, name: str) -> tuple[xr.DataTree, list[str]]:
    n_segments = int(reader.header["nb_segment"][0])
    if not 0 < n_segments <= _MOST_SEGMENTS or int(reader.header["nb_block"]) != 1:
        raise InputError(f"{path}: has {reader.header['nb_block']} blocks and {n_segments} segments; wanted one block.")
    channels, not_read = _channels(reader, path, n_segments)
    protocol = (
        {"session_start": Covariate(str(when), "1", "reported", f"header of {path.name}")}
        if (when := _when(reader))
        else {}
    )
    trees = []
    if channels:
        kinds, clamp = _kinds(channels, path, format_name)
        protocol["clamp"] = clamp
        rates = {one.sampling_hz for one in channels}
        if len(rates) == 1:
            protocol["sampling_rate"] = Covariate(rates.pop(), "Hz", "reported", f"header of {path.name}")
        trees.append(recording.from_sweeps(kinds, name=name))
    if len(reader.header["spike_channels"]):
        trees.append(_spikes(reader, n_segments, name))
    if not trees:
        raise UnsupportedError(
            f"{path}: has no voltage, no current and no spikes with a unit ({'; '.join(not_read) or 'no channels'}); "
            "export it as a table, with a TOML file that states the units."
        )
    tree = recording.with_protocol(recording.join(*trees), Protocol(protocol))
    for label, stream in _events(reader, n_segments).items():
        tree[f"stimulus/{label}"] = xr.DataTree(stream.to_dataset())
    recording.validate(tree)
    return tree, not_read


def _when(reader: Any) -> str:
    moment = reader.raw_annotations["blocks"][0].get("rec_datetime")
    return "" if moment is None else moment.isoformat()


def _channels(reader: Any, path: Path, n_segments: int) -> tuple[list[Channel], list[str]]:
    found, not_read = [], []
    for stream, row in enumerate(reader.header["signal_streams"]):
        own = reader.header["signal_channels"][reader.header["signal_channels"]["stream_id"] == row["id"]]
        lengths = tuple(int(reader.get_signal_size(0, segment, stream)) for segment in range(n_segments))
        starts = tuple(float(reader.get_signal_t_start(0, segment, stream)) for segment in range(n_segments))
        for index, header in enumerate(own):
            unit, rate = str(header["units"]), float(header["sampling_rate"])
            if measures(unit) not in _KEPT_IN:
                not_read.append(f"channel {header['name']}: its unit is {unit!r}, neither a voltage nor a current")
                continue
            if not (np.isfinite([rate, *starts]).all() and rate > 0 and min(lengths) > 0):
                raise InputError(f"{path}: {header['name']} has {lengths} samples at {rate:g} Hz; copy the file again.")
            scaling = float(header["gain"]), float(header["offset"])
            found.append(Channel(stream, index, str(header["name"]), unit, rate, *scaling, lengths, starts))
    return found, not_read


def _kinds(channels: list[Channel], path: Path, format_name: str) -> tuple[dict[str, Sweeps], Covariate]:
    """One voltage and one current that were sampled together are a pair; more of them are sweeps of their own."""
    kinds_of = [measures(one.unit) for one in channels]
    together = len({(one.stream, one.sampling_hz, one.lengths) for one in channels}) == 1
    paired = together and sorted(str(kind) for kind in kinds_of) == ["A", "V"]
    groups = [channels] if paired else [[one] for one in channels]
    made: dict[str, Sweeps] = {}
    for group in groups:
        clamp = unstated(any(measures(one.unit) == "V" for one in group), f"{path.name} does not say it")
        for length in dict.fromkeys(group[0].lengths):
            segments = [k for k, n in enumerate(group[0].lengths) if n == length]
            arrays = {str(measures(one.unit)): _values(one, path, format_name, segments) for one in group}
            label = "_".join(one.name for one in group) + (f"_{length}" if len(set(group[0].lengths)) > 1 else "")
            starts = np.array([group[0].starts_s[k] for k in segments])
            made[group_name(label, made)] = Sweeps(
                group[0].sampling_hz, arrays.get("V"), arrays.get("A"), layout(clamp, "V" in arrays),
                ids=[str(k) for k in segments], columns={"sweep_start": (starts, "s")},
            )  # fmt: skip
    return made, unstated(any(kind == "V" for kind in kinds_of), f"{path.name} does not say it")


def _values(channel: Channel, path: Path, format_name: str, segments: list[int]) -> Any:
    """(sweep, time) in mV or nA; pieces of a long one are read by Neo when they are used."""
    arrays, delayed = library("dask.array", "reading this format"), library("dask", "reading this format").delayed
    rows = []
    for segment in segments:
        n = channel.lengths[segment]
        edges = [(start, min(start + IN_MEMORY, n)) for start in range(0, n, IN_MEMORY)]
        first = _piece(path, format_name, segment, channel, 0, 1)
        pieces = [
            arrays.from_delayed(
                delayed(_piece)(path, format_name, segment, channel, *edge), (edge[1] - edge[0],), first.dtype
            )
            for edge in edges
        ]
        rows.append(arrays.concatenate(pieces))
    factor = convert(1.0, channel.unit, _KEPT_IN[str(measures(channel.unit))])
    return scaled(arrays.stack(rows), channel.factor * factor, channel.offset * factor)


def _piece(path: Path, format_name: str, segment: int, channel: Channel, start: int, stop: int) -> np.ndarray:
    with parsing(path, "a file that Neo reads"):
        chunk = _reader(path, format_name).get_analogsignal_chunk(
            0, segment, start, stop, stream_index=channel.stream, channel_indexes=[channel.index]
        )
        return np.array(chunk[:, 0])


def _spikes(reader: Any, n_segments: int, name: str) -> xr.DataTree:
    """One trial a segment; a repeated time is an error of the recording's own check."""
    heads = reader.header["spike_channels"]
    ids = [f"{head['name']} {head['id']}".strip() for head in heads]
    trials, spans = [], []
    for segment in range(n_segments):
        units = []
        for unit in range(len(heads)):
            stamps = reader.get_spike_timestamps(0, segment, unit)
            units.append(np.asarray(reader.rescale_spike_timestamp(stamps, dtype="float64")))
        last = max((float(times.max()) for times in units if times.size), default=0.0)
        start_s, stop_s = float(reader.segment_t_start(0, segment)), float(reader.segment_t_stop(0, segment))
        spans.append((start_s, stop_s if stop_s > last else float(np.nextafter(last, np.inf))))
        trials.append(units)
    starts, stops = zip(*spans, strict=True)
    return recording.from_spikes(trials, start_s=starts, stop_s=stops, name=name, unit_ids=ids)


def _events(reader: Any, n_segments: int) -> dict[str, Stream]:
    """Times and labels of the events of each channel, of all segments."""
    streams = {}
    for channel, head in enumerate(reader.header["event_channels"]):
        times, labels = [], []
        for segment in range(n_segments):
            stamps, _, texts = reader.get_event_timestamps(0, segment, channel)
            if len(stamps):
                times.append(
                    np.asarray(reader.rescale_event_timestamp(stamps, dtype="float64", event_channel_index=channel))
                )
                labels += [str(text) for text in texts]
        if times:
            name = group_name(str(head["name"]), ())
            streams[f"{name}_times"] = Stream(np.concatenate(times), None, "s", leading=())
            streams[f"{name}_labels"] = Stream(np.array(labels, dtype=object), None, "1", leading=())
    return streams
