"""Interventions as values: they compose, they are written as text, and they act on a circuit's named parameters.

Each has `apply(params, handles)`, which returns changed parameters and leaves the given ones alone. Numbers may be
arrays under `jax.vmap`, so a dose-response is one program.
"""

import dataclasses
from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

from twin.errors import InputError, UnsupportedError
from twin.ports import Arrays, Handles


@runtime_checkable
class Intervention(Protocol):
    """What every intervention can do."""

    def apply(self, params: Arrays, handles: Handles) -> dict[str, Any]:
        """The parameters under the intervention."""

    def __str__(self) -> str:
        """The text that `parse` reads back."""


@dataclasses.dataclass(frozen=True)
class ChannelBlock:
    """Block a share of a channel's conductance: 0 leaves it alone, 0.5 halves it, 1 removes it.

    A tetrodotoxin-like block is `ChannelBlock("na", fraction)`: a pore blocker that acts at every voltage alike.
    """

    channel: str
    fraction: Any

    def __post_init__(self) -> None:
        if isinstance(self.fraction, (int, float)) and not 0 <= self.fraction <= 1:
            raise InputError(f"channel_block blocks a share of {self.fraction:g}; wanted 0 (none) to 1 (all).")

    def apply(self, params: Arrays, handles: Handles) -> dict[str, Any]:
        if self.channel not in handles.channels:
            has = ", ".join(handles.channels) or "none"
            raise InputError(f"channel_block: the circuit has no channel {self.channel!r}; its channels: {has}.")
        name = handles.channels[self.channel]
        return {**params, name: params[name] * (1.0 - self.fraction)}

    def __str__(self) -> str:
        return f"channel_block:{self.channel}:{self.fraction:g}"


@dataclasses.dataclass(frozen=True)
class Temperature:
    """Warm (positive) or cool the preparation by `change_c` degrees: gates, conductances and reversal potentials."""

    change_c: Any

    def apply(self, params: Arrays, handles: Handles) -> dict[str, Any]:
        if handles.temperature is None:
            raise UnsupportedError("temperature: the circuit's equations have no temperature; use a model that has.")
        return {**params, handles.temperature: params[handles.temperature] + self.change_c}

    def __str__(self) -> str:
        return f"temperature:{self.change_c:+g}"


@dataclasses.dataclass(frozen=True)
class CurrentOffset:
    """Inject a constant current of `current_na` nA into every cell; positive depolarises."""

    current_na: Any

    def apply(self, params: Arrays, handles: Handles) -> dict[str, Any]:
        if handles.current is None:
            raise UnsupportedError("current: the circuit's equations have no injected current; use a model that has.")
        return {**params, handles.current: params[handles.current] + self.current_na * handles.current_scale}

    def __str__(self) -> str:
        return f"current:{self.current_na:+g}"


def apply_all(interventions: Iterable[Intervention], params: Arrays, handles: Handles) -> dict[str, Any]:
    """The parameters under all interventions, applied in their order."""
    changed = dict(params)
    for intervention in interventions:
        changed = intervention.apply(changed, handles)
    return changed


def parse(text: str) -> Intervention:
    """The intervention that `str` writes: "channel_block:na:0.5", "temperature:-5", "current:+0.2".

    Raises:
        InputError: unknown kind or numbers that are none; the sentence shows the forms.
    """
    kind, *words = text.split(":")
    try:
        if kind == "channel_block" and len(words) == 2:
            return ChannelBlock(words[0], float(words[1]))
        if kind == "temperature" and len(words) == 1:
            return Temperature(float(words[0]))
        if kind == "current" and len(words) == 1:
            return CurrentOffset(float(words[0]))
    except ValueError as error:
        if isinstance(error, InputError):
            raise
    raise InputError(
        f"{text!r} is no intervention; wanted channel_block:CHANNEL:SHARE, temperature:CHANGE_IN_C or current:NA."
    )
