"""Models run for their own spikes, or with the recorded spikes forced on them for their voltage and hazard."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from biophys.calibrate.observer import Observer
from biophys.calibrate.simulation import Seen, Simulator, Tapes
from biophys.models.model import NeuronModel

_CEILING_MV = 50.0  # a model whose spikes are given is held here if nothing else holds it


class _SpikeRecorder:
    """Keeps every spike of a population: (time, cell)."""

    def __init__(self, n_steps: int) -> None:
        self.n_steps = n_steps

    def start(self, facts: Any, n: int, dtype: Any) -> Any:
        return jnp.zeros((self.n_steps, n), bool)

    def add(self, carry: Any, seen: Seen, row: Mapping[str, Any]) -> Any:
        return jax.lax.dynamic_update_index_in_dim(carry, seen.spike, row["step"], 0)


class _ForcedRecorder:
    """Keeps voltage and hazard of a population: (time, cell) each."""

    def __init__(self, n_steps: int) -> None:
        self.n_steps = n_steps

    def start(self, facts: Any, n: int, dtype: Any) -> Any:
        return jnp.zeros((self.n_steps, n), dtype), jnp.zeros((self.n_steps, n), dtype)

    def add(self, carry: Any, seen: Seen, row: Mapping[str, Any]) -> Any:
        voltage, hazard = carry
        shown = jnp.zeros_like(seen.voltage_mv) if seen.hazard_hz is None else seen.hazard_hz
        return (
            jax.lax.dynamic_update_index_in_dim(voltage, seen.voltage_mv, row["step"], 0),
            jax.lax.dynamic_update_index_in_dim(hazard, shown, row["step"], 0),
        )


def own_spikes(
    model: NeuronModel,
    values: Mapping[str, np.ndarray],
    current_na: Float[np.ndarray, " time"],
    dt_s: float,
    key: Any = None,
) -> tuple[np.ndarray, ...]:
    """Spike times, s from the first sample, of a population that runs freely.

    Args:
        model: whose.
        values: parameter -> (cell,) in the model's units; the others are the model's own.
        current_na: held from sample to sample.
        dt_s: of the samples and of the model.
        key: for a model with noise, in which every cell draws its own.
    """
    (spikes,) = _run(model, values, current_na[None], dt_s, None, _SpikeRecorder, key)
    return tuple(np.flatnonzero(train) * dt_s for train in np.asarray(spikes[0]).T)


@dataclasses.dataclass(frozen=True)
class Forced:
    """A model that was reset where the cell spiked.

    Attributes:
        voltage_mv: (sweep, time), at the start of each step.
        hazard_hz: (sweep, time), before any reset; 0 for a model without.
    """

    voltage_mv: Float[np.ndarray, "sweep time"]
    hazard_hz: Float[np.ndarray, "sweep time"]


def forced(
    model: NeuronModel,
    values: Mapping[str, float],
    current_na: Float[np.ndarray, "sweep time"],
    spikes: Bool[np.ndarray, "sweep time"],
    dt_s: float,
    hazard: str | None = "hazard",
) -> Forced:
    """Voltage and hazard of one parameter set with given spikes.

    Args:
        model: whose.
        values: parameter -> value in the model's units.
        current_na: held from sample to sample.
        spikes: in which steps the cell spiked.
        dt_s: of the samples and of the model.
        hazard: name of the hazard; None for a model without.
    """
    one = {name: np.array([value]) for name, value in values.items()}
    ((voltage, rate),) = _run(model, one, current_na, dt_s, spikes, _ForcedRecorder, None, hazard)
    return Forced(np.asarray(voltage[..., 0], np.float64), np.asarray(rate[..., 0], np.float64))


def _run(
    model: NeuronModel,
    values: Mapping[str, np.ndarray],
    current_na: np.ndarray,
    dt_s: float,
    spikes: np.ndarray | None,
    recorder: Any,
    key: Any,
    hazard: str | None = None,
) -> Any:
    n, n_steps = len(next(iter(values.values()))), current_na.shape[1]
    steps = np.broadcast_to(np.arange(n_steps, dtype=np.int32), current_na.shape)
    tapes = Tapes(
        current_na=jnp.asarray(current_na, np.float32),
        forced=None if spikes is None else jnp.asarray(spikes),
        ceiling_mv=jnp.full(len(current_na), _CEILING_MV, np.float32),
        rows=({"step": jnp.asarray(steps)},),
        facts=({"none": jnp.zeros(len(current_na), np.float32)},),
    )
    run = _compiled(_Same(model), dt_s, n, spikes is not None, hazard, recorder, n_steps)
    return run({name: jnp.asarray(value, np.float32) for name, value in values.items()}, tapes, key)


@dataclasses.dataclass(frozen=True, eq=False)
class _Same:
    """A model that is equal to itself alone, so that what was compiled for it can be found again."""

    model: NeuronModel

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.model is self.model

    def __hash__(self) -> int:
        return id(self.model)


@functools.lru_cache(maxsize=32)
def _compiled(
    same: _Same, dt_s: float, n: int, is_forced: bool, hazard: str | None, recorder: Any, n_steps: int
) -> Callable[..., Any]:
    simulator = Simulator(same.model, dt_s, n, np.float32, forced=is_forced, hazard=hazard, observer=Observer(None))
    fold = recorder(n_steps)
    return jax.jit(lambda values, tapes, key: simulator.run(values, tapes, (fold,), key, False)[0])
