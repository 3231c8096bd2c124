"""Some Igor waves as a recording: those of one sweep together, those of one kind in one array."""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from twin import provenance, recording
from twin.errors import InputError
from twin.protocol import Covariate, Protocol
from twin.readers import by_sweep
from twin.readers.clamps import layout
from twin.readers.igor import notes
from twin.readers.igor.wave import Wave, is_wave, load
from twin.readers.libraries import group_name, parsing
from twin.recording import Sweeps

FORMAT = "Igor binary waves (.ibw): one, or several of the same cell"


def accepts(paths: Sequence[Path]) -> bool:
    """Whether all of these begin as Igor binary waves do: with a version, and a checksum that fits the header."""
    return bool(paths) and all(is_wave(path) for path in paths)


def read(paths: Sequence[Path], name: str | None = None, clamp: str | None = None) -> xr.DataTree:
    """The sweeps of some Igor waves.

    Args:
        paths: the files; a wave of two dimensions holds one sweep in each column.
        name: what to call the recording; what the files' names have in common otherwise.
        clamp: "current", "zero" or "voltage", where the notes do not say what the output was.

    Raises:
        InputError: a wave is cut off, broken, without a unit, or does not fit the other wave of its sweep.
        UnsupportedError: a wave is neither voltage nor current, or holds texts or complex numbers.
    """
    sweeps = _sweeps([load(path) for path in sorted(paths)])
    facts = {key: _facts(parts, clamp) for key, parts in sweeps.items()}
    stated = by_sweep.shared(list(facts.values()))
    groups: dict[tuple, list[str]] = {}
    for key, parts in sweeps.items():
        groups.setdefault(_group(parts, facts[key]["clamp"]), []).append(key)
    kinds: dict[str, Sweeps] = {}
    for group, keys in groups.items():
        kinds[group_name(f"{group[-1]}_clamp", kinds)] = _kind(group, keys, sweeps, facts, stated)
    with parsing(paths[0], "Igor waves"):
        tree = recording.from_sweeps(kinds, name=name or _common_name(sweeps), protocol=Protocol(stated))
    hashes = {path.name: provenance.file_hash(path) for path in sorted(paths)}
    return provenance.log(tree, "read Igor binary waves", inputs=hashes, parameters={"not_read": []})


def _group(parts: list[Wave], clamp: Covariate) -> tuple:
    """What sweeps of one array have in common: kinds of waves, samples, rate, start and clamp."""
    kinds, first = tuple(sorted(one.kind for one in parts)), parts[0]
    return kinds, first.values.shape[1], first.sampling_hz, first.start_s, layout(clamp, "V" in kinds)


def _sweeps(waves: list[Wave]) -> dict[str, list[Wave]]:
    """Waves by sweep, the sweeps in the order of the numbers in their names."""
    if len(waves) == 2 and waves[0].kind != waves[1].kind:
        groups = {waves[0].sweep: waves}
    else:
        groups = {}
        for wave in waves:
            groups.setdefault(wave.sweep, []).append(wave)
    for parts in groups.values():
        _require_fit(parts)
    rows = {}
    for key in sorted(groups, key=_by_number):
        n = len(groups[key][0].values)
        for row in range(n):
            parts = [dataclasses.replace(one, values=one.values[row : row + 1]) for one in groups[key]]
            rows[key if n == 1 else f"{key}_{row}"] = parts
    return rows


def _by_number(name: str) -> list[int | str]:
    """Sorts "step_2" before "step_10"."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def _require_fit(parts: list[Wave]) -> None:
    first = parts[0]
    for other in parts[1:]:
        if other.kind == first.kind:
            raise InputError(
                f"{other.path}: belongs to the same sweep as {first.path.name} by its name, and both are "
                f"{'voltages' if first.kind == 'V' else 'currents'}; give them one at a time."
            )
        shapes = [(one.values.shape, one.sampling_hz, one.start_s) for one in (first, other)]
        if shapes[0] != shapes[1]:
            raise InputError(
                f"{other.path}: has {other.values.shape[1]} samples at {other.sampling_hz:g} Hz from {other.start_s:g} "
                f"s, {first.path.name} of the same sweep {first.values.shape[1]} at {first.sampling_hz:g} Hz from "
                f"{first.start_s:g} s; give waves of the same sweep."
            )


def _kind(
    group: tuple,
    keys: list[str],
    sweeps: dict[str, list[Wave]],
    facts: dict[str, dict[str, Covariate]],
    stated: dict[str, Covariate],
) -> Sweeps:
    arrays = {
        kind: np.concatenate([next(one.values for one in sweeps[key] if one.kind == kind) for key in keys])
        for kind in group[0]
    }
    files = np.array([", ".join(one.path.name for one in sweeps[key]) for key in keys], dtype=object)
    return Sweeps(
        group[2],
        voltage_mv=arrays.get("V"),
        current_na=arrays.get("A"),
        clamp=group[-1],
        start_s=group[3],
        ids=keys,
        columns={"files": (files, "1"), **by_sweep.columns([facts[key] for key in keys], stated)},
    )


def _common_name(sweeps: dict[str, list[Wave]]) -> str:
    keys = list(sweeps)
    if len(keys) == 1:
        return keys[0]
    common = keys[0]
    while not all(key.startswith(common) for key in keys):
        common = common[:-1]
    return common.rstrip("0123456789").strip("_- ") or "igor_waves"


def _facts(parts: list[Wave], clamp: str | None) -> dict[str, Covariate]:
    """What the header and the notes of one sweep say; `clamp` is what whoever reads the files says."""
    names = " and ".join(one.path.name for one in parts)
    note, source = "\n".join(dict.fromkeys(one.note for one in parts if one.note)), f"note of {names}"
    found = notes.fields(note)
    facts = {
        "sampling_rate": Covariate(parts[0].sampling_hz, "Hz", "reported", f"header of {names}"),
        "session_start": Covariate(min(one.created for one in parts), "1", "reported", f"creation date of {names}"),
        "clamp": notes.clamp(found, {one.kind for one in parts}, source)
        if clamp is None
        else Covariate(clamp, source="stated when the files were read"),
        **notes.compensation(found, source),
        **notes.temperature(found, source),
    }
    if len(parts) == 2:
        facts["imposed_signal"] = Covariate("a wave of its own", "1", "reported", f"files {names}")
    if note:
        facts["notes"] = Covariate(note, "1", "reported", source, verbatim=note)
    return facts
