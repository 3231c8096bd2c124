"""Trace error: how far the model's voltage is from the recorded one, away from spikes."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from biophys.calibrate.objectives.objective import Prepared, Slope
from biophys.calibrate.simulation import Seen
from biophys.calibrate.target import Target
from twin.errors import InputError


@dataclasses.dataclass(frozen=True)
class TraceError:
    """Root mean square difference of voltages, mV, over the scored stretch of all sweeps.

    As a likelihood the differences are white noise, of a known deviation or, without one, of the deviation that makes
    them most likely. Recorded differences are correlated in time: give `independent_s`, the time over which they are,
    or the intervals come out too narrow.

    Attributes:
        spikes: "forced" resets the model where the cell spiked; "free" leaves it its own spikes.
        before_s: not compared this long before each recorded spike.
        after_s: and this long after it.
        windows_s: stretches that are compared, (start, stop) each, s; all if there are none.
        noise_sd_mv: standard deviation of the recording noise; None estimates it from the residuals.
        independent_s: samples closer than this count as one.
    """

    spikes: str = "forced"
    before_s: float = 0.002
    after_s: float = 0.005
    windows_s: tuple[tuple[float, float], ...] = ()
    noise_sd_mv: float | None = None
    independent_s: float = 0.0

    def __post_init__(self) -> None:
        if self.spikes not in ("forced", "free"):
            raise InputError(f"TraceError has spikes={self.spikes!r}; wanted 'forced' or 'free'.")

    @property
    def unit(self) -> str:
        """Of the loss."""
        return "mV"

    @property
    def forced(self) -> bool:
        """Whether the model is reset where the cell spiked."""
        return self.spikes == "forced"

    @property
    def slope(self) -> Slope:
        """A free spike jumps from sample to sample; where none resets the voltage, the slope is still right."""
        return "smooth"

    def prepare(self, target: Target) -> Prepared:
        """Recorded voltage, and 1 where it is compared."""
        voltage = target.voltage("TraceError")
        weight = np.isfinite(voltage) & target.scored & _within(target, self.windows_s)
        if target.spike_times_s is not None:
            weight &= ~_near_spikes(target, self.before_s, self.after_s)
        if not weight.any():
            raise InputError(f"{target.name}: nothing is left to compare between spikes and outside the windows.")
        rows = {"recorded": np.where(weight, voltage, 0.0), "weight": weight.astype(np.float64)}
        share = (
            min(1.0, target.dt_s * weight.size / max(weight.sum(), 1) / self.independent_s)
            if self.independent_s
            else 1.0
        )
        return Prepared(rows, {"n": weight.sum(axis=1).astype(np.float64), "share": np.full(len(weight), share)})

    def start(self, facts: Mapping[str, Array], n: int, dtype: Any) -> Array:
        """No error yet."""
        del facts
        return jnp.zeros(n, dtype)

    def add(self, carry: Array, seen: Seen, row: Mapping[str, Array]) -> Array:
        """One squared difference more."""
        # not a product with the weight alone: a voltage that overflows between two compared samples is no difference
        difference = jnp.where(row["weight"] > 0, seen.voltage_mv - row["recorded"], 0.0)
        return carry + difference * difference

    def loss(self, carry: Array, facts: Mapping[str, Array]) -> Array:
        """Root mean square, mV."""
        return jnp.sqrt(carry.sum(axis=0) / facts["n"].sum())

    def surprise(self, carry: Array, facts: Mapping[str, Array]) -> Array:
        """Negative log likelihood of white differences, nats."""
        squares, n = carry.sum(axis=0), facts["n"].sum()
        if self.noise_sd_mv is None:
            return 0.5 * facts["share"][0] * n * jnp.log(squares / n)
        return 0.5 * facts["share"][0] * squares / self.noise_sd_mv**2


def _within(target: Target, windows_s: tuple[tuple[float, float], ...]) -> np.ndarray:
    times = (np.arange(target.n_steps) + 0.5) * target.dt_s
    return np.any([(times >= start) & (times < stop) for start, stop in windows_s], axis=0) if windows_s else times >= 0


def _near_spikes(target: Target, before_s: float, after_s: float) -> np.ndarray:
    """Where a voltage belongs to a spike. The sample after a reset does not show the spike any more."""
    near = np.zeros(target.current_na.shape, bool)
    before, after = round(before_s / target.dt_s), round(after_s / target.dt_s)
    for row, sweep in zip(near, target.spike_times_s or (), strict=True):
        for step in target.steps_of(sweep[0]):
            row[max(step + 1 - before, 0) : step + 1 + after] = True
    return near
