"""Named activations of a surrogate: read them, put others in their place, or push them along a direction.

The names are in `NAMES`. A surrogate computes the same without taps; they are arguments of a call, not a global state.
"""

import dataclasses
from collections.abc import Callable, Mapping

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from twin.errors import InputError

NAMES = {
    "stimulus": "the encoded streams, (item, time, width)",
    "behaviour": "the encoded behaviour, (item, time, width)",
    "video": "the video's features at each unit's place, (item, time, unit, channel)",
    "condition": "what protocol and animal add, (item, width)",
    "population": "the pooled activity, (item, time, width)",
    "drive": "all that enters the core, (item, time, width)",
    "core": "what the shared dynamics give, (item, time, width)",
    "decoder": "hidden features of the shared decoder, (item, time, unit, decoder)",
    "raw": "the parameters of the likelihood, (item, time, unit, parameter)",
}
Change = Callable[[Array], Array]


@dataclasses.dataclass
class Taps:
    """What to do with activations on their way.

    Attributes:
        patch: name -> function that gives the activation's replacement.
        read: names to keep in `found`.
        found: what was read.

    Raises:
        InputError: a name that no activation has.
    """

    patch: Mapping[str, Change] = dataclasses.field(default_factory=dict)
    read: tuple[str, ...] = ()
    found: dict[str, Array] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (*self.patch, *self.read):
            if name not in NAMES:
                raise InputError(f"a surrogate has no activation {name!r}; give one of {', '.join(NAMES)}.")

    def __call__(self, name: str, value: Array) -> Array:
        """The activation after its patch, noted where it is read."""
        if name in self.patch:
            value = self.patch[name](value).astype(value.dtype)
        if name in self.read:
            self.found[name] = value
        return value


def replaced(by: Float[Array | np.ndarray, "..."]) -> Change:
    """A patch that puts another activation in the place, such as that of another stimulus."""
    return lambda value: jnp.broadcast_to(jnp.asarray(by, value.dtype), value.shape)


def steered(direction: Float[Array | np.ndarray, " width"], strength: float) -> Change:
    """A patch that adds `strength` times a unit vector along `direction` to every window."""
    unit = np.asarray(direction, np.float64) / np.linalg.norm(direction)

    def change(value: Array) -> Array:
        step = jnp.asarray(strength * unit, value.dtype)
        return value + jnp.broadcast_to(step, value.shape)

    return change


def silenced(value: Array) -> Array:
    """A patch that sets an activation to zero."""
    return jnp.zeros_like(value)
