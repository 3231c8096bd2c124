"""Sizes of the experiment; `QUICK` shows the way in a test and its scores mean nothing."""

import dataclasses

from surrogate.config import Training


@dataclasses.dataclass(frozen=True)
class Settings:
    """What decides how long the experiment takes.

    Attributes:
        width: features of the surrogate's core.
        training: of the surrogate.
        adapting: of a new subject's readout.
        adapted_to: sessions of a new subject that its readout is fitted to, one curve point each.
        starts: from which a learner is fitted.
        planted: share of the choices that a planted shortcut decides.
    """

    width: int = 16
    training: Training = Training(
        steps=400, batch=16, learning_rate=3e-3, warm_up=20, check_every=25, patience=4, ema=0.95, weight_decay=1e-2
    )
    adapting: Training = Training(
        steps=150, batch=8, learning_rate=3e-3, warm_up=10, check_every=15, patience=3, ema=0.9, unit_decay=1e-3
    )
    adapted_to: tuple[int, ...] = (1, 2, 4)
    starts: int = 3
    planted: float = 0.3


_SHORT = Training(steps=40, batch=8, learning_rate=1e-2, warm_up=4, check_every=20, patience=0)
QUICK = Settings(width=8, training=_SHORT, adapting=_SHORT, adapted_to=(1,), starts=1)
