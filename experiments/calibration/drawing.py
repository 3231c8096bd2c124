"""The figures of a calibration: arrays in, inline SVG out."""

import numpy as np

from biophys.calibrate import Fit
from experiments.calibration.scores import Scored, spikes_of
from twin.report import Figure, canvas
from twin.report.numbers import format_number
from twin.report.style import INK, MUTED, WIDTH_IN, drawing, looks, to_svg

_ROOM_MV = 10.0  # above what was recorded: a model that is reset overshoots without meaning


def sweep(scored: Scored, k: int, model: str) -> Figure:
    """One sweep: current, recorded and model voltage, and their difference where it is compared."""
    import matplotlib.figure

    target = scored.target
    assert target.voltage_mv is not None
    time_s = target.dt_s * np.arange(target.n_steps)
    recorded, mine = target.voltage_mv[k], scored.free.voltage_mv[k, 0]
    known = np.isfinite(recorded)
    look = looks(["recorded", model])
    with drawing():
        figure = matplotlib.figure.Figure(figsize=(WIDTH_IN, 4.2), layout="constrained")
        strip, axes, rest = figure.subplots(3, 1, sharex=True, height_ratios=(0.6, 2.4, 1.0))
        strip.plot(*canvas.thinned(time_s, target.current_na[k]), color=INK, linewidth=0.9)
        strip.set_ylabel("current\n(nA)")
        axes.plot(*canvas.thinned(time_s[known], recorded[known]), color=INK, linewidth=0.9, label="recorded")
        own = look[model]
        axes.plot(*canvas.thinned(time_s, mine), color=own.colour, linewidth=0.9, alpha=0.85, label=model)
        low = float(min(np.nanmin(recorded), np.quantile(mine, 0.001)))
        axes.set(ylabel="voltage (mV)", ylim=(low - 3.0, float(np.nanmax(recorded)) + _ROOM_MV))
        difference = scored.residual_mv[k]
        shown = np.isfinite(difference)
        rest.plot(*canvas.thinned(time_s[shown], difference[shown]), color=own.colour, linewidth=0.8)
        rest.axhline(0.0, color=MUTED, linewidth=0.8)
        reach = float(np.quantile(np.abs(difference[shown]), 0.995)) if shown.any() else 1.0
        rest.set(ylabel="residual\n(mV)", xlabel="time (s)", ylim=(-1.2 * reach - 0.1, 1.2 * reach + 0.1))
        for part in (strip, rest):
            part.locator_params(axis="y", nbins=3)
        canvas.legend(figure, axes)
        svg = to_svg(figure)
    row = scored.rows[k]
    rmse = format_number(row.rmse_mv) if np.isfinite(row.rmse_mv) else "not defined"
    alt = (
        f"Sweep {row.sweep}: the cell has {row.n_recorded} spikes, {model} {row.n_model}; voltage error between spikes "
        f"{rmse} mV."
    )
    return Figure(svg, alt, alt)


def good_sets(fit: Fit) -> Figure:
    """Each equally good set as a line through its positions between the bounds."""
    positions = fit.space.positions({name: fit.sets[:, k] for k, name in enumerate(fit.space.names)})
    names = [f"set {k + 1}" for k in range(len(positions))]
    with drawing():
        figure, axes = canvas.single(2.8)
        for name, row, look in zip(names, positions, looks(names).values(), strict=True):
            axes.plot(row, color=look.colour, marker=look.marker, linestyle=look.dashes, linewidth=1.0, label=name)
        axes.set_xticks(range(len(fit.space.names)), fit.space.names, rotation=30)
        axes.set(ylim=(-0.05, 1.05), ylabel="low bound to high bound")
        canvas.legend(figure, axes)
        svg = to_svg(figure)
    spread = np.ptp(positions, axis=0)
    widest = fit.space.names[int(np.argmax(spread))]
    alt = f"{len(names)} parameter sets between their bounds; {widest} differs most, by {spread.max():.2f} of them."
    return Figure(svg, alt, "0 is the low bound and 1 the high one, on the scale of the search.")


def history(fit: Fit) -> Figure:
    """Loss against simulations: the best so far, and the median of each generation."""
    loss, generation = fit.history.loss, fit.history.generation
    best = np.minimum.accumulate(np.where(np.isfinite(loss), loss, np.inf))
    ends = np.flatnonzero(np.r_[np.diff(generation) > 0, True])
    middle = np.array([_median(loss[generation == one]) for one in generation[ends]])
    look = looks(["best so far", "median of a generation"])
    with drawing():
        figure, axes = canvas.single(2.6)
        for (name, one), values in zip(look.items(), (best[ends], middle), strict=True):
            known = np.isfinite(values)
            axes.plot((ends + 1)[known], values[known], color=one.colour, linestyle=one.dashes, label=name)
        if best[np.isfinite(best)].min() > 0:
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axes.yaxis.set_minor_formatter(lambda _, __: "")
        axes.set(xlabel="simulations of all fitted sweeps", ylabel="loss")
        canvas.legend(figure, axes)
        svg = to_svg(figure)
    alt = f"The lowest loss goes from {best[ends][0]:.4g} to {best[-1]:.4g} over {len(loss)} simulations."
    return Figure(svg, alt)


def _median(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else float("nan")


def spectrum(fit: Fit) -> Figure:
    """Eigenvalues of the information: stiff directions high, sloppy ones at or below what the bounds alone tell."""
    assert fit.curvature is not None
    values = fit.curvature.spectrum
    with drawing():
        figure, axes = canvas.single(2.4)
        x, shown = np.arange(1, len(values) + 1), np.maximum(values, 1e-2)
        axes.plot(x, shown, "o", color=looks(["fit"])["fit"].colour)
        axes.axhline(12.0, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.set_yscale("log")
        axes.set_xticks(x)
        axes.set(xlabel="direction, the stiffest first", ylabel="eigenvalue of\nthe information")
        svg = to_svg(figure)
    alt = f"{int((values > 12).sum())} of {len(values)} directions are told by the data rather than by the bounds."
    return Figure(svg, alt, f"{alt} The dashed line, 12, is what the bounds alone tell.")


def spike_rasters(scored: Scored, k: int, model: str) -> Figure:
    """The recorded spikes of a sweep above those of every equally good set."""
    from twin.report import figures

    target = scored.target
    trains = {f"{model}, each set": list(scored.free.spike_times_s[k])}
    return figures.raster([spikes_of(target, k)], trains, 0.0, target.duration_s)
