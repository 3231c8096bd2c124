"""Intracellular series of an NWB file as sweeps: each response with the stimulus that belongs to it."""

import dataclasses
import re
from typing import Any

import numpy as np

from twin.errors import InputError
from twin.protocol import Covariate
from twin.readers import by_sweep
from twin.readers.clamps import IMPOSED, MEASURED
from twin.readers.libraries import IN_MEMORY, library
from twin.readers.nwb import protocol
from twin.readers.nwb.arrays import length, timing, values
from twin.readers.quantities import convert, measures
from twin.recording import Sweeps

_CLAMPS = {"CurrentClampSeries": "current", "IZeroClampSeries": "zero", "VoltageClampSeries": "voltage"}
_STIMULI = ("CurrentClampStimulusSeries", "VoltageClampStimulusSeries")
_KEPT_IN = {"V": "mV", "A": "nA"}
# Words that tell a stimulus from a response in names that are alike otherwise: "ics__Step__1" and "ic__Step__1".
_ROLE = re.compile(
    r"stimulus|stimuli|stim|response|acquisition|acq|series|icephys|current|voltage|clamp|\bics?(?=_)|[_\W]+"
)


@dataclasses.dataclass(frozen=True)
class Piece:
    """A stretch of a series: one sweep of it, or all of it."""

    series: Any
    first: int
    count: int


@dataclasses.dataclass(frozen=True)
class Pair:
    """One sweep: what was measured and, where it is known, what was imposed; and the facts about it."""

    name: str
    response: Piece
    stimulus: Piece | None
    extra: dict[str, Covariate]


@dataclasses.dataclass(frozen=True)
class Found:
    """All the sweeps of a file."""

    kinds: dict[str, Sweeps]
    protocol: dict[str, Covariate]
    handled: set[str]
    not_read: list[str]


def clamp_of(series: Any) -> str | None:
    """The clamp of a response, by its type or one that its type extends; None for any other object."""
    names = [kind.__name__ for kind in type(series).__mro__]
    return next((_CLAMPS[name] for name in names if name in _CLAMPS), None)


def is_stimulus(series: Any) -> bool:
    """Whether this is what was imposed on a cell."""
    return any(kind.__name__ in _STIMULI for kind in type(series).__mro__)


def find(nwb: Any, file_name: str) -> Found:
    """The sweeps of a file, by kind: clamp, electrode, length and sampling."""
    responses = [one for one in nwb.acquisition.values() if clamp_of(one)]
    stimuli = [one for one in nwb.stimulus.values() if is_stimulus(one)]
    not_read: list[str] = []
    pairs = [pair for pair in _pairs(nwb, responses, stimuli) if _usable(pair, not_read)]
    facts = [_facts(pair, file_name) for pair in pairs]
    shared = by_sweep.shared(facts) if pairs else {}
    groups: dict[tuple, list[int]] = {}
    for number, pair in enumerate(pairs):
        groups.setdefault(_kind(pair), []).append(number)
    names = _names(list(groups))
    kinds = {
        names[kind]: _sweeps(kind, [pairs[k] for k in members], [facts[k] for k in members], shared)
        for kind, members in groups.items()
    }
    used = [piece.series for pair in pairs for piece in (pair.response, pair.stimulus) if piece is not None]
    return Found(kinds, shared, {one.object_id for one in used}, not_read)


def _pairs(nwb: Any, responses: list[Any], stimuli: list[Any]) -> list[Pair]:
    by_table = _pairs_of_table(nwb)
    done = {pair.response.series.object_id for pair in by_table}
    rest = [one for one in responses if one.object_id not in done]
    free = [
        one for one in stimuli if one.object_id not in {p.stimulus.series.object_id for p in by_table if p.stimulus}
    ]
    return by_table + [Pair(one.name, _whole(one), _match(one, rest, free), {}) for one in rest]


def _whole(series: Any) -> Piece:
    return Piece(series, 0, length(series))


def _match(response: Any, responses: list[Any], stimuli: list[Any]) -> Piece | None:
    """The one stimulus with the same sweep number and electrode, or else the same name."""
    keys = [
        lambda one: None if one.sweep_number is None else (int(one.sweep_number), one.electrode.name),
        lambda one: _ROLE.sub("", one.name.lower()) or None,
    ]
    for key in keys:
        wanted = key(response)
        found = [one for one in stimuli if wanted is not None and key(one) == wanted]
        rivals = [one for one in responses if key(one) == wanted]
        if len(found) == 1 and len(rivals) == 1:
            return _whole(found[0])
    return None


def _pairs_of_table(nwb: Any) -> list[Pair]:
    """The rows of the table of intracellular recordings, with its further columns."""
    table = nwb.intracellular_recordings
    if table is None or not len(table):
        return []
    responses, stimuli = (_pieces(table, *where) for where in (("responses", "response"), ("stimuli", "stimulus")))
    extra = list(protocol.extra_columns(table, len(table)))
    made = []
    seen = set()
    for row, response in enumerate(responses):
        if response is None or clamp_of(response.series) is None:
            continue
        if (response.series.object_id, response.first) in seen:
            continue
        seen.add((response.series.object_id, response.first))
        facts = {name: _fact(name, column[row], text) for name, column, text in extra}
        whole = response.first == 0 and response.count == length(response.series)
        name = response.series.name if whole else f"{response.series.name}_{response.first}"
        made.append(Pair(name, response, stimuli[row], facts))
    return made


def _pieces(table: Any, category: str, column: str) -> list[Piece | None]:
    references = table.get_category(category)[column]
    found = [references[row] for row in range(len(table))]
    return [
        None if one.timeseries is None or one.count <= 0 else Piece(one.timeseries, int(one.idx_start), int(one.count))
        for one in found
    ]


