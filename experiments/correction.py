"""The command `twin correct`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from biophys.corrections import recordings
from biophys.corrections.electrode_kernel import ElectrodeKernel, estimate_electrode_kernel
from experiments import electrode_figure, overview
from twin import provenance, recording
from twin.errors import InputError


def correct(
    path: Path,
    out: Path,
    protocol: Path | None,
    leave_out: Sequence[str],
    electrode_test: Path | None,
    draw: Path | None,
    console: Console,
) -> None:
    """Write the corrected recording to `out`, print what was done, and draw the electrode's kernel to `draw`.

    Raises:
        InputError: `out` exists, or as `biophys.corrections.recordings.correct`.
    """
    _require_free(out)
    if draw is not None:
        _require_drawable(draw, electrode_test)
    tree = recording.open(path, chunks={})
    if protocol is not None:
        tree = recording.with_protocol_file(tree, protocol)
    electrode = figure = None
    if electrode_test is not None:
        electrode, figure = _electrode(electrode_test)
        hashes = {electrode_test.name: provenance.file_hash(electrode_test / "zarr.json")}
        tree = provenance.log(tree, "estimate the kernel of the electrode", inputs=hashes)
    before = len(tree.attrs["provenance"])
    corrected = recordings.correct(tree, leave_out=leave_out, electrode=electrode)
    recording.write(corrected, out)
    if draw is not None and figure is not None:
        figure.savefig(draw, dpi=150)
    console.print(_done(corrected.attrs["provenance"][before:]))
    print(out)


def undo(path: Path, out: Path, console: Console) -> None:
    """Write the recording as it was before it was corrected.

    Raises:
        InputError: `out` exists, or there is nothing to undo.
    """
    _require_free(out)
    tree = recording.open(path, chunks={})
    before = len(tree.attrs["provenance"])
    restored = recordings.invert(tree)
    recording.write(restored, out)
    console.print(_done(restored.attrs["provenance"][before:]))
    print(out)


def _require_free(out: Path) -> None:
    if out.exists():
        raise InputError(f"{out}: exists already; give another name with --out.")


def _require_drawable(draw: Path, electrode_test: Path | None) -> None:
    if electrode_test is None:
        raise InputError(f"{draw}: what is drawn is the electrode; give the recording of it with --electrode-test too.")
    overview.require_drawable(draw)


def _electrode(path: Path) -> tuple[ElectrodeKernel, Any]:
    """The kernel of the electrode from a recording of weak noise, one sweep in current clamp, and its figure."""
    tree = recording.open(path)
    sets = [one for one in recording.sweep_sets(tree).values() if one.attrs["clamp"] == "current" and "current" in one]
    if len(sets) != 1 or sets[0].sizes["sweep"] != 1:
        raise InputError(f"{path}: wanted one sweep of voltage and injected current, the electrode test.")
    sweep = sets[0].isel(sweep=0)
    voltage, current = (np.asarray(sweep[name].values, np.float64) for name in ("voltage", "current"))
    without_bridge = recording.protocol_of(tree)["bridge_balance"].value == 0.0  # unreported: it may have been on
    electrode = estimate_electrode_kernel(
        voltage, current, 1e3 / sweep.attrs["sampling_hz"], bridge_balanced=not without_bridge
    )
    return electrode, electrode_figure.draw(voltage, current, electrode, name=str(tree.attrs["name"]))


def _done(entries: Sequence[dict[str, Any]]) -> Table:
    table = Table("step", "sweeps", "by", "uncertainty", "source", box=None)
    for entry in entries:
        for path, facts in entry["parameters"].items():
            numbers = ", ".join(f"{name} {_short(value)}" for name, value in facts["numbers"].items())
            spread = next((value for name, value in facts.items() if name.startswith("uncertainty")), None)
            table.add_row(
                entry["step"], path, numbers, _short(spread), str(facts.get("source", facts.get("reason", "")))
            )
    return table


def _short(value: Any) -> str:
    if value is None:
        return "not stated"
    if isinstance(value, list):
        return f"{len(value)} values from {min(value):.4g} to {max(value):.4g}"
    return f"{value:.4g}"
