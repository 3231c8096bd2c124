"""The language of neurotwin: what a recording is, how it was made, what a twin is, and how it is judged.

`import twin` loads nothing else: `twin.recording`, `twin.judge`, `twin.Twin` and the other names below arrive when
they are first used, so that a script that only reads a protocol does not wait for JAX.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

__all__ = [
    "Twin",
    "coupling",
    "datasets",
    "errors",
    "judge",
    "perturb",
    "ports",
    "protocol",
    "provenance",
    "readers",
    "recording",
    "report",
    "split",
]


def __getattr__(name: str) -> Any:
    if name == "Twin":
        return import_module("twin.coupling").Twin
    if name in __all__:
        return import_module(f"twin.{name}")
    raise AttributeError(f"module 'twin' has no attribute {name!r}")
