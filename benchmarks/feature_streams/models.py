"""The surrogate of continuous targets, and ridge regression on delayed features beside it."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from benchmarks.feature_streams.generator import FEATURE_HZ, MODALITIES, TARGET_HZ, Scan
from surrogate import Config, Surrogate, adapt, fit
from surrogate.config import Data, Inputs, Model, Training
from twin.split import Parts, Segment

LAGS = 16  # seconds that surrogate and regression look back: the response to a film is over by then
ADAPT_SHARE = 0.8  # of the minutes; the rest of them stops the fit
PENALTIES = 10.0 ** np.arange(0, 6)
TRAINING = Training(
    steps=400, batch=8, learning_rate=5e-3, warm_up=30, check_every=25, patience=3, ema=0.97, weight_decay=1.0,
    unit_decay=0.1,
)  # fmt: skip
ADAPTING = Training(
    steps=200, batch=8, learning_rate=5e-3, warm_up=10, check_every=20, patience=2, ema=0.9, unit_decay=1e-2
)


def config_of(seed: int, training: Training = TRAINING, width: int = 32) -> Config:
    """Streams through a filter bank, a readout for each parcel; nothing of the responses themselves is an input."""
    return Config(
        name="feature_streams",
        seed=seed,
        data=Data(window_s=1.0 / TARGET_HZ, streams=tuple(MODALITIES), length=96, burn_in=LAGS),
        inputs=Inputs(own_past=False, others=False, trial_index=False),
        model=Model(
            head="gaussian",
            core="none",
            width=width,
            memory=LAGS,
            latents=0,
            history_taus=(1.0,),
            coupling_rank=1,
            embedding=4,
            decoder=8,
            dropout=0.2,
            average_subject=0.15,
            stream_dropout=0.15,
        ),
        training=training,
    )


def trained(scans: Sequence[Scan], config: Config) -> Surrogate:
    """A surrogate of these subjects; the last fifth of each scan chooses."""
    parts = {one.subject: _parts(one, None) for one in scans}
    return fit(config, [one.recording() for one in scans], parts=parts).surrogate


def adapted(surrogate: Surrogate, scans: Sequence[Scan], minutes: float, training: Training = ADAPTING) -> Surrogate:
    """Readouts for new subjects from their first minutes, a fifth of which stops the fit."""
    parts = {one.subject: _parts(one, minutes) for one in scans}
    return adapt(surrogate, [one.recording() for one in scans], parts=parts, training=training).surrogate


def _parts(scan: Scan, minutes: float | None) -> Parts:
    n = len(scan.response) if minutes is None else min(len(scan.response), round(60.0 * TARGET_HZ * minutes))
    edge = round(ADAPT_SHARE * n)
    return Parts((Segment(0, 0, edge),), (Segment(0, edge, n),))


def predicted(surrogate: Surrogate, scan: Scan, streams: Mapping[str, np.ndarray] | None = None) -> np.ndarray:
    """(second, parcel): a subject's response to a film, with other streams in its place if given."""
    tree: xr.DataTree = scan.recording(streams=streams)
    return surrogate.predict(tree).mean[0]


@dataclasses.dataclass(frozen=True, eq=False)
class Ridge:
    """A linear regression on features of the last seconds.

    Attributes:
        weights: (lagged feature, parcel).
        offset: (parcel,).
        penalty: that the last fifth of the fitted time chose.
    """

    weights: np.ndarray
    offset: np.ndarray
    penalty: float

    def predict(self, features: Mapping[str, np.ndarray]) -> np.ndarray:
        """(second, parcel)."""
        return lagged(features) @ self.weights + self.offset


def lagged(features: Mapping[str, np.ndarray]) -> np.ndarray:
    """(second, lag x feature): features in seconds, now and up to `LAGS` - 1 s ago, zero before the film."""
    per_second = round(FEATURE_HZ / TARGET_HZ)
    joined = np.concatenate([features[name] for name in MODALITIES], axis=1)
    now = joined.reshape(-1, per_second, joined.shape[1]).mean(axis=1)
    return np.concatenate([np.pad(now, ((lag, 0), (0, 0)))[: len(now)] for lag in range(LAGS)], axis=1)


def ridge(pairs: Sequence[tuple[Mapping[str, np.ndarray], np.ndarray]]) -> Ridge:
    """Fitted to (features, responses); of each pair the last fifth chooses the penalty, then all of it is fitted."""
    rows = [(lagged(features)[: len(response)], response) for features, response in pairs]
    edges = [round(ADAPT_SHARE * len(response)) for _, response in rows]
    first = [(x[:edge], y[:edge]) for (x, y), edge in zip(rows, edges, strict=True)]
    last = [(x[edge:], y[edge:]) for (x, y), edge in zip(rows, edges, strict=True)]
    x, y = (np.concatenate([pair[side] for pair in last]) for side in (0, 1))
    errors = [float(np.mean(np.square(x @ w + b - y))) for w, b in (_solved(first, one) for one in PENALTIES)]
    best = float(PENALTIES[int(np.argmin(errors))])
    return Ridge(*_solved(rows, best), best)


def _solved(rows: Sequence[tuple[np.ndarray, np.ndarray]], penalty: float) -> tuple[np.ndarray, np.ndarray]:
    x, y = (np.concatenate([pair[side] for pair in rows]) for side in (0, 1))
    middle, offset = x.mean(axis=0), y.mean(axis=0)
    apart = x - middle
    weights = np.linalg.solve(apart.T @ apart + penalty * np.eye(x.shape[1]), apart.T @ (y - offset))
    return weights, offset - middle @ weights
