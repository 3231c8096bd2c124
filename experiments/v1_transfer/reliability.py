"""How much of the activity repeats: reliability of the response to a direction, and what it lets a model reach."""

import dataclasses

import numpy as np

from experiments.v1_transfer.mice import Mouse

SPLITS = 20  # of the repeats in two halves
RELIABLE = 0.5  # mean reliability of a mouse above which shares of explainable variance are meant


@dataclasses.dataclass(frozen=True, eq=False)
class Reliability:
    """Of one mouse, a value for each neuron.

    Attributes:
        mean_response: of the mean over the fitted repeats (Spearman-Brown of their halves).
        single_trial: correlation of a single trial with the true mean response: what a perfect model of the stimulus
            alone could reach.
    """

    mean_response: np.ndarray
    single_trial: np.ndarray

    @property
    def testable(self) -> bool:
        """Whether the response repeats well enough for FEVE."""
        return bool(self.mean_response.mean() > RELIABLE)


def of_response(mouse: Mouse, seed: int = 0) -> Reliability:
    """Reliability of the direction-by-time response, from the fitted trials alone.

    r(n) = n r1 / (1 + (n - 1) r1) (Spearman 1910, Brown 1910): halves that correlate by .5, of 6 trials each, mean
    r1 = .143 and .67 for 12 trials.
    """
    random, activity = np.random.default_rng(seed), mouse.standardised(mouse.fitted)
    directions = np.unique(mouse.direction)
    trials = [mouse.fitted[mouse.direction[mouse.fitted] == one] for one in directions]
    half = min(len(one) for one in trials) // 2
    correlations = []
    for _ in range(SPLITS):
        halves: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        for one in trials:
            order = random.permutation(one)
            halves[0].append(activity[order[:half]].mean(axis=0))
            halves[1].append(activity[order[half : 2 * half]].mean(axis=0))
        correlations.append(correlation(np.concatenate(halves[0]), np.concatenate(halves[1]), axis=0))
    between = np.mean(correlations, axis=0)
    single = between / (half - (half - 1) * between)
    n = min(len(one) for one in trials)
    return Reliability(n * single / (1 + (n - 1) * single), np.sqrt(np.maximum(single, 0.0)))


def correlation(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
    """Pearson correlation along an axis; 0 where either is constant."""
    a, b = (one - one.mean(axis=axis, keepdims=True) for one in (a, b))
    product = np.sqrt((a**2).sum(axis=axis) * (b**2).sum(axis=axis))
    return np.where(product > 1e-12, (a * b).sum(axis=axis) / np.maximum(product, 1e-12), 0.0)


def feve(recorded: np.ndarray, predicted: np.ndarray, direction: np.ndarray) -> float:
    """Share of the explainable variance that is explained, pooled over neurons.

    1 - (MSE - noise) / (variance - noise), noise the variance over repeats of a direction (Cadena et al. 2019, PLoS
    Comput Biol 15:e1006897, eq. 5). Above 1 where a prediction knows of what differs between repeats.
    """
    noise = np.mean([recorded[direction == one].var(axis=0, ddof=1).mean(axis=0) for one in np.unique(direction)], 0)
    error = ((recorded - predicted) ** 2).mean(axis=(0, 1))
    variance = recorded.var(axis=(0, 1))
    return float(1.0 - (error - noise).sum() / (variance - noise).sum())
