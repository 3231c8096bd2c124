"""Electrophysiological features by eFEL, with units, and with the reason where a feature does not exist."""

import contextlib
import dataclasses
import warnings
from collections.abc import Iterator, Sequence
from types import ModuleType

import numpy as np

from biophys.features.steps import STEP_FEATURES, Kind
from twin.errors import InputError, UnsupportedError

_COUNT = "spike_count_stimint"


@dataclasses.dataclass(frozen=True)
class Feature:
    """A feature of one response.

    Attributes:
        name: eFEL's.
        value: in `unit`; None where the response has no such feature, which is not 0.
        unit: "mV", "ms", "Hz", "MOhm", "1", ...
        reason: why there is no value; "" where there is one.
    """

    name: str
    value: float | None
    unit: str
    reason: str = ""


def extract(
    time_ms: np.ndarray,
    voltage_mv: np.ndarray,
    *,
    start_ms: float,
    end_ms: float,
    current_na: float,
    names: Sequence[str] = tuple(STEP_FEATURES),
    spike_threshold_mv: float = -20.0,
    slope_threshold_mv_per_ms: float = 10.0,
) -> dict[str, Feature]:
    """Features of the response to one current step.

    Args:
        time_ms: time of the samples, ms, rising; eFEL interpolates to 0.1 ms.
        voltage_mv: membrane potential, mV, as long as `time_ms`.
        start_ms: onset of the step, on the scale of `time_ms`; there has to be voltage before it, for the base.
        end_ms: its end.
        current_na: its height above what was injected before, nA; positive depolarises.
        names: out of `STEP_FEATURES`.
        spike_threshold_mv: an action potential peaks above it.
        slope_threshold_mv_per_ms: the slope that marks the threshold of an action potential.

    Returns:
        Name -> feature. A trace with values that are not finite has no features, and each says so.

    Raises:
        InputError: an unknown name, arrays that do not fit, or a step that is not within the trace.
        UnsupportedError: eFEL is not installed.
    """
    if unknown := [name for name in names if name not in STEP_FEATURES]:
        raise InputError(f"no feature {', '.join(unknown)}; there are {', '.join(STEP_FEATURES)}.")
    time, voltage = np.asarray(time_ms, np.float64), np.asarray(voltage_mv, np.float64)
    _require_trace(time, voltage, start_ms, end_ms)
    if not np.isfinite(voltage).all():
        reason = f"{np.count_nonzero(~np.isfinite(voltage))} samples of the voltage are not finite"
        return {name: Feature(name, None, STEP_FEATURES[name].unit, reason) for name in names}
    trace = {
        "T": time,
        "V": voltage,
        "stim_start": [start_ms],
        "stim_end": [end_ms],
        "stimulus_current": [current_na],
    }
    with _efel(spike_threshold_mv, slope_threshold_mv_per_ms) as efel:
        found = efel.get_feature_values([trace], sorted({_COUNT, *names}), raise_warnings=False)[0]
    spikes = 0 if found[_COUNT] is None else int(found[_COUNT][0])
    return {name: _feature(name, found[name], spikes, current_na) for name in names}


def _feature(name: str, values: np.ndarray | None, spikes: int, current_na: float) -> Feature:
    kind = STEP_FEATURES[name]
    reason = _absence(kind, spikes, current_na)
    finite = np.asarray([] if values is None else values, np.float64)
    finite = finite[np.isfinite(finite)]
    if not reason and not finite.size:
        reason = "eFEL finds none in this response"
    return Feature(name, None if reason else float(finite.mean()), kind.unit, reason)


def _absence(kind: Kind, spikes: int, current_na: float) -> str:
    if spikes < kind.spikes:
        return f"needs {kind.spikes} action potentials within the step, found {spikes}"
    if kind.hyperpolarising and current_na >= 0:
        return f"needs a hyperpolarising step, got {current_na:g} nA"
    return ""


def _require_trace(time: np.ndarray, voltage: np.ndarray, start_ms: float, end_ms: float) -> None:
    if time.ndim != 1 or time.shape != voltage.shape or time.size < 2 or not (np.diff(time) > 0).all():
        raise InputError(
            f"time of shape {time.shape} and voltage of shape {voltage.shape}; wanted one rising axis of time and a "
            "voltage for each of its samples."
        )
    if not time[0] < start_ms < end_ms <= time[-1] + (time[-1] - time[-2]):
        raise InputError(
            f"the step goes from {start_ms:g} to {end_ms:g} ms, the trace from {time[0]:g} to {time[-1]:g} ms; wanted "
            "the step within the trace, with some of it before the onset."
        )


@contextlib.contextmanager
def _efel(spike_threshold_mv: float, slope_threshold: float) -> Iterator[ModuleType]:
    """eFEL with these settings, which are global to it, and its own ones afterwards; quiet."""
    try:
        import efel
    except ImportError as error:
        raise UnsupportedError(
            "features by eFEL need the package efel, which is not installed: pip install 'neurotwin[calibrate]'."
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        efel.reset()
        efel.set_setting("Threshold", spike_threshold_mv)
        efel.set_setting("DerivativeThreshold", slope_threshold)
        efel.set_setting("strict_stiminterval", True)
        try:
            yield efel
        finally:
            efel.reset()
