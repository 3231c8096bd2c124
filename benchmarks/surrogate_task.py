"""What `benchmarks/surrogate.py` times: the sizes of a core and readout, and the same movies for all engines."""

import dataclasses
from pathlib import Path

import numpy as np

from benchmarks.synthetic_vision.animals import BIN_S, STREAM, Sizes, animals
from surrogate.config import Config, Data, Inputs, Model, Training
from twin import recording
from twin.split import Parts, Segment

TRIAL_S = 30.0


@dataclasses.dataclass(frozen=True)
class Task:
    """A core and readout, and how it is trained.

    Attributes:
        name: in the tables.
        height: of a frame, pixels.
        width: of a frame, pixels.
        frames: that the first layer sees.
        channels: of each layer.
        layers: how many.
        input_kern: pixels of the filters of the first layer.
        hidden_kern: of the later ones.
        units: of each of two animals.
        batch: items.
        length: frames of an item that are scored; `frames` before them are context.
        learning_rate: constant.
        precision: of our arithmetic.
    """

    name: str = "9 and 7 pixels"
    height: int = 24
    width: int = 32
    frames: int = 8
    channels: int = 32
    layers: int = 3
    input_kern: int = 9
    hidden_kern: int = 7
    units: int = 200
    batch: int = 4
    length: int = 64
    learning_rate: float = 3e-3
    precision: str = "float32"

    def write(self, folder: Path) -> None:
        """Two animals of four minutes each: `NAME.zarr` for us, `NAME.npz` with the parts for the peer."""
        sizes = Sizes(2, self.units, self.height, self.width, trial_s=TRIAL_S, trials=9, repeats=2)
        for one in animals(sizes, seed=0):
            recording.write(one.tree, folder / f"{one.name}.zarr")
            one.write_arrays(folder)

    def config(self) -> Config:
        """The same core and readout as a configuration: no shared decoder, no recurrence, a linear readout by unit."""
        return Config(
            data=Data(window_s=BIN_S, video=STREAM, length=self.length + self.frames, burn_in=self.frames, test=0.0),
            inputs=Inputs(behaviour=False, own_past=False, others=False, trial_index=False, covariates=False),
            model=Model(
                core="none", width=4, memory=1, embedding=1, decoder=0, history_taus=(1.0,), latents=0, coupling_rank=1,
                video_channels=(self.channels,) * self.layers, video_kernel=(self.frames, self.input_kern),
                video_hidden_kernel=(1, self.hidden_kern), video_stride=1, video_recurrent=False, covariate_dropout=0.0,
            ),
            training=Training(
                steps=10**6, batch=self.batch, learning_rate=self.learning_rate, warm_up=1, final_rate=1.0, ema=0.0,
                unit_decay=1e-3, precision=self.precision,
            ),
        )  # fmt: skip


SMALL_KERNELS = dataclasses.replace(Task(), name="5 and 3 pixels", input_kern=5, hidden_kern=3)
TASKS = (Task(), SMALL_KERNELS)


def parts_in(folder: Path) -> dict[str, Parts]:
    """The parts of each animal that `Task.write` wrote there."""
    found = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as held:
            n = held["counts"].shape[1]
            kinds = [held[part].tolist() for part in ("train", "validation", "test")]
        found[path.stem] = Parts(*(tuple(Segment(trial, 0, n) for trial in kind) for kind in kinds))
    return found


def mean_correlation(predicted: np.ndarray, response: np.ndarray) -> float:
    """Mean over units of the correlation over all bins, (bin, unit) each."""
    pairs = [np.corrcoef(predicted[:, k], response[:, k])[0, 1] for k in range(response.shape[1])]
    return float(np.nanmean(pairs))
