"""The command `twin inspect`: what is in a recording, what is reported, what is not."""

from pathlib import Path

import xarray as xr
from rich.console import Console
from rich.table import Table

from twin import recording


def show(path: Path, console: Console) -> None:
    """Print contents, protocol and log of the recording at `path`."""
    tree = recording.open(path)
    console.print(f"[bold]{tree.attrs['name']}[/bold]  schema {tree.attrs['schema_version']}", highlight=False)
    console.print(_contents(tree))
    reported, missing = _protocol(tree)
    console.print(reported)
    console.print(f"[bold]not reported[/bold]: {', '.join(missing) or 'nothing'}", highlight=False)
    for entry in tree.attrs["provenance"]:
        inputs = ", ".join(f"{name} ({digest[:12]})" for name, digest in entry["inputs"].items())
        console.print(f"[bold]log[/bold]: {entry['step']}: {inputs}", highlight=False)


def _contents(tree: xr.DataTree) -> Table:
    table = Table("signal", "size", "values", box=None)
    for group in tree.subtree:
        for name, variable in group.data_vars.items():
            size = " x ".join(f"{length} {dim}" for dim, length in variable.sizes.items())
            unit = variable.attrs.get("units", "")
            values = f"{variable.values.min():g} to {variable.values.max():g} {unit}" if variable.size else "empty"
            table.add_row(f"{group.path}/{name}", size, values)
    return table


def _protocol(tree: xr.DataTree) -> tuple[Table, list[str]]:
    table = Table("covariate", "value", "status", "source", box=None)
    missing = []
    for name, covariate in recording.protocol_of(tree).items():
        if covariate.status == "unreported":
            missing.append(name)
        else:
            table.add_row(name, str(covariate), covariate.status, covariate.source)
    return table, missing
