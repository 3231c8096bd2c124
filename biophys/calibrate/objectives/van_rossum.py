"""Van Rossum distance: spike trains as sums of exponentials, compared as functions of time."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from biophys.calibrate.objectives.objective import Prepared, Slope
from biophys.calibrate.simulation import Seen
from biophys.calibrate.target import Target


@dataclasses.dataclass(frozen=True)
class VanRossum:
    """Squared van Rossum distance for each recorded spike, without unit; a silent model scores about 1.

    D^2 = (1/tau) integral (f - g)^2 dt with a spike as exp(-t/tau) (van Rossum 2001, Neural Comput 13:751, eq. 2.2): a
    spike too many or too few costs 1/2, one that is displaced by d costs 1 - exp(-d/tau). The loss is D^2 over half the
    number of recorded spikes. Of several repeats the mean is compared, whose own scatter remains.

    Attributes:
        tau_s: from coincidence detection (small) to spike counts (large).
    """

    tau_s: float = 0.01

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
        """The derivative of a spike: `Gradient(spike_width_mv=...)`."""
        return "through spikes"

    def prepare(self, target: Target) -> Prepared:
        """Spikes in each step, a mean over repeats."""
        trains = target.trains("VanRossum")
        counts = np.zeros(target.current_na.shape)
        for row, sweep in zip(counts, trains, strict=True):
            for train in sweep:
                steps = target.steps_of(train)
                np.add.at(row, steps[steps < target.n_steps], 1.0 / len(sweep))
        n_spikes = counts[:, target.scored].sum()
        rows = {"recorded": counts, "scored": np.broadcast_to(target.scored, counts.shape).astype(np.float64)}
        kept = np.exp(-target.dt_s / self.tau_s)
        # dt/tau as it is for exponentials in steps: the squares of a single one add up to exactly 1/2
        facts = {"n_spikes": n_spikes, "kept": kept, "share": 0.5 * (1 - kept**2)}
        return Prepared(rows, {name: np.full(len(counts), value) for name, value in facts.items()})

    def start(self, facts: Mapping[str, Array], n: int, dtype: Any) -> tuple[Array, Array, Array]:
        """No spikes, no distance; and how much of a spike is left after a step."""
        return jnp.zeros(n, dtype), jnp.zeros(n, dtype), facts["kept"].astype(dtype)

    def add(self, carry: tuple[Array, Array, Array], seen: Seen, row: Mapping[str, Array]) -> tuple:
        """Both trains decay, and the new spikes are added."""
        difference, total, kept = carry
        difference = (kept * difference + seen.spike.astype(total.dtype)) - row["recorded"]
        return difference, total + row["scored"] * difference * difference, kept

    def loss(self, carry: tuple[Array, Array, Array], facts: Mapping[str, Array]) -> Array:
        """Squared distance, over half the recorded spikes."""
        return carry[1].sum(axis=0) * facts["share"][0] / (0.5 * facts["n_spikes"][0])
