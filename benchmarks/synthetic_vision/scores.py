"""What a prediction of the new animal's test movie is worth: by the repeats alone, and by the true rates."""

import dataclasses

import numpy as np
import xarray as xr
from jaxtyping import Float

from benchmarks.synthetic_vision.animals import STREAM, Animal
from benchmarks.synthetic_vision.models import Expected, expected
from surrogate import Surrogate
from twin.judge import cc_norm, feve

SHIFTS = (1, 2, 4)  # frames
RESAMPLES = 2000


@dataclasses.dataclass(frozen=True)
class Scored:
    """A model's scores, one for each unit.

    Attributes:
        name: of the model.
        minutes: of the new animal's data.
        cc_norm: from the repeats, by the formula.
        correlation: of the mean prediction with the mean of the true rates: what `cc_norm` estimates.
        feve: from the repeats.
    """

    name: str
    minutes: float
    cc_norm: Float[np.ndarray, " unit"]
    correlation: Float[np.ndarray, " unit"]
    feve: Float[np.ndarray, " unit"]

    @property
    def median(self) -> float:
        """Of CC_norm over the units for which it is defined."""
        return float(np.nanmedian(self.cc_norm))

    @property
    def disagreement(self) -> float:
        """Median over units of how far the formula is from the truth."""
        return float(np.nanmedian(np.abs(self.cc_norm - self.correlation)))

    def interval(self) -> tuple[float, float]:
        """95 % bootstrap interval of the median over units: other units of this animal."""
        random = np.random.default_rng(0)
        drawn = random.integers(len(self.cc_norm), size=(RESAMPLES, len(self.cc_norm)))
        low, high = np.nanquantile(np.nanmedian(self.cc_norm[drawn], axis=1), (0.025, 0.975))
        return float(low), float(high)


def score(name: str, minutes: float, predicted: Expected, new: Animal) -> Scored:
    """Of expected counts of the new animal's test trials."""
    trials = [one.trial for one in new.parts.test]
    counts, truth = new.array("counts")[trials].astype(np.float64), new.expected[trials].mean(axis=0)
    mean = predicted.mean(axis=0)
    correlation = np.array([np.corrcoef(mean[:, k], truth[:, k])[0, 1] for k in range(truth.shape[1])])
    return Scored(name, minutes, cc_norm(predicted, counts), correlation, feve(predicted, counts))


def defects(surrogate: Surrogate, new: Animal, minutes: float, seed: int) -> list[Scored]:
    """The same model with something wrong, which has to cost CC_norm: a late movie, and readouts in wrong places."""
    found = []
    for frames in SHIFTS:
        late = expected(surrogate, shifted(new.tree, frames), new)
        found.append(score(f"movie {frames} frame(s) late", minutes, late, new))
    wrong = expected(displaced(surrogate, new.name, seed), new.tree, new)
    return [*found, score("places of other units", minutes, wrong, new)]


def shifted(tree: xr.DataTree, frames: int) -> xr.DataTree:
    """The recording with its movie so many frames late in every trial."""
    late = tree.copy(deep=True)
    value = late[f"stimulus/{STREAM}"]["value"]
    value[:] = np.roll(value.values, frames, axis=1)
    return late


def displaced(surrogate: Surrogate, name: str, seed: int) -> Surrogate:
    """The surrogate with the places of a session's units exchanged at random."""
    facts = surrogate.vocabulary.session(name)
    assert facts is not None
    rows = facts.first_unit + np.arange(len(facts.unit_ids))
    weights = {key: np.array(value) for key, value in surrogate.checkpoint.weights.items()}
    weights["units/place"][rows] = weights["units/place"][np.random.default_rng(seed).permutation(rows)]
    return Surrogate(dataclasses.replace(surrogate.checkpoint, weights=weights))
