"""A cell that was made up: a membrane with escape noise behind an electrode, under frozen noise and a test of it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

DT_MS, CAPACITY_PF, LEAK_NS, REST_MV, THRESHOLD_MV, RESET_MV = 0.1, 150.0, 10.0, -60.0, -48.0, -55.0
ELECTRODE_MOHM = 4.0 * np.exp(-np.arange(10) / 2.0)  # of what the bridge left
MembraneRun = tuple[np.ndarray, np.ndarray]


def noise(n: int, mean_na: float, sd_na: float, tau_ms: float, seed: int) -> np.ndarray:
    """Ornstein-Uhlenbeck current, nA."""
    rng, keep = np.random.default_rng(seed), np.exp(-DT_MS / tau_ms)
    steps, current = rng.normal(0.0, sd_na * np.sqrt(1 - keep**2), n), np.zeros(n)
    for at in range(1, n):
        current[at] = keep * current[at - 1] + steps[at]
    return current + mean_na


def membrane(current_na: np.ndarray, n_repeats: int, seed: int, spikes: bool = True) -> MembraneRun:
    """Voltage (repeat, time) with a 1 ms spike, and in which steps it spiked."""
    rng = np.random.default_rng(seed)
    v, hold, adaptation = np.full(n_repeats, REST_MV), np.zeros(n_repeats, int), np.zeros(n_repeats)
    voltage, fired = np.zeros((n_repeats, len(current_na))), np.zeros((n_repeats, len(current_na)), bool)
    for at, current in enumerate(current_na):
        voltage[:, at] = np.where(hold > 30, 30.0, v)
        free = hold == 0
        rate_per_ms = 10.0 * np.exp(np.clip((v - THRESHOLD_MV) / 1.0, -30, 2)) if spikes else np.zeros(n_repeats)
        now = free & (rng.random(n_repeats) < -np.expm1(-rate_per_ms * DT_MS))
        fired[:, at] = now
        slope = (LEAK_NS * (REST_MV - v) + 1e3 * current - adaptation) / CAPACITY_PF
        v = np.where(now, RESET_MV, np.where(free, v + DT_MS * slope, v))
        adaptation = adaptation * np.exp(-DT_MS / 50.0) + 40.0 * now
        hold = np.where(now, 40, np.maximum(hold - 1, 0))
    return voltage, fired


def through_electrode(voltage: np.ndarray, current_na: np.ndarray) -> np.ndarray:
    """What the amplifier showed, mV."""
    drop = np.convolve(current_na - current_na[0], ELECTRODE_MOHM)[: len(current_na)]
    return voltage + drop + current_na[0] * ELECTRODE_MOHM.sum()


@pytest.fixture(scope="session")
def written() -> Callable[..., Path]:
    """Writes a folder of the set's layout: (folder, start_s, stop_s) of 5 s that were made up."""
    current = noise(50_000, 0.14, 0.08, 3.0, 1)
    voltage = through_electrode(membrane(current, 4, 2)[0], current)
    weak = noise(30_000, 0.0, 0.04, 1.0, 3)
    test = through_electrode(membrane(weak, 1, 4, spikes=False)[0], weak)[0]

    def write(
        folder: Path, start_s: float = 0.0, stop_s: float = 3.6, n_repeats: int = 4, with_test: bool = True
    ) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        used = slice(round(start_s * 1e4), round(stop_s * 1e4))
        arrays = {
            "V_volt": (voltage[:n_repeats, used] * 1e-3).astype(np.float32),
            "I_amp": (np.broadcast_to(current[used], (n_repeats, used.stop - used.start)) * 1e-9).astype(np.float32),
            "dt_s": np.float64(1e-4),
        }
        if with_test:
            arrays |= {"aec_V_volt": (test * 1e-3).astype(np.float32), "aec_I_amp": (weak * 1e-9).astype(np.float32)}
        np.savez(folder / "made_up.npz", **arrays)
        return folder

    return write
