"""Features: numbers that sum up a response to a current step, each in units of its own standard deviation."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from biophys.calibrate.objectives.objective import Prepared, Slope
from biophys.calibrate.simulation import Seen
from biophys.calibrate.target import Target
from biophys.features.smooth import SMOOTH, Step
from twin.errors import InputError

# What a feature costs, in standard deviations, where the cell has it and the model does not, and at the most.
_WORST = 10.0


@dataclasses.dataclass(frozen=True, repr=False)
class Features:
    """Mean of |model - cell| / sd over features and sweeps, in standard deviations.

    Attributes:
        names: of `biophys.features.smooth_features`, or functions (voltage_mv, Step) -> number of JAX.
        steps: the current step of each sweep, in the order of the target's sweeps.
        sd: standard deviation of each feature in its unit, in the order of the names.
        painted_mv: a model that is reset shows no action potential; its spikes are painted in with this voltage, one
            step long. None for models with action potentials of their own.
    """

    names: tuple[str | Callable[..., Any], ...]
    steps: tuple[Step, ...]
    sd: tuple[float, ...]
    painted_mv: float | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.names if isinstance(name, str) and name not in SMOOTH]
        if unknown or not self.names:
            raise InputError(
                f"no feature {', '.join(map(str, unknown)) or 'was named'}; there are {', '.join(SMOOTH)}."
            )
        if len(self.sd) != len(self.names) or any(not one > 0 for one in self.sd):
            raise InputError(f"{len(self.names)} features have the deviations {self.sd}; wanted one above 0 for each.")

    def __repr__(self) -> str:
        names = tuple(one if isinstance(one, str) else f"{one.__module__}.{one.__qualname__}" for one in self.names)
        return f"Features({names}, {self.steps}, {self.sd}, {self.painted_mv})"

    @property
    def unit(self) -> str:
        """Of the loss."""
        return "SD"

    @property
    def forced(self) -> bool:
        """The model's own response is looked at."""
        return False

    @property
    def slope(self) -> Slope:
        """The features are smooth; painted spikes are not."""
        return "smooth" if self.painted_mv is None else "none"

    def prepare(self, target: Target) -> Prepared:
        """The cell's features, and where each step is kept."""
        voltage = target.voltage("Features")
        if len(self.steps) != len(voltage):
            raise InputError(f"{target.name}: has {len(voltage)} sweeps and {len(self.steps)} steps were given.")
        wrong = [one.dt_ms for one in self.steps if not np.isclose(one.dt_ms, 1e3 * target.dt_s)]
        if wrong or np.isnan(voltage).any():
            raise InputError(
                f"{target.name}: is simulated in steps of {1e3 * target.dt_s:g} ms and the features are for "
                f"{self.steps[0].dt_ms:g} ms; give both the same, and dt_s no shorter than the sampling."
            )
        cell = [
            self._values(jnp.asarray(row, jnp.float32), step) for row, step in zip(voltage, self.steps, strict=True)
        ]
        numbers = np.broadcast_to(np.arange(target.n_steps, dtype=np.int32), voltage.shape)
        return Prepared({"number": numbers}, {"cell": np.asarray(jnp.stack(cell)), "kept": np.zeros(voltage.shape)})

    def start(self, facts: Mapping[str, Array], n: int, dtype: Any) -> Array:
        """Room for the traces: these are kept, so a population is limited by memory."""
        return jnp.zeros((facts["kept"].shape[-1], n), dtype)

    def add(self, carry: Array, seen: Seen, row: Mapping[str, Array]) -> Array:
        """One sample more."""
        shown = seen.voltage_mv
        if self.painted_mv is not None:
            shown = jnp.where(seen.spike, jnp.asarray(self.painted_mv, shown.dtype), shown)
        return jax.lax.dynamic_update_index_in_dim(carry, shown, row["number"], 0)

    def loss(self, carry: Array, facts: Mapping[str, Array]) -> Array:
        """Mean distance, in standard deviations."""
        model = jnp.stack(
            [jax.vmap(lambda v, s=s: self._values(v, s), 1)(t) for t, s in zip(carry, self.steps, strict=True)]
        )
        distance = (
            jnp.abs(model - facts["cell"][:, None].astype(model.dtype)) / jnp.asarray(self.sd, model.dtype)[None, None]
        )
        distance = jnp.where(jnp.isfinite(distance), jnp.minimum(distance, _WORST), _WORST)
        known = jnp.broadcast_to(jnp.isfinite(facts["cell"])[:, None], distance.shape)
        total = jnp.where(known, distance, 0.0).sum(axis=(0, 2))
        return total / jnp.maximum(known.sum(axis=(0, 2), dtype=jnp.int32), 1).astype(total.dtype)

    def _values(self, voltage_mv: Array, step: Step) -> Array:
        functions = [SMOOTH[one][0] if isinstance(one, str) else one for one in self.names]
        return jnp.stack([jnp.asarray(function(voltage_mv, step), voltage_mv.dtype) for function in functions])
