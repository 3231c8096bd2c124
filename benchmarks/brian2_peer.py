"""Brian2's own engines, each in a process of its own; takes its arguments and gives its result as one line of JSON.

Times are those of Brian2's run loop alone; what comes before it is the build.
"""

import json
import sys
import time
from pathlib import Path

import brian2
import numpy as np
from brian2 import second

from benchmarks.parts import PARTS, Part


def cython(part: Part, repeats: int, folder: Path) -> dict[str, float]:
    """Brian2's run-time with Cython, compiled anew; leaves the frozen run's spikes and states in the folder."""
    brian2.prefs.codegen.target = "cython"
    brian2.prefs.codegen.runtime.cython.cache_dir = str(folder / "cython")
    network = part.network()
    network.store()
    started = time.perf_counter()
    network.run(brian2.defaultclock.dt, namespace={})
    build_s, times = time.perf_counter() - started, []
    for _ in range(repeats):
        network.restore()
        network.run(part.seconds * second, namespace={})
        times.append(brian2.device._last_run_time)
    spikes = int(network["spikes"].num_spikes)
    _frozen(part, folder)
    return {"build_s": build_s, "run_s": min(times), "spikes": spikes}


def _frozen(part: Part, folder: Path) -> None:
    network = part.network(frozen=True)
    network.run(part.chunk_s * second, namespace={})
    monitor = network["spikes"]
    pairs = [key.split(".") for key in part.states]
    states = {f"{group}.{name}": network[group].variables[name].get_value() for group, name in pairs}
    steps = np.round(np.asarray(monitor.t / second) / part.step_s).astype(int)
    np.savez(folder / "frozen.npz", steps=steps, neurons=np.asarray(monitor.i), **states)


def cpp(part: Part, repeats: int, folder: Path) -> dict[str, float]:
    """Brian2's C++ standalone, one thread."""
    brian2.set_device("cpp_standalone", directory=str(folder / "cpp"), build_on_run=False)
    network = part.network()
    started = time.perf_counter()
    network.run(part.seconds * second, namespace={})
    brian2.device.build(directory=str(folder / "cpp"), run=False, with_output=False)
    build_s, times = time.perf_counter() - started, []
    for _ in range(repeats):
        brian2.device.run(directory=str(folder / "cpp"), with_output=False)
        times.append(brian2.device._last_run_time)
    return {"build_s": build_s, "run_s": min(times), "spikes": int(network["spikes"].num_spikes)}


ENGINES = {"cython": cython, "cpp": cpp}


def main(engine: str, part: str, neurons: int, targets: int, seconds: float, repeats: int, folder: str) -> None:
    """Times one engine."""
    print(json.dumps(ENGINES[engine](PARTS[part].resized(neurons, targets, seconds), repeats, Path(folder))))


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
