"""The surrogate on the animals: a core of all but the last, a readout for the new one, and the same from scratch."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import xarray as xr
from jaxtyping import Float

from benchmarks.synthetic_vision.animals import BEHAVIOUR, BIN_S, STREAM, Animal
from surrogate import Config, Surrogate, adapt, fit
from surrogate.adapt import shortened
from surrogate.config import Data, Inputs, Model, Training

FRAMES = 8  # that a filter of the first layer sees
PIXELS = 9
Expected = Float[np.ndarray, "trial time unit"]


@dataclasses.dataclass(frozen=True)
class Plan:
    """How models are trained.

    Attributes:
        steps: of the core.
        adapt_steps: of a new readout.
        scratch_steps: of everything on the new animal alone.
        channels: of each layer of the core.
        batch: items.
        learning_rate: of the core and from scratch.
        adapt_rate: of a new readout.
        seed: of everything random.
    """

    steps: int = 2000
    adapt_steps: int = 500
    scratch_steps: int = 1000
    channels: tuple[int, ...] = (32, 32)
    batch: int = 4
    learning_rate: float = 4e-3
    adapt_rate: float = 2e-2
    seed: int = 0

    def config(self) -> Config:
        """Movie, running, pupil and temperature; no response is an input, since the rate is what is asked for."""
        return Config(
            seed=self.seed,
            data=Data(
                window_s=BIN_S, video=STREAM, behaviour=BEHAVIOUR, covariates=("temperature",), length=40,
                burn_in=FRAMES, test=0.0,
            ),
            inputs=Inputs(own_past=False, others=False, trial_index=False),
            model=Model(
                core="none", width=16, memory=4, embedding=8, decoder=16, history_taus=(1.0,), latents=0,
                coupling_rank=1, video_channels=self.channels, video_kernel=(FRAMES, PIXELS),
                video_hidden_kernel=(1, 3), video_stride=2, video_recurrent=False,
            ),
            training=self._training(self.steps, self.learning_rate),
        )  # fmt: skip

    def _training(self, steps: int, rate: float) -> Training:
        return Training(
            steps=steps, batch=self.batch, learning_rate=rate, warm_up=max(1, steps // 20), ema=0.98,
            check_every=max(1, steps // 10), patience=0,
        )  # fmt: skip

    def core(self, known: Sequence[Animal]) -> Surrogate:
        """Trained on the animals that are not new."""
        parts = {one.name: one.parts for one in known}
        return fit(self.config(), [one.tree for one in known], parts=parts).surrogate

    def adapted(self, core: Surrogate, new: Animal, minutes: float) -> Surrogate:
        """A readout for the new animal."""
        parts = {new.name: shortened(new.parts, round(60 * minutes / BIN_S))}
        training = self._training(self.adapt_steps, self.adapt_rate)
        return adapt(core, [new.tree], training=training, parts=parts).surrogate

    def from_scratch(self, new: Animal, minutes: float) -> Surrogate:
        """The same network on the new animal alone."""
        parts = {new.name: shortened(new.parts, round(60 * minutes / BIN_S))}
        config = dataclasses.replace(self.config(), training=self._training(self.scratch_steps, self.learning_rate))
        return fit(config, [new.tree], parts=parts).surrogate


def expected(surrogate: Surrogate, tree: xr.DataTree, animal: Animal) -> Expected:
    """Expected counts of the test trials of a recording of the animal."""
    trials = [one.trial for one in animal.parts.test]
    return surrogate.predict(tree, part="test").mean[trials].astype(np.float64)
