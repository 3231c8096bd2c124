"""A population of conductances in Jaxley, in a process of its own; arguments and result are one line of JSON each.

Equations, parameters and step are those of `pospischil_fs`; the scheme is Jaxley's own, implicit in the voltage.
"""

import importlib.util
import json
import math
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

SPIKE_MV = -20.0


def rates(n_steps: int, step_ms: float, area_um2: float, fixed: dict[str, float], current_na: list[float]):
    """Function of (sets, 3) conductances, S/cm2, that gives (sets,) numbers of spikes."""
    import jaxley
    from jaxley.channels.pospischil import K, Leak, Na

    side = math.sqrt(area_um2 / math.pi)  # of a cylinder as long as it is wide
    cell = jaxley.Compartment()
    for channel in (Na(), K(), Leak()):
        cell.insert(channel)
    for name, value in {**fixed, "radius": side / 2, "length": side}.items():
        cell.set(name, value)
    cell.record("v", verbose=False)
    stimuli = cell.data_stimulate(jnp.asarray(current_na)[:n_steps])

    def one(densities):
        params = [{"Na_gNa": densities[:1]}, {"K_gK": densities[1:2]}, {"Leak_gLeak": densities[2:]}]
        voltage = jaxley.integrate(cell, params=params, data_stimuli=stimuli, delta_t=step_ms)[0]
        return jnp.sum((voltage[1:] > SPIKE_MV) & (voltage[:-1] <= SPIKE_MV))

    for name in ("Na_gNa", "K_gK", "Leak_gLeak"):
        cell.make_trainable(name, verbose=False)
    return jax.jit(jax.vmap(one))


def main(densities, dtype: str, repeats: int, **cell) -> None:
    """Prints null where Jaxley is not installed."""
    jax.config.update("jax_enable_x64", dtype == "float64")
    if importlib.util.find_spec("jaxley") is None:
        print("null")
        return
    count, sets = rates(**cell), jnp.asarray(densities)
    times = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        counts = np.asarray(jax.block_until_ready(count(sets)))
        times.append(time.perf_counter() - started)
    print(json.dumps({"build_s": times[0] - min(times[1:]), "run_s": min(times[1:]), "counts": counts.tolist()}))


if __name__ == "__main__":
    main(**json.loads(sys.stdin.read()))
