"""A table and the TOML file that says what is in it, as a recording.

The TOML names each signal, the column (or the array of the archive) that holds it, and its unit:

    [table]
    signal = "sweeps"            # or "spikes", "counts", "fluorescence"
    clamp = "current"            # of sweeps: "current", "zero" or "voltage"
    sampling_hz = 10000.0        # or a column of times: time = {column = "t", unit = "ms"}

    [table.columns]
    voltage = {column = "V", unit = "mV"}
    current = {column = "I", unit = "pA"}

    [temperature]                # every other table is a covariate of the protocol
    value = 32.0
    unit = "degC"
    source = "bath thermometer"

Nothing is guessed: what is missing is an error that says what to write. `docs/readers.md` has more.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from twin import provenance, recording
from twin.errors import InputError
from twin.protocol import Protocol
from twin.readers.libraries import group_name, parsing
from twin.readers.table.columns import Table, open_table
from twin.readers.table.layout import Layout, read_layout
from twin.recording import Stream, Sweeps

FORMAT = "a table (.csv, .tsv, .txt) or a numpy archive (.npz), together with a TOML file that has a [table]"
_TABLES = (".csv", ".tsv", ".txt", ".npz")


def accepts(paths: Sequence[Path]) -> bool:
    """Whether this is a TOML file and one table or archive."""
    kinds = sorted(path.suffix.lower() for path in paths)
    return len(kinds) == 2 and ".toml" in kinds and any(kind in _TABLES for kind in kinds)


def read(paths: Sequence[Path], name: str | None = None) -> xr.DataTree:
    """The signal that a TOML file describes, from the table or archive beside it.

    Args:
        paths: the TOML file and the table, in either order.
        name: what to call the recording; the stem of the table otherwise.

    Raises:
        InputError: the TOML leaves something out, the table lacks a column or has cells that are no numbers, or the
            times are not regular where they have to be.
    """
    layout_path, path = sorted(paths, key=lambda one: one.suffix.lower() != ".toml")
    layout = read_layout(layout_path)
    with parsing(path, "a table"):
        table = open_table(path)
        tree = _SIGNALS[layout.signal](layout, table, name or path.stem)
        recording.validate(tree)
    hashes = {one.name: provenance.file_hash(one) for one in (layout_path, path)}
    left = [column for column in table.names if column not in table.used]
    return provenance.log(tree, "read table", inputs=hashes, parameters={"not_read": left})


def _sweeps(layout: Layout, table: Table, name: str) -> xr.DataTree:
    """Voltage in mV and current in nA; a table has a column for each sweep, an archive (time) or (sweep, time)."""
    arrays = {
        key: np.atleast_2d(table.rows(layout.column(key, kept)))
        for key, kept in (("voltage", "mV"), ("current", "nA"))
        if layout.has(key)
    }
    if not arrays:
        raise layout.missing("[table.columns]", 'voltage = {column = "NAME", unit = "mV"} (or current, or both)')
    clamp = layout.text("clamp", '"current", "zero" or "voltage"', ("current", "zero", "voltage"))
    n_samples = next(iter(arrays.values())).shape[1]
    rate, start_s = _regular(layout, table, n_samples)
    sweeps = Sweeps(rate, arrays.get("voltage"), arrays.get("current"), clamp, start_s)
    tree = recording.from_sweeps({"sweeps": sweeps}, name=name, protocol=Protocol(layout.covariates))
    return _with_streams(tree, layout, table, rate, start_s)


def _spikes(layout: Layout, table: Table, name: str) -> xr.DataTree:
    """One spike a row: its time and, where there are several, its unit and its trial (numbered from 0)."""
    times = table.flat(layout.column("time", "s"))
    units = table.texts(layout.plain("unit")) if layout.has("unit") else np.full(len(times), "0", dtype=object)
    trials = table.flat(layout.plain("trial")).astype(int) if layout.has("trial") else np.zeros(len(times), int)
    if not len(times) == len(units) == len(trials):
        raise InputError(
            f"{table.path}: {len(times)} times, {len(units)} units and {len(trials)} trials; wanted as many of each."
        )
    if len(trials) and (trials.min() < 0 or trials.max() >= max(len(trials), 1)):
        raise InputError(f"{table.path}: trials are numbered {trials.min()} to {trials.max()}; wanted 0, 1, 2, ...")
    ids = sorted(set(units.tolist()), key=lambda text: (not text.isdigit(), int(text) if text.isdigit() else 0, text))
    n_trials = int(trials.max()) + 1 if len(trials) else 1
    by_trial = [[np.sort(times[(trials == trial) & (units == unit)]) for unit in ids] for trial in range(n_trials)]
    return recording.from_spikes(
        by_trial,
        start_s=layout.number("start_s", "the time in s from which spikes were looked for"),
        stop_s=layout.number("stop_s", "the time in s until which spikes were looked for"),
        name=name,
        unit_ids=ids,
        protocol=Protocol(layout.covariates),
    )


def _counts(layout: Layout, table: Table, name: str) -> xr.DataTree:
    """A table has a row for each bin and a column for each unit; an archive (time, unit) or (trial, time, unit)."""
    counts = table.population(layout.plain("count"))
    bin_s = layout.number("bin_s", "the length of the bins in s")
    start_s = layout.number("start_s", "the start of the first bin in s") if "start_s" in layout.fields else 0.0
    ids = layout.plain("count").names if counts.shape[2] == len(layout.plain("count").names) else None
    tree = recording.from_counts(
        counts, bin_s, name=name, start_s=start_s, unit_ids=ids, protocol=Protocol(layout.covariates)
    )
    return _with_streams(tree, layout, table, 1.0 / bin_s, start_s)


def _fluorescence(layout: Layout, table: Table, name: str) -> xr.DataTree:
    """Frames and units as `_counts`; the times of the frames need not be regular."""
    column = layout.column("fluorescence", None)
    values = table.population(column)
    protocol = Protocol(layout.covariates)
    if "time" in layout.fields:
        times = table.flat(layout.time())
        return recording.from_fluorescence(values, name=name, unit=column.unit, times_s=times, protocol=protocol)
    rate, start_s = _regular(layout, table, values.shape[1])
    tree = recording.from_fluorescence(
        values, name=name, unit=column.unit, sampling_hz=rate, start_s=start_s, protocol=protocol
    )
    return _with_streams(tree, layout, table, rate, start_s)


_SIGNALS = {"sweeps": _sweeps, "spikes": _spikes, "counts": _counts, "fluorescence": _fluorescence}


def _regular(layout: Layout, table: Table, n_samples: int) -> tuple[float, float]:
    """Sampling rate and start, from the number that states it or from a column of times."""
    if "time" not in layout.fields:
        start_s = layout.number("start_s", "the time of the first sample in s") if "start_s" in layout.fields else 0.0
        wanted = 'the sampling rate in Hz, or time = {column = "NAME", unit = "s"}'
        return layout.number("sampling_hz", wanted), start_s
    times = table.flat(layout.time())
    if len(times) != n_samples or n_samples < 2:
        raise InputError(
            f"{table.path}: {len(times)} times belong to {n_samples} samples; wanted as many, two or more."
        )
    step = (times[-1] - times[0]) / (n_samples - 1)
    off = np.abs(times - times[0] - step * np.arange(n_samples))
    if not (np.isfinite(step) and step > 0 and off.max() < 0.01 * step):
        raise InputError(
            f"{table.path}: the times are not regular at row {int(np.argmax(off)) + 1}; wanted steps of {step:g} s "
            "(resample the table first)."
        )
    return 1.0 / float(step), float(times[0])


def _with_streams(tree: xr.DataTree, layout: Layout, table: Table, rate: float, start_s: float) -> xr.DataTree:
    """What [table.stimulus] and the like describe, on the time axis of the signal."""
    for role in ("stimulus", "behaviour", "interventions"):
        for name, column in layout.streams(role).items():
            stream = Stream(table.flat(column), rate, column.unit, start_s)
            tree[f"{role}/{group_name(name, ())}"] = xr.DataTree(stream.to_dataset())
    return tree
