"""What a likelihood is to the rest of the package: raw numbers of the model in, a distribution out."""

from typing import Any, Protocol, runtime_checkable

from jaxtyping import Array, Float


@runtime_checkable
class Head(Protocol):
    """A conditional distribution of one unit in one window.

    The model gives `n_parameters` unbounded numbers, the last axis of `raw`; the head maps them to where its
    distribution wants them. `features` is what the model sees of an earlier response.

    Attributes:
        name: as a configuration writes it.
        n_parameters: unbounded numbers for each response.
        n_drives: of these, how many have weights of their own for each unit; they add to the first parameters.
        n_features: numbers that stand for a past response.
        discrete: whether a response is a whole number, which is left as it is; others are standardised by unit.
    """

    name: str
    n_parameters: int
    n_drives: int
    n_features: int
    discrete: bool

    def log_prob(self, raw: Float[Array, "*n parameter"], value: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """Logarithm of the probability (density) of `value`, every constant included, in nats."""

    def mean(self, raw: Float[Array, "*n parameter"]) -> Float[Array, "*n"]:
        """Expected value."""

    def sample(self, raw: Float[Array, "*n parameter"], key: Any) -> Float[Array, "*n"]:
        """One draw."""

    def features(self, value: Float[Array, "*n"]) -> Float[Array, "*n feature"]:
        """What the model is shown of a response."""

    def start(self, mean: Any, deviation: Any) -> Any:
        """(unit, parameter) raw numbers that reproduce each unit's mean, with which training starts."""
