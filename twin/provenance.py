"""The log of what was done to a recording: one entry a step, with versions, inputs by hash, and parameters.

An entry has no date, so that the same files and the same versions make the same recording, byte for byte.
"""

import functools
import hashlib
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import xarray as xr

PACKAGES = ("jax", "flax", "optax", "brian2", "xarray", "zarr", "numpy", "scipy")


def file_hash(path: str | Path) -> str:
    """SHA-256 of a file, as hexadecimal text."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """Versions of this project and of the packages that its numbers depend on."""
    return dict(_versions())


@functools.cache  # to look them all up takes as long as to load a small recording
def _versions() -> dict[str, str]:
    import twin

    return {"neurotwin": twin.__version__} | {name: metadata.version(name) for name in PACKAGES}


def log(
    tree: xr.DataTree,
    step: str,
    *,
    inputs: Mapping[str, str] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> xr.DataTree:
    """A copy of `tree` whose log has one more entry.

    Args:
        tree: a recording.
        step: what was done, as a verb phrase ("read", "correct junction potential").
        inputs: name -> SHA-256 of what went in.
        parameters: plain values that the step depended on, each number with its source and uncertainty beside it.
    """
    entry = {"step": step, "versions": versions(), "inputs": dict(inputs or {}), "parameters": dict(parameters or {})}
    logged = tree.copy()
    logged.attrs = {**tree.attrs, "provenance": [*tree.attrs.get("provenance", []), entry]}
    return logged
