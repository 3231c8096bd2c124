"""What a twin has to be better than: models of a spike train that know no mechanism.

Each is fitted on training counts and predicts the expected count in each window of another stimulus.
"""

import dataclasses

import numpy as np
from jaxtyping import Float
from scipy import optimize

from twin.errors import InputError

SMOOTHNESS = (1.0, 10.0, 100.0, 1000.0, 10000.0)


@dataclasses.dataclass(frozen=True)
class HomogeneousPoisson:
    """Spikes at one rate, whatever the stimulus. Attribute: `count`, the mean count in a window."""

    count: float

    @classmethod
    def fit(cls, counts: Float[np.ndarray, " time"]) -> "HomogeneousPoisson":
        """The mean of the training counts."""
        return cls(float(np.mean(counts)))

    def expected_count(self, past: Float[np.ndarray, "time lag"]) -> Float[np.ndarray, " time"]:
        """The same count in every window."""
        return np.full(len(past), self.count)


@dataclasses.dataclass(frozen=True)
class LinearNonlinearPoisson:
    """A linear filter of the past stimulus, then a static nonlinearity, then Poisson spikes.

    The filter maximises the likelihood with an exponential link under a penalty on its second differences; the
    nonlinearity is then estimated anew, as spikes over time spent in quantiles of the filter's output (Chichilnisky
    2001, Network 12:199), and interpolated between them.

    Attributes:
        filter: (lag,), for the past with the latest value last, after subtraction of `mean`.
        mean: of the training stimulus.
        knots: filter outputs at the centres of the quantiles.
        counts: expected counts in a window there.
        smoothness: the penalty that the validation part chose.
    """

    filter: Float[np.ndarray, " lag"]
    mean: float
    knots: Float[np.ndarray, " knot"]
    counts: Float[np.ndarray, " knot"]
    smoothness: float

    @classmethod
    def fit(
        cls,
        past: Float[np.ndarray, "time lag"],
        counts: Float[np.ndarray, " time"],
        validation_past: Float[np.ndarray, "time2 lag"],
        validation_counts: Float[np.ndarray, " time2"],
        n_knots: int = 25,
    ) -> "LinearNonlinearPoisson":
        """Fit on the training part, choose the smoothness on the validation part.

        Raises:
            InputError: no spikes to fit.
        """
        if not np.sum(counts):
            raise InputError("a linear-nonlinear-Poisson model cannot be fitted to a training part without spikes.")
        mean = float(past.mean())
        centred = np.asarray(past - mean, np.float64)
        models = []
        for smoothness in SMOOTHNESS:
            weights = _filter(centred, counts, smoothness)
            knots, expected = _nonlinearity(centred @ weights, counts, n_knots)
            models.append(cls(weights, mean, knots, expected, smoothness))
        return max(models, key=lambda model: _gain(model.expected_count(validation_past), validation_counts))

    def expected_count(self, past: Float[np.ndarray, "time lag"]) -> Float[np.ndarray, " time"]:
        """Expected count of each window from its past, the latest value last; positive everywhere."""
        return np.interp((past - self.mean) @ self.filter, self.knots, self.counts)


def _filter(past: Float[np.ndarray, "time lag"], counts: Float[np.ndarray, " time"], smoothness: float) -> np.ndarray:
    curvature = np.diff(np.eye(past.shape[1]), n=2, axis=0)

    def loss(parameters: np.ndarray):
        offset, weights = parameters[0], parameters[1:]
        log_count = offset + past @ weights
        expected = np.exp(np.minimum(log_count, 5.0))
        bent = curvature @ weights
        value = expected.sum() - counts @ log_count + smoothness * bent @ bent
        slope = past.T @ (expected - counts) + 2 * smoothness * curvature.T @ bent
        return value, np.concatenate([[np.sum(expected - counts)], slope])

    start = np.concatenate([[np.log(counts.mean())], np.zeros(past.shape[1])])
    return optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x[1:]


def _nonlinearity(output: np.ndarray, counts: np.ndarray, n_knots: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(output, kind="stable")
    parts = np.array_split(order, n_knots)
    knots = np.array([output[part].mean() for part in parts])
    # Half a spike a quantile beforehand: a quantile without spikes has a small rate, not an impossible one.
    expected = np.array([(counts[part].sum() + 0.5) / len(part) for part in parts])
    return knots, expected


def _gain(expected: np.ndarray, counts: np.ndarray) -> float:
    return float(counts @ np.log(expected) - expected.sum())
