"""The command `twin inspect`: what is in it, what is reported, what is not, and how it looks."""

from pathlib import Path

import numpy as np
import xarray as xr
from rich.console import Console
from rich.table import Table

from twin import recording
from twin.recording.summary import envelope, summarise

_BARS = " ▁▂▃▄▅▆▇█"
_SKETCH = 12  # characters


def show(path: Path, draw: Path | None, console: Console) -> None:
    """Print contents, protocol and log of the recording at `path`; draw it to the file `draw` if one is given."""
    tree = recording.open(path)
    figure = None
    if draw is not None:
        from experiments import overview

        figure = overview.prepare(draw)
    console.print(f"[bold]{tree.attrs['name']}[/bold]  schema {tree.attrs['schema_version']}", highlight=False)
    console.print(_contents(tree))
    reported, missing = _protocol(tree)
    console.print(reported)
    console.print(f"[bold]not reported[/bold]: {', '.join(missing) or 'nothing'}", highlight=False)
    for entry in tree.attrs["provenance"]:
        inputs = ", ".join(f"{name} ({digest[:12]})" for name, digest in entry["inputs"].items())
        console.print(f"[bold]log[/bold]: {entry['step']}" + (f": {inputs}" if inputs else ""), highlight=False)
        for what in entry["parameters"].get("not_read", ()):
            console.print(f"     [bold]not read[/bold]: {what}", highlight=False)
    if figure is not None:
        print(figure(tree))


def _contents(tree: xr.DataTree) -> Table:
    table = Table(box=None)
    for head, stays_whole in (("signal", True), ("size", False), ("values", False), ("in time", False), ("", True)):
        table.add_column(head, no_wrap=stays_whole)
    for node in tree.subtree:
        dataset = node.to_dataset(inherit=False)
        for name, variable in dataset.data_vars.items():
            size = " x ".join(f"{length} {dim}" for dim, length in variable.sizes.items()) or "one value"
            table.add_row(
                f"{node.path}/{name}", size, _values(variable), _sampling(dataset, variable), _sketch(variable)
            )
    return table


def _values(variable: xr.DataArray) -> str:
    unit = variable.attrs.get("units", "")
    found = summarise(variable)
    if found is not None:
        return f"{found.low:.6g} to {found.high:.6g}" + ("" if unit == "1" else f" {unit}")
    words = sorted({str(value) for value in np.ravel(variable.values)})
    return "empty" if not words else ", ".join(words[:4]) + (", ..." if len(words) > 4 else "")


def _sampling(dataset: xr.Dataset, variable: xr.DataArray) -> str:
    if "time" not in variable.dims or "sampling_hz" not in dataset.attrs:
        return "times given" if "time" in variable.dims else ""
    rate = dataset.attrs["sampling_hz"]
    clamp = {"current": ", current clamp", "voltage": ", voltage clamp", "zero": ", I = 0"}.get(
        str(dataset.attrs.get("clamp"))
    )
    return f"{rate:g} Hz, {variable.sizes['time'] / rate:g} s" + (clamp or "")


def _sketch(variable: xr.DataArray) -> str:
    """The first line of a signal in time as a row of bars, each as high as the highest value of its stretch."""
    if "time" not in variable.dims or variable.dtype.kind not in "iuf" or not variable.size:
        return ""
    line = variable.isel({dim: 0 for dim in variable.dims if dim != "time"})
    low, high = envelope(line, _SKETCH)
    span = float(high.max() - low.min()) or 1.0
    return "".join(_BARS[int(round((value - low.min()) / span * (len(_BARS) - 1)))] for value in high)


def _protocol(tree: xr.DataTree) -> tuple[Table, list[str]]:
    table = Table("covariate", "value", "status", "source", "as written", box=None)
    missing = []
    for name, covariate in recording.protocol_of(tree).items():
        if covariate.status == "unreported":
            missing.append(name + (f" (written: {covariate.verbatim!r})" if covariate.verbatim else ""))
        else:
            table.add_row(name, str(covariate), covariate.status, covariate.source, covariate.verbatim)
    return table, missing
