"""How well a surrogate predicts a part of the data: log-likelihood and gain over each unit's mean."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from surrogate.batches import Batch, Loader
from surrogate.config import Config
from surrogate.prediction import predicted
from surrogate.sharding import Devices
from surrogate.weights import Structure, Weights


@dataclasses.dataclass(frozen=True)
class Score:
    """Of the scored responses of a part.

    Attributes:
        loss: negative log-likelihood, nats for each response, constants included.
        null: the same of a model that knows each unit's mean (and spread) over the training part alone.
        n: responses.
        total: sum of the responses: spikes, where they are counts.
    """

    loss: float
    null: float
    n: int
    total: float

    @property
    def bits(self) -> float:
        """Gain over the null model, bits for each response."""
        return (self.null - self.loss) / float(np.log(2.0))

    @property
    def bits_per_spike(self) -> float:
        """Gain over the null model, bits for each spike; only for counts."""
        return self.bits * self.n / max(self.total, 1.0)


class Evaluator:
    """Scores weights on a part; compiles once for each shape of batch.

    Args:
        structure: of the model.
        config: of the surrogate.
        start: (unit, parameter) of each unit when nothing is known: the null model.
        devices: over which a batch is divided.
    """

    def __init__(self, structure: Structure, config: Config, start: np.ndarray, devices: Devices) -> None:
        self._structure, self._config, self._devices = structure, config, devices
        self._start = np.asarray(start, np.float32)
        self._sums = jax.jit(self._summed)

    def _summed(self, weights: Weights, start: Any, batch: Batch) -> Any:
        model = self._structure.merge(weights)
        raw = predicted(model, batch, self._config.objective.hidden_share)
        null = jnp.broadcast_to(start[batch.unit][:, None], raw.shape)
        counted = batch.valid & batch.scored[..., None]
        response = batch.response.astype(jnp.float32)
        logs = [model.head.log_prob(one, response) for one in (raw, null)]
        columns = (-logs[0], -logs[1], jnp.ones_like(response), response)
        return jnp.stack([jnp.where(counted, column, 0.0).sum() for column in columns])

    def score(self, weights: Weights, loader: Loader, part: str) -> Score | None:
        """The score of a part, or None where the part is empty."""
        sums = np.zeros(4)
        start = self._devices.everywhere(self._start)
        for batch, _ in loader.tiles(part):
            own = jax.tree.map(lambda value: value[self._devices.rows], batch)
            sums += np.asarray(self._sums(weights, start, self._devices.divided(own)), np.float64)
        if not sums[2]:
            return None
        return Score(float(sums[0] / sums[2]), float(sums[1] / sums[2]), int(sums[2]), float(sums[3]))
