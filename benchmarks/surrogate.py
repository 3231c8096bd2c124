"""The surrogate beside neuralpredictors, and its loader and devices: `python -m benchmarks.surrogate [--peer PYTHON]`.

PYTHON is a Python that has neuralpredictors (`benchmarks/neuralpredictors_model.py` says which and how); without it the
rows of the peer are left out. Each engine is a process of its own with the same core and readout, batches, optimiser
and number of threads; they train in turns, so that whatever else the machine does falls on all alike, and a ratio is
the median over the turns. Batches are prepared beforehand. With `--gpu` all train on the first GPU, ours in bfloat16
too, and its utilisation is sampled.
"""

import argparse
import dataclasses
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.surrogate_task import TASKS, Task, parts_in

ROOT = Path(__file__).parents[1]
THEIRS = {
    "neuralpredictors": {"batch_norm": False, "channels_last": False},
    "neuralpredictors, channels last": {"batch_norm": False, "channels_last": True},
    "neuralpredictors, batch norm": {"batch_norm": True, "channels_last": False},
}


class Engine:
    """A process that does one thing at a time.

    Args:
        command: that starts it.
        environment: beside this one's.
    """

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        self._read("ready")

    def __call__(self, *said: Any) -> dict[str, float]:
        """Say it, and wait for the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(said) + "\n")
        self._process.stdin.flush()
        return json.loads(self._read(said[0]))

    def _read(self, what: str) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{what}: the process {self._process.args} ended; what it said is above.")
        return line

    def end(self) -> None:
        """Let it go."""
        self._process.communicate()


def ours(task: Task, folder: Path, devices: int = 1, gpu: bool = False) -> Engine:
    """The surrogate."""
    command = [sys.executable, "-m", "benchmarks.surrogate_process", json.dumps(dataclasses.asdict(task)), str(folder)]
    flags = f"--xla_force_host_platform_device_count={devices}"
    return Engine(command, {} if gpu else {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags})


def theirs(task: Task, folder: Path, python: str, threads: int, gpu: bool, **settings: bool) -> Engine:
    """neuralpredictors."""
    job = {**dataclasses.asdict(task), **settings, "threads": threads, "device": "cuda" if gpu else "cpu"}
    environment = {"OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(ROOT)}
    return Engine([python, "-m", "benchmarks.surrogate_peer", json.dumps(job), str(folder)], environment)


def compare(task: Task, folder: Path, options: argparse.Namespace) -> None:
    """Training, memory, accuracy and latency of all engines in turns."""
    starts: dict[str, Callable[[], Engine]] = {"surrogate": lambda: ours(task, folder, gpu=options.gpu)}
    if options.gpu:
        half = dataclasses.replace(task, precision="bfloat16")
        starts["surrogate, bfloat16"] = lambda: ours(half, folder, gpu=True)
    if options.peer:
        for name, settings in THEIRS.items():
            starts[name] = lambda settings=settings: theirs(
                task, folder, options.peer, options.threads, options.gpu, **settings
            )
    engines = {name: start() for name, start in starts.items()}
    for engine in engines.values():
        engine("steps", 2)  # compilation, and the first touch of memory
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    busy: dict[str, float] = {}
    for _ in range(options.turns):
        for name, engine in engines.items():
            with utilisation(options.gpu, busy, name):
                seconds[name].append(engine("steps", options.steps)["seconds"] / options.steps)
    more = options.train - 2 - options.turns * options.steps
    rows = []
    for name, engine in engines.items():
        engine("steps", max(more, 1))
        correlation, waits, memory = engine("accuracy")["correlation"], engine("latency", 20), engine("memory")
        ratio = np.median(np.array(seconds[name]) / np.array(seconds["surrogate"]))
        row = [name, f"{1 / np.median(seconds[name]):.2f}", f"{ratio:.2f}", f"{memory['peak_mib']:.0f}"]
        row += [f"{correlation:.3f}", f"{1e3 * waits['frame_s']:.2f}", f"{1e3 * waits['frame_in_trial_s']:.2f}"]
        rows.append(row + ([f"{memory['device_mib']:.0f}", f"{busy.get(name, np.nan):.0f}"] if options.gpu else []))
        engine.end()
    frames = task.batch * task.length
    print(
        f"\nKernels of {task.name}: {task.layers} layers of {task.channels} channels, {task.units} units, frames of "
        f"{task.height} by {task.width}, {frames} scored frames a step; {max(options.train, 1)} steps."
    )
    head = ["engine", "steps/s", "time over ours", "peak, MiB", "correlation", "one frame, ms", "of a trial, ms/frame"]
    table(head + (["on the GPU, MiB", "GPU busy, %"] if options.gpu else []), rows)


@contextmanager
def utilisation(gpu: bool, found: dict[str, float], name: str) -> Iterator[None]:
    """Mean utilisation of the first GPU meanwhile, by nvidia-smi."""
    seen: list[float] = []
    over = threading.Event()

    def sample() -> None:
        command = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--id=0"]
        while not over.wait(0.2):
            done = subprocess.run(command, capture_output=True, text=True)
            seen.extend(float(one) for one in done.stdout.split()[:1])

    watch = threading.Thread(target=sample)
    if gpu:
        watch.start()
    yield
    over.set()
    if gpu:
        watch.join()
        found[name] = float(np.mean(seen)) if seen else float("nan")


def loading(task: Task, folder: Path, seconds: float = 5.0) -> None:
    """Batches of a recording in a store, with the cache and practically without it."""
    from surrogate.batches import Loader
    from surrogate.survey import survey
    from surrogate.train import opened

    rows = []
    for name, megabytes in (("from the store", 0.001), ("from the cache", 256.0)):
        config = task.config()
        config = dataclasses.replace(config, data=dataclasses.replace(config.data, cache_mb=megabytes))
        parts = parts_in(folder)
        sessions = opened(config, [folder / f"{one}.zarr" for one in parts])
        loader = Loader(sessions, list(parts.values()), survey(sessions, list(parts.values()), config), config)
        for step in range(20):
            loader.batch(step)
        started, step, size = time.perf_counter(), 20, 0
        while time.perf_counter() - started < seconds:
            batch, step = loader.batch(step), step + 1
            size += sum(np.asarray(value).nbytes for value in vars(batch).values())
        elapsed = time.perf_counter() - started
        windows = (step - 20) * task.batch * config.data.length / elapsed
        rows.append([name, f"{(step - 20) / elapsed:.0f}", f"{windows:.0f}", f"{size / elapsed / 1e6:.0f}"])
    print(f"\nThe loader: batches of {task.batch} items of {task.length + task.frames} windows, one thread.")
    table(["", "batches/s", "windows/s", "MB/s"], rows)


def scaling(task: Task, folder: Path, options: argparse.Namespace) -> None:
    """Weak scaling: as many items for each virtual device."""
    rows, first = [], 0.0
    for devices in (1, 2, 4, 8):
        wide = dataclasses.replace(task, batch=options.items * devices)
        engine = ours(wide, folder, devices)
        engine("steps", 2)
        rate = wide.batch / min(engine("steps", 5)["seconds"] / 5 for _ in range(options.turns))
        engine.end()
        first = first or rate
        rows.append([str(devices), str(wide.batch), f"{rate:.1f}", f"{rate / first:.2f}"])
    print(f"\nWeak scaling: {options.items} items for each virtual device, all on {options.threads} core(s).")
    table(["devices", "items", "items/s", "over one device"], rows)


def table(head: list[str], rows: list[list[str]]) -> None:
    """In Markdown."""
    print()
    for row in (head, ["---"] * len(head), *rows):
        print(f"| {' | '.join(row)} |", flush=True)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", default=os.environ.get("NEUROTWIN_PEER"), help="Python that has neuralpredictors")
    parser.add_argument("--threads", type=int, default=2, help="cores of every engine")
    parser.add_argument("--steps", type=int, default=10, help="training steps of a turn")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--train", type=int, default=300, help="steps after which accuracy is compared")
    parser.add_argument("--items", type=int, default=4, help="for each device in weak scaling")
    parser.add_argument("--gpu", action="store_true", help="train on the first GPU")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    import jax

    print(f"{platform.machine()}, {options.threads} cores, JAX {jax.__version__}")
    if not options.peer:
        print("No Python with neuralpredictors is given (--peer), so that its rows are left out.")
    for task in TASKS:
        with tempfile.TemporaryDirectory() as folder:
            task.write(Path(folder))
            compare(task, Path(folder), options)
            if task is TASKS[-1]:
                loading(task, Path(folder))
                scaling(task, Path(folder), options)


if __name__ == "__main__":
    main()
