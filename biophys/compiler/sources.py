"""Given spikes: a `SpikeGeneratorGroup`."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from brian2.core.functions import timestep

from biophys.compiler.clocks import ticks_until
from biophys.compiler.events import declare_event
from biophys.compiler.names import Reader
from biophys.compiler.program import Operation
from biophys.compiler.scope import Variable, World, ticks_at
from twin.errors import InputError


def build_generator(group: Any, reader: Reader) -> Operation:
    """Spikes at given times, once or again and again.

    The state has the number of the next spike in time, so that a step looks only at as many spikes as the fullest step
    has.

    Raises:
        InputError: a neuron has two spikes in one step, or the period is no whole number of steps.
    """
    key, scope, name = declare_event(reader.layout, group, "spike"), reader.scope, group.name
    steps = np.asarray(timestep(np.asarray(group._spike_time, float), scope.dt_s), np.int32).reshape(-1)
    neurons = np.asarray(group._neuron_index, np.int32).reshape(-1)
    period = _period(group, scope.dt_s)
    if len(np.unique(np.stack([steps, neurons]), axis=1).T) < len(steps):
        raise InputError(f"SpikeGeneratorGroup '{name}': some neurons spike more than once during a step.")
    fullest = int(np.unique(steps, return_counts=True)[1].max(initial=1))
    now = ticks_until(reader.layout.now_s, scope.dt_s)
    first = np.searchsorted(steps, now % period if period else now).astype(np.int32)
    place = reader.layout.add
    reader.layout.marks.append((name, fullest, period))
    # a spike after the last one that never comes, so that there is always a next one
    times = place(Variable(f"{name}.steps", "1", np.append(steps, np.full(fullest, -1, np.int32)), "structure"))
    who = place(Variable(f"{name}.neurons", "1", np.append(neurons, np.zeros(fullest, np.int32)), "structure"))
    upcoming = place(Variable(f"{name}.next", "1", np.asarray(first), "state"))

    def emit(world: World) -> dict[str, Any]:
        step = ticks_at(world, scope.every)
        following = world[upcoming]
        if period:
            step = step % jnp.int32(period)
            following = jnp.where(step == 0, jnp.int32(0), following)
        candidates = following + jnp.arange(fullest, dtype=jnp.int32)
        due = world[times].at[candidates].get(mode="clip") == step
        whom = jnp.where(due, world[who].at[candidates].get(mode="clip"), jnp.int32(scope.n))
        spiking = jnp.zeros_like(world[key]).at[whom].set(jnp.ones((), world[key].dtype), mode="drop")
        return {key: spiking, upcoming: following + jnp.sum(due, dtype=jnp.int32)}

    return Operation(name, emit, writes=(upcoming, key), raises=key, is_random=reader.is_random)


def _period(group: Any, dt_s: float) -> int:
    """In steps; 0 for spikes that come once."""
    period_s = float(np.asarray(group.variables["period"].get_value()).item())
    steps = round(period_s / dt_s) if np.isfinite(period_s) else 0
    if steps > np.iinfo(np.int32).max:
        return 0
    if steps and abs(steps * dt_s - period_s) > 1e-6 * dt_s:
        raise InputError(
            f"SpikeGeneratorGroup '{group.name}' has a period of {period_s:g} s, which is no whole number of its steps"
            f" of {dt_s:g} s."
        )
    return steps
