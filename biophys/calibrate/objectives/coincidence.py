"""Coincidence: spikes that the model puts where the cell put them, beyond chance, over what repeats of the cell reach.

The factor is that of `twin.judge.coincidence`, for a population at once: the number of model spikes before each edge of
each window is kept while the model runs, and the one-to-one matching is done from those numbers.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from biophys.calibrate.objectives.objective import Prepared, Slope
from biophys.calibrate.simulation import Seen
from biophys.calibrate.target import Target
from twin.errors import InputError
from twin.judge.coincidence import coincidence_factor


class Counted(NamedTuple):
    """Spikes so far, and how many there were before each edge of a window."""

    so_far: Array
    before: Array


@dataclasses.dataclass(frozen=True)
class Coincidence:
    """One minus the coincidence factor relative to the intrinsic reliability, plus what a wrong rate costs.

    Loss: 1 - sum of Gamma / sum of intrinsic Gamma + rate_weight * mean |spike number / recorded number - 1|. Sweeps
    with repeats below `min_reliability` do not repeat their spike times; of them only the rate counts. A sweep without
    repeats has a reliability of 1.

    Attributes:
        window_s: largest distance of a coincidence to either side.
        rate_weight: what spikes at twice the recorded rate cost.
        min_reliability: intrinsic Gamma from which on spike times count.
    """

    window_s: float = 0.004
    rate_weight: float = 0.1
    min_reliability: float = 0.25

    @property
    def unit(self) -> str:
        """Of the loss."""
        return "1"

    @property
    def forced(self) -> bool:
        """The model's own spikes are compared."""
        return False

    @property
    def slope(self) -> Slope:
        """A spike is in a window or not."""
        return "none"

    def prepare(self, target: Target) -> Prepared:
        """The edges of all windows, in steps, and where each recorded spike's two edges are among them."""
        trains = [[self._scored(target, train) for train in sweep] for sweep in target.trains("Coincidence")]
        reach = int(np.floor(self.window_s / target.dt_s + 1e-6))
        if reach < 1:
            raise InputError(
                f"{target.name}: steps of {1e3 * target.dt_s:g} ms do not resolve coincidences within "
                f"{1e3 * self.window_s:g} ms; choose a wider window_s or a shorter step."
            )
        n_repeats, n_spikes = max(map(len, trains)), max(len(train) for sweep in trains for train in sweep)
        shape = (len(trains), n_repeats, n_spikes)
        spike = np.full(shape, -1)
        for s, sweep in enumerate(trains):
            for r, train in enumerate(sweep):
                spike[s, r, : len(train)] = target.steps_of(train)
        real = spike >= 0
        first, last = np.clip(spike - reach, 0, target.n_steps), np.clip(spike + reach + 1, 0, target.n_steps)
        marks = [np.unique(np.concatenate([first[s][real[s]], last[s][real[s]]])) for s in range(len(trains))]
        n_marks = max(len(one) for one in marks)
        steps_after = np.arange(1, target.n_steps + 1)
        rows = {
            "mark": np.stack([np.searchsorted(one, steps_after) for one in marks]).astype(np.int32),
            "scored": np.broadcast_to(target.scored, target.current_na.shape),
        }
        facts: dict[str, np.ndarray] = {
            "marks": np.zeros((len(trains), n_marks + 1)),  # its length alone matters
            "first": np.stack([np.searchsorted(one, first[s]) for s, one in enumerate(marks)]).astype(np.int32),
            "last": np.stack([np.searchsorted(one, last[s]) for s, one in enumerate(marks)]).astype(np.int32),
            "real": np.asarray(real),
            "repeats": np.array([[r < len(sweep) for r in range(n_repeats)] for sweep in trains]),
            "intrinsic": np.array([self._reliability(target, sweep) for sweep in trains]),
            # share of the stretch in which a spike would be a coincidence, for each spike of the model
            "reach": np.full(len(trains), 2 * self.window_s / (target.scored_s[1] - target.scored_s[0])),
        }
        return Prepared(rows, facts)

    def start(self, facts: Mapping[str, Array], n: int, dtype: Any) -> Counted:
        """No spike yet."""
        del dtype
        return Counted(jnp.zeros(n, jnp.int32), jnp.zeros((facts["marks"].shape[-1], n), jnp.int32))

    def add(self, carry: Counted, seen: Seen, row: Mapping[str, Array]) -> Counted:
        """Count, and note the count in the row of the next edge: the last note before an edge stays."""
        so_far = carry.so_far + (seen.spike & row["scored"]).astype(jnp.int32)
        return Counted(so_far, jax.lax.dynamic_update_index_in_dim(carry.before, so_far, row["mark"], 0))

    def loss(self, carry: Counted, facts: Mapping[str, Array]) -> Array:
        """See the class."""
        gamma, rate_error = self.scores(carry, facts)
        times = facts["intrinsic"] > 0
        gained = jnp.where(times[:, None], gamma, 0.0).sum(axis=0) / jnp.maximum(facts["intrinsic"].sum(), 1e-6)
        return 1.0 - gained + self.rate_weight * rate_error.mean(axis=0)

    def scores(self, carry: Counted, facts: Mapping[str, Array]) -> tuple[Array, Array]:
        """Coincidence factor and relative rate error of each sweep, means over repeats: (sweep, n) each."""
        return jax.vmap(_scores)(carry, dict(facts))

    def _scored(self, target: Target, train: np.ndarray) -> np.ndarray:
        start, stop = target.scored_s
        return train[(train >= start) & (train < stop)]

    def _reliability(self, target: Target, repeats: list[np.ndarray]) -> float:
        """Mean coincidence factor of ordered pairs of repeats; 1 for a single train, 0 where it is too low to count."""
        if len(repeats) == 1:
            return 1.0
        start, stop = target.scored_s
        pairs = [
            coincidence_factor(one, other, duration_s=stop - start, window_s=self.window_s).value
            for i, one in enumerate(repeats)
            for j, other in enumerate(repeats)
            if i != j
        ]
        mean = float(np.nanmean(pairs)) if np.isfinite(pairs).any() else 0.0
        return mean if mean >= self.min_reliability else 0.0


