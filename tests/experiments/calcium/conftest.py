"""Data sets that were made up: known kinetics by indicator, drift and noise, in the layout of the public set."""

from collections.abc import Callable
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from surrogate.heads.calcium import Kinetics, response

STEP_S = 0.01
# rise, decay, exponent, slow share
TRUTH = {"OGB1": (0.02, 1.0, 1.0, 0.3), "GCaMP6f": (0.05, 0.4, 1.9, 0.3)}


def cell(indicator: str, seconds: float, rate_hz: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frame times in s, dF/F and spike times in s of one cell."""
    random = np.random.default_rng(seed)
    rise, decay, exponent, slow = TRUTH[indicator]
    own = np.exp(0.2 * random.normal(size=2))
    n = round(seconds / STEP_S)
    bursts = random.random(n) < 0.4 * STEP_S
    counts = np.where(bursts, random.integers(1, 6, n), 0)
    values = (np.log(rise * own[0]), np.log(decay * own[1]), np.log(exponent), -20.0, slow, np.log(3.0))
    kinetics = Kinetics(*(jnp.full(1, value, jnp.float32) for value in values))
    shape = np.asarray(response(kinetics, jnp.asarray(counts[:, None], jnp.float32), STEP_S))[:, 0]
    every = round(1 / (rate_hz * STEP_S))
    trace = 0.1 * shape[every - 1 :: every]
    dff = trace + trace.std() * (0.3 * random.normal(size=len(trace)) + 0.2)
    times = np.arange(every, n + 1, every) * STEP_S
    spikes = np.concatenate([at * STEP_S + 0.0005 * np.arange(counts[at]) for at in np.flatnonzero(counts)])
    return times[: len(dff)], dff, np.sort(spikes)


@pytest.fixture(scope="session")
def written() -> Callable[..., Path]:
    """Writes a folder of data sets: (folder, names, cells each)."""

    def write(folder: Path, names: tuple[str, ...], n_cells: int = 3, seconds: float = 80.0, seed: int = 0) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for number, name in enumerate(names):
            arrays = {}
            for index in range(n_cells):
                times, dff, spikes = cell(name.split("-")[1], seconds, 20.0, seed + 100 * number + index)
                arrays |= {
                    f"c{index}_s0_dff": dff.astype(np.float32),
                    f"c{index}_s0_t": times,
                    f"c{index}_s0_ap": spikes * 1e4,
                }
            np.savez(folder / f"{name}.npz", **arrays)
        return folder

    return write
