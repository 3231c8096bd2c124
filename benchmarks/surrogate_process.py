"""A surrogate in a process of its own, which does one thing at a time as it is told: a line of JSON in, one out.

`benchmarks/surrogate.py` tells it, and tells its peer, `benchmarks/surrogate_peer.py`, the same in turns.
"""

import dataclasses
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

from benchmarks.surrogate_task import Task, mean_correlation, parts_in
from surrogate import Surrogate
from surrogate.batches import Loader
from surrogate.checkpoint import Checkpoint
from surrogate.prediction import predicted
from surrogate.sharding import Devices
from surrogate.step import Stepper
from surrogate.survey import survey
from surrogate.train import opened
from surrogate.weights import fresh_weights

PREPARED = 16  # batches, gone through in turns


class Ours:
    """The model of a task, with its batches on the device.

    Args:
        task: sizes.
        folder: that `Task.write` wrote.
    """

    def __init__(self, task: Task, folder: Path) -> None:
        self.task, self.config, self.parts, self.folder = task, task.config(), parts_in(folder), folder
        sessions = opened(self.config, [folder / f"{name}.zarr" for name in self.parts])
        vocabulary = survey(sessions, list(self.parts.values()), self.config)
        self.loader = Loader(sessions, list(self.parts.values()), vocabulary, self.config)
        self.structure, weights = fresh_weights(self.config, vocabulary)
        self.stepper, devices = Stepper(self.structure, self.config), Devices(task.batch)
        self.state = devices.everywhere(self.stepper.start(weights))
        self.batches = [devices.batch(self.loader, k) for k in range(PREPARED)]

    def steps(self, n: int) -> dict[str, float]:
        """So many training steps."""
        first, started = int(self.state.step), time.perf_counter()
        for step in range(first, first + n):
            self.state, loss = self.stepper.advance(self.state, self.batches[step % PREPARED])
        float(loss)
        return {"seconds": time.perf_counter() - started}

    def memory(self) -> dict[str, float]:
        """The most that the process held, and of that of a GPU what was on it."""
        held = (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0)
        return {"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "device_mib": held / 2**20}

    def trained(self) -> Surrogate:
        """With the weights as they are."""
        weights = {name: np.asarray(value) for name, value in self.state.weights.items()}
        return Surrogate(Checkpoint(self.config, self.loader.items.vocabulary, weights, self.parts, {}))

    def accuracy(self) -> dict[str, float]:
        """Correlation with the held-out trials, mean over the units of both animals."""
        surrogate, found = self.trained(), []
        for name, parts in self.parts.items():
            found_of = surrogate.predict(self.folder / f"{name}.zarr", part="test").data
            trials = [one.trial for one in parts.test]
            pair = (found_of[which].values[trials] for which in ("mean", "response"))
            found.append(mean_correlation(*(values.reshape(-1, values.shape[2]) for values in pair)))
        return {"correlation": float(np.mean(found))}

    def latency(self, n: int) -> dict[str, float]:
        """Seconds for one new frame, from the frames that it depends on, and for each frame of a whole trial."""
        model = self.stepper.structure.merge

        def now(weights: Any, batch: Any) -> Any:
            whole = model(weights)
            return whole.head.mean(predicted(whole, batch, 0.25))

        call, parts = jax.jit(now), []
        one = next(self.loader.tiles("test"))[0]
        shortest = jax.tree.map(lambda value: value[:1], one)
        for wanted in (self.task.frames, one.response.shape[1]):
            batch = dataclasses.replace(
                shortest,
                **{
                    name: getattr(shortest, name)[:, :wanted]
                    for name in ("response", "valid", "scored", "stimulus", "behaviour", "video", "drift")
                },
            )
            parts.append(_median_s(lambda batch=batch: np.asarray(call(self.state.weights, batch)), n))
        return {"frame_s": parts[0], "frame_in_trial_s": parts[1] / one.response.shape[1]}


def _median_s(call: Any, n: int) -> float:
    call()
    times = []
    for _ in range(n):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def main(sizes: dict[str, Any], folder: Path) -> None:
    """Do what the lines say: ["steps", 10], ["accuracy"], ["latency", 20], ["memory"]."""
    engine = Ours(Task(**sizes), folder)
    print("ready", flush=True)
    for line in sys.stdin:
        what, *arguments = json.loads(line)
        print(json.dumps(getattr(engine, what)(*arguments)), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), Path(sys.argv[2]))
