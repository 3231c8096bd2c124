"""The figures of a report: pure functions from arrays to inline SVG.

What was recorded is drawn in the ink of the page, each model in its own colour, marker and dash. matplotlib is imported
when a figure is drawn, and its settings outside are left alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from twin.errors import InputError
from twin.report import canvas as on
from twin.report.canvas import Curve, Values
from twin.report.numbers import format_number
from twin.report.report import Figure
from twin.report.style import INK, MUTED, RECORDED, drawing, looks, to_svg


def raster(
    real_trials: Sequence[np.ndarray],
    models: Mapping[str, Sequence[np.ndarray]],
    start_s: int | float,
    stop_s: int | float,
    stimulus: tuple[Values, Values, str, str] | None = None,
) -> Figure:
    """Spikes of the recorded trials on top and of each model's trials below, one row a trial.

    Args:
        real_trials: for each recorded trial, spike times in seconds.
        models: for each model, its trials in the same form.
        start_s: left edge, s; spikes outside [start_s, stop_s) are not drawn.
        stop_s: right edge, s.
        stimulus: (time in s, value, label, unit) of a strip above the spikes.

    Raises:
        InputError: no trial at all, or `stop_s` does not lie after `start_s`.
    """
    groups = {
        name: [train[(train >= start_s) & (train < stop_s)] for train in map(on.floats, trials)]
        for name, trials in {RECORDED: real_trials, **models}.items()
        if len(trials)
    }
    n_rows = sum(len(trials) for trials in groups.values())
    if n_rows == 0 or not stop_s > start_s:
        raise InputError(f"a raster of {n_rows} trials from {start_s} to {stop_s} s is empty; give trials and a span.")
    height_in = float(np.clip(0.8 + 0.07 * n_rows + 0.25 * len(groups), 1.8, 7.0))
    with drawing():
        if stimulus is None:
            canvas, axes = on.single(height_in)
        else:
            canvas, strip, axes = on.with_strip(height_in)
            on.draw_stimulus(strip, stimulus)
        row, middles, chosen = 0.0, [], looks(list(groups))
        for name, trials in groups.items():
            on.draw_spikes(axes, trials, row, chosen[name])
            middles.append(row + len(trials) / 2)
            row += len(trials) + max(1.0, n_rows / 25)
        axes.set_yticks(middles, [f"{name}\n{on.count(len(trials), 'trial')}" for name, trials in groups.items()])
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False)
        axes.spines["left"].set_visible(False)
        axes.set(xlim=(start_s, stop_s), ylim=(row, -0.5), xlabel="time (s)")
        svg = to_svg(canvas)
    told = "; ".join(
        f"{name}: {on.count(len(trials), 'trial')}, {on.count(sum(map(len, trials)), 'spike')}"
        for name, trials in groups.items()
    )
    alt = f"Spike raster from {start_s:g} to {stop_s:g} s. {told}."
    return Figure(svg, alt, "Each row is a trial, each tick a spike.")


def trace(time_ms: np.ndarray, voltages: Mapping[str, np.ndarray]) -> Figure:
    """Membrane voltages in mV against time in ms; long traces are thinned to their extremes, so no spike is lost.

    Raises:
        InputError: no trace, or one that is not as long as `time_ms`.
    """
    if not voltages or not len(time_ms):
        raise InputError("there is no trace to draw; give one voltage or more.")
    for name, voltage_mv in voltages.items():
        if np.shape(voltage_mv) != np.shape(time_ms):
            raise InputError(
                f"the trace {name!r} has the shape {np.shape(voltage_mv)} and the time {np.shape(time_ms)}; "
                "give both on one clock."
            )
    with drawing():
        canvas, axes = on.single(2.8)
        for (name, voltage_mv), look in zip(voltages.items(), looks(list(voltages)).values(), strict=True):
            x, y = on.thinned(on.floats(time_ms), on.floats(voltage_mv))
            axes.plot(x, y, color=look.colour, linestyle=look.dashes, linewidth=1.0, label=name)
        axes.set(xlabel="time (ms)", ylabel="voltage (mV)", xlim=(float(time_ms[0]), float(time_ms[-1])))
        on.legend(canvas, axes)
        svg = to_svg(canvas)
    told = "; ".join(
        f"{name} between {format_number(float(np.min(voltage)))} and {format_number(float(np.max(voltage)))} mV"
        for name, voltage in voltages.items()
    )
    return Figure(svg, f"Membrane voltage from {time_ms[0]:g} to {time_ms[-1]:g} ms: {told}.")


def interval_histogram(real_ms: np.ndarray, models: Mapping[str, np.ndarray]) -> Figure:
    """Distribution of interspike intervals in ms on a logarithmic axis; each curve has an area of 1 over decades.

    Raises:
        InputError: no recorded interval, or an interval that is not positive.
    """
    groups = {name: on.floats(values) for name, values in {RECORDED: real_ms, **models}.items()}
    every = np.concatenate(list(groups.values()))
    if not len(real_ms) or not (every > 0).all():
        raise InputError("intervals have to be positive, in ms, with one recorded or more; give np.diff of each train.")
    edges = np.geomspace(0.9 * every.min(), 1.1 * every.max(), 41)
    groups = {name: values for name, values in groups.items() if len(values)}
    with drawing():
        canvas, axes = on.single(3.0)
        axes.set_xscale("log")
        for (name, values), look in zip(groups.items(), looks(list(groups)).values(), strict=True):
            label = f"{name}, {on.count(len(values), 'interval')}"
            axes.stairs(
                on.density_per_decade(values, edges),
                edges,
                color=look.colour,
                linestyle=look.dashes,
                linewidth=1.5,
                label=label,
            )
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(lambda _, __: "")
        axes.set(xlabel="interspike interval (ms)", ylabel="density (per decade)")
        on.legend(canvas, axes)
        svg = to_svg(canvas)
    medians = "; ".join(f"{name} {format_number(float(np.median(values)))} ms" for name, values in groups.items())
    alt = f"Distribution of interspike intervals. Medians: {medians}."
    return Figure(svg, alt, "Bins are equally wide in log time.")


def dose_response(
    doses: Values, curves: Mapping[str, Curve], x_label: str, y_label: str, log_x: bool = False
) -> Figure:
    """Mean effect against dose with its interval, a line for each model; one called `recorded` is drawn in ink.

    Raises:
        InputError: no curve, or one whose mean, low or high is not as long as `doses`.
    """
    x = on.matched("dose", doses, curves)
    with drawing():
        canvas, axes = on.single(3.3)
        for (name, (mean, low, high)), look in zip(curves.items(), looks(list(curves)).values(), strict=True):
            axes.fill_between(x, on.floats(low), on.floats(high), color=look.colour, alpha=0.15, linewidth=0)
            axes.plot(x, on.floats(mean), color=look.colour, marker=look.marker, linestyle=look.dashes, label=name)
        if log_x:
            axes.set_xscale("log")
            axes.set_xticks(x, [format_number(float(dose)) for dose in x])
            axes.minorticks_off()
        axes.set(xlabel=x_label, ylabel=y_label)
        on.legend(canvas, axes)
        svg = to_svg(canvas)
    told = "; ".join(
        f"{name} from {format_number(float(mean[0]))} to {format_number(float(mean[-1]))}"
        for name, (mean, _, _) in curves.items()
    )
    alt = f"{y_label} against {x_label}, from {format_number(x[0])} to {format_number(x[-1])}: {told}."
    return Figure(svg, alt, "Lines are means, bands their intervals.")


def effect_bars(conditions: Sequence[str], curves: Mapping[str, Curve], y_label: str = "change from control") -> Figure:
    """A bar for each model in each condition, side by side, with its interval.

    Args:
        conditions: names of the interventions, such as "+6 °C".
        curves: for each model (mean, low, high), one value a condition.
        y_label: what the bars measure, with its unit.

    Raises:
        InputError: no model, or one whose mean, low or high is not as long as `conditions`.
    """
    x = on.matched("condition", list(range(len(conditions))), curves)
    width = 0.8 / len(curves)
    with drawing():
        canvas, axes = on.single(3.2)
        for index, ((name, curve), look) in enumerate(zip(curves.items(), looks(list(curves)).values(), strict=True)):
            mean, low, high = map(on.floats, curve)
            centre = x + (index - (len(curves) - 1) / 2) * width
            face, hatch = (look.colour, None) if index % 2 == 0 else ("none", "////")
            axes.bar(centre, mean, 0.88 * width, color=face, edgecolor=look.colour, hatch=hatch, label=name)
            axes.vlines(centre, low, high, color=INK, linewidth=1.2)
        axes.axhline(0.0, color=MUTED, linewidth=0.8)
        axes.set_xticks(x, conditions)
        axes.tick_params(axis="x", length=0)
        axes.grid(visible=False, axis="x")
        axes.set_ylabel(y_label)
        on.legend(canvas, axes)
        svg = to_svg(canvas)
    told = "; ".join(
        f"{condition}: "
        + ", ".join(f"{name} {format_number(float(mean[index]))}" for name, (mean, _, _) in curves.items())
        for index, condition in enumerate(conditions)
    )
    return Figure(svg, f"{y_label}. {told}.", "Bars are means, vertical lines their intervals.")


def score_strip(scores: Sequence[Mapping[str, Any]], metrics: Sequence[str], models: Sequence[str]) -> Figure:
    """A panel for each metric, in it each model's value with its interval; a line marks the ceiling.

    Args:
        scores: rows of `Report.scores`, of one split and condition.
        metrics: panels, in order.
        models: rows from top to bottom.

    Raises:
        InputError: nothing to draw, or two rows for one model and metric.
    """
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for row in scores:
        if row["metric"] not in metrics or row["model"] not in models or row["value"] is None:
            continue
        if (row["model"], row["metric"]) in found:
            raise InputError(f"{row['model']} has two scores of {row['metric']}; select one split and condition first.")
        found[row["model"], row["metric"]] = row
    if not found:
        raise InputError(f"no score of {', '.join(metrics)} for {', '.join(models)}; name metrics that were scored.")
    with drawing():
        canvas, panels = on.panels(len(metrics), 0.78 + 0.19 * len(models))
        for panel, metric in zip(panels, metrics, strict=True):
            on.draw_strip(panel, metric, [found.get((model, metric)) for model in models], models)
        svg = to_svg(canvas)
    told = "; ".join(
        f"{on.panel_title(metric)}: "
        + ", ".join(
            f"{model} {format_number(found[model, metric]['value'])}" for model in models if (model, metric) in found
        )
        for metric in metrics
    )
    caption = "Points are values, lines their intervals; a dashed line marks the ceiling."
    return Figure(svg, f"Scores by metric. {told}.", caption)
