"""Subjects who watch films: three modality streams in, a haemodynamic response out, all of it known.

The shape is that of TRIBE v2: features at 2 Hz, targets at 1 Hz, subjects with the same parcels. A parcel is a weighted
sum of what each modality drives (saturating) and of one product of text and video, filtered with the canonical double
gamma (Glover 1999, NeuroImage 9:416) and with autoregressive noise added.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np
import xarray as xr
from jaxtyping import Float
from scipy.signal import lfilter
from scipy.stats import gamma

from twin import recording
from twin.protocol import Covariate, Protocol
from twin.recording import Stream

FEATURE_HZ, TARGET_HZ = 2.0, 1.0
MODALITIES = {"text": (8, 1.0), "audio": (8, 0.5), "video": (8, 3.0)}  # features, and how long one stays, s
DRIVES = 4  # of each modality
NOISE_MEMORY = 0.5  # of the noise from one second to the next
CEILINGS = (0.2, 0.7)  # correlations that a perfect model reaches, between the worst and the best parcel


@dataclasses.dataclass(frozen=True, eq=False)
class Encoding:
    """What all subjects share.

    Attributes:
        into: modality -> (feature, drive).
        weights: (drive, parcel), the drives of all modalities and then the product.
        ceiling: (parcel,) correlation of signal and response.
        own: share of a subject's weights' variance that is its own.
        delay_s: standard deviation over subjects of the response's delay.
    """

    into: Mapping[str, np.ndarray]
    weights: Float[np.ndarray, "drive parcel"]
    ceiling: Float[np.ndarray, " parcel"]
    own: float = 0.25
    delay_s: float = 0.5


@dataclasses.dataclass(frozen=True, eq=False)
class Scan:
    """A subject who watches a film.

    Attributes:
        subject: name.
        features: modality -> (sample, feature) at `FEATURE_HZ`.
        signal: (second, parcel) what the film does.
        response: (second, parcel) signal and noise.
        parts: modality -> (second, parcel) the signal without what the modality drives.
    """

    subject: str
    features: Mapping[str, np.ndarray]
    signal: Float[np.ndarray, "second parcel"]
    response: Float[np.ndarray, "second parcel"]
    parts: Mapping[str, np.ndarray]

    def recording(self, name: str | None = None, streams: Mapping[str, np.ndarray] | None = None) -> xr.DataTree:
        """As one of continuous targets; `streams` stand in the place of the film's own features."""
        shown = self.features if streams is None else streams
        stimuli = {
            key: Stream(values[None].astype(np.float32), FEATURE_HZ, "1", leading=("trial", "time"))
            for key, values in shown.items()
        }
        return recording.from_fluorescence(
            self.response[None].astype(np.float32),
            name=name or self.subject,
            unit="1",
            sampling_hz=TARGET_HZ,
            unit_ids=[f"parcel {k}" for k in range(self.response.shape[1])],
            stimuli=stimuli,
            protocol=Protocol({"subject": Covariate(self.subject)}),
        )


def encoding(n_parcels: int, seed: int) -> Encoding:
    """What is shared, drawn anew for a seed; parcels prefer one modality each."""
    random = np.random.default_rng([seed, 0])
    into = {name: random.normal(size=(n, DRIVES)) / np.sqrt(n) for name, (n, _) in MODALITIES.items()}
    weights = random.normal(size=(DRIVES * len(MODALITIES) + 1, n_parcels))
    liked = random.integers(len(MODALITIES), size=n_parcels)
    for number in range(len(MODALITIES)):
        weights[DRIVES * number : DRIVES * (number + 1), liked != number] *= 0.4
    return Encoding(into, weights, random.uniform(*CEILINGS, size=n_parcels))


def film(seconds: int, seed: int) -> dict[str, np.ndarray]:
    """(sample, feature) features of each modality: Ornstein-Uhlenbeck, of variance 1."""
    found = {}
    for number, (name, (n, stays_s)) in enumerate(MODALITIES.items()):
        kept = np.exp(-1.0 / (stays_s * FEATURE_HZ))
        white = np.random.default_rng([seed, 1, number]).normal(size=(round(seconds * FEATURE_HZ), n))
        found[name] = lfilter([np.sqrt(1 - kept**2)], [1.0, -kept], white, axis=0)
    return found


def haemodynamic(delay_s: float) -> Float[np.ndarray, " sample"]:
    """The double gamma at `FEATURE_HZ`, peak at 5 s after `delay_s`, of unit sum."""
    time = np.arange(0.0, 24.0, 1.0 / FEATURE_HZ) - delay_s
    kernel = gamma.pdf(time, 6.0) - gamma.pdf(time, 16.0) / 6.0
    return kernel / kernel.sum()


def scan(shared: Encoding, number: int, features: Mapping[str, np.ndarray], seed: int, salt: int = 0) -> Scan:
    """Subject `number` watches a film; `salt` makes the noise of another film another."""
    who = np.random.default_rng([seed, 2, number])
    drawn = who.normal(size=shared.weights.shape) * np.abs(shared.weights).mean()
    weights = np.sqrt(1.0 - shared.own) * shared.weights + np.sqrt(shared.own) * drawn
    kernel = haemodynamic(float(np.clip(shared.delay_s * who.normal(), -1.0, 1.0)))
    drives = driven(shared, features)

    def filtered(shown: np.ndarray) -> np.ndarray:
        slow = lfilter(kernel, [1.0], shown, axis=0)
        per_second = round(FEATURE_HZ / TARGET_HZ)
        return slow.reshape(-1, per_second, slow.shape[1]).mean(axis=1) @ weights

    signal = filtered(drives)
    noise = lfilter(
        [np.sqrt(1 - NOISE_MEMORY**2)], [1.0, -NOISE_MEMORY],
        np.random.default_rng([seed, 3, number, salt]).normal(size=signal.shape), axis=0,
    )  # fmt: skip
    # The noise that gives a correlation r of signal and response has the variance of the signal times 1 / r^2 - 1.
    spread = signal.std(axis=0) * np.sqrt(1.0 / shared.ceiling**2 - 1.0)
    parts = {name: filtered(_without(drives, name)) for name in MODALITIES}
    return Scan(f"subject {number}", features, signal, signal + spread * noise, parts)


def driven(shared: Encoding, features: Mapping[str, np.ndarray]) -> Float[np.ndarray, "sample drive"]:
    """What the film drives before it is filtered."""
    columns = [np.tanh(features[name] @ shared.into[name]) for name in MODALITIES]
    product = 2.0 * columns[0][:, :1] * columns[2][:, :1]
    return np.concatenate([*columns, product], axis=1)


def _without(drives: np.ndarray, modality: str) -> np.ndarray:
    """The drives with those of a modality, and the product where it enters, at their mean of 0."""
    kept, number = drives.copy(), list(MODALITIES).index(modality)
    kept[:, DRIVES * number : DRIVES * (number + 1)] = 0.0
    if modality in ("text", "video"):
        kept[:, -1] = 0.0
    return kept
