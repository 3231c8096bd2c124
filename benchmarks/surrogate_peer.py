"""neuralpredictors on a task of `benchmarks/surrogate.py`, as `benchmarks/surrogate_process.py`: `... JOB FOLDER`."""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.neuralpredictors_model import Encoder, poisson
from benchmarks.synthetic_vision.peer import Session, expected

PREPARED = 16


class Theirs:
    """Core and readout of the job's sizes, with its batches prepared.

    Args:
        job: sizes.
        folder: with the arrays of each animal.
    """

    def __init__(self, job: dict, folder: Path) -> None:
        torch.manual_seed(0)
        torch.set_num_threads(job["threads"])
        random = np.random.default_rng(0)
        every = [Session(path, job["frames"]) for path in sorted(folder.glob("*.npz"))]
        self.sessions = [one.shortened(one.counts.shape[1] * len(one.train)) for one in every]
        shape = (job["frames"], *every[0].video.shape[2:])
        sizes = {name: job[name] for name in ("channels", "input_kern", "hidden_kern", "layers", "batch_norm")}
        self.model = Encoder(shape, {one.name: one.mean for one in self.sessions}, **sizes)
        drawn = [self.sessions[int(random.integers(2))] for _ in range(PREPARED)]
        layout = torch.channels_last if job["channels_last"] else torch.contiguous_format
        self.model = self.model.to(job["device"], memory_format=layout)
        self.batches = []
        for one in drawn:
            frames, counts = one.batch(job["batch"], job["length"], random)
            moved = frames.to(job["device"], memory_format=layout), counts.to(job["device"])
            self.batches.append((one.name, *moved))
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=job["learning_rate"], weight_decay=1e-3)
        self.done = 0

    def steps(self, n: int) -> dict[str, float]:
        """So many training steps."""
        self.model.train()
        started = time.perf_counter()
        for _ in range(n):
            name, frames, counts = self.batches[self.done % PREPARED]
            loss = poisson(self.model(frames, name), counts)
            self.optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimiser.step()
            self.done += 1
        loss.item()
        return {"seconds": time.perf_counter() - started}

    def memory(self) -> dict[str, float]:
        """The most that the process held, and of a GPU's memory."""
        held = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
        return {"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "device_mib": held / 2**20}

    def accuracy(self) -> dict[str, float]:
        """Correlation with the held-out trials, mean over the units of both animals."""
        found = []
        self.model.to("cpu")
        for one in self.sessions:
            mean, counts = expected(self.model, one).reshape(-1, len(one.mean)), one.counts[one.test].numpy()
            counts = counts.reshape(mean.shape)
            found += [np.corrcoef(mean[:, k], counts[:, k])[0, 1] for k in range(counts.shape[1])]
        return {"correlation": float(np.nanmean(found))}

    @torch.no_grad()
    def latency(self, n: int) -> dict[str, float]:
        """Seconds for one new frame, and for each frame of a stretch."""
        one, times = self.sessions[0], []
        self.model.to("cpu").eval()
        for length in (1, 40):
            frames, _ = one.piece(one.test[0], 20, 20 + length)
            self.model(frames, one.name)
            found = []
            for _ in range(n):
                started = time.perf_counter()
                self.model(frames, one.name)
                found.append(time.perf_counter() - started)
            times.append(float(np.median(found)) / length)
        return {"frame_s": times[0], "frame_in_trial_s": times[1]}


def main(job: dict, folder: Path) -> None:
    """Do what the lines say."""
    engine = Theirs(job, folder)
    print("ready", flush=True)
    for line in sys.stdin:
        what, *arguments = json.loads(line)
        print(json.dumps(getattr(engine, what)(*arguments)), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), Path(sys.argv[2]))
