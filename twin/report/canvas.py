"""What the figures share: canvases, legends, and how spikes, long traces and score panels are put on them."""

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.errors import InputError
from twin.report.numbers import format_number
from twin.report.style import INK, MUTED, WIDTH_IN, Look, looks
from twin.report.vocabulary import CEILING, METRICS

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

Values = Sequence[int | float] | np.ndarray
Curve = tuple[Values, Values, Values]  # mean, lower end, upper end

_TITLE_WIDTH = 22
_DRAWN_POINTS = 1500  # about three for each point of print along the axis


def single(height_in: float) -> tuple["matplotlib.figure.Figure", "matplotlib.axes.Axes"]:
    """A canvas with one pair of axes."""
    import matplotlib.figure

    canvas = matplotlib.figure.Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
    return canvas, canvas.subplots()


def with_strip(height_in: float) -> tuple["matplotlib.figure.Figure", "matplotlib.axes.Axes", "matplotlib.axes.Axes"]:
    """A canvas with a narrow strip above the axes, on the same x axis."""
    import matplotlib.figure

    canvas = matplotlib.figure.Figure(figsize=(WIDTH_IN, height_in + 0.8), layout="constrained")
    strip, axes = canvas.subplots(2, 1, sharex=True, height_ratios=(0.8, height_in))
    return canvas, strip, axes


def panels(n_panels: int, panel_height_in: float) -> tuple["matplotlib.figure.Figure", list["matplotlib.axes.Axes"]]:
    """A canvas with up to three panels side by side, in as many rows as it takes, on one y axis."""
    import matplotlib.figure

    n_columns = min(3, n_panels)
    n_rows = -(-n_panels // n_columns)
    canvas = matplotlib.figure.Figure(figsize=(WIDTH_IN, n_rows * panel_height_in), layout="constrained")
    grid = canvas.subplots(n_rows, n_columns, sharey=True, squeeze=False).ravel()
    for spare in grid[n_panels:]:
        spare.set_visible(False)
    return canvas, list(grid[:n_panels])


def legend(canvas: "matplotlib.figure.Figure", axes: "matplotlib.axes.Axes") -> None:
    """The names of the curves above the axes, where they hide no data."""
    handles, labels = axes.get_legend_handles_labels()
    entry_in = 0.45 + 0.08 * max(map(len, labels), default=0)
    n_rows = -(-len(labels) // max(1, int(WIDTH_IN / entry_in)))
    canvas.legend(handles, labels, loc="outside upper left", ncols=-(-len(labels) // n_rows))


def draw_spikes(axes: "matplotlib.axes.Axes", trials: Sequence[np.ndarray], first_row: float, look: Look) -> None:
    """One tick a spike and one row a trial, as a single path: a line each would make the page ten times as long."""
    time_s = np.concatenate([np.asarray(train, np.float64) for train in trials])
    row = np.repeat(first_row + np.arange(len(trials)), [len(train) for train in trials])
    gap = np.full(len(time_s), np.nan)
    x = np.column_stack([time_s, time_s, gap]).ravel()
    y = np.column_stack([row + 0.05, row + 0.95, gap]).ravel()
    axes.plot(x, y, color=look.colour, linewidth=0.8)


def draw_strip(
    axes: "matplotlib.axes.Axes", metric: str, rows: Sequence[Mapping[str, Any] | None], models: Sequence[str]
) -> None:
    """One metric: a point and its interval for each model from top to bottom, and a line at the ceiling."""
    chosen = looks(list(models))
    for height, (model, row) in enumerate(zip(models, rows, strict=True)):
        if row is None:
            continue
        look = chosen[model]
        if row["low"] is not None and row["high"] is not None:
            axes.hlines(height, row["low"], row["high"], color=look.colour, linewidth=1.5)
        axes.plot([row["value"]], [height], marker=look.marker, color=look.colour, linestyle="none")
        if model == CEILING:
            axes.axvline(row["value"], color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set_yticks(range(len(models)), models)
    axes.set_ylim(len(models) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=4)
    axes.set_title("\n".join(textwrap.wrap(panel_title(metric), _TITLE_WIDTH)))


def draw_stimulus(axes: "matplotlib.axes.Axes", stimulus: tuple[Values, Values, str, str]) -> None:
    """A stimulus (time, value, label, unit) as a line with its own y axis."""
    time_s, value, label, unit = stimulus
    axes.plot(*thinned(floats(time_s), floats(value)), color=INK, linewidth=0.9)
    axes.set_ylabel(f"{label}\n({unit})" if unit else label)
    axes.locator_params(axis="y", nbins=2)
    axes.tick_params(axis="x", length=0)
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)


def panel_title(metric: str) -> str:
    """A metric's label, unit and the arrow of its better end: "Voltage error (mV) ↓"."""
    if metric not in METRICS:
        return metric.replace("_", " ")
    note = METRICS[metric]
    arrow = {"higher": " ↑", "lower": " ↓", "nearest": f" → {note.target:g}", "neither": ""}[note.better]
    return note.label + (f" ({note.unit})" if note.unit else "") + arrow


def matched(what: str, positions: Values, curves: Mapping[str, Curve]) -> np.ndarray:
    """The positions as floats, once every curve is known to have a mean, a low and a high for each of them.

    Raises:
        InputError: there is no curve, or one has another length.
    """
    if not curves:
        raise InputError("there is no curve to draw; give one model or more.")
    for name, curve in curves.items():
        lengths = [len(part) for part in curve]
        if lengths != [len(positions)] * 3:
            raise InputError(
                f"{name!r} has {lengths} values of mean, low and high for {count(len(positions), what)}; give one each."
            )
    return floats(positions)


def thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A long line as the lowest and highest sample of each short stretch, which looks the same and keeps every peak."""
    n_stretches = _DRAWN_POINTS // 2
    if len(y) <= 2 * _DRAWN_POINTS:
        return np.asarray(x), np.asarray(y)
    edges = np.linspace(0, len(y), n_stretches + 1).astype(int)
    kept = [
        first + part
        for first, last in itertools.pairwise(edges)
        for part in sorted((int(np.argmin(y[first:last])), int(np.argmax(y[first:last]))))
    ]
    return np.asarray(x)[kept], np.asarray(y)[kept]


def density_per_decade(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Share of the values in each bin over the bin's width in decades; all of it integrates to 1."""
    return np.histogram(values, edges)[0] / len(values) / np.diff(np.log10(edges))


def floats(values: Values) -> np.ndarray:
    """The values as an array of float64."""
    return np.asarray(values, np.float64)


def count(number: int, thing: str) -> str:
    """`1 trial`, `2 trials`."""
    return f"{format_number(number)} {thing}" + ("" if number == 1 else "s")
