"""Current steps: where they are in recorded sweeps, and the features of responses to them."""

import dataclasses

import numpy as np

from biophys.features import Feature, extract

_BLOCK_S = 0.004
_PAINTED_S = 1e-4  # eFEL looks every 0.1 ms
_LEAST_EXPLAINED = 0.8


@dataclasses.dataclass(frozen=True)
class CurrentStep:
    """A step of one sweep.

    Attributes:
        start_s: onset.
        stop_s: end.
        height_na: above what was injected before and after.
        holding_na: that was injected before.
    """

    start_s: float
    stop_s: float
    height_na: float
    holding_na: float


def find_steps(current_na: np.ndarray, dt_s: float) -> tuple[CurrentStep, ...] | None:
    """The step of each sweep of (sweep, time) currents, nA; all have the same times. None where these are no steps.

    The times are those of the sweep with the largest deviation from its first current. Medians of 4 ms are looked at,
    so that short transients in a measured current are no steps.
    """
    size = max(round(_BLOCK_S / dt_s), 1)
    n_blocks = current_na.shape[1] // size
    if n_blocks < 10:
        return None
    blocks = np.median(current_na[:, : n_blocks * size].reshape(len(current_na), n_blocks, size), axis=2)
    away = np.abs(blocks - np.median(blocks[:, :5], axis=1)[:, None])
    strongest = int(np.argmax(np.quantile(away, 0.9, axis=1)))
    high = away[strongest] > 0.5 * np.quantile(away[strongest], 0.9)
    if not high.any() or high.all():
        return None
    first, last = (int(np.flatnonzero(high)[k]) for k in (0, -1))
    if first < 2 or last - first < 4:
        return None
    inside = slice(first + 1, last)
    holding, level = np.median(blocks[:, : first - 1], axis=1), np.median(blocks[:, inside], axis=1)
    # transients stand at other places in each sweep, the edges at the same
    common = (np.sign(level - holding)[:, None] * current_na).mean(axis=0)
    start, stop = (_edge(common, block * size, size) for block in (first, last + 1))
    outside = np.r_[0 : first - 1, min(last + 2, n_blocks) : n_blocks]
    steps = tuple(
        CurrentStep(start * dt_s, stop * dt_s, float(up - base), float(base))
        for up, base in zip(level, holding, strict=True)
    )
    model = np.repeat(holding[:, None], n_blocks, axis=1)
    model[:, inside] = level[:, None]
    seen = np.r_[outside, np.arange(n_blocks)[inside]]
    rest, whole = np.var(blocks[strongest, seen] - model[strongest, seen]), np.var(blocks[strongest, seen])
    return steps if rest < (1 - _LEAST_EXPLAINED) * whole else None


def _edge(current_na: np.ndarray, near: int, reach: int) -> int:
    """The sample at which the current changes most, within a block of a place."""
    low, high = max(near - 2 * reach, 0), min(near + 2 * reach, len(current_na) - 1)
    width = max(reach // 4, 1)
    smooth = np.convolve(current_na[low : high + 1], np.full(width, 1 / width), mode="valid")
    change = np.abs(smooth[width:] - smooth[:-width]) if len(smooth) > width else np.abs(np.diff(smooth))
    return low + int(np.argmax(change)) + width


def features_of(
    voltage_mv: np.ndarray,
    dt_s: float,
    step: CurrentStep,
    *,
    painted: tuple[np.ndarray, float] | None = None,
    spike_threshold_mv: float = -20.0,
    names: tuple[str, ...],
) -> dict[str, Feature]:
    """eFEL's features of the response to one step.

    Args:
        voltage_mv: (time,).
        dt_s: its sampling.
        step: that was injected.
        painted: (spike times in s, voltage in mV): where a model that is reset has its spikes, which are painted in.
        spike_threshold_mv: an action potential peaks above it.
        names: of eFEL.
    """
    shown = np.array(voltage_mv, np.float64)
    if painted is not None:
        times, peak_mv = painted
        at = np.floor(times / dt_s + 1e-6).astype(int)
        shown = np.minimum(shown, spike_threshold_mv - 1.0)
        for later in range(int(np.ceil(_PAINTED_S / dt_s - 1e-6)) + 1):
            shown[at[at + later < len(shown)] + later] = peak_mv
    time_ms = 1e3 * dt_s * np.arange(len(shown))
    return extract(
        time_ms,
        shown,
        start_ms=1e3 * step.start_s,
        end_ms=min(1e3 * step.stop_s, time_ms[-1]),
        current_na=step.height_na,
        names=names,
        spike_threshold_mv=spike_threshold_mv,
    )
