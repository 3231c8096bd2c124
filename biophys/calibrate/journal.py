"""What a search evaluated, written down generation by generation, so that a job that was killed can be taken up again.

What is written down is what was evaluated, not the state of the search: on resuming, the search is told again what it
was told before (see `methods.method`). Whatever was being computed when the job was killed is computed again.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from biophys.calibrate import hosts
from biophys.calibrate.evaluator import Scores
from biophys.calibrate.methods.method import Method
from biophys.calibrate.problem import Problem
from twin.errors import InputError

HEADER = "calibration.json"


class Journal:
    """A folder with one file for each generation; each appears whole or not at all.

    Args:
        folder: made if it is not there; None keeps nothing.
        fingerprint: of the job; a folder of another one is refused.

    Raises:
        InputError: the folder belongs to another job, or is none of ours.
    """

    def __init__(self, folder: Path | None, fingerprint: str) -> None:
        self.folder = folder
        self._done: list[Path] = []
        if folder is None:
            return
        if hosts.is_first():
            self._begin(folder, fingerprint)
        hosts.agreed(0)  # the others read only what the first has looked at
        self._require_same(folder / HEADER, fingerprint)
        done = sorted(folder.glob("generation-*.npz"))
        self._done = done[: hosts.agreed(len(done))]

    def _begin(self, folder: Path, fingerprint: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / HEADER).exists():
            return
        if any(folder.iterdir()):
            raise InputError(f"{folder}: is not empty and holds no calibration; give another folder.")
        write_whole(folder / HEADER, json.dumps({"fingerprint": fingerprint}).encode())

    def _require_same(self, header: Path, fingerprint: str) -> None:
        try:
            found = json.loads(header.read_text())["fingerprint"]
        except FileNotFoundError:
            raise InputError(f"{header}: is not there; all hosts of a job need one folder that they share.") from None
        except (ValueError, KeyError, TypeError):
            raise InputError(f"{header}: cannot be read; remove the folder to begin anew.") from None
        if found != fingerprint:
            raise InputError(
                f"{header.parent}: holds another calibration (other data, model, bounds, objective, method, budget, "
                "key or versions); give another folder, or remove it to begin anew."
            )

    def recorded(self, generation: int) -> tuple[np.ndarray, Scores] | None:
        """Positions and scores of a generation that was evaluated before."""
        if generation >= len(self._done):
            return None
        with np.load(self._done[generation]) as stored:
            gradient = stored["gradient"] if "gradient" in stored else None
            return stored["positions"], Scores(stored["loss"], stored["terms"], gradient)

    def record(self, generation: int, positions: np.ndarray, scores: Scores) -> None:
        """Write a generation down."""
        if self.folder is None or not hosts.is_first():
            return
        arrays: dict[str, Any] = {"positions": positions, "loss": scores.loss, "terms": scores.terms}
        if scores.gradient is not None:
            arrays["gradient"] = scores.gradient
        write_whole(self.folder / f"generation-{generation:06d}.npz", lambda file: np.savez(file, **arrays))


def write_whole(path: Path, content: bytes | Callable[[Any], None]) -> None:
    """Write a file beside its place and rename it: it is there whole or not at all, whenever the process is killed."""
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            content(file) if callable(content) else file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def fingerprint_of(problem: Problem, method: Method, budget: int, key: Any) -> str:
    """The same for the same job: data, model, bounds, objective, method, budget and key."""
    digest = hashlib.sha256()
    target = problem.target
    for array in (target.current_na, target.voltage_mv, *(t for sweep in target.spike_times_s or () for t in sweep)):
        digest.update(b"none" if array is None else np.ascontiguousarray(array).tobytes())
    job = (target.dt_s, target.scored_s, target.sweeps, problem.plan.text, method, budget)
    told = (*job, np.asarray(jax.random.key_data(key)).tolist(), jax.__version__, np.__version__)
    digest.update(repr(told).encode())
    return digest.hexdigest()
