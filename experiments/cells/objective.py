"""The scored features of responses to current steps, computed while a model runs, as what a fit makes small."""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from biophys.calibrate.objectives.objective import Prepared, Slope
from biophys.calibrate.simulation import Seen
from biophys.calibrate.target import Target
from experiments.calibration.steps import CurrentStep
from experiments.cells.tolerance import NAMES, WITHIN, Values

LACKING = 12.0  # deviations: what it costs to lack a feature that the cell has
RISE_MV = 2.3  # as the other voltages, see `tolerance`
_RISING = 0.8  # of the time to the first spike: the upswing comes after


class Sums(NamedTuple):
    """What is kept of one sweep; times are counted in steps from the onset.

    Attributes:
        n: spikes within the step.
        first: time of the first one.
        last: time of the last one.
        first_interval: between the first two.
        interval: the last one.
        total: of the intervals after the first.
        squares: of the same.
        changes: sum of (next - interval) / (next + interval), over the same.
        low: lowest voltage since the last spike, mV.
        is_lowest: 1 where that is the voltage now.
        lows: sum of those between spikes.
        base: sum of the voltage before the step.
        steady: sum of the voltage in the last tenth of the step.
        rise: sum of squared differences to the cell's voltage on the way to its first spike.
    """

    n: Array
    first: Array
    last: Array
    first_interval: Array
    interval: Array
    total: Array
    squares: Array
    changes: Array
    low: Array
    is_lowest: Array
    lows: Array
    base: Array
    steady: Array
    rise: Array


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class StepFeatures:
    """Mean over the cell's features and fitted sweeps of ln(1 + (z/2)^2), z the distance in the scored deviations.

    It grows slowly beyond two deviations, because a feature that is far off counts no more than one that is just off,
    and is the negative log of a Cauchy distribution of that width, so that priors can be weighed against it. The
    features are eFEL's: the tests compare them. One more is not scored: how far the voltage is from the cell's on the
    way to its first spike, root mean square.

    Attributes:
        steps: the current step of each sweep of the target.
        cell: the cell's features of each.
        deviation: of each.
    """

    steps: tuple[CurrentStep, ...]
    cell: tuple[Values, ...]
    deviation: tuple[dict[str, float], ...]

    def __repr__(self) -> str:
        return "StepFeatures()"  # the numbers reach the compiled loss through `prepare`, so cells share one

    @property
    def unit(self) -> str:
        """Of the loss."""
        return "1"

    @property
    def forced(self) -> bool:
        """The model's own response is looked at."""
        return False

    @property
    def slope(self) -> Slope:
        """Spikes move from step to step."""
        return "none"

    def prepare(self, target: Target) -> Prepared:
        """Where each step lies, and what the cell does."""
        times = np.arange(target.n_steps, dtype=np.float32)
        onset = np.array([step.start_s / target.dt_s for step in self.steps], np.float32).round()[:, None]
        end = np.array([step.stop_s / target.dt_s for step in self.steps], np.float32).round()[:, None]
        tenth = 0.1 * (end - onset)
        latency = [(values["time_to_first_spike"] or np.inf) * 1e-3 / target.dt_s for values in self.cell]
        rising = (times >= onset) & (times < np.minimum(onset + _RISING * np.array(latency)[:, None], end))
        rows = {
            "since": times - onset,
            "inside": (times >= onset) & (times < end),
            "before": (times >= 0.9 * onset) & (times < onset),
            "late": (times >= end - tenth) & (times < end),
            "rising": rising,
            "recorded_mv": np.nan_to_num(target.voltage("StepFeatures")),
        }
        known = [[np.nan if values[name] is None else values[name] for name in NAMES] for values in self.cell]
        facts = {
            "cell": np.array(known, float),
            "deviation": np.array([[one[name] for name in NAMES] for one in self.deviation]),
            "step_ms": np.full(len(self.steps), 1e3 * target.dt_s),
            "before": rows["before"].sum(axis=1).astype(float),
            "late": rows["late"].sum(axis=1).astype(float),
            "rising": np.maximum(rising.sum(axis=1), 1).astype(float),
        }
        return Prepared(rows, facts)

    def start(self, facts: Mapping[str, Array], n: int, dtype: Any) -> Sums:
        """No spike yet."""
        del facts
        zero = jnp.zeros(n, dtype)
        return Sums(*(zero,) * len(Sums._fields))._replace(low=jnp.full(n, jnp.inf, dtype))

    def add(self, carry: Sums, seen: Seen, row: Mapping[str, Array]) -> Sums:
        """One sample more."""
        v, now = seen.voltage_mv, row["since"]
        spike = seen.spike & row["inside"]
        another, third, fourth = (spike & (carry.n >= k) for k in (1, 2, 3))
        interval = now - carry.last
        low = jnp.where(row["inside"], jnp.minimum(carry.low, v), carry.low)
        pair = jnp.maximum(interval + carry.interval, 1)
        zero = jnp.zeros((), v.dtype)

        def plus(total: Array, where: Array, value: Array) -> Array:
            return total + jnp.where(where, value, zero)

        return Sums(
            n=carry.n + spike.astype(v.dtype),
            first=jnp.where(spike & (carry.n < 1), now, carry.first),
            last=jnp.where(spike, now, carry.last),
            first_interval=jnp.where(another & (carry.n < 2), interval, carry.first_interval),
            interval=jnp.where(another, interval, carry.interval),
            total=plus(carry.total, third, interval),
            squares=plus(carry.squares, third, interval * interval),
            changes=plus(carry.changes, fourth, (interval - carry.interval) / pair),
            low=jnp.where(spike, jnp.asarray(jnp.inf, v.dtype), low),
            is_lowest=jnp.where(row["inside"], (v <= low).astype(v.dtype), carry.is_lowest),
            lows=plus(carry.lows, another, low),
            base=plus(carry.base, row["before"], v),
            steady=plus(carry.steady, row["late"], v),
            rise=plus(carry.rise, row["rising"], (v - row["recorded_mv"]) ** 2),
        )

    def features(self, carry: Sums, facts: Mapping[str, Array]) -> dict[str, Array]:
        """Name -> (sweep, n); NaN where the response has none."""
        step_ms, before, late = (facts[name][:, None] for name in ("step_ms", "before", "late"))
        n, nan = carry.n, jnp.full_like(carry.n, jnp.nan)
        later = n - 2  # intervals after the first
        mean = carry.total / jnp.maximum(later, 1)
        variance = jnp.maximum(carry.squares - later * mean * mean, 0) / jnp.maximum(later - 1, 1)
        # after the last spike the lowest voltage until the end of the step, if it is reached before that
        has_last = jnp.isfinite(carry.low) & (carry.is_lowest < 0.5)
        lows = carry.lows + jnp.where(has_last, carry.low, jnp.zeros_like(n))
        lows = lows / jnp.maximum(n - 1 + has_last.astype(n.dtype), 1)
        return {
            "voltage_base": carry.base / before,
            "steady_state_voltage_stimend": jnp.where(n < 1, carry.steady / late, nan),
            "min_AHP_values": jnp.where(n >= 2, lows, nan),
            "spike_count_stimint": n,
            "time_to_first_spike": jnp.where(n >= 1, carry.first * step_ms, nan),
            "inv_first_ISI": jnp.where(n >= 2, 1e3 / jnp.maximum(carry.first_interval * step_ms, step_ms), nan),
            "ISI_CV": jnp.where(n >= 4, jnp.sqrt(variance) / jnp.maximum(mean, 1), nan),
            "adaptation_index2": jnp.where(n >= 4, carry.changes / jnp.maximum(n - 3, 1), nan),
        }

    def loss(self, carry: Sums, facts: Mapping[str, Array]) -> Array:
        """Mean over what the cell has."""
        cost, n = self._costs(carry, facts)
        return cost / n

    def surprise(self, carry: Sums, facts: Mapping[str, Array]) -> Array:
        """The sum, nats."""
        return self._costs(carry, facts)[0]

    def _costs(self, carry: Sums, facts: Mapping[str, Array]) -> tuple[Array, Array]:
        found = self.features(carry, facts)
        model = jnp.stack([found[name] for name in NAMES], axis=1)
        cell, deviation = facts["cell"][:, :, None], facts["deviation"][:, :, None]
        z = jnp.where(jnp.isfinite(model), (model - cell) / deviation, jnp.asarray(LACKING, model.dtype))
        known = jnp.isfinite(cell)
        cost = jnp.where(known, jnp.log1p((z / WITHIN) ** 2), jnp.zeros((), model.dtype)).sum(axis=(0, 1))
        rise = jnp.log1p(carry.rise / facts["rising"][:, None] / (WITHIN * RISE_MV) ** 2).sum(axis=0)
        n = known.sum(dtype=jnp.int32) + known.shape[0]
        return cost + rise, n.astype(cost.dtype)
