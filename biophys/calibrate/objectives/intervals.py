"""How many spikes and how they follow each other: losses that do not ask when exactly a spike comes."""

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from biophys.calibrate.objectives.objective import Prepared, Slope
from biophys.calibrate.simulation import Seen
from biophys.calibrate.target import Target


@dataclasses.dataclass(frozen=True)
class RateError:
    """Root mean square difference of firing rates in bins, Hz; with one bin for a sweep, of its spike number.

    Attributes:
        bin_s: length of a bin; None for the whole scored stretch.
    """

    bin_s: float | None = None

    @property
    def unit(self) -> str:
        """Of the loss."""
        return "Hz"

    @property
    def forced(self) -> bool:
        """The model's own spikes are counted."""
        return False

    @property
    def slope(self) -> Slope:
        """Counts are whole numbers."""
        return "none"

    def prepare(self, target: Target) -> Prepared:
        """The bin of each step, and the recorded rate in each bin, a mean over repeats."""
        trains = target.trains("RateError")
        start, stop = target.scored_s
        bin_s = stop - start if self.bin_s is None else self.bin_s
        n_bins = max(int((stop - start) / bin_s + 1e-9), 1)
        edges = start + bin_s * np.arange(n_bins + 1)
        times = (np.arange(target.n_steps) + 0.5) * target.dt_s
        place = np.clip(np.searchsorted(edges, times, side="right") - 1, -1, n_bins)
        place = np.where((place < 0) | (place >= n_bins), n_bins, place).astype(np.int32)  # the last row is not read
        rates = [np.mean([np.histogram(one, edges)[0] for one in sweep], axis=0) / bin_s for sweep in trains]
        rows = {"bin": np.broadcast_to(place, target.current_na.shape)}
        return Prepared(rows, {"rate_hz": np.stack(rates), "bin_s": np.full(len(rates), bin_s)})

    def start(self, facts: Mapping[str, Array], n: int, dtype: Any) -> Array:
        """No spike yet."""
        return jnp.zeros((facts["rate_hz"].shape[-1] + 1, n), dtype)

    def add(self, carry: Array, seen: Seen, row: Mapping[str, Array]) -> Array:
        """Count into the bin of the step."""
        return carry.at[row["bin"]].add(seen.spike.astype(carry.dtype))

    def loss(self, carry: Array, facts: Mapping[str, Array]) -> Array:
        """Root mean square over bins and sweeps, Hz."""
        difference = carry[:, :-1] / facts["bin_s"][:, None, None] - facts["rate_hz"][..., None]
        return jnp.sqrt(jnp.mean(difference * difference, axis=(0, 1)))


class Sums(NamedTuple):
    """Step of the last spike (-1 for none), number of intervals, and sums of their logarithm and its square."""

    last: Array
    n: Array
    total: Array
    squares: Array


@dataclasses.dataclass(frozen=True)
class IntervalError:
    """Difference of inter-spike intervals: |mean of ln ISI - recorded| + |its deviation - recorded|, without unit.

    Logarithms, so that 0.1 is ten per cent whatever the rate. A sweep in which the cell has two spikes or more and the
    model has not costs 3.
    """

    @property
    def unit(self) -> str:
        """Of the loss."""
        return "1"

    @property
    def forced(self) -> bool:
        """The model's own spikes are counted."""
        return False

    @property
    def slope(self) -> Slope:
        """Spikes move from step to step."""
        return "none"

    def prepare(self, target: Target) -> Prepared:
        """Mean and deviation of the recorded intervals' logarithms, of all repeats together."""
        start, stop = target.scored_s
        means, deviations = [], []
        for sweep in target.trains("IntervalError"):
            logs = [np.log(np.diff(one[(one >= start) & (one < stop)]) / target.dt_s) for one in sweep]
            joined = np.concatenate(logs)
            means.append(joined.mean() if joined.size else np.nan)
            deviations.append(joined.std() if joined.size else np.nan)
        steps = np.broadcast_to(np.arange(target.n_steps, dtype=np.int32), target.current_na.shape)
        rows = {"step": steps, "scored": np.broadcast_to(target.scored, steps.shape)}
        return Prepared(rows, {"mean": np.array(means), "deviation": np.array(deviations)})

    def start(self, facts: Mapping[str, Array], n: int, dtype: Any) -> Sums:
        """No spike yet."""
        del facts
        zero = jnp.zeros(n, dtype)
        return Sums(jnp.full(n, -1, jnp.int32), zero, zero, zero)

    def add(self, carry: Sums, seen: Seen, row: Mapping[str, Array]) -> Sums:
        """One interval more where there is a spike after a spike."""
        spike = seen.spike & row["scored"]
        ends = spike & (carry.last >= 0)
        log = jnp.where(ends, jnp.log(jnp.maximum(row["step"] - carry.last, 1).astype(carry.n.dtype)), 0.0)
        last = jnp.where(spike, row["step"], carry.last)
        return Sums(last, carry.n + ends.astype(carry.n.dtype), carry.total + log, carry.squares + log * log)

    def loss(self, carry: Sums, facts: Mapping[str, Array]) -> Array:
        """Mean over the sweeps with intervals."""
        some = carry.n > 0
        n = jnp.where(some, carry.n, 1.0)
        mean = carry.total / n
        deviation = jnp.sqrt(jnp.maximum(carry.squares / n - mean * mean, 0.0))
        error = jnp.abs(mean - facts["mean"][:, None]) + jnp.abs(deviation - facts["deviation"][:, None])
        known = jnp.isfinite(facts["mean"])[:, None]
        cost = jnp.where(known, jnp.where(some, error, 3.0), 0.0)
        return cost.sum(axis=0) / jnp.maximum(known.sum(dtype=jnp.int32), 1).astype(cost.dtype)
