"""Runs the peers, each in a process of its own, and compares what they counted."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.compiled import Disagreement, Timing
from benchmarks.parts import Part

BRIAN2_ENGINES = {"cpp": "Brian2 C++ standalone", "cython": "Brian2 Cython"}


def brian2_peers(part: Part, repeats: int) -> tuple[list[Timing], dict[str, np.ndarray]]:
    """Brian2's engines, and the frozen run that the compiled program is compared with."""
    sizes = {"part": part.name, "neurons": part.neurons, "targets": part.targets, "seconds": part.seconds}
    with tempfile.TemporaryDirectory() as folder:
        timings = [
            Timing(name, **_process("brian2_peer", engine=engine, **sizes, repeats=repeats, folder=folder))
            for engine, name in BRIAN2_ENGINES.items()
        ]
        with np.load(Path(folder) / "frozen.npz") as file:
            return timings, dict(file)


def jaxley_peer(part: Part, dtype: type, repeats: int, batch: int = 1) -> tuple[Timing, float] | None:
    """Jaxley's times, and how many times a loss its gradient takes; None where it is not installed."""
    sizes = {"part": part.name, "neurons": part.neurons, "seconds": part.seconds, "step_s": part.step_s}
    name = np.dtype(dtype).name
    found = _process("jaxley_peer", **sizes, dtype=name, batch=batch, repeats=repeats)
    if found is None:
        return None
    return Timing(f"Jaxley, {name}", found["build_s"], found["run_s"], found["result"]), found["multiple"]


def _process(module: str, **arguments: Any) -> Any:
    command = [sys.executable, "-m", f"benchmarks.{module}", json.dumps(arguments)]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{module} {arguments} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def require_count(timing: Timing, reference: Timing, tolerance: float) -> None:
    """Checks that an engine's number of spikes is the reference's.

    Args:
        timing: of the engine.
        reference: what it is compared with.
        tolerance: as a fraction; if it is above a hundredth the network is in chaos or noisy, and five standard
            deviations of a Poisson count are allowed beside it.

    Raises:
        Disagreement: it is another number.
    """
    most = max(timing.spikes, reference.spikes)
    allowed = tolerance * most + (5 * most**0.5 if tolerance > 0.01 else 0)
    if abs(timing.spikes - reference.spikes) > allowed:
        raise Disagreement(f"{timing.engine} has {timing.spikes} spikes, {reference.engine} has {reference.spikes}")
