"""The event-related fMRI series that nitime brings: held-out runs predicted from the events alone.

One series in 3360 samples with six types of events. Its documentation gives 2 s a sample and nothing of the subject,
the place or the task. The series falls into 12 runs of 280 samples: it jumps there, and each holds every type eight
times.
"""

import csv
import dataclasses
from importlib import util
from pathlib import Path

import numpy as np

from surrogate import Config, Fit, fit
from surrogate.config import Data, Inputs, Model, Training
from twin import recording
from twin.errors import InputError
from twin.judge.inference import Interval, bootstrap, percentile_interval, resampled, resampling_weights
from twin.recording import Stream
from twin.split import Parts, Segment

SAMPLE_S, RUN, LAGS = 2.0, 280, 15  # 15 samples are 30 s, as in nitime's own example
TEST, VALIDATION = (9, 10, 11), (7, 8)  # the last runs are scored, the two before them choose
BLOCK = 20  # samples that resample together: 40 s, longer than the response to an event
PENALTIES = 10.0 ** np.arange(-1, 5)


@dataclasses.dataclass(frozen=True, eq=False)
class Series:
    """Runs of a voxel or region.

    Attributes:
        bold: (run, sample), in the units of the file (per cent, presumably).
        event: (run, sample) type of the event that begins, 0 for none.
    """

    bold: np.ndarray
    event: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Predicted:
    """Held-out runs and what each model says of them.

    Attributes:
        recorded: (run, sample).
        models: name -> (run, sample).
    """

    recorded: np.ndarray
    models: dict[str, np.ndarray]

    def correlation(self, model: str) -> float:
        """Over all samples of the held-out runs."""
        return float(np.corrcoef(self.models[model].ravel(), self.recorded.ravel())[0, 1])

    def interval(self, model: str, seed: int) -> Interval:
        """Of the correlation, over blocks."""
        return bootstrap(_pearson, self._sums(model), unit="block", seed=seed)

    def difference(self, model: str, other: str, seed: int) -> Interval:
        """Of one model's correlation less another's, the same blocks drawn for both."""
        weights = resampling_weights(len(self._sums(model)), 2000, seed)
        values = [resampled(_pearson, self._sums(one), weights) for one in (model, other)]
        return percentile_interval(values[0] - values[1], weights.shape[1], unit="block")

    def _sums(self, model: str) -> np.ndarray:
        shape = (-1, BLOCK)
        x, y = self.models[model].reshape(shape), self.recorded.reshape(shape)
        columns = (np.ones_like(x), x, y, x * x, y * y, x * y)
        return np.stack([one.sum(axis=1) for one in columns], axis=1)


def _pearson(sums: np.ndarray) -> np.ndarray:
    n, x, y, xx, yy, xy = sums.T
    return (n * xy - x * y) / np.sqrt((n * xx - x * x) * (n * yy - y * y))


def series() -> Series:
    """The file of the installed nitime.

    Raises:
        InputError: nitime is not installed, or the file is not as it was.
    """
    spec = util.find_spec("nitime")
    if spec is None or spec.origin is None:
        raise InputError("the fMRI series comes with the package nitime, which is not installed: install it.")
    path = Path(spec.origin).parent / "data" / "event_related_fmri.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if len(rows) % RUN:
        raise InputError(f"{path}: has {len(rows)} samples, which runs of {RUN} do not fill.")
    columns = [np.array([float(row[name]) for row in rows]).reshape(-1, RUN) for name in ("bold", "events")]
    return Series(columns[0], columns[1].astype(np.int64))


def config_of(seed: int) -> Config:
    """The surrogate of the series: events as codes, a filter bank as long as the regression's."""
    return Config(
        name="event_related_fmri",
        seed=seed,
        data=Data(window_s=SAMPLE_S, streams=("event",), levels=("event",), length=140, burn_in=LAGS),
        inputs=Inputs(own_past=False, others=False, trial_index=False),
        model=Model(
            head="gaussian",
            core="none",
            width=32,
            memory=LAGS,
            latents=0,
            history_taus=(1.0,),
            coupling_rank=1,
            embedding=2,
            decoder=4,
        ),
        training=Training(
            steps=500, batch=16, learning_rate=3e-3, warm_up=20, check_every=25, patience=4, ema=0.97, weight_decay=1.0
        ),
    )


