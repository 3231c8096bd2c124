"""Movies with the second-order statistics of natural ones: scenes with 1/f amplitude that drift and cut."""

import numpy as np
from jaxtyping import Float
from scipy.ndimage import map_coordinates

FRAMES_HZ = 20.0
CANVAS = 128  # pixels of a scene, of which the frame is a part; it is periodic
SHOT_S = (1.5, 4.0)
SPEED = 16.0  # pixels a second, standard deviation of each component
PACE_S = 0.4  # over which velocity changes


def movie(seconds: float, height: int, width: int, seed: int) -> Float[np.ndarray, "time height width"]:
    """Frames of mean 0 and variance about 1, float32.

    The amplitude of scenes falls with spatial frequency as 1/f (Field 1987, doi 10.1364/JOSAA.4.002379); motion
    gives the temporal spectrum (Dong and Atick 1995, doi 10.1088/0954-898X_6_3_003).
    """
    random = np.random.default_rng(seed)
    n, shots = round(seconds * FRAMES_HZ), []
    while sum(map(len, shots)) < n:
        shots.append(_shot(round(random.uniform(*SHOT_S) * FRAMES_HZ), height, width, random))
    return np.concatenate(shots)[:n].astype(np.float32)


def _shot(n: int, height: int, width: int, random: np.random.Generator) -> np.ndarray:
    """One scene, passed over along a smooth path."""
    scene, path = _scene(random), _path(n, random)
    down, across = np.arange(height)[None, :, None], np.arange(width)[None, None, :]
    places = np.broadcast_arrays(down + path[:, 0, None, None], across + path[:, 1, None, None])
    return random.uniform(0.6, 1.4) * map_coordinates(scene, places, order=1, mode="grid-wrap")


def _scene(random: np.random.Generator) -> np.ndarray:
    """Gaussian noise with an amplitude of 1/f, of variance 1."""
    frequency = np.hypot(np.fft.fftfreq(CANVAS)[:, None], np.fft.rfftfreq(CANVAS)[None])
    frequency[0, 0] = np.inf
    scene = np.fft.irfft2(np.fft.rfft2(random.normal(size=(CANVAS, CANVAS))) / frequency, s=(CANVAS, CANVAS))
    return scene / scene.std()


def _path(n: int, random: np.random.Generator) -> np.ndarray:
    """Places (time, 2), pixels; velocity is an Ornstein-Uhlenbeck process."""
    keeps, velocity = np.exp(-1.0 / (FRAMES_HZ * PACE_S)), SPEED * random.normal(size=2)
    place, places = random.uniform(0, CANVAS, size=2), []
    for _ in range(n):
        velocity = keeps * velocity + SPEED * np.sqrt(1 - keeps**2) * random.normal(size=2)
        place = place + velocity / FRAMES_HZ
        places.append(place)
    return np.array(places)
