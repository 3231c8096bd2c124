"""The coincidence factor: spikes that a model puts where the neuron put them, beyond chance.

NaN policy: a NaN in a train is an `InputError`; a factor that the trains do not define is NaN.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from twin.errors import InputError

# Two times read off the same sampling clock can differ by the rounding of a subtraction.
_CLOCK_TOLERANCE_S = 1e-9
# Above this product of rate and window one-to-one matching finds clearly fewer chance pairs than the formula expects.
RELIABLE_RATE_WINDOW_PRODUCT = 0.1


@dataclass(frozen=True)
class Coincidence:
    """The coincidence factor and what it was made of.

    Attributes:
        value: the factor: 1 for a copy, about 0 for chance, negative below chance; NaN where it is not defined.
        n_coincident: real spikes that have a generated spike of their own within the window.
        chance: coincidences expected by chance.
        rate_window_product: model rate times window; above 0.1 the Poisson chance is too high for one-to-one matching.
    """

    value: float
    n_coincident: int
    chance: float
    rate_window_product: float

    @property
    def chance_is_reliable(self) -> bool:
        """Whether the Poisson chance correction may be trusted."""
        return self.rate_window_product <= RELIABLE_RATE_WINDOW_PRODUCT


def coincidence_factor(
    real: np.ndarray,
    generated: np.ndarray,
    *,
    duration_s: float,
    window_s: float = 0.002,
    chance: float | None = None,
) -> Coincidence:
    """Coincidence factor Gamma, with the model's rate and one-to-one matching.

    Definition: (C - chance) / (0.5 (N_real + N_generated)) / (1 - chance / N_real), with chance = 2 v D N_real, v the
    generated rate and D the window. Range: (-inf, 1]. NaN where either train is empty or 2 v D >= 1.
    Source: Kistler, Gerstner and van Hemmen 1997, Neural Comput. 9; Jolivet et al. 2008, J. Neurosci. Methods 169.

    One-to-one matching finds fewer chance pairs than 2 v D N_real, so at high rates independent trains fall below
    zero: at v D > 0.1 pass `shuffled_chance(...)` as `chance`.

    Args:
        real: sorted spike times, seconds.
        generated: sorted spike times, seconds.
        duration_s: length of the stretch that both were seen over, seconds.
        window_s: D, the largest distance of a coincidence to either side, seconds.
        chance: expected number of chance coincidences; 2 v D N_real where it is None.

    Raises:
        InputError: duration or window is not above zero, or a train is not sorted or not finite.
    """
    if not (duration_s > 0 and window_s > 0):
        raise InputError(f"duration_s is {duration_s} and window_s {window_s}; both must be above zero, in seconds.")
    n_coincident = match_spikes(real, generated, window_s).size
    product = len(generated) / duration_s * window_s
    expected = 2.0 * product * len(real) if chance is None else chance
    value = coincidence_from_sums(np.float64(n_coincident), np.float64(expected), len(real), len(generated))
    return Coincidence(float(value), n_coincident, float(expected), float(product))


def coincidence_from_sums(
    n_coincident: np.ndarray | np.floating,
    chance: np.ndarray | np.floating,
    n_real: np.ndarray | int,
    n_generated: np.ndarray | int,
) -> np.ndarray:
    """The coincidence factor of four sums, element by element; NaN for an empty train or a chance of all spikes."""
    n_real, n_generated = np.asarray(n_real, dtype=np.float64), np.asarray(n_generated, dtype=np.float64)
    defined = (n_real > 0) & (n_generated > 0) & (chance < n_real)
    scale = 0.5 * (n_real + n_generated) * (1.0 - chance / np.where(n_real > 0, n_real, 1.0))
    return np.where(defined, (n_coincident - chance) / np.where(defined, scale, 1.0), np.nan)


def match_spikes(real: np.ndarray, generated: np.ndarray, window_s: float) -> Int[np.ndarray, " match"]:
    """Which real spikes get a generated spike of their own within `window_s` (inclusive).

    Walks both sorted trains once and pairs the earliest spikes that can be paired, which makes the largest number of
    one-to-one pairs.

    Raises:
        InputError: a train is not sorted or not finite.
    """
    for name, train in (("real", real), ("generated", generated)):
        if not np.all(np.isfinite(train)) or np.any(np.diff(train) < 0):
            raise InputError(
                f"The {name} train is not sorted or holds a NaN; pass np.sort of finite times, in seconds."
            )
    first, second = real.tolist(), generated.tolist()
    reach = window_s + _CLOCK_TOLERANCE_S
    matched, i, j = [], 0, 0
    while i < len(first) and j < len(second):
        lag = first[i] - second[j]
        if lag > reach:
            j += 1
        elif lag < -reach:
            i += 1
        else:
            matched.append(i)
            i, j = i + 1, j + 1
    return np.array(matched, dtype=np.int64)


def shuffled_intervals(train: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same first spike and the same intervals in another order: a train of the same rate, locked to nothing."""
    if train.size < 3:
        return train
    return np.minimum(train[0] + np.concatenate([[0.0], np.cumsum(rng.permutation(np.diff(train)))]), train[-1])


def shuffled_chance(
    real: np.ndarray, generated: np.ndarray, *, window_s: float = 0.002, n_shuffles: int = 20, seed: int
) -> float:
    """Mean number of coincidences after the generated intervals were put in random order.

    Unlike 2 v D N_real it knows of one-to-one matching and of refractoriness, so it stays right at high rates.
    """
    rng = np.random.default_rng(seed)
    return float(
        np.mean([match_spikes(real, shuffled_intervals(generated, rng), window_s).size for _ in range(n_shuffles)])
    )