def _scores(carry: Counted, facts: Mapping[str, Array]) -> tuple[Array, Array]:
    dtype = facts["reach"].dtype
    number = carry.so_far.astype(dtype)

    def repeat(first: Array, last: Array, real: Array) -> tuple[Array, Array]:
        def match(state: tuple[Array, Array], edges: tuple[Array, Array, Array]) -> tuple[tuple[Array, Array], None]:
            used, hits = state
            opens, closes, is_real = edges
            candidate = jnp.maximum(carry.before[opens], used)
            hit = is_real & (candidate < carry.before[closes])
            return (jnp.where(hit, candidate + 1, used), hits + hit.astype(jnp.int32)), None

        zero = jnp.zeros_like(carry.so_far)
        (_, hits), _ = jax.lax.scan(match, (zero, zero), (first, last, real))
        recorded = real.sum(dtype=jnp.int32).astype(dtype)
        chance = facts["reach"] * number
        beyond = hits.astype(dtype) - chance * recorded
        scale = 0.5 * (recorded + number) * (1.0 - chance)
        defined = (chance < 1) & (recorded > 0)
        gamma = jnp.where(defined, beyond / jnp.where(defined, scale, 1.0), 0.0)
        return gamma, jnp.abs(number - recorded) / jnp.maximum(recorded, 1.0)

    gamma, rate_error = jax.vmap(repeat)(facts["first"], facts["last"], facts["real"])
    counts = facts["repeats"].astype(dtype)[:, None]
    return (gamma * counts).sum(axis=0) / counts.sum(), (rate_error * counts).sum(axis=0) / counts.sum()
