"""The figures of the experiment: arrays in, inline SVG out."""

from collections.abc import Mapping, Sequence

import numpy as np

from twin.report import Figure, canvas
from twin.report.style import INK, MUTED, RECORDED, WIDTH_IN, drawing, looks, to_svg


def traces(cells: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray, Mapping[str, np.ndarray]]]) -> Figure:
    """A stretch of some cells: fluorescence, spikes below it, and predictions over it.

    Args:
        cells: name -> (time in s, fluorescence, spike times in s, model -> prediction in the same unit).
    """
    models = list(dict.fromkeys(model for _, _, _, shown in cells.values() for model in shown))
    chosen = looks([RECORDED, *models])
    with drawing():
        import matplotlib.figure

        figure = matplotlib.figure.Figure(figsize=(WIDTH_IN, 1.6 * len(cells)), layout="constrained")
        panels = figure.subplots(len(cells), 1, squeeze=False)[:, 0]
        for axes, (name, (time, value, spikes, shown)) in zip(panels, cells.items(), strict=True):
            axes.plot(time, value, color=MUTED, linewidth=0.7, alpha=0.8, label=RECORDED)
            for model, trace in shown.items():
                look = chosen[model]
                axes.plot(time, trace, color=look.colour, linestyle=look.dashes, linewidth=1.3, label=model)
            low, high = float(value.min()), float(value.max())
            axes.vlines(spikes, low - 0.14 * (high - low), low - 0.04 * (high - low), color=INK, linewidth=0.6)
            axes.set(ylabel="ΔF/F", xlim=(float(time[0]), float(time[-1])))
            axes.set_title(name, fontsize="small", loc="left")
        panels[-1].set_xlabel("time (s)")
        canvas.legend(figure, panels[0])
        svg = to_svg(figure)
    told = "; ".join(f"{name}, {len(spikes)} spikes" for name, (_, _, spikes, _) in cells.items())
    return Figure(svg, f"Fluorescence, spikes and predictions of {told}.", "Ticks below each trace are its spikes.")


def dots(groups: Sequence[str], curves: Mapping[str, Sequence[float | None]], x_label: str, line: float) -> Figure:
    """A row for each group and a dot for each model; a line at the goal."""
    chosen = looks(list(curves))
    with drawing():
        figure, axes = canvas.single(0.9 + 0.23 * len(groups))
        for name, values in curves.items():
            known = [(value, row) for row, value in enumerate(values) if value is not None]
            look = chosen[name]
            axes.plot(*zip(*known, strict=True), look.marker, color=look.colour, markersize=4.5, label=name)
        axes.axvline(line, color=MUTED, linewidth=1.0, linestyle=(0, (3, 3)))
        axes.set_yticks(range(len(groups)), list(groups))
        axes.set(xlabel=x_label, ylim=(len(groups) - 0.4, -0.6))
        canvas.legend(figure, axes)
        svg = to_svg(figure)
    told = "; ".join(f"{name} up to {max(v for v in values if v is not None):.2f}" for name, values in curves.items())
    return Figure(svg, f"{x_label} by data set: {told}.", f"The dashed line is the goal, {line:g}.")


def calibration(levels: Sequence[float], cells: Mapping[str, np.ndarray]) -> Figure:
    """How much intervals hold against how much they should, a thin line for each cell and the median of all.

    Args:
        levels: what the intervals should hold.
        cells: what is known -> (cell, level) what they hold.
    """
    chosen = looks(list(cells))
    with drawing():
        figure, panels = canvas.panels(len(cells), 2.4)
        for axes, (name, shares) in zip(panels, cells.items(), strict=False):
            axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1.0, linestyle=(0, (3, 3)))
            for one in shares:
                axes.plot(levels, one, color=MUTED, linewidth=0.4, alpha=0.4)
            axes.plot(levels, np.median(shares, axis=0), "o-", color=chosen[name].colour, linewidth=1.8)
            axes.set(xlabel="should hold", ylabel="holds", xlim=(0.4, 1.0), ylim=(0.0, 1.02))
            axes.set_title(name, fontsize="small", loc="left")
        svg = to_svg(figure)
    told = "; ".join(
        f"{name}: {', '.join(f'{100 * m:.0f} %' for m in np.median(one, axis=0))}" for name, one in cells.items()
    )
    return Figure(svg, f"Coverage of the 50, 80 and 95 % intervals, median over cells: {told}.")
