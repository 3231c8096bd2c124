"""What fitted parameter sets do on each sweep: voltages and spikes, kept whole."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from biophys.calibrate import Fit, Target
from biophys.calibrate.simulation import Seen, Tapes
from biophys.observation import UNITS as OBSERVED


@dataclasses.dataclass(frozen=True)
class Responses:
    """Of some parameter sets on the sweeps of a target, at its step.

    Attributes:
        target: at the step of the fit.
        voltage_mv: (sweep, set, time).
        spike_times_s: sweep -> set -> times, s from the first sample.
    """

    target: Target
    voltage_mv: np.ndarray
    spike_times_s: tuple[tuple[np.ndarray, ...], ...]


class _Kept:
    """Keeps every sample."""

    def start(self, facts: Mapping[str, Any], n: int, dtype: Any) -> Any:
        shape = (facts["kept"].shape[-1], n)
        return jnp.zeros(shape, dtype), jnp.zeros(shape, bool)

    def add(self, carry: Any, seen: Seen, row: Mapping[str, Any]) -> Any:
        put = jax.lax.dynamic_update_index_in_dim
        return put(carry[0], seen.voltage_mv, row["number"], 0), put(carry[1], seen.spike, row["number"], 0)


def respond(fit: Fit, target: Target, n_sets: int, *, forced: bool = False) -> Responses:
    """Run the first sets of a fit on a target, in double precision, one sweep after the other.

    Args:
        fit: a fresh one, with its problem.
        target: at the step of the fit.
        n_sets: how many of the equally good sets.
        forced: whether the model is reset where the cell spiked, in place of its own spikes.
    """
    assert fit.problem is not None  # of a fit that was loaded nothing is run here
    sets = fit.sets[:n_sets]
    simulator = dataclasses.replace(fit.problem.plan.simulator(len(sets), forced), dtype=np.float64, hazard=None)
    values = {name: jnp.full(len(sets), value) for name, value in fit.fixed.items() if name not in OBSERVED}
    values |= {name: jnp.asarray(sets[:, k]) for k, name in enumerate(fit.space.names)}
    run = jax.jit(lambda tapes, key: simulator.run(values, tapes, (_Kept(),), key, False)[0][0])
    raster, voltages, trains = target.raster(), [], []
    for row in range(len(target.sweeps)):
        key = jax.random.fold_in(jax.random.key(0), row)
        voltage, spike = run(_tapes(target, row, raster[row] if forced else None), key)
        voltages.append(np.asarray(voltage[0]).T)
        trains.append(tuple(np.flatnonzero(one) * target.dt_s for one in np.asarray(spike[0]).T))
    return Responses(target, np.stack(voltages), tuple(trains))


def _tapes(target: Target, row: int, forced: np.ndarray | None) -> Tapes:
    recorded = target.voltage_mv
    ceiling = 50.0 if recorded is None else float(np.nanmax(recorded)) + 20.0
    numbers = jnp.arange(target.n_steps, dtype=jnp.int32)[None]
    return Tapes(
        jnp.asarray(target.current_na[row : row + 1], jnp.float64),
        None if forced is None else jnp.asarray(forced[None]),
        jnp.full(1, ceiling, jnp.float64),
        ({"number": numbers},),
        ({"kept": jnp.zeros((1, target.n_steps))},),
    )
