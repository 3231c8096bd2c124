"""The generated subjects from film to figures: train, predict as the average subject, adapt, knock out, plant."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.feature_streams import generator, models
from benchmarks.feature_streams.generator import FEATURE_HZ, MODALITIES, TARGET_HZ, Scan
from benchmarks.feature_streams.scores import Row, best_lag_s, by_parcel, rows
from surrogate import Surrogate
from surrogate.config import Training

LATE_S = 10.0  # of the planted shift


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How much is generated and trained.

    Attributes:
        parcels: of each subject.
        known: subjects who are trained on.
        new: subjects who are not.
        train_s: length of the film that each known subject watches, another one each, s.
        test_s: length of the film that is scored, the same for all.
        minutes: that new subjects are adapted on; the last is the length of their own film.
        training: of the surrogate.
        adapting: of the readouts of new subjects.
    """

    parcels: int = 200
    known: int = 6
    new: int = 4
    train_s: int = 1200
    test_s: int = 480
    minutes: tuple[float, ...] = (2.0, 6.0, 20.0)
    training: Training = models.TRAINING
    adapting: Training = models.ADAPTING


@dataclasses.dataclass(frozen=True)
class Knocked:
    """A modality that is taken away or shuffled in time.

    Attributes:
        modality: which.
        lost: correlation that is lost when it is absent.
        shuffled: correlation that is lost when another time of it is shown.
        known: correlation that the generator loses without it.
    """

    modality: str
    lost: float
    shuffled: float
    known: float


@dataclasses.dataclass(frozen=True)
class Found:
    """All figures.

    Attributes:
        sizes: of the run.
        known: subjects who were trained on, on a film that was not.
        zero_shot: new subjects as the average one.
        adapted: minutes -> new subjects after so many.
        knocked: modality by modality, of new subjects as the average one.
        lag_s: best lag of a new subject's response after what its streams predict.
        late_lag_s: the same where its streams were stored late by `LATE_S`.
        late_share: of the correlation that is left then.
    """

    sizes: Sizes
    known: list[Row]
    zero_shot: list[Row]
    adapted: Mapping[float, list[Row]]
    knocked: list[Knocked]
    lag_s: int
    late_lag_s: int
    late_share: float


def run(sizes: Sizes, seed: int) -> Found:
    """Everything, in one go."""
    shared = generator.encoding(sizes.parcels, seed)
    test, own = (
        generator.film(round(seconds), 1000 * seed + k)
        for k, seconds in enumerate((sizes.test_s, 60 * max(sizes.minutes)), start=1)
    )
    old, fresh = range(sizes.known), range(sizes.known, sizes.known + sizes.new)
    watched = [generator.scan(shared, k, generator.film(sizes.train_s, 1000 * seed + 10 + k), seed) for k in old]
    scored = [generator.scan(shared, k, test, seed, salt=1) for k in old]
    surrogate = models.trained(watched, models.config_of(seed, sizes.training))
    known = {
        "surrogate": [models.predicted(surrogate, one) for one in scored],
        "ridge, a subject each": [models.ridge([(one.features, one.response)]).predict(test) for one in watched],
    }
    given = [generator.scan(shared, k, own, seed, salt=2) for k in fresh]
    unseen = [generator.scan(shared, k, test, seed, salt=1) for k in fresh]
    pooled = models.ridge([(one.features, one.response) for one in watched]).predict(test)
    average = models.predicted(surrogate, unseen[0])
    mean_signal = np.mean([one.signal for one in scored], axis=0)
    zero_shot = {
        "mean signal of the known subjects": [mean_signal] * len(unseen),
        "surrogate, average subject": [average] * len(unseen),
        "ridge of the known subjects": [pooled] * len(unseen),
    }
    adapted = {}
    for minutes in sizes.minutes:
        after = models.adapted(surrogate, given, minutes, sizes.adapting)
        adapted[minutes] = rows(
            unseen,
            {
                "surrogate, adapted": [models.predicted(after, one) for one in unseen],
                "ridge, a subject each": [_early(one, minutes).predict(test) for one in given],
            },
            seed,
        )
    lag, late_lag, late_share = _late(surrogate, unseen[0])
    return Found(
        sizes,
        rows(scored, known, seed),
        rows(unseen, zero_shot, seed),
        adapted,
        [_knocked(surrogate, unseen, name, seed) for name in MODALITIES],
        lag,
        late_lag,
        late_share,
    )


def _early(scan: Scan, minutes: float) -> models.Ridge:
    n = min(len(scan.response), round(60 * TARGET_HZ * minutes))
    per_second = round(FEATURE_HZ / TARGET_HZ)
    return models.ridge([({name: one[: per_second * n] for name, one in scan.features.items()}, scan.response[:n])])


def _knocked(surrogate: Surrogate, scans: Sequence[Scan], modality: str, seed: int) -> Knocked:
    features = scans[0].features
    absent = {name: one for name, one in features.items() if name != modality}
    moved = np.random.default_rng([seed, 4]).permutation(len(features[modality]))
    shuffled = {**features, modality: features[modality][moved]}
    whole, without, other = (
        _mean([models.predicted(surrogate, scans[0], streams)] * len(scans), scans)
        for streams in (features, absent, shuffled)
    )
    best, left = _mean([one.signal for one in scans], scans), _mean([one.parts[modality] for one in scans], scans)
    return Knocked(modality, whole - without, whole - other, best - left)


def _late(surrogate: Surrogate, scan: Scan) -> tuple[int, int, float]:
    """Best lag as stored, best lag and share of the correlation where the streams were stored late."""
    samples = round(LATE_S * FEATURE_HZ)
    late = {name: np.roll(values, samples, axis=0) for name, values in scan.features.items()}
    right, wrong = (models.predicted(surrogate, scan, streams) for streams in (scan.features, late))
    share = _mean([wrong], [scan]) / _mean([right], [scan])
    return best_lag_s(right, scan.response), best_lag_s(wrong, scan.response), share


def _mean(predicted: Sequence[np.ndarray], scans: Sequence[Scan]) -> float:
    return float(np.mean([by_parcel(one, scan.response).mean() for one, scan in zip(predicted, scans, strict=True)]))