def _fact(name: str, value: Any, description: str) -> Covariate:
    source = f"intracellular_recordings/{name}" + (f" ({description})" if description else "")
    if isinstance(value, str):
        if "temperature" in name.lower():
            found = protocol.quantities.parse(
                value, "degC", bare_unit="degC" if name == "recording_temperature" else None
            )
            return protocol.quantities.covariate(value, "degC", source, found)
        return protocol.quantities.words(value, source)
    return Covariate(float(value), "1", "reported", source)


def _usable(pair: Pair, not_read: list[str]) -> bool:
    """Whether a response is an array (time) with regular samples, in the unit of its clamp."""
    series, clamp = pair.response.series, clamp_of(pair.response.series)
    dimension = MEASURED[str(clamp)]
    if np.ndim(series.data) != 1 or pair.response.count == 0:
        not_read.append(f"{series.name}: the data have the shape {np.shape(series.data)}, wanted (time)")
    elif measures(str(series.unit)) != dimension:
        not_read.append(f"{series.name}: the unit {series.unit!r} is not that of its clamp")
    elif timing(series) is None:
        not_read.append(f"{series.name}: its time stamps are not regular")
    else:
        return True
    return False


def _fits(pair: Pair) -> bool:
    """Whether the stimulus has a sample for each of the response's."""
    if pair.stimulus is None:
        return False
    stimulus, response = pair.stimulus.series, pair.response.series
    rates = timing(stimulus), timing(response)
    return (
        np.ndim(stimulus.data) == 1
        and pair.stimulus.count == pair.response.count
        and measures(str(stimulus.unit)) == IMPOSED[str(clamp_of(response))]
        and rates[0] is not None
        and rates[1] is not None
        and bool(np.isclose(rates[0][0], rates[1][0], rtol=1e-9))
    )


def _kind(pair: Pair) -> tuple:
    series = pair.response.series
    rate = timing(series)
    if rate is None:
        raise InputError(f"{series.name}: has no regular time.")
    return str(clamp_of(series)), series.electrode.name, pair.response.count, round(rate[0], 9), _fits(pair)


def _names(kinds: list[tuple]) -> dict[tuple, str]:
    """ "current_clamp", and what it takes to tell several kinds of that clamp apart."""
    several = len({kind[1] for kind in kinds}) > 1
    names: dict[tuple, str] = {}
    for kind in kinds:
        base = f"{kind[0]}_clamp" + (f"_{re.sub(r'[^0-9A-Za-z.-]+', '_', kind[1])}" if several else "")
        taken = sum(name == base or name.startswith(f"{base}_") for name in names.values())
        names[kind] = base if not taken else f"{base}_{taken + 1}"
    return names


def _sweeps(kind: tuple, pairs: list[Pair], facts: list[dict[str, Covariate]], shared: dict[str, Covariate]) -> Sweeps:
    clamp, _, _, rate, imposed = kind
    arrays = {MEASURED[clamp]: _stack([pair.response for pair in pairs])}
    if imposed:
        arrays[IMPOSED[clamp]] = _stack([pair.stimulus for pair in pairs if pair.stimulus is not None])
    starts = [(timing(pair.response.series) or (rate, 0.0))[1] + pair.response.first / rate for pair in pairs]
    columns = {"sweep_start": (np.array(starts), "s"), **by_sweep.columns(facts, shared)}
    numbers = [getattr(pair.response.series, "sweep_number", None) for pair in pairs]
    if all(number is not None for number in numbers):
        columns["sweep_number"] = (np.array(numbers, dtype=np.int64), "1")
    if imposed:
        columns["stimulus"] = (
            np.array([pair.stimulus.series.name for pair in pairs if pair.stimulus], dtype=object),
            "1",
        )
    return Sweeps(rate, arrays.get("V"), arrays.get("A"), clamp, ids=[pair.name for pair in pairs], columns=columns)


def _stack(pieces: list[Piece]) -> Any:
    """The pieces as rows, in mV or nA; all of them in memory, or none."""
    long = sum(piece.count for piece in pieces) > IN_MEMORY
    rows = []
    for piece in pieces:
        unit = str(piece.series.unit)
        factor = convert(1.0, unit, _KEPT_IN[str(measures(unit))])
        array = values(piece.series, factor, in_memory=0 if long else None)
        rows.append(array[piece.first : piece.first + piece.count])
    return library("dask.array", "reading an NWB file").stack(rows) if long else np.stack(rows)


def _facts(pair: Pair, file_name: str) -> dict[str, Covariate]:
    series = pair.response.series
    facts = protocol.of_series(series, f"the {series.neurodata_type} of {file_name}")
    facts["clamp"] = Covariate(str(clamp_of(series)), "1", "reported", f"type of the series in {file_name}")
    facts["sampling_rate"] = Covariate(
        (timing(series) or (0.0, 0.0))[0], "Hz", "reported", f"rate of the series in {file_name}"
    )
    if _fits(pair) and pair.stimulus is not None:
        stimulus = pair.stimulus.series
        facts["imposed_signal"] = Covariate("stimulus series of the file", "1", "reported", stimulus.neurodata_type)
        more = protocol.of_series(stimulus, f"the {stimulus.neurodata_type} of {file_name}")
        renamed = {
            "amplifier_gain": "stimulus_gain",
            "description": "stimulus_series_description",
            "comments": "stimulus_comments",
        }
        facts |= {new: more[old] for old, new in renamed.items() if old in more}
    return facts | pair.extra
