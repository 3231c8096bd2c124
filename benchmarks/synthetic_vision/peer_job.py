"""Runs neuralpredictors on the animals, in a process of its own Python."""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.synthetic_vision.animals import BEHAVIOUR, BIN_S, Animal
from benchmarks.synthetic_vision.models import FRAMES, PIXELS, Plan
from benchmarks.synthetic_vision.scores import Scored, score

ROOT = Path(__file__).parents[2]
RATES = (3e-3, 1e-2)  # of which the better one on the validation trials of the core is taken
NAMES = {"adapted": "neuralpredictors, adapted", "scratch": "neuralpredictors, from scratch"}


def peer_scores(
    python: str, every: Sequence[Animal], minutes: Sequence[float], plan: Plan, threads: int
) -> list[Scored]:
    """The last animal's scores after as many steps of as many items as ours."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for one in every:
            one.write_arrays(folder, BEHAVIOUR)
        job = {
            "animals": [one.name for one in every], "seed": plan.seed, "threads": threads, "frames": FRAMES,
            "channels": plan.channels[0], "layers": len(plan.channels), "input_kern": PIXELS, "hidden_kern": 3,
            "batch": plan.batch, "length": 32, "rates": RATES, "adapt_rate": plan.adapt_rate, "steps": plan.steps,
            "adapt_steps": plan.adapt_steps, "scratch_steps": plan.scratch_steps, "minutes": list(minutes),
            "bin_s": BIN_S,
        }  # fmt: skip
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        command = [python, "-m", "benchmarks.synthetic_vision.peer", name]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": str(threads)}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"neuralpredictors failed:\n{done.stderr[-2000:]}")
        with np.load(folder / "expected.npz") as held:
            return [
                score(NAMES[kind], length, held[f"{kind} {length:g}"].astype(np.float64), every[-1])
                for length in minutes
                for kind in NAMES
            ]
