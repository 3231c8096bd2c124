"""Interventions on twin and circuit, side by side, with the same noise as without them."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from twin import perturb, recording
from twin.coupling import Twin
from twin.recording import Stream

DOSES = tuple(np.round(np.linspace(0.0, 1.0, 11), 2).tolist())
CONDITIONS: Mapping[str, perturb.Intervention] = {
    "cooled by 5 °C": perturb.Temperature(-5.0),
    "warmed by 5 °C": perturb.Temperature(5.0),
    "current -0.1 nA": perturb.CurrentOffset(-0.1),
    "current +0.1 nA": perturb.CurrentOffset(0.1),
}


@dataclasses.dataclass(frozen=True)
class Effect:
    """Firing rates of trials under interventions, Hz.

    Attributes:
        rates_hz: (intervention, trial).
        control_hz: (trial,), the same trials without intervention.
    """

    rates_hz: np.ndarray
    control_hz: np.ndarray

    def rate(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean rate of each intervention with its standard error band."""
        return _with_band(self.rates_hz)

    def change(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean change from control, trial by trial, with its standard error band."""
        return _with_band(self.rates_hz - self.control_hz)


def _with_band(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    mean = values.mean(axis=1)
    error = 1.96 * values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])
    return mean, mean - error, mean + error


def dose_response(twin: Twin, sound: Stream, trials: int, key: Any) -> Effect:
    """Firing rate under a block of the sodium channels from 0 to 100 %."""
    return _effect(twin, sound, [perturb.ChannelBlock("na", dose) for dose in DOSES], trials, key)


def conditions(twin: Twin, sound: Stream, trials: int, key: Any) -> Effect:
    """Firing rate under the interventions of `CONDITIONS`."""
    return _effect(twin, sound, list(CONDITIONS.values()), trials, key)


def _effect(twin: Twin, sound: Stream, done: Sequence[perturb.Intervention], trials: int, key: Any) -> Effect:
    rates = [_rates_hz(twin, sound, (one,), trials, key) for one in done]
    return Effect(np.stack(rates), _rates_hz(twin, sound, (), trials, key))


def _rates_hz(twin: Twin, sound: Stream, done: Sequence[perturb.Intervention], trials: int, key: Any) -> np.ndarray:
    tree = twin.rollout(sound, key=key, trials=trials, interventions=done)
    start_s, stop_s = recording.span(tree)
    return np.array([len(times) for times in recording.spike_times(tree)]) / (stop_s - start_s)
