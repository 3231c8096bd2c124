"""What a run needs to go on exactly where it stopped: one file, replaced as a whole."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import jax
import numpy as np

from surrogate import files
from surrogate.progress import Look
from surrogate.step import State
from twin.errors import InputError

NAME = "state.npz"


@dataclasses.dataclass
class Run:
    """A run in progress; the loader's state is the step.

    Attributes:
        state: of the optimisation.
        curve: the looks so far.
        best: number of the best look, -1 before the first.
        waited: looks since then.
        fingerprint: hash of configuration and recordings, which may not change between parts of a run.
    """

    state: State
    curve: list[Look]
    best: int
    waited: int
    fingerprint: str


def save(run: Run, folder: Path) -> None:
    """Write `state.npz`."""
    leaves = jax.tree.leaves(run.state)
    told = {
        "curve": [dataclasses.asdict(look) for look in run.curve],
        "best": run.best,
        "waited": run.waited,
        "fingerprint": run.fingerprint,
    }
    arrays = {f"leaf_{k}": np.asarray(leaf) for k, leaf in enumerate(leaves)}
    arrays["run"] = np.frombuffer(json.dumps(told).encode(), np.uint8)
    files.replace_file(folder / NAME, lambda path: files.write_arrays(path, arrays))


def load(folder: Path, like: State, fingerprint: str) -> Run | None:
    """The run that `folder` holds, or None where there is none.

    Raises:
        InputError: it is of another configuration or other recordings, or damaged.
    """
    path = folder / NAME
    if not path.exists():
        return None
    arrays = files.read_arrays(path, "state of a run")
    told: dict[str, Any] = json.loads(arrays["run"].tobytes().decode())
    if told["fingerprint"] != fingerprint:
        raise InputError(
            f"{folder}: holds a run of another configuration or of other recordings; give another `out`, or remove the "
            "folder to start anew."
        )
    leaves, tree = jax.tree.flatten(like)
    found = [arrays[f"leaf_{k}"] for k in range(len(leaves))]
    curve = [Look(**look) for look in told["curve"]]
    return Run(jax.tree.unflatten(tree, found), curve, told["best"], told["waited"], fingerprint)
