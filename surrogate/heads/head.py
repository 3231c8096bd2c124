"""What a likelihood is to the rest of the package: raw numbers of the model in, a distribution out."""

from typing import Any, Protocol, runtime_checkable

from jaxtyping import Array, Float


@runtime_checkable
class Head(Protocol):
    """A conditional distribution of one unit in one window.

    The model gives `n_parameters` unbounded numbers, the last axis of `raw`; the head maps them to where its
    distribution wants them. `features` is what the model sees of an earlier response.
    """

    @property
    def name(self) -> str:
        """As a configuration writes it."""

    @property
    def n_parameters(self) -> int:
        """Unbounded numbers for each response."""

    @property
    def n_drives(self) -> int:
        """Of these, how many have weights of their own for each unit; they add to the first parameters."""

    @property
    def n_features(self) -> int:
        """Numbers that stand for a past response."""

    @property
    def discrete(self) -> bool:
        """Whether a response is left as it is; others are standardised by unit."""

    def log_prob(self, raw: Float[Array, "*n parameter"], value: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """Logarithm of the probability (density) of `value`, every constant included, in nats."""

    def mean(self, raw: Float[Array, "*n parameter"]) -> Float[Array, "*n"]:
        """Expected value."""

    def sample(self, raw: Float[Array, "*n parameter"], key: Any) -> Float[Array, "*n"]:
        """One draw."""

    def bounded(self, raw: Float[Array, "*n parameter"], largest: Float[Array, "*n"]) -> Float[Array, "*n parameter"]:
        """Unchanged where the expected value is within `largest` in size; further away it bends, and stays bounded."""

    def features(self, value: Float[Array, "*n"]) -> Float[Array, "*n feature"]:
        """What the model is shown of a response."""

    def start(self, mean: Any, deviation: Any) -> Any:
        """(unit, parameter) raw numbers that reproduce each unit's mean, with which training starts."""
