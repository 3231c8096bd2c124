"""Speed of compiled neurons beside Brian2 itself: the same equations, the same step, one run, ratios.

Prints neuron-steps per second of the compiled program in float64 and float32 (compiled once, best of three) and of
Brian2's own run-time on this machine, and checks first that both give the same spikes.
"""

import time

import brian2
import jax
import numpy as np

from biophys import Program, compile_network
from biophys.models import ALL

N_CELLS, N_STEPS, DT_S = 1000, 2000, 5e-5
MODEL = ALL["auditory_receptor"]


def cells() -> tuple[brian2.NeuronGroup, brian2.SpikeMonitor]:
    """A group of cells that differ in their input current."""
    group = brian2.NeuronGroup(
        N_CELLS,
        MODEL.equations,
        threshold=MODEL.threshold,
        refractory=MODEL.refractory,
        reset=MODEL.reset,
        method=MODEL.method,
        dt=DT_S * brian2.second,
        name="cell",
        namespace={},
    )
    for parameter in MODEL.parameters:
        group.variables[parameter.name].set_value(parameter.value * parameter.scale)
    group.I_drive = np.linspace(0.0, 0.4, N_CELLS) * brian2.nA
    for name, expression in MODEL.initial.items():
        setattr(group, name, expression)
    return group, brian2.SpikeMonitor(group)


def compiled(dtype: type) -> tuple[float, int]:
    """Neuron-steps per second and the number of spikes."""
    group, _ = cells()
    program: Program = compile_network(brian2.Network(group), {}, dtype=dtype)
    state = program.init()
    times = []
    for _ in range(4):
        start = time.perf_counter()
        spikes = program.run(N_STEPS, state)[1]["cell.spike"].block_until_ready()
        times.append(time.perf_counter() - start)
    return N_CELLS * N_STEPS / min(times[1:]), int(spikes.sum())


def brian2_runtime() -> tuple[float, int]:
    """Neuron-steps per second of Brian2's run-time target, its compilation not counted, and the number of spikes."""
    group, monitor = cells()
    network = brian2.Network(group, monitor)
    network.store()
    network.run(DT_S * brian2.second, namespace={})
    network.restore()
    start = time.perf_counter()
    network.run(N_STEPS * DT_S * brian2.second, namespace={})
    return N_CELLS * N_STEPS / (time.perf_counter() - start), int(monitor.num_spikes)


def main() -> None:
    """Print the table."""
    jax.config.update("jax_enable_x64", True)
    reference, spikes = brian2_runtime()
    print(f"{N_CELLS} cells of {MODEL.name}, {N_STEPS} steps of {1e3 * DT_S:g} ms, {jax.devices()[0].platform}")
    print(f"{'engine':<28}{'neuron-steps/s':>16}{'ratio':>8}{'spikes':>9}")
    print(f"{'Brian2 run-time':<28}{reference:>16.3g}{1.0:>8.2f}{spikes:>9}")
    for dtype in (np.float64, np.float32):
        speed, found = compiled(dtype)
        print(f"{'compiled, ' + np.dtype(dtype).name:<28}{speed:>16.3g}{speed / reference:>8.2f}{found:>9}")
        if dtype is np.float64 and found != spikes:
            raise SystemExit(f"the compiled program gave {found} spikes and Brian2 {spikes}: no speed is comparable")


if __name__ == "__main__":
    main()
