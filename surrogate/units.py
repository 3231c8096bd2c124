"""The unit table: everything that belongs to one unit, a row each, so that sessions of any size share one model."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, Int

from surrogate.config import Config
from surrogate.heads import Head

SPREAD = 0.1  # of positions and of what a new unit is like, at the start


class UnitParam(nnx.Param):
    """A weight that belongs to a unit (or an animal): adapting fits these and leaves all others as they are."""


class UnitTable(nnx.Module):
    """One row for each unit.

    Columns, in the order of `COLUMNS`: what the unit is like (`embedding`), the parameters of its response when
    nothing is known (`start`), its weights on the core (`readout`), on its own past (`history`), from and into the
    other units (`into`, `out_of`), on the slow drift (`drift`), and on a video its place (-1 to 1, x then y), the
    logarithm of its receptive field's width and its weights on the feature maps (`place`, `extent`, `features`).

    Args:
        start: (unit, parameter) of the likelihood, to start from.
        config: sizes, and the seed of the initial rows.
        n_traces: of a unit's past.
        head: the likelihood.
    """

    COLUMNS = ("embedding", "start", "readout", "history", "into", "out_of", "drift", "place", "extent", "features")

    def __init__(self, start: np.ndarray, config: Config, n_traces: int, head: Head) -> None:
        n, model, drives = len(start), config.model, head.n_drives
        random = np.random.default_rng(config.seed)  # NumPy's, so that a table of any size costs no compilation
        channels = model.video_channels[-1] if config.data.video else 0

        def drawn(*shape: int) -> UnitParam:
            return UnitParam(jnp.asarray(SPREAD * random.normal(size=(n, *shape)), jnp.float32))

        def zeros(*shape: int) -> UnitParam:
            return UnitParam(jnp.zeros((n, *shape), jnp.float32))

        self.embedding = drawn(model.embedding)
        self.start = UnitParam(jnp.asarray(start, jnp.float32))
        self.readout = drawn(model.width, drives)
        self.history = zeros(n_traces, drives)
        self.into = drawn(model.coupling_rank)
        self.out_of = zeros(n_traces, model.coupling_rank, drives)
        self.drift = zeros(config.data.trial_bumps, drives)
        self.place = drawn(2) if channels else zeros(0)
        self.extent = zeros(1) if channels else zeros(0)
        self.features = drawn(channels, drives)

    def rows(self, unit: Int[Array, "item unit"], dtype: Any) -> dict[str, Float[Array, "item unit ..."]]:
        """The columns of these units."""
        return {name: getattr(self, name)[...][unit].astype(dtype) for name in self.COLUMNS}
