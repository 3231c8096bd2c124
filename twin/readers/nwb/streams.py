"""Stimuli, light and behaviour of an NWB file as streams, and its tables of intervals.

A stream has a regular time axis. Values at irregular times are kept as one value altogether, with their times in the
stream NAME_times beside them; a table of intervals becomes a stimulus stream for each of its columns.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from twin.readers.nwb import sweeps
from twin.readers.nwb.arrays import numbers, timing, values
from twin.readers.nwb.protocol import extra_columns, text_of
from twin.recording import Stream

_SITE = {"description": "site_description", "location": "site", "excitation_lambda": "wavelength_nm"}
_OPTOGENETIC = "OptogeneticSeries"


@dataclasses.dataclass
class Streams:
    """Streams by role, which objects of the file they came from, and why others did not become any."""

    stimulus: dict[str, Stream] = dataclasses.field(default_factory=dict)
    behaviour: dict[str, Stream] = dataclasses.field(default_factory=dict)
    interventions: dict[str, Stream] = dataclasses.field(default_factory=dict)
    handled: set[str] = dataclasses.field(default_factory=set)
    not_read: list[str] = dataclasses.field(default_factory=list)


def find(nwb: Any, handled: set[str]) -> Streams:
    """Everything with a time axis that is not among the `handled` objects, and all tables of intervals."""
    found = Streams()
    places = [
        ("stimulus", nwb.stimulus.values()),
        ("behaviour", _behaviour(nwb)),
        ("behaviour", nwb.acquisition.values()),
    ]
    for role, members in places:
        for series in members:
            if series.object_id not in handled | found.handled and _is_series(series):
                _add(found, role, series)
    for table in nwb.intervals.values() if nwb.intervals else ():
        _add_intervals(found, table)
    return found


def _behaviour(nwb: Any) -> Iterator[Any]:
    """The time series of the processing modules, however deep in containers such as Position."""
    for module in nwb.processing.values():
        for container in module.data_interfaces.values():
            yield container
            yield from getattr(container, "spatial_series", {}).values() if hasattr(container, "spatial_series") else ()
            yield from getattr(container, "time_series", {}).values() if hasattr(container, "time_series") else ()
            yield from (
                getattr(container, "interval_series", {}).values() if hasattr(container, "interval_series") else ()
            )


def _is_series(one: Any) -> bool:
    return hasattr(one, "data") and hasattr(one, "rate") and not sweeps.clamp_of(one)


def _add(found: Streams, role: str, series: Any) -> None:
    """One series as a stream; or the reason why not. Every object is handled either way."""
    if np.ndim(series.data) > 2:
        found.not_read.append(f"{series.neurodata_type} {series.name}: images are not read")
        found.handled.add(series.object_id)
        return
    if series.neurodata_type in (
        "ImageSeries",
        "IndexSeries",
        "ElectricalSeries",
        "TwoPhotonSeries",
        "OnePhotonSeries",
    ):
        return  # listed with whatever else nobody reads
    role = "interventions" if series.neurodata_type == _OPTOGENETIC else role
    streams = getattr(found, role)
    name = _free_name(series, streams)
    attributes = _attributes(series)
    array = values(series)
    found.handled.add(series.object_id)
    if array.dtype.kind == "f" and not bool(np.isfinite(array).all()):
        found.not_read.append(f"{series.name}: holds values that are not finite")
        return
    unit = text_of(series.unit) or "1"
    if rate := timing(series):
        streams[name] = Stream(array, rate[0], unit, rate[1], attributes=attributes)
    elif series.timestamps is not None:
        streams[name] = Stream(array, None, unit, leading=(), attributes=attributes)
        streams[f"{name}_times"] = Stream(numbers(series.timestamps), None, "s", leading=())
    else:
        found.not_read.append(f"{series.name}: has neither a rate nor time stamps")


def _free_name(series: Any, streams: dict[str, Stream]) -> str:
    name = series.name.replace("/", "_")
    return name if name not in streams else f"{type(series.parent).__name__}_{name}"


def _attributes(series: Any) -> dict[str, Any]:
    texts = {key: text_of(getattr(series, key, None)) for key in ("description", "comments")}
    facts: dict[str, Any] = {key: text for key, text in texts.items() if text and not text.startswith("no ")}
    facts["type"] = series.neurodata_type
    site = getattr(series, "site", None)
    for field, name in _SITE.items() if site is not None else ():
        value = getattr(site, field, None)
        if value is not None:
            facts[name] = float(value) if isinstance(value, int | float | np.number) else text_of(value)
    if site is not None and getattr(site, "device", None) is not None:
        facts["device"] = site.device.name
    return facts


def _add_intervals(found: Streams, table: Any) -> None:
    """The plain columns of a table of trials or epochs, each a stream of one value a row."""
    found.handled.add(table.object_id)
    taken = []
    for name, array, description in extra_columns(table, len(table)):
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            found.not_read.append(f"{table.name}/{name}: holds values that are not finite")
            taken.append(name)
            continue
        unit = "s" if name.endswith("_time") else "1"
        attributes = {"description": description, "type": table.neurodata_type}
        found.stimulus[f"{table.name}_{name}".replace("/", "_")] = Stream(
            array, None, unit, leading=(), attributes=attributes
        )
        taken.append(name)
    found.not_read += [f"{table.name}/{name}" for name in table.colnames if name not in taken]
