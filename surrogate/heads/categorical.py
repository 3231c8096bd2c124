"""One of several classes: a choice, or a behavioural state."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


@dataclasses.dataclass(frozen=True)
class Categorical:
    """Classes 0 ... n_classes - 1, with the logits raw.

    Attributes:
        n_classes: number of classes.
    """

    n_classes: int = 2
    name = "categorical"
    discrete = True

    @property
    def n_parameters(self) -> int:
        """One logit for each class."""
        return self.n_classes

    @property
    def n_drives(self) -> int:
        """Each logit has its own linear drive."""
        return self.n_classes

    @property
    def n_features(self) -> int:
        """A past class is shown as one of `n_classes` flags."""
        return self.n_classes

    def log_prob(self, raw: Float[Array, "*n class"], value: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """Logarithm of the probability of a class."""
        chosen = jnp.clip(value, 0, self.n_classes - 1).astype(jnp.int32)
        return jnp.take_along_axis(jax.nn.log_softmax(raw, axis=-1), chosen[..., None], axis=-1)[..., 0]

    def mean(self, raw: Float[Array, "*n class"]) -> Float[Array, "*n"]:
        """Expected class number: with two classes the probability of class 1."""
        return jax.nn.softmax(raw, axis=-1) @ jnp.arange(self.n_classes, dtype=raw.dtype)

    def sample(self, raw: Float[Array, "*n class"], key: Any) -> Float[Array, "*n"]:
        """A draw of the class."""
        return jax.random.categorical(key, raw, axis=-1).astype(raw.dtype)

    def bounded(self, raw: Float[Array, "*n class"], largest: Float[Array, "*n"]) -> Float[Array, "*n class"]:
        """A class is bounded as it is."""
        del largest
        return raw

    def features(self, value: Float[Array, "*n"]) -> Float[Array, "*n class"]:
        """A flag for each class."""
        return jax.nn.one_hot(value.astype(jnp.int32), self.n_classes, dtype=value.dtype)

    def start(self, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
        """All classes alike."""
        del deviation
        return np.zeros((len(mean), self.n_classes))
