"""What is free: names, bounds, scales and priors, and the unit cube on which every search moves."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from jaxtyping import Float

from biophys.models.model import NeuronModel
from biophys.observation import UNITS as OBSERVED
from twin.errors import InputError

Number: TypeAlias = float | int


@dataclasses.dataclass(frozen=True)
class Prior:
    """A normal belief about a quantity, in its unit; for a quantity on a log scale, about its logarithm.

    Attributes:
        mean: the most likely value.
        sd: standard deviation; on a log scale it is relative: 0.1 for ten per cent.
    """

    mean: Number
    sd: Number


@dataclasses.dataclass(frozen=True)
class Free:
    """A quantity to be found.

    Attributes:
        name: what the model, or the loss, calls it.
        start: first guess.
        low: lowest value tried.
        high: highest value tried.
        scale: "log" for a positive quantity of unknown size, "linear" otherwise.
        unit: of all of these, for people.
        prior: what is known beside the data; None for an even belief between low and high.
    """

    name: str
    start: Number
    low: Number
    high: Number
    scale: Literal["log", "linear"] = "log"
    unit: str = "1"
    prior: Prior | None = None

    def __post_init__(self) -> None:
        if (
            not self.low < self.high
            or not self.low <= self.start <= self.high
            or (self.scale == "log" and self.low <= 0)
        ):
            raise InputError(
                f"{self.name} starts at {self.start:g} within [{self.low:g}, {self.high:g}] on a {self.scale} scale; "
                "wanted low < high, a start between them, and low > 0 for a log scale: move the start or widen the "
                "bounds."
            )
        if self.prior is not None and (not self.prior.sd > 0 or (self.scale == "log" and self.prior.mean <= 0)):
            raise InputError(
                f"{self.name} has a prior of {self.prior.mean:g} with the deviation {self.prior.sd:g}; wanted a "
                "deviation above 0, and a mean above 0 on a log scale."
            )

    def to_unit(self) -> float:
        """The start on the scale on which the search moves, where low is 0 and high is 1."""
        return float(self.position_of(np.asarray(self.start)))

    def position_of(self, value: Any) -> Any:
        """Where a value lies between low (0) and high (1)."""
        low, high = self._stretch(np.array([self.low, self.high]))
        return (self._stretch(np.asarray(value, np.float64)) - low) / (high - low)

    def from_unit(self, position: Any) -> Any:
        """The value at a position between 0 (low) and 1 (high); a JAX array stays one."""
        low, high = (float(edge) for edge in self._stretch(np.array([self.low, self.high])))
        value = low + (high - low) * position
        if self.scale == "linear":
            return value
        return np.exp(value) if isinstance(value, float | np.ndarray | np.floating) else _exp(value)

    def penalty(self, position: Any) -> Any:
        """Negative logarithm of the prior at a position, up to a constant, in nats; 0 without a prior."""
        if self.prior is None:
            return 0.0 * position
        low, high = (float(edge) for edge in self._stretch(np.array([self.low, self.high])))
        mean = float(self._stretch(np.asarray(self.prior.mean)))
        return 0.5 * ((low - mean + (high - low) * position) / self.prior.sd) ** 2

    def _stretch(self, values: Any) -> Any:
        return np.log(values) if self.scale == "log" else values


Bounds: TypeAlias = Mapping[str, tuple[Number, Number] | Free] | Sequence[Free]


@dataclasses.dataclass(frozen=True)
class Space:
    """All that is free.

    Attributes:
        free: in the order in which positions have them.
    """

    free: tuple[Free, ...]

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.free) or not self.free:
            raise InputError(
                f"the free quantities are {', '.join(self.names) or 'none'}; wanted one or more, each only once."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Of the free quantities."""
        return tuple(one.name for one in self.free)

    @property
    def start(self) -> Float[np.ndarray, " free"]:
        """The position of the first guess."""
        return np.array([one.to_unit() for one in self.free])

    def values(self, positions: Any) -> dict[str, Any]:
        """Quantities by name, each (n,), of positions (n, free) in the unit cube."""
        return {one.name: one.from_unit(positions[..., index]) for index, one in enumerate(self.free)}

    def positions(self, values: Mapping[str, Any]) -> np.ndarray:
        """Positions (..., free) of quantities by name."""
        return np.stack([one.position_of(values[one.name]) for one in self.free], axis=-1)

    def penalty(self, positions: Any) -> Any:
        """Negative logarithm of the prior of each position, nats."""
        return sum(one.penalty(positions[..., index]) for index, one in enumerate(self.free))


def space_of(
    model: NeuronModel,
    bounds: Bounds | None = None,
    start: Mapping[str, Number] | None = None,
) -> Space:
    """What is free of a model, and of the observation model.

    Args:
        model: whose parameters they are.
        bounds: name -> (low, high) in the parameter's own unit, or a `Free`; or a sequence of `Free`; None for all
            parameters that have bounds in the model. Names of the observation model ("junction_potential_mv",
            "series_resistance_mohm", ...) may be among them.
        start: first guesses; the model's own values otherwise, and the middle of the bounds for other names.

    Raises:
        InputError: a name that neither knows, bounds that exclude the start, or nothing is free.
    """
    first = dict(start or {})
    if bounds is None:
        bounds = {one.name: one.bounds for one in model.fitted if one.bounds is not None}
    given = bounds if isinstance(bounds, Mapping) else {one.name: one for one in bounds}
    unknown = sorted((first.keys() | given.keys()) - {one.name for one in model.parameters} - OBSERVED.keys())
    if unknown:
        has = ", ".join(one.name for one in model.parameters)
        raise InputError(
            f"{model.name} has no parameter {', '.join(unknown)}; it has {has}, and the observation model has "
            f"{', '.join(OBSERVED)}."
        )
    return Space(tuple(_free(model, name, limits, first.get(name)) for name, limits in given.items()))


def _free(model: NeuronModel, name: str, limits: tuple[Number, Number] | Free, start: Number | None) -> Free:
    if isinstance(limits, Free):
        return limits if start is None else dataclasses.replace(limits, start=start)
    low, high = (float(edge) for edge in limits)
    # positive, and not known to within a factor of four: its size is what is unknown
    scale: Literal["log", "linear"] = "log" if low > 0 and high / low > 4 else "linear"
    if name in OBSERVED:
        middle = np.sqrt(low * high) if scale == "log" else (low + high) / 2
        return Free(name, float(middle) if start is None else start, low, high, scale, OBSERVED[name])
    own = model.parameter(name)
    return Free(name, own.value if start is None else start, low, high, scale, own.unit_text)


def _exp(value: Any) -> Any:
    import jax.numpy as jnp

    return jnp.exp(value)
