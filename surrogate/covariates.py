"""How a recording was made and on which animal, as a shift and a scale of what enters the core (FiLM).

Perez et al. 2018, arXiv 1709.07871. A covariate that nobody reported, or of a level that training never saw, has the
`unknown` row; the animal that training never saw has the average one, row 0. Training hides each now and then, so
that those rows mean something.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from surrogate.batches.batch import Batch
from surrogate.units import UnitParam
from surrogate.vocabulary import Vocabulary


class Conditioning(nnx.Module):
    """Protocol covariates and the animal -> a vector.

    Args:
        vocabulary: levels and animals.
        width: of the vector.
        dropout: chance that training hides each covariate, and the animal.
        dtype: of the arithmetic.
        rngs: randomness of the initial weights.
    """

    def __init__(self, vocabulary: Vocabulary, width: int, dropout: float, dtype: Any, rngs: nnx.Rngs) -> None:
        self.dropout, self.dtype, self.width = dropout, dtype, width
        # Row 0 is the unknown level; all start from zero, so that an untrained covariate does nothing.
        self.levels = nnx.List(
            [nnx.Param(jnp.zeros((len(one.levels or ()) + 1, width), jnp.float32)) for one in vocabulary.named]
        )
        self.numbers = (
            nnx.Linear(2 * len(vocabulary.measured), width, dtype=dtype, rngs=rngs) if vocabulary.measured else None
        )
        self.subjects = UnitParam(jnp.zeros((len(vocabulary.subjects) + 1, width), jnp.float32))
        self.film = nnx.Linear(width, 2 * width, dtype=dtype, rngs=rngs)

    def __call__(self, batch: Batch, with_covariates: bool, key: Any | None) -> Float[Array, "item width"]:
        """The vector of each item.

        Args:
            batch: the items.
            with_covariates: whether anything but the animal is used.
            key: for hiding them at random; None hides none.
        """
        n_items = batch.level.shape[0]
        shown = self._shown((n_items, len(self.levels) + batch.number.shape[1] + 1), key)
        subject = jnp.where(shown[:, -1], batch.subject, 0)
        total = self.subjects[...][subject].astype(self.dtype)
        if not with_covariates:
            return total
        for k, table in enumerate(self.levels):
            total = total + table[...][jnp.where(shown[:, k], batch.level[:, k], 0)].astype(self.dtype)
        if self.numbers is not None:
            known = batch.known * shown[:, len(self.levels) : -1].astype(batch.known.dtype)
            total = total + self.numbers(jnp.concatenate([batch.number * known, known], -1).astype(self.dtype))
        return total

    def _shown(self, shape: tuple[int, int], key: Any | None) -> Array:
        return jnp.ones(shape, bool) if key is None else jax.random.bernoulli(key, 1.0 - self.dropout, shape)

    def apply(
        self, drive: Float[Array, "item time width"], condition: Float[Array, "item width"]
    ) -> Float[Array, "item time width"]:
        """The drive, scaled and shifted by the condition."""
        scale, shift = jnp.split(self.film(condition)[:, None, :], 2, axis=-1)
        return drive * (jnp.ones_like(scale) + scale) + shift
