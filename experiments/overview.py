"""A picture of a recording: every signal and stream in a panel of its own, on one clock where it has one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from twin import recording
from twin.errors import InputError
from twin.recording.schema import SIGNALS, STREAM_ROLES
from twin.recording.summary import envelope

FORMATS = (".png", ".svg", ".pdf")
_SWEEPS, _TRAINS, _TRACES, _COLUMNS = 12, 60, 8, 1200


def prepare(path: Path) -> Callable[[xr.DataTree], Path]:
    """What draws a recording to the file `path`.

    Raises:
        InputError: as `require_drawable`.
    """
    require_drawable(path)

    def draw(tree: xr.DataTree) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure(tree).savefig(path, dpi=150)
        return path

    return draw


def require_drawable(path: Path) -> None:
    """Refuse a file that exists, and a format that cannot be drawn.

    Raises:
        InputError: for both.
    """
    if path.suffix not in FORMATS:
        raise InputError(f"{path}: cannot be drawn; give a file that ends in {' or '.join(FORMATS)}.")
    if path.exists():
        raise InputError(f"{path}: exists already; give another file with --draw.")


def figure(tree: xr.DataTree) -> Any:
    """The recording as a matplotlib figure."""
    import matplotlib.figure

    panels = _panels(tree)
    canvas = matplotlib.figure.Figure(figsize=(9.0, 0.5 + 1.9 * len(panels)), layout="constrained")
    canvas.suptitle(str(tree.attrs["name"]))
    for axes, (title, draw) in zip(canvas.subplots(len(panels), 1, squeeze=False).ravel(), panels, strict=True):
        draw(axes)
        axes.set_title(title, loc="left", fontsize="small")
        axes.spines[["top", "right"]].set_visible(False)
    return canvas


def _panels(tree: xr.DataTree) -> list[tuple[str, Callable[[Any], None]]]:
    panels = []
    for path, sweeps in recording.sweep_sets(tree).items():
        for name in ("voltage", "current"):
            if name in sweeps:
                panels.append(
                    (_title(f"{path}/{name}", sweeps[name], "sweep", _SWEEPS), _lines(sweeps, name, "sweep", _SWEEPS))
                )
    for signal in SIGNALS:
        if signal in tree.children and signal != "voltage":
            dataset = tree.children[signal].to_dataset(inherit=False)
            panels.append(_PANELS[signal](dataset))
    for role in STREAM_ROLES:
        for name in recording.stream_names(tree, role):
            dataset = tree.children[role].children[name].to_dataset(inherit=False)
            if "time" in dataset["value"].dims and dataset["value"].dtype.kind in "iuf":
                rest = next((str(dim) for dim in dataset["value"].dims if dim != "time"), "")
                panels.append(
                    (
                        _title(f"/{role}/{name}", dataset["value"], rest, _TRACES),
                        _lines(dataset, "value", rest, _TRACES),
                    )
                )
    return panels


def _title(path: str, variable: xr.DataArray, dim: str, most: int) -> str:
    n = variable.sizes.get(dim, 1)
    return path if n == 1 else f"{path}: {min(n, most)} of {n} {dim}s" if n > most else f"{path}: {n} {dim}s"


def _lines(dataset: xr.Dataset, name: str, dim: str, most: int) -> Callable[[Any], None]:
    """Lines of up to `most` rows along `dim`, evenly chosen; a long one as its envelope."""

    def draw(axes: Any) -> None:
        variable = dataset[name]
        rows = np.unique(np.linspace(0, variable.sizes.get(dim, 1) - 1, most).astype(int))
        for shade, row in enumerate(rows):
            chosen = {other: 0 for other in variable.dims if other not in ("time", dim)}
            line = variable.isel(chosen | ({dim: int(row)} if dim in variable.dims else {}))
            low, high = envelope(line, _COLUMNS)
            time = _time(dataset, len(low))
            colour = (0.0, 0.3 + 0.5 * shade / max(1, len(rows)), 0.7)
            axes.fill_between(time, low, high, color=colour, linewidth=0.6)
        _labels(axes, variable)

    return draw


def _time(dataset: xr.Dataset, n_columns: int) -> np.ndarray:
    n = dataset.sizes["time"]
    if "sampling_hz" in dataset.attrs:
        return dataset.attrs["start_s"] + np.linspace(0, n / dataset.attrs["sampling_hz"], n_columns, endpoint=False)
    return dataset["time"].values[np.linspace(0, n - 1, n_columns).astype(int)]


def _labels(axes: Any, variable: xr.DataArray) -> None:
    axes.set_xlabel("time (s)", fontsize="small")
    unit = variable.attrs.get("units", "1")
    axes.set_ylabel(unit if unit != "1" else "", fontsize="small")
    axes.margins(x=0)


def _spikes(spikes: xr.Dataset) -> tuple[str, Callable[[Any], None]]:
    n_units, n_trials = spikes.sizes["unit"], spikes.sizes["trial"]
    several_trials = n_trials > 1 and n_units == 1
    of, n = ("trial", n_trials) if several_trials else ("unit", n_units)

    def draw(axes: Any) -> None:
        rows = np.unique(np.linspace(0, n - 1, _TRAINS).astype(int))
        index = spikes[f"{of}_index"].values
        other = np.ones(index.shape, bool) if several_trials else spikes["trial_index"].values == 0
        times = spikes["spike_time"].values
        axes.eventplot([times[other & (index == row)] for row in rows], linewidths=0.5, colors="black")
        axes.set_xlabel("time (s)", fontsize="small")
        axes.set_ylabel(of, fontsize="small")
        axes.margins(x=0)

    shown = f"{min(n, _TRAINS)} of {n} {of}s" + ("" if several_trials or n_trials == 1 else ", first trial")
    return f"/spikes: {shown}, {spikes.sizes['spike']} spikes", draw


def _counts(counts: xr.Dataset) -> tuple[str, Callable[[Any], None]]:
    def draw(axes: Any) -> None:
        mean = counts["count"][:200].mean("trial").values.T / counts.attrs["bin_s"]
        stop = counts.attrs["start_s"] + counts.sizes["time"] * counts.attrs["bin_s"]
        image = axes.imshow(
            mean, aspect="auto", origin="lower", extent=(counts.attrs["start_s"], stop, -0.5, len(mean) - 0.5)
        )
        axes.figure.colorbar(image, ax=axes, label="spikes/s")
        axes.set_xlabel("time (s)", fontsize="small")
        axes.set_ylabel("unit", fontsize="small")

    return f"/counts: mean rate over {min(200, counts.sizes['trial'])} of {counts.sizes['trial']} trials", draw


def _fluorescence(fluorescence: xr.Dataset) -> tuple[str, Callable[[Any], None]]:
    title = _title("/fluorescence", fluorescence["fluorescence"], "unit", _TRACES)
    more = ", first trial" if fluorescence.sizes["trial"] > 1 else ""
    return title + more, _lines(fluorescence, "fluorescence", "unit", _TRACES)


_PANELS = {"spikes": _spikes, "counts": _counts, "fluorescence": _fluorescence}
