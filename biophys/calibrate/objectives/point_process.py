"""Point process likelihood: how probable the recorded spikes are under an escape-noise model that is forced to them."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from biophys.calibrate.objectives.objective import Prepared, Slope
from biophys.calibrate.simulation import Seen
from biophys.calibrate.target import Target
from twin.errors import InputError

# A spike where the model says none can come costs as much as at this probability: ln(1e-20) is -46 nats.
_LEAST = 1e-20
# Expected spikes in one step, beyond which they cost only their logarithm: there a finite slope is all that counts.
_MOST = 50.0


@dataclasses.dataclass(frozen=True)
class PointProcess:
    """Minus the log likelihood gain over a constant rate, bits per spike.

    The model has a hazard (per second) and is reset where the cell spiked. In a step of length dt a spike has the
    probability p = 1 - exp(-hazard dt); the likelihood is the product of p where there was a spike and 1 - p elsewhere
    (Paninski 2004, Network 15:243, eq. 2; Gerstner et al. 2014, Neuronal Dynamics, eq. 10.9). While the model is
    refractory p is 0; a recorded spike that comes then costs 46 nats, whatever the parameters are. The constant is the
    mean rate of the scored stretch, so -1 is one bit per spike better than that.

    Attributes:
        hazard: variable or subexpression of the model, in Hz.
    """

    hazard: str = "hazard"

    @property
    def unit(self) -> str:
        """Of the loss."""
        return "bit/spike"

    @property
    def forced(self) -> bool:
        """The model is conditioned on the recorded spikes."""
        return True

    @property
    def slope(self) -> Slope:
        """The likelihood of given spikes has a derivative."""
        return "smooth"

    def prepare(self, target: Target) -> Prepared:
        """Where the spikes are, and what a constant rate scores."""
        target.trains("PointProcess")
        raster, scored = target.raster(), target.scored
        n_spikes, n_steps = raster[:, scored].sum(), scored.sum() * len(raster)
        if n_spikes == n_steps:
            raise InputError(f"{target.name}: every step holds a spike; lower the rate or shorten the step.")
        share = n_spikes / n_steps
        constant = n_spikes * math.log(share) + (n_steps - n_spikes) * math.log1p(-share)
        rows = {"spike": raster, "scored": np.broadcast_to(scored, raster.shape).astype(np.float64)}
        n_sweeps = len(raster)
        facts = {"constant": np.full(n_sweeps, constant), "n_spikes": np.full(n_sweeps, float(n_spikes))}
        return Prepared(rows, {**facts, "dt_s": np.full(n_sweeps, target.dt_s)})

    def start(self, facts: Mapping[str, Array], n: int, dtype: Any) -> tuple[Array, Array]:
        """Nothing has happened yet; and the length of a step."""
        return jnp.zeros(n, dtype), jnp.broadcast_to(facts["dt_s"].astype(dtype), (n,))

    def add(self, carry: tuple[Array, Array], seen: Seen, row: Mapping[str, Array]) -> tuple[Array, Array]:
        """The log probability of one step more."""
        total, dt_s = carry
        assert seen.hazard_hz is not None  # the simulator was told its name
        expected = jnp.maximum(seen.hazard_hz * dt_s, _LEAST)
        expected = jnp.where(expected > _MOST, _MOST * (1.0 + jnp.log(jnp.maximum(expected, _MOST) / _MOST)), expected)
        step = jnp.where(row["spike"], jnp.log(-jnp.expm1(-expected)), -expected)
        return total + row["scored"] * step, dt_s

    def loss(self, carry: tuple[Array, Array], facts: Mapping[str, Array]) -> Array:
        """Bits per spike."""
        gain = carry[0].sum(axis=0) - facts["constant"][0]
        return -gain / (facts["n_spikes"][0] * math.log(2.0))

    def surprise(self, carry: tuple[Array, Array], facts: Mapping[str, Array]) -> Array:
        """Negative log likelihood, nats."""
        del facts
        return -carry[0].sum(axis=0)
