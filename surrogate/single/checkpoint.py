"""A trained surrogate as one folder: weights, configuration, ports, and what it was trained on.

`checkpoint.json` holds everything but the arrays, `weights` the arrays (Orbax). The folder loads on any number of
devices. Its `envelope` says what the training stimulus was like; a query outside it is an extrapolation.
"""

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import orbax.checkpoint as ocp
from flax import nnx

from surrogate.single.config import SurrogateConfig
from surrogate.single.model import StimulusHistoryModel
from surrogate.single.stepper import PointProcessSurrogate
from twin.errors import InputError
from twin.ports import Port

FORMAT = 1


def save(surrogate: PointProcessSurrogate, path: str | Path, *, trained_on: Mapping[str, Any] | None = None) -> Path:
    """Write a surrogate to a folder, all of it or nothing.

    Args:
        surrogate: what to write.
        path: a folder that does not exist.
        trained_on: plain values that say what it was trained on: hashes of the data, the split.

    Raises:
        InputError: `path` exists.
    """
    path = Path(path).absolute()
    if path.exists():
        raise InputError(f"{path}: exists already; give another name, or remove it first.")
    path.parent.mkdir(parents=True, exist_ok=True)
    model = surrogate.model
    document = {
        "format": FORMAT,
        "config": dataclasses.asdict(surrogate.config),
        "stimulus": dataclasses.asdict(surrogate.stimulus_ports[0]),
        "resting": surrogate.resting,
        "latency_windows": model.encoder.latency_windows,
        "trained_on": dict(trained_on or {}),
        "envelope": {"mean": float(model.encoder.mean[...]), "standard_deviation": float(model.encoder.scale[...])},
    }
    scratch = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        made = scratch / "checkpoint"
        with ocp.StandardCheckpointer() as checkpointer:
            checkpointer.save(made / "weights", nnx.to_pure_dict(nnx.state(model)))
        (made / "checkpoint.json").write_text(json.dumps(document, indent=1, sort_keys=True), encoding="utf-8")
        made.rename(path)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return path


def load(path: str | Path) -> PointProcessSurrogate:
    """Read a surrogate from a folder that `save` wrote.

    Raises:
        InputError: there is no checkpoint at `path`, or one of another format.
    """
    path = Path(path).absolute()
    document = describe(path)
    # JSON has lists where the configuration has tuples.
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in document["config"].items()
    }
    config = SurrogateConfig(**fields)
    model = StimulusHistoryModel(config, 0.0, 1.0, 1.0, document["latency_windows"], nnx.Rngs(0))
    graph, state = nnx.split(model)
    like = jax.tree.map(lambda array: jax.ShapeDtypeStruct(array.shape, array.dtype), nnx.to_pure_dict(state))
    with ocp.StandardCheckpointer() as checkpointer:
        weights = checkpointer.restore(path / "weights", like)
    nnx.replace_by_pure_dict(state, jax.tree.map(jnp.asarray, weights))
    return PointProcessSurrogate(nnx.merge(graph, state), config, Port(**document["stimulus"]), document["resting"])


def describe(path: str | Path) -> dict[str, Any]:
    """Everything that a checkpoint says about itself, without its weights.

    Raises:
        InputError: as `load`.
    """
    path = Path(path)
    try:
        document = json.loads((path / "checkpoint.json").read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: is no checkpoint of a surrogate ({error}); give a folder that was saved.") from error
    if document.get("format") != FORMAT:
        raise InputError(f"{path}: has the checkpoint format {document.get('format')!r}; this version reads {FORMAT}.")
    return document
