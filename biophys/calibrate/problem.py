"""A calibration of one recording: the plan, and the arrays of the target that it needs."""

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np

from biophys.calibrate.objectives.objective import Prepared
from biophys.calibrate.plan import Plan
from biophys.calibrate.simulation import Tapes
from biophys.calibrate.target import Target
from biophys.models.model import NeuronModel
from twin.errors import InputError

# A current that is held over more steps than this is not known well enough to place a spike.
MAX_STEPS_PER_SAMPLE = 20


@dataclasses.dataclass(frozen=True, eq=False)
class Problem:
    """What is to be made small.

    Attributes:
        plan: everything but the data.
        target: the data, at the plan's step.
    """

    plan: Plan
    target: Target

    @cached_property
    def prepared(self) -> tuple[Prepared, ...]:
        """Of each term."""
        return tuple(objective.prepare(self.target) for objective in self.plan.terms)

    @cached_property
    def tapes(self) -> dict[bool, Tapes]:
        """What the terms with forced and with free spikes need of the target."""
        current = jnp.asarray(self.target.current_na, self.plan.dtype)
        ceiling = jnp.full(len(current), self._ceiling_mv, self.plan.dtype)
        found = {}
        for forced in (False, True):
            if used := self.plan.using(forced):
                raster = jnp.asarray(self._forced_raster()) if forced else None
                rows = tuple(self._arrays(self.prepared[i].rows) for i in used)
                facts = tuple(self._arrays(self.prepared[i].facts) for i in used)
                found[forced] = Tapes(current, raster, ceiling, rows, facts)
        return found

    def _forced_raster(self) -> np.ndarray:
        trains = self.target.spike_times_s
        if trains is not None and any(len(sweep) > 1 for sweep in trains):
            raise InputError(
                f"{self.target.name}: spikes are forced on the model, and a sweep has several trains; do not merge the "
                "repeats."
            )
        return self.target.raster()

    def _arrays(self, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
        def kept(one: np.ndarray) -> Any:
            return jnp.asarray(one, self.plan.dtype if np.issubdtype(np.asarray(one).dtype, np.floating) else None)

        return {name: kept(one) for name, one in arrays.items()}

    @property
    def _ceiling_mv(self) -> float:
        """Well above all that was recorded, and far below what overflows."""
        voltage = self.target.voltage_mv
        return 50.0 if voltage is None or not np.isfinite(voltage).any() else float(np.nanmax(voltage)) + 20.0

    def posterior(self) -> "Problem":
        """The same with a negative log posterior as loss.

        Raises:
            InputError: an objective is no likelihood.
        """
        return dataclasses.replace(self, plan=dataclasses.replace(self.plan, is_posterior=True))


def step_of(target: Target, model: NeuronModel, dt_s: float | None) -> float:
    """The model's step for a target: the one given, or about the model's recommended one, that fits the samples.

    Raises:
        InputError: samples are too far apart for the model's step.
    """
    wanted = 1e-3 * model.recommended_dt_ms if dt_s is None else dt_s
    if target.dt_s / wanted > MAX_STEPS_PER_SAMPLE + 1e-6:
        raise InputError(
            f"{target.name}: is sampled every {1e3 * target.dt_s:g} ms, and {model.name} steps by {1e3 * wanted:g} ms: "
            f"the current would be held over more than {MAX_STEPS_PER_SAMPLE} steps; give a recording sampled at "
            f"{1 / (MAX_STEPS_PER_SAMPLE * wanted):g} Hz or more, or a longer dt_s if the method allows it."
        )
    if dt_s is not None:
        return dt_s
    if target.dt_s >= wanted * (1 - 1e-9):
        return target.dt_s / np.ceil(target.dt_s / wanted - 1e-6)
    return target.dt_s * max(int(wanted / target.dt_s + 1e-6), 1)
