"""Jaxley on the same cells, in a process of its own; takes its arguments and gives its result as one line of JSON.

Sodium, potassium and leak are those of the Brian2 text (Pospischil et al. 2008 took them from
Traub and Miles 1991), with the same parameters and the same initial values; the scheme is Jaxley's own, implicit in
the voltage.
"""

import importlib.util
import json
import math
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

CHANNELS = {"Na_gNa": 0.1, "K_gK": 0.03, "Leak_gLeak": 5e-5, "eNa": 50.0, "eK": -90.0, "Leak_eLeak": -65.0, "vt": -63.0}
INITIAL = {"v": -65.0, "Na_m": 0.0, "Na_h": 0.0, "K_n": 0.0}


def equipped(cell: Any, **geometry: float) -> Any:
    """A cell with its channels, its geometry and a recording of the voltage."""
    from jaxley.channels.pospischil import K, Leak, Na

    for channel in (Na(), K(), Leak()):
        cell.insert(channel)
    for name, value in {**CHANNELS, **INITIAL, "capacitance": 1.0, **geometry}.items():
        cell.set(name, value)
    cell.record("v", verbose=False)
    cell.make_trainable("Na_gNa", verbose=False)
    return cell


def point_cells(n: int, n_steps: int, step_ms: float) -> tuple[Callable[[Any], Any], Any, Callable[[Any], Any]]:
    """Cells that differ in their current: the voltages of all, the parameters, and the loss whose gradient is timed."""
    import jaxley

    side = math.sqrt(20000 / math.pi)  # um; the area of a cylinder as long as it is wide
    cell = equipped(jaxley.Compartment(), radius=side / 2, length=side)
    currents = jnp.linspace(0.0, 0.7, n)

    def one(current: Any, params: Any) -> Any:
        stimuli = cell.data_stimulate(jnp.full(n_steps, current))
        return jaxley.integrate(cell, params=params, data_stimuli=stimuli, delta_t=step_ms)

    def voltages(params: Any) -> Any:
        return jax.vmap(one, in_axes=(0, None))(currents, params)[:, 0]

    return voltages, cell.get_parameters(), lambda params: jnp.mean(voltages(params))


def cables(n: int, n_steps: int, step_ms: float, batch: int) -> tuple[Callable[[Any], Any], Any]:
    """A tree of sections, once for each sodium conductance: the voltages of all, and the conductances."""
    import jaxley

    parents = [-1, *((k - 1) // 2 for k in range(1, n // 4))]
    cell = equipped(jaxley.Cell(jaxley.Branch(ncomp=4), parents), radius=1.0, length=25.0, axial_resistivity=100.0)
    stimuli = cell.branch(0).comp(0).data_stimulate(jnp.full(n_steps, 1.0))

    def one(conductance: Any) -> Any:
        return jaxley.integrate(cell, params=[{"Na_gNa": conductance}], data_stimuli=stimuli, delta_t=step_ms)

    return jax.vmap(one), 0.1 * jnp.linspace(0.9, 1.1, batch)[:, None] if batch > 1 else jnp.array([[0.1]])


def main(part: str, neurons: int, seconds: float, step_s: float, dtype: str, batch: int, repeats: int) -> None:
    """Times Jaxley, if it is installed."""
    jax.config.update("jax_enable_x64", dtype == "float64")
    if importlib.util.find_spec("jaxley") is None:
        print("null")
        return
    n_steps, step_ms = round(seconds / step_s), 1e3 * step_s
    if part == "hh":
        voltages, params, loss = point_cells(neurons, n_steps, step_ms)
        slope = jax.jit(lambda params: jax.value_and_grad(loss)(params)[1][0]["Na_gNa"])
        multiple = _timed(slope, params, repeats)["run_s"] / _timed(jax.jit(loss), params, repeats)["run_s"]
    else:
        voltages, params = cables(neurons, n_steps, step_ms, batch)
        multiple = None

    def spikes(params: Any) -> Any:
        high = voltages(params) > -20.0
        return jnp.sum(high[..., 1:] & ~high[..., :-1])

    print(json.dumps({"multiple": multiple, **_timed(jax.jit(spikes), params, repeats)}))


def _timed(function: Callable[[Any], Any], params: Any, repeats: int) -> dict[str, Any]:
    times: list[float] = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        result = jax.block_until_ready(function(params))
        times.append(time.perf_counter() - started)
    return {"build_s": times[0] - min(times[1:]), "run_s": min(times[1:]), "result": np.asarray(result).tolist()}


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
