"""One picture of an electrode: its kernel, the voltage before and after, and what the current explains at each lag."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from biophys.corrections import ElectrodeKernel, compensate, early_variance
from twin.errors import InputError

RECORDED, COMPENSATED, MEMBRANE = "#d55e00", "#0072b2", "#5c6470"
AROUND_MS = 4.0
SETTINGS: dict[Any, object] = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


def draw(v_mv: np.ndarray, i_na: np.ndarray, electrode: ElectrodeKernel, *, name: str) -> Figure:
    """Draw an electrode on a recording that it was estimated on, or on another one of the same cell without spikes.

    Args:
        v_mv: (time,) recorded voltage, mV.
        i_na: (time,) injected current, nA.
        electrode: estimated at the same sampling interval.
        name: of the recording, for the title.

    Raises:
        InputError: the recording is shorter than what is drawn around one change of the current.
    """
    if len(v_mv) < 4 * AROUND_MS / electrode.dt_ms:
        raise InputError(f"{name}: {len(v_mv)} samples are too few to draw {2 * AROUND_MS:g} ms around a change.")
    restored_mv = compensate(v_mv, i_na, electrode.kernel_mohm)
    with plt.rc_context(SETTINGS):
        canvas, axes = plt.subplots(2, 2, figsize=(10.0, 7.0), layout="constrained")
        _kernel(axes[0, 0], electrode)
        _tail(axes[0, 1], electrode)
        _traces(axes[1, 0], v_mv, restored_mv, i_na, electrode.dt_ms)
        _shares(axes[1, 1], v_mv, restored_mv, i_na, electrode.dt_ms)
        canvas.suptitle(f"Active electrode compensation, {name}", x=0.01, ha="left", fontsize=11)
    return canvas


def _kernel(axes: Axes, electrode: ElectrodeKernel) -> None:
    n_early = len(electrode.kernel_mohm)
    time_ms = electrode.dt_ms * np.arange(n_early)
    axes.axhline(0, color=MEMBRANE, linewidth=0.6)
    axes.plot(time_ms, electrode.whole.kernel_mohm[:n_early], "o-", color="black", markersize=3, label="whole")
    axes.plot(time_ms, electrode.membrane_mohm[:n_early], color=MEMBRANE, linewidth=2, label="membrane")
    axes.errorbar(
        time_ms,
        electrode.kernel_mohm,
        2 * electrode.kernel_sd_mohm,
        color=RECORDED,
        label=f"electrode: {electrode.resistance_mohm:.1f} ± {electrode.resistance_sd_mohm:.1f} MΩ",
    )
    axes.set(xlabel="lag (ms)", ylabel="kernel (MΩ per sample)", xlim=(0, min(3.0, time_ms[-1])))
    axes.set_title("Kernel and its parts")
    axes.legend(loc="lower right")


def _tail(axes: Axes, electrode: ElectrodeKernel) -> None:
    whole, sd = electrode.whole.kernel_mohm, electrode.whole.sd_mohm
    time_ms = electrode.dt_ms * np.arange(len(whole))
    axes.axhline(0, color=MEMBRANE, linewidth=0.6)
    axes.axvspan(0, electrode.dt_ms * len(electrode.kernel_mohm), color=RECORDED, alpha=0.12, linewidth=0)
    axes.fill_between(time_ms, whole - 2 * sd, whole + 2 * sd, color="black", alpha=0.15, linewidth=0)
    axes.plot(time_ms, whole, color="black", linewidth=1, label="whole, ± 2 SD")
    axes.plot(
        time_ms,
        electrode.membrane_mohm,
        color=COMPENSATED,
        linestyle="--",
        label=f"membrane: {electrode.membrane_resistance_mohm:.0f} MΩ, {electrode.membrane_tau_ms:.1f} ms",
    )
    axes.set(xlabel="lag (ms)", ylabel="kernel (MΩ per sample)", ylim=(-0.1, 1.8 * electrode.membrane_mohm.max()))
    axes.set_title("The tail is the membrane's (shaded: electrode)")
    axes.legend()


def _traces(axes: Axes, v_mv: np.ndarray, restored_mv: np.ndarray, i_na: np.ndarray, dt_ms: float | int) -> None:
    """Mean around the largest changes of the current within one sample, both signs folded onto one."""
    around = round(AROUND_MS / dt_ms)
    jumps = np.diff(i_na)
    inside = np.arange(around, len(jumps) - around)
    largest = inside[np.argsort(np.abs(jumps[inside]))[-300:]] + 1
    window = largest[:, None] + np.arange(-around, around + 1)
    time_ms = dt_ms * np.arange(-around, around + 1)

    def folded(trace: np.ndarray) -> np.ndarray:
        pieces = trace[window] - trace[window[:, : around - 1]].mean(axis=1, keepdims=True)
        return (np.sign(jumps[largest - 1])[:, None] * pieces).mean(axis=0)

    axes.axvline(0, color=MEMBRANE, linewidth=0.6)
    axes.plot(time_ms, folded(v_mv), "o-", color=RECORDED, markersize=2.5, label="recorded")
    axes.plot(time_ms, folded(restored_mv), "o-", color=COMPENSATED, markersize=2.5, label="compensated")
    axes.set(xlabel="time from the change of the current (ms)", ylabel="voltage (mV)")
    axes.set_title(f"Mean of the {len(largest)} largest changes of the current")
    current = axes.twinx()
    current.plot(time_ms, 1e3 * folded(i_na), color=MEMBRANE, linewidth=1, linestyle=":", label="current")
    current.set_ylabel("current (pA)", color=MEMBRANE)
    current.spines["right"].set_visible(True)
    lines = axes.get_lines()[1:] + current.get_lines()
    axes.legend(lines, [str(line.get_label()) for line in lines], loc="upper left")


def _shares(axes: Axes, v_mv: np.ndarray, restored_mv: np.ndarray, i_na: np.ndarray, dt_ms: float | int) -> None:
    for trace, colour, name, side in [
        (v_mv, RECORDED, "recorded", -0.5),
        (restored_mv, COMPENSATED, "compensated", 0.5),
    ]:
        found = early_variance(trace, i_na, dt_ms)
        share = 100 * found.increments_by_lag[: round(2.0 / dt_ms)]
        lags_ms = dt_ms * (np.arange(len(share)) + 0.4 * side)
        label = f"{name}: electrode's share {100 * found.electrode:.2g} %"
        axes.bar(lags_ms, share, width=0.4 * dt_ms, color=colour, label=label)
    axes.axvline(found.window_ms - 0.5 * dt_ms, color=MEMBRANE, linewidth=0.8, linestyle=":")
    axes.set(xlabel="lag of the current (ms)", ylabel="explained variance of V(t) − V(t − dt) (%)")
    axes.set_title("What each lag explains beyond the longer ones")
    axes.legend()
