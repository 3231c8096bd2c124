"""Ridge regression with a penalty for each band of features, for all neurons at once.

A neuron may have columns of its own (its past), and may have to do without some of the shared ones (itself among the
activity of all neurons). Both are exact: the former by the Schur complement, the latter by the block inverse.
"""

import dataclasses

import numpy as np

SMALLEST = 1e-9  # of a scale, and of what a penalty adds to a diagonal
PENALTIES = (1.0, 5.0)  # log10 of the range, for features of variance 1
NEAR = 0.5  # standard deviation of the log10 of candidates around another


@dataclasses.dataclass(frozen=True)
class Search:
    """How penalties are chosen.

    Attributes:
        candidates: sets of penalties of the first round.
        rounds: further rounds, each of a third of that.
        folds: of the cross-validation.
        averaged: of a neuron's candidates, those whose predictions are averaged, the best first.
    """

    candidates: int = 24
    rounds: int = 3
    folds: int = 4
    averaged: int = 4


@dataclasses.dataclass(frozen=True, eq=False)
class Design:
    """Features of all trials.

    Attributes:
        shared: bands (trial, time, feature) that all neurons see.
        own: bands (trial, time, neuron, feature) of which a neuron sees its own.
        populations: bands (trial, time, neuron) of the activity of all neurons, of which a neuron does not see itself.
    """

    shared: tuple[np.ndarray, ...]
    own: tuple[np.ndarray, ...] = ()
    populations: tuple[np.ndarray, ...] = ()

    @property
    def n_bands(self) -> int:
        """How many penalties there are."""
        return len(self.shared) + len(self.populations) + len(self.own)

    def scaled(self, trials: np.ndarray) -> "Design":
        """Each band divided by its deviation over `trials`, so that a penalty means the same for all."""
        every = (self.shared, self.own, self.populations)
        return Design(*(tuple(band / scale_of(band, trials) for band in bands) for bands in every))


def scale_of(band: np.ndarray, trials: np.ndarray) -> float:
    """Deviation of a band over `trials`: the root of the mean variance of its columns."""
    return max(float(np.sqrt(band[trials].var(axis=(0, 1)).mean())), SMALLEST)


