"""Spikes under way between two runs."""

from typing import Any

import numpy as np


class SpikeHistory:
    """The latest spikes of a pathway's source: what is still to arrive when a run ends.

    Attributes:
        raster: Bool[age, source]: row k has the spikes k + 1 steps ago; None before the first run.
        dt_s: the step that ages are counted in.
    """

    def __init__(self) -> None:
        self.raster: np.ndarray | None = None
        self.dt_s: float | None = None

    def prepare(self, delays: Any, dt_s: float, sources: Any) -> None:
        """Called by Brian2 before a run: ages are counted anew if the step has changed."""
        if self.raster is not None and self.dt_s is not None and self.dt_s != dt_s:
            ages = np.maximum(np.round((np.arange(len(self.raster)) + 1) * self.dt_s / dt_s).astype(int), 1)
            counted = np.zeros((ages.max(initial=0), self.raster.shape[1]), bool)
            for age, row in zip(ages, self.raster, strict=True):
                counted[age - 1] |= row
            self.raster = counted
        self.dt_s = float(dt_s)

    def _full_state(self) -> Any:
        return None if self.raster is None else (self.raster.copy(), self.dt_s)

    def _restore_from_full_state(self, state: Any) -> None:
        self.raster, self.dt_s = (None, None) if state is None else (state[0].copy(), state[1])