def by_surrogate(found: Series, config: Config) -> dict[str, np.ndarray]:
    """(run, sample) of the held-out runs: fitted to all others for as many steps as the last two chose, and before."""
    event = Stream(found.event, 1.0 / SAMPLE_S, "1", leading=("trial", "time"))
    tree = recording.from_fluorescence(
        found.bold[..., None].astype(np.float32),
        name="event_related_fmri",
        unit="1",
        sampling_hz=1.0 / SAMPLE_S,
        stimuli={"event": event},
    )
    train = tuple(k for k in range(len(found.bold)) if k not in (*TEST, *VALIDATION))

    def fitted(config: Config, train: tuple[int, ...], validation: tuple[int, ...], steps: int | None) -> Fit:
        parts = Parts(*(tuple(Segment(run, 0, RUN) for run in runs) for runs in (train, validation, TEST)))
        return fit(config, [tree], parts={"event_related_fmri": parts}, stop_after=steps)

    first = fitted(config, train, VALIDATION, None)
    steps = first.curve[first.best].step
    # One look, at the end: nothing is left to choose.
    once = dataclasses.replace(config, training=dataclasses.replace(config.training, check_every=steps))
    again = fitted(once, (*train, *VALIDATION), (), steps)
    return {
        name: one.surrogate.predict(tree, part="test").mean[list(TEST), :, 0]
        for name, one in (("surrogate", again), ("surrogate, without the runs that choose", first))
    }


def by_regression(found: Series, *, penalised: bool, shift: int = 0) -> np.ndarray:
    """(run, sample): a finite impulse response for each type of event, by least squares or with a ridge penalty.

    Args:
        found: the series.
        penalised: whether validation chooses a penalty; without one, validation is fitted as well.
        shift: samples by which the events come late, to plant a defect.
    """
    design = np.stack([_design(np.roll(run, shift)) for run in found.event])
    runs = np.arange(len(found.bold))
    fitted, chosen = np.isin(runs, (*TEST, *VALIDATION), invert=True), np.isin(runs, VALIDATION)
    penalty = 0.0
    if penalised:
        errors = [
            np.mean(np.square(design[chosen] @ _solved(design[fitted], found.bold[fitted], one) - found.bold[chosen]))
            for one in PENALTIES
        ]
        penalty = float(PENALTIES[int(np.argmin(errors))])
    every = fitted | chosen
    return design[list(TEST)] @ _solved(design[every], found.bold[every], penalty)


def _design(event: np.ndarray) -> np.ndarray:
    """(sample, type x lag + 1): whether an event of the type began so many samples ago, and a constant."""
    begins = (event[:, None] == np.arange(1, 7)[None]).astype(float)
    columns = [np.pad(begins, ((lag, 0), (0, 0)))[: len(event)] for lag in range(LAGS)]
    return np.concatenate([*columns, np.ones((len(event), 1))], axis=1)


def _solved(design: np.ndarray, bold: np.ndarray, penalty: float) -> np.ndarray:
    x, y = design.reshape(-1, design.shape[-1]), bold.ravel()
    size = penalty * np.eye(x.shape[1])
    size[-1, -1] = 0.0  # the constant
    return np.linalg.lstsq(x.T @ x + size, x.T @ y, rcond=None)[0]


def predict(seed: int) -> Predicted:
    """Everything of the held-out runs."""
    found = series()
    return Predicted(
        found.bold[list(TEST)],
        {
            **by_surrogate(found, config_of(seed)),
            "fir_ridge": by_regression(found, penalised=True),
            "fir_least_squares": by_regression(found, penalised=False),
            "fir_ridge_events_30_s_late": by_regression(found, penalised=True, shift=LAGS),
        },
    )
