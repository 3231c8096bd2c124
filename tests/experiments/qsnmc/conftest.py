"""A neuron that was made up, under a few stimuli of one noise, in the layout of challenge A."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

RESISTANCE_MOHM = 15.0
STIMULI = {"a": (0.25, 0.12), "b": (0.15, 0.18), "c": (0.32, 0.0)}  # mean and deviation, nA


def simulate(current_na: np.ndarray, n_repeats: int, seed: int) -> np.ndarray:
    """Voltage (repeat, time) at 1 kHz of a membrane with escape noise, behind a resistance."""
    rng, v, hold = np.random.default_rng(seed), np.full(n_repeats, -65.0), np.zeros(n_repeats, int)
    voltage = np.zeros((n_repeats, len(current_na)))
    for at, current in enumerate(current_na):
        voltage[:, at] = np.where(hold == 4, 30.0, v) + RESISTANCE_MOHM * current
        free = hold == 0
        chance = -np.expm1(-np.exp(np.clip((v + 50.0) / 1.0, -30, 2)))
        now = free & (rng.random(n_repeats) < chance)
        v = np.where(now, -60.0, np.where(free, v + (12.0 * (-65.0 - v) + 1e3 * current) / 200.0, v))
        hold = np.where(now, 4, np.maximum(hold - 1, 0))
    return voltage


@pytest.fixture(scope="session")
def written() -> Callable[..., Path]:
    """Writes challengeA.npz: (folder, stimuli) of 4 s, three repeats each."""
    noise, rng = np.zeros(4000), np.random.default_rng(0)
    for at in range(1, 4000):
        noise[at] = 0.6 * noise[at - 1] + 0.8 * rng.normal()

    def write(folder: Path, stimuli: Mapping[str, tuple[float, float]] = STIMULI, n_repeats: int = 3) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        names, currents, voltages = [], [], []
        for number, (name, (mean, sd)) in enumerate(stimuli.items()):
            current = mean + sd * noise
            voltages.append(simulate(current, n_repeats, number))
            currents.append(np.broadcast_to(current, (n_repeats, 4000)))
            names += [f"{name}-{repeat}" for repeat in range(n_repeats)]
        np.savez(
            folder / "challengeA.npz",
            names=np.array(names),
            I_pA=(1e3 * np.concatenate(currents)).astype(np.float32),
            V_mV=np.concatenate(voltages).astype(np.float32),
            dt_ms=np.float64(1.0),
        )
        return folder

    return write
