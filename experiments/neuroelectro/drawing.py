"""The figures of the experiment: arrays in, inline SVG out."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np

from experiments.neuroelectro.junction_effect import Junction
from twin.judge.identifiability import Crossing
from twin.report import Figure, canvas
from twin.report.numbers import format_number
from twin.report.style import INK, MUTED, drawing, looks, to_svg

Bar = tuple[float, float | None, float | None]  # value, lower and upper end


def raw_and_adjusted(values: Mapping[str, tuple[np.ndarray, np.ndarray]], y_label: str) -> Figure:
    """For some neuron types the raw values beside the adjusted ones, a point each, and a line at the mean.

    Args:
        values: for each type (raw, adjusted), on a decimal logarithmic scale.
        y_label: what is measured, with its unit.
    """
    chosen = looks(["raw", "adjusted"])
    rng = np.random.default_rng(0)  # sideways jitter only
    with drawing():
        figure, axes = canvas.single(3.4)
        for index, pair in enumerate(values.values()):
            for side, (name, numbers) in enumerate(zip(chosen, pair, strict=True)):
                x = index + (side - 0.5) * 0.4
                look, label = chosen[name], name if index == 0 else None
                jitter = rng.uniform(-0.1, 0.1, len(numbers))
                axes.plot(
                    x + jitter, 10**numbers, look.marker, color=look.colour, markersize=3.2, alpha=0.75, label=label
                )
                axes.hlines(10 ** numbers.mean(), x - 0.16, x + 0.16, color=INK, linewidth=1.6, zorder=3)
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.set_xticks(range(len(values)), [_wrapped(name) for name in values])
        axes.tick_params(axis="x", length=0)
        axes.grid(visible=False, axis="x")
        axes.set_ylabel(y_label)
        canvas.legend(figure, axes)
        svg = to_svg(figure)
    told = "; ".join(
        f"{name}: standard deviation {format_number(float(raw.std()))} raw, {format_number(float(new.std()))} adjusted"
        for name, (raw, new) in values.items()
    )
    return Figure(svg, f"{y_label} by neuron type, in decades: {told}.", "Each point is an article; lines are means.")


def bars(groups: Sequence[str], curves: Mapping[str, Sequence[Bar | None]], y_label: str, floor: float) -> Figure:
    """A bar for each model in each group; what lies below `floor` ends there with an arrow."""
    width, clipped = 0.8 / len(curves), False
    with drawing():
        figure, axes = canvas.single(3.2)
        highest = floor
        for index, ((name, heights), look) in enumerate(zip(curves.items(), looks(list(curves)).values(), strict=True)):
            face, hatch = (look.colour, None) if index % 2 == 0 else ("none", "////")
            label: str | None = name
            for group, bar in enumerate(heights):
                if bar is None:
                    continue
                value, low, high = bar
                x = group + (index - (len(curves) - 1) / 2) * width
                axes.bar(
                    x, max(value, floor), 0.88 * width, color=face, edgecolor=look.colour, hatch=hatch, label=label
                )
                label = None
                highest = max(highest, value, high if high is not None else value)
                if low is not None and high is not None:
                    axes.vlines(x, max(low, floor), max(high, floor), color=INK, linewidth=1.2)
                    if low < floor:
                        axes.plot([x], [floor], marker="v", color=INK, markersize=4, clip_on=False)
                        clipped = True
        axes.axhline(0.0, color=MUTED, linewidth=0.8)
        axes.set_ylim(floor, highest + 0.05 * (highest - floor))
        axes.set_xticks(range(len(groups)), [_wrapped(name) for name in groups])
        axes.tick_params(axis="x", length=0)
        axes.grid(visible=False, axis="x")
        axes.set_ylabel(y_label)
        canvas.legend(figure, axes)
        svg = to_svg(figure)
    told = "; ".join(f"{group}: {_told(curves, at)}" for at, group in enumerate(groups))
    caption = "Bars are values, lines 95 % intervals over labs." + (
        f" An arrow marks an interval that goes below {format_number(floor)}." if clipped else ""
    )
    return Figure(svg, f"{y_label}. {told}.", caption)


def _told(curves: Mapping[str, Sequence[Bar | None]], at: int) -> str:
    shown = {name: heights[at] for name, heights in curves.items()}
    return ", ".join(f"{name} {format_number(bar[0])}" for name, bar in shown.items() if bar is not None)


def junction_shifts(junction: Junction) -> Figure:
    """Potentials at equal type for each state of the correction: every row a point, and the shift with its interval."""
    rng = np.random.default_rng(0)  # sideways jitter only
    with drawing():
        figure, panels = canvas.panels(len(junction.residuals_mv), 3.2)
        for axes, (name, by_level) in zip(panels, junction.residuals_mv.items(), strict=True):
            for at, ((level, rest), look) in enumerate(
                zip(by_level.items(), looks(list(by_level)).values(), strict=True)
            ):
                jitter = rng.uniform(-0.22, 0.22, len(rest))
                axes.plot(at + jitter, rest, look.marker, color=look.colour, markersize=2.8, alpha=0.6)
                if level == "Corrected":
                    continue
                shift = junction.shift(name, level)
                axes.vlines(at, shift.interval.low, shift.interval.high, color=INK, linewidth=2.2, zorder=3)
                axes.plot([at], [shift.value_mv], "D", color=INK, markersize=5, zorder=3)
            axes.axhline(0.0, color=MUTED, linewidth=0.8)
            axes.set_xticks(range(len(by_level)), [_wrapped(level, 9) for level in by_level])
            axes.tick_params(axis="x", length=0)
            axes.grid(visible=False, axis="x")
            axes.set_title(name.replace("_", " "))
        panels[0].set_ylabel("mV above corrected,\nsame neuron type")
        svg = to_svg(figure)
    told = "; ".join(
        f"{one.property.replace('_', ' ')}, {one.contrast.lower()}: {one.value_mv:+.1f} mV "
        f"[{one.interval.low:.1f}, {one.interval.high:.1f}]"
        for one in junction.shifts
        if one.held_equal == "neuron type"
    )
    caption = "Small points are articles less their type's level; diamonds are shifts, lines their intervals over labs."
    return Figure(svg, f"Shift from corrected potentials at equal neuron type. {told}.", caption)


def islands(graph: Crossing) -> Figure:
    """Neuron types against labs, sorted by island: a chain of points connects what can be compared."""
    rows = np.lexsort((-graph.counts.sum(axis=1), graph.component))
    columns = np.lexsort((-graph.counts.sum(axis=0), graph.other_component))
    at, other_at = np.nonzero(graph.counts[np.ix_(rows, columns)])
    island = graph.component[rows][at]
    names = {f"largest island ({graph.largest_share:.0%} of rows)": island == 0, "other islands": island > 0}
    with drawing():
        figure, axes = canvas.single(4.0)
        for (name, shown), look in zip(names.items(), looks(list(names)).values(), strict=True):
            if shown.any():
                axes.plot(other_at[shown], at[shown], look.marker, color=look.colour, markersize=2.6, label=name)
        axes.set(xlim=(-2, len(columns) + 1), ylim=(len(rows), -1))
        axes.set(xlabel=f"{graph.other}s, sorted by island", ylabel=f"{graph.factor}s, sorted by island")
        canvas.legend(figure, axes)
        svg = to_svg(figure)
    alt = (
        f"{len(rows)} {graph.factor}s and {len(columns)} {graph.other}s in {graph.n_components} islands; the largest "
        f"holds {graph.largest_share:.0%} of the rows."
    )
    return Figure(
        svg, alt, "A point is a neuron type that a lab reported. Types without a common chain are not compared."
    )


def _wrapped(name: str, width: int = 14) -> str:
    return "\n".join(textwrap.wrap(name.replace("_", " "), width))