class Sums:
    """Second moments of a design and a target over some trials: all that a fit needs.

    Args:
        design: features.
        target: (trial, time, neuron).
        trials: that are fitted.
    """

    def __init__(self, design: Design, target: np.ndarray, trials: np.ndarray) -> None:
        n_neurons = target.shape[-1]
        self.design = design
        x = _shared(design, trials)
        y = target[trials].reshape(-1, n_neurons)
        own = _own(design, trials, n_neurons)
        self.means = (x.mean(axis=0), y.mean(axis=0), own.mean(axis=0))
        x, y, own = (one - mean for one, mean in zip((x, y, own), self.means, strict=True))
        self.gram = x.T @ x
        to_own = (x.T @ own.reshape(len(own), -1)).reshape(x.shape[1], n_neurons, -1)
        by_neuron = own.transpose(1, 2, 0)
        self.own_gram = by_neuron @ by_neuron.transpose(0, 2, 1)
        self.own_to_target = (by_neuron @ y.T[:, :, None])[..., 0]
        n_shared = sum(band.shape[-1] for band in design.shared)
        first = n_shared + n_neurons * np.arange(len(design.populations))
        self.left_out = first[None, :] + np.arange(n_neurons)[:, None]
        # (feature, neuron, 1 + own): what features share with the target, and with a neuron's own features
        self.sides = _without(np.concatenate([(x.T @ y)[..., None], to_own], axis=-1), self.left_out)

    def fit(self, penalties: np.ndarray) -> "Readout":
        """Weights for one penalty a band."""
        shared_penalty, own_penalty = self._by_column(penalties)
        inverse = np.linalg.inv(self.gram + np.diag(shared_penalty))
        solved = (inverse @ self.sides.reshape(len(inverse), -1)).reshape(self.sides.shape)
        by_neuron = self._reduced(inverse, solved).transpose(1, 0, 2)  # (neuron, feature, 1 + own)
        alone, through = by_neuron[..., :1], by_neuron[..., 1:]
        seen = self.sides[..., 1:].transpose(1, 2, 0)
        schur = self.own_gram + np.diag(own_penalty)[None] - seen @ through
        own = np.linalg.solve(schur, self.own_to_target[..., None] - seen @ alone)
        return Readout(self.design, (alone - through @ own)[..., 0].T, own[..., 0], self.means)

    def _reduced(self, inverse: np.ndarray, solved: np.ndarray) -> np.ndarray:
        """Solutions of the systems without the columns that are left out, from those of the whole system."""
        left = self.left_out
        if not left.shape[1]:
            return solved
        neurons = np.arange(len(left))[:, None]
        block = inverse[left[:, :, None], left[:, None, :]]
        factor = np.linalg.solve(block, solved[left, neurons])
        columns = inverse[left.reshape(-1)].reshape(*left.shape, -1).transpose(0, 2, 1)
        return _without(solved - (columns @ factor).transpose(1, 0, 2), left)

    def _by_column(self, penalties: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        design = self.design
        shared = [band.shape[-1] for band in (*design.shared, *design.populations)]
        own = [band.shape[-1] for band in design.own]
        columns = np.repeat(penalties + SMALLEST, shared + own)
        return columns[: sum(shared)], columns[sum(shared) :]


@dataclasses.dataclass(frozen=True, eq=False)
class Readout:
    """Weights of all neurons.

    Attributes:
        design: that they belong to.
        shared: (feature, neuron).
        own: (neuron, feature).
        means: of shared features, target and own features over the fitted trials.
    """

    design: Design
    shared: np.ndarray
    own: np.ndarray
    means: tuple[np.ndarray, np.ndarray, np.ndarray]

    def predict(self, trials: np.ndarray) -> np.ndarray:
        """(trial, time, neuron) of these trials."""
        design = self.design
        n_neurons = self.shared.shape[1]
        of_shared, of_target, of_own = self.means
        told = (_shared(design, trials) - of_shared) @ self.shared + of_target
        if design.own:
            own = (_own(design, trials, n_neurons) - of_own).transpose(1, 0, 2)
            told += (own @ self.own[..., None])[..., 0].T
        return told.reshape(len(trials), -1, n_neurons)


@dataclasses.dataclass(frozen=True, eq=False)
class Chosen:
    """What cross-validation and the fit of all trials gave.

    Attributes:
        validation: (trial, time, neuron) predictions of the fitted trials, each by a fit that had not seen it.
        predicted: (trial, time, neuron) of the trials that were asked for.
        weights: (feature, neuron) of the shared bands as they were given.
    """

    validation: np.ndarray
    predicted: np.ndarray
    weights: np.ndarray


def candidates(n_bands: int, n: int, random: np.random.Generator) -> np.ndarray:
    """(candidate, band) penalties: equal ones over the range, then drawn ones, log-uniform."""
    low, high = PENALTIES
    n_equal = min(n, 4)
    equal = np.repeat(np.linspace(low + 1, high, n_equal)[:, None], n_bands, axis=1)
    drawn = random.uniform(low, high, (max(n - n_equal, 0), n_bands))
    return 10.0 ** np.concatenate([equal, drawn])


def around(penalties: np.ndarray, n: int, random: np.random.Generator) -> np.ndarray:
    """(candidate, band) penalties near those of one candidate."""
    return 10.0 ** (np.log10(penalties) + NEAR * random.normal(size=(n, len(penalties))))


def folds(trials: np.ndarray, n: int) -> list[np.ndarray]:
    """The trials in `n` parts, drawn with a fixed seed, so that all methods choose on the same parts."""
    order = np.random.default_rng(1).permutation(len(trials))
    return [trials[order[number::n]] for number in range(n)]


def choose_and_predict(
    design: Design, target: np.ndarray, trials: np.ndarray, asked: np.ndarray, search: Search, seed: int = 0
) -> Chosen:
    """Choose penalties for each neuron by cross-validation over trials, fit all of them, and predict.

    The predictions of a neuron's best candidates are averaged with equal weights.

    Args:
        design: features.
        target: (trial, time, neuron); its values outside `trials` are not looked at.
        trials: that may be fitted.
        asked: trials to predict.
        search: how many candidates, folds, and candidates that are averaged.
        seed: of the candidates.
    """
    scales = [np.full(band.shape[-1], scale_of(band, trials)) for band in design.shared]
    columns = np.concatenate(scales)
    design = design.scaled(trials)
    penalties, left_out = _searched(design, target, trials, search, np.random.default_rng(seed))
    errors = ((left_out - target[trials]) ** 2).mean(axis=(1, 2))
    best = np.argsort(errors, axis=0)[: search.averaged]
    validation = np.stack([left_out[best[:, n], :, :, n].mean(axis=0) for n in range(target.shape[-1])], axis=-1)
    sums = Sums(design, target, trials)
    predicted = np.zeros((len(asked), *target.shape[1:]))
    weights = np.zeros((len(columns), target.shape[-1]))
    for number in np.unique(best):
        share = (best == number).any(axis=0) / len(best)
        readout = sums.fit(penalties[number])
        predicted += share * readout.predict(asked)
        weights += share * readout.shared[: len(columns)] / columns[:, None]
    return Chosen(validation, predicted, weights)


def _searched(
    design: Design, target: np.ndarray, trials: np.ndarray, search: Search, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Candidates, and what each predicts of the fold that it was not fitted to (candidate, trial, time, neuron).

    After a first round over the whole range, further ones are drawn near what is best for all neurons together.
    """
    parts = folds(trials, search.folds)
    place = {int(trial): number for number, trial in enumerate(trials)}
    rows = [[place[int(trial)] for trial in part] for part in parts]
    sums = [Sums(design, target, np.setdiff1d(trials, part)) for part in parts]
    proposed = candidates(design.n_bands, search.candidates, random)
    penalties: list[np.ndarray] = []
    predictions: list[np.ndarray] = []
    for _ in range(1 + search.rounds):
        for one in proposed:
            predicted = np.zeros((len(trials), *target.shape[1:]))
            for part, row, moments in zip(parts, rows, sums, strict=True):
                predicted[row] = moments.fit(one).predict(part)
            penalties.append(one)
            predictions.append(predicted)
        errors = [((one - target[trials]) ** 2).mean() for one in predictions]
        proposed = around(penalties[int(np.argmin(errors))], max(1, search.candidates // 3), random)
    return np.stack(penalties), np.stack(predictions)


def _shared(design: Design, trials: np.ndarray) -> np.ndarray:
    bands = [band[trials] for band in (*design.shared, *design.populations)]
    joined = np.concatenate(bands, axis=-1)
    return joined.reshape(-1, joined.shape[-1])


def _own(design: Design, trials: np.ndarray, n_neurons: int) -> np.ndarray:
    if not design.own:
        n_times = (*design.shared, *design.populations)[0].shape[1]
        return np.zeros((len(trials) * n_times, n_neurons, 0))
    joined = np.concatenate([band[trials] for band in design.own], axis=-1)
    return joined.reshape(-1, n_neurons, joined.shape[-1])


def _without(values: np.ndarray, left_out: np.ndarray) -> np.ndarray:
    """(feature, neuron, ...) with zeros for the features that a neuron does not see."""
    values = values.copy()
    values[left_out, np.arange(len(left_out))[:, None]] = 0.0
    return values
