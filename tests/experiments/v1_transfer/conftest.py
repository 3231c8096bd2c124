"""Mice with a known answer: tuned and drifting neurons that behaviour, their own past and each other drive."""

import numpy as np
import pytest

DIRECTIONS = np.arange(0, 360, 45)
N_TRIALS, N_TIMES = 8, 49


def _mouse(seed, n_neurons=6, tuned=1.0, drift=0.5, running=0.6, past=0.6, shared=0.0, noise=0.5):
    """Arrays of a mouse in the published layout; trials of a direction are scattered over the session."""
    random = np.random.default_rng(seed)
    direction = random.permutation(np.repeat(DIRECTIONS, N_TRIALS))
    n = len(direction)
    time = -1.0 + np.arange(N_TIMES) / 16
    speed = np.clip(np.cumsum(random.normal(0, 0.1, (n, N_TIMES)), axis=1) + random.uniform(0, 1, (n, 1)), 0, 1)
    pupil = np.clip(0.5 + 0.3 * (speed - 0.5) + random.normal(0, 0.05, (n, N_TIMES)), 0, 1)
    preferred, course = random.uniform(0, 360, n_neurons), (time > 0) * np.exp(-np.maximum(time, 0))
    tuning = np.exp(2 * (np.cos(np.deg2rad(direction[:, None] - preferred[None])) - 1))
    phase = random.uniform(0, 2 * np.pi, n_neurons)
    slow = np.sin(2 * np.pi * np.arange(n)[:, None] / n + phase[None])
    mean = tuned * tuning[:, None] * course[None, :, None] * 3 + drift * slow[:, None]
    mean = mean + running * speed[..., None]
    common = random.normal(size=(n, N_TIMES, 1)) * shared
    activity, before = np.zeros((n, N_TIMES, n_neurons)), np.zeros((n, n_neurons))
    for window in range(N_TIMES):
        before = past * before + noise * random.normal(size=(n, n_neurons)) + common[:, window]
        activity[:, window] = mean[:, window] + before
    return {
        "activity": activity.transpose(2, 0, 1).astype(np.float32),
        "pupil": pupil.astype(np.float32),
        "speed": speed.astype(np.float32),
        "direction_deg": direction.astype(np.int16),
        "t_s": time,
        "dt_s": 0.0625,
        "group": "control",
        "mouse": f"m{seed}",
        "session": "s",
    }


def _written(folder, seeds, **facts):
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        np.savez(folder / f"mouse{seed}.npz", **_mouse(seed, **facts))
    return folder


@pytest.fixture(scope="session")
def arrays():
    """Arrays of the mouse of a seed, in the published layout."""
    return _mouse


@pytest.fixture(scope="session")
def written():
    """Writes mice of these seeds to a folder and returns it."""
    return _written
