"""What an evaluation found: tidy score rows, claims, and the bootstrap values behind paired differences."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from twin.errors import InputError
from twin.judge.claims import Claim, Score
from twin.judge.inference import Interval, basic_interval, percentile_interval
from twin.judge.two_sample import ClassifierTest

# Metrics that sampling noise inflates; their intervals are reflected.
DISTANCE_METRICS = ("interval_ks", "interval_wasserstein_ms", "count_tv")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was found.

    Attributes:
        claims: statements with verdicts.
        scores: one row for each model and metric.
        samples: for each (metric, model) the bootstrap values; sample i of any two models drew the same units.
        n_units: resampling units.
        unit: what they are.
    """

    claims: tuple[Claim, ...]
    scores: tuple[Score, ...]
    samples: Mapping[tuple[str, str], Float[np.ndarray, " resample"]]
    n_units: int
    unit: str

    def score(self, metric: str, model: str) -> Score:
        """The row of one model and metric.

        Raises:
            InputError: there is none.
        """
        for score in self.scores:
            if (score.metric, score.model) == (metric, model):
                return score
        raise InputError(f"There is no score {metric} of {model}; scored are {sorted({s.model for s in self.scores})}.")

    def difference(self, metric: str, model: str, baseline: str) -> tuple[float, Interval]:
        """`model` less `baseline` on the same units, with its paired bootstrap interval.

        bits_per_spike .30 and .25 give +.05; it may be certain to be above zero while the two intervals overlap.

        Raises:
            InputError: one of the two has no bootstrap values for this metric.
        """
        for name in (model, baseline):
            if (metric, name) not in self.samples:
                raise InputError(
                    f"{metric} of {name} was not resampled; a paired difference needs two generated models and one of "
                    f"{', '.join(sorted({m for m, _ in self.samples}))}."
                )
        values = self.samples[metric, model] - self.samples[metric, baseline]
        figure = self.score(metric, model).value - self.score(metric, baseline).value
        return figure, percentile_interval(values, self.n_units, unit=self.unit)


@dataclass(frozen=True)
class ScoreRows:
    """Makes score rows of one split and condition."""

    split: str
    condition: str
    unit: str
    n_units: int

    def resampled(self, metric: str, model: str, value: float, samples: np.ndarray) -> Score:
        """A figure with the interval of its bootstrap values."""
        if metric in DISTANCE_METRICS:
            interval = basic_interval(value, samples, self.n_units, unit=self.unit)
        else:
            interval = percentile_interval(samples, self.n_units, unit=self.unit)
        return self._row(metric, model, value, interval.low, interval.high, self.n_units)

    def plain(self, metric: str, model: str, value: float) -> Score:
        """A figure without an interval."""
        return self._row(metric, model, value, None, None, self.n_units)

    def test(self, model: str, test: ClassifierTest) -> Score:
        """An accuracy with its descriptive interval; n is the number of windows."""
        return self._row(f"c2st_accuracy_{test.family}", model, test.accuracy, test.low, test.high, test.n)

    def _row(self, metric: str, model: str, value: float, low: float | None, high: float | None, n: int) -> Score:
        return Score(self.split, self.condition, model, metric, value, low, high, n, self.unit)
