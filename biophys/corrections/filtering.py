"""The amplifier's low-pass filter and the sampling behind it, as forward models that JAX can differentiate.

A filter is designed once, by scipy, from numbers that are known when the program is built; running it is a linear
recursion over the samples. It is applied to what a model predicts, and never undone: a deconvolution would invent the
frequencies that the filter took away.
"""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from scipy import signal

from biophys.corrections.electrical import Numbers, require_positive
from twin.errors import InputError

FAMILIES = ("bessel", "butterworth")
NORMS = ("magnitude", "phase")
MAX_POLES = 12


@dataclass(frozen=True)
class LowPass:
    """A low-pass filter for traces of one sampling rate.

    Analog Bessel filter (Thomson 1949, Proc IEE 96:487) or Butterworth filter, brought to samples by the bilinear
    transform, prewarped so that the gain at the corner is exactly that of the analog filter. The transform shortens
    the delay by the factor `x / tan(x)`, x = pi corner / rate: 0.8 % at a twentieth of the rate, 3 % at a tenth.

    Attributes:
        family: "bessel" or "butterworth".
        n_poles: number of poles; patch-clamp amplifiers have 4 or 8.
        corner_hz: corner frequency, Hz.
        sampling_hz: rate of the traces that go through, Hz; more than twice the corner.
        norm: what the corner of a Bessel filter means. "magnitude": -3 dB, as the makers of Axon amplifiers specify.
            "phase": the frequency at which the phase is half of its final value, where the gain is lower.

    Raises:
        InputError: a number is out of its range.
    """

    family: str
    n_poles: int
    corner_hz: float | int
    sampling_hz: float | int
    norm: str = "magnitude"

    def __post_init__(self) -> None:
        if self.family not in FAMILIES or self.norm not in NORMS:
            raise InputError(
                f"A low-pass filter of the family {self.family!r} with the norm {self.norm!r} is not known; wanted a "
                f"family out of {', '.join(FAMILIES)} and a norm out of {', '.join(NORMS)}."
            )
        if not 1 <= self.n_poles <= MAX_POLES:
            raise InputError(f"A low-pass filter has {self.n_poles} poles; wanted 1 to {MAX_POLES}.")
        require_positive("corner of the low-pass filter", self.corner_hz, "Hz")
        if not self.sampling_hz > 2 * self.corner_hz:
            raise InputError(
                f"A low-pass filter has its corner at {self.corner_hz:g} Hz and samples at {self.sampling_hz:g} Hz: "
                f"run the model faster than {2 * self.corner_hz:g} Hz, and sample it down after the filter."
            )

    @property
    def sections(self) -> np.ndarray:
        """Second-order sections (section, 6) as scipy writes them: b0, b1, b2, 1, a1, a2."""
        if self.family == "butterworth":
            return signal.butter(self.n_poles, self.corner_hz, fs=self.sampling_hz, output="sos")
        norm = "mag" if self.norm == "magnitude" else "phase"
        return signal.bessel(self.n_poles, self.corner_hz, fs=self.sampling_hz, output="sos", norm=norm)

    def __call__(self, trace: Numbers) -> Numbers:
        """Filter along the last axis; the filter starts in equilibrium with the first sample.

        A numpy array runs through `scipy.signal.sosfilt`, a JAX array through `jax.lax.scan`: the same recursion.
        """
        sections = self.sections
        settled = signal.sosfilt_zi(sections)
        if not isinstance(trace, jax.Array):
            trace = np.asarray(trace)
            start = settled.reshape(len(sections), *[1] * (trace.ndim - 1), 2) * trace[..., :1]
            return signal.sosfilt(sections, trace, axis=-1, zi=start)[0]
        return _scan_sections(sections.tolist(), settled.tolist(), trace)

    def response(self, frequency_hz: Numbers) -> np.ndarray:
        """Complex gain of the recursion at these frequencies in Hz; its absolute value at the corner is 0.7071."""
        return signal.sosfreqz(self.sections, worN=np.atleast_1d(frequency_hz), fs=self.sampling_hz)[1]

    def analog_response(self, frequency_hz: Numbers) -> np.ndarray:
        """Complex gain of the analog filter that the recursion stands for."""
        numerator, denominator = self._analog()
        s = 2j * np.pi * np.atleast_1d(frequency_hz)
        return np.polyval(numerator, s / self._scale) / np.polyval(denominator, s / self._scale)

    @property
    def delay_ms(self) -> float:
        """How late slow signals come out of the recursion, ms: its group delay at 0 Hz.

        For each section it is the distance between the centres of its two polynomials. A spike is late by about that.
        """
        samples = math.fsum(_centre(section[:3]) - _centre(section[3:]) for section in self.sections)
        return 1000.0 * samples / self.sampling_hz

    @property
    def analog_delay_ms(self) -> float:
        """Group delay of the analog filter at 0 Hz, ms: 0.168 ms for 4 poles of a Bessel filter at 2 kHz (-3 dB)."""
        _, denominator = self._analog()
        return 1000.0 * float(denominator[-2] / denominator[-1]) / self._scale

    @property
    def _scale(self) -> float:
        return 2.0 * math.pi * self.corner_hz

    def _analog(self) -> tuple[np.ndarray, np.ndarray]:
        if self.family == "butterworth":
            return signal.butter(self.n_poles, 1.0, analog=True)
        return signal.bessel(self.n_poles, 1.0, analog=True, norm="mag" if self.norm == "magnitude" else "phase")


def _centre(coefficients: np.ndarray) -> float:
    return float(np.arange(len(coefficients)) @ coefficients / coefficients.sum())


def _scan_sections(sections: list[list[float]], settled: list[list[float]], trace: jax.Array) -> jax.Array:
    """Transposed direct form II, section after section at every sample."""

    def advance(state: list[tuple[jax.Array, jax.Array]], x: jax.Array):
        new = []
        for (b0, b1, b2, _, a1, a2), (first, second) in zip(sections, state, strict=True):
            y = b0 * x + first
            new.append((b1 * x - a1 * y + second, b2 * x - a2 * y))
            x = y
        return new, x

    by_time = jnp.moveaxis(trace, -1, 0)
    start = [(first * by_time[0], second * by_time[0]) for first, second in settled]
    return jnp.moveaxis(jax.lax.scan(advance, start, by_time)[1], 0, -1)


def decimate(trace: Numbers, factor: int, anti_alias: LowPass | None) -> Numbers:
    """Every `factor`-th sample along the last axis, the first included, as a digitiser takes it.

    Args:
        trace: samples; time is the last axis.
        factor: samples for one that is kept.
        anti_alias: filter that runs before; None keeps what lies above the new Nyquist frequency, which then appears
            below it. A digitiser has no such filter of its own: the amplifier's is the one there is.

    Raises:
        InputError: the factor is no positive whole number.
    """
    if factor != int(factor) or factor < 1:
        raise InputError(f"A trace was to be sampled down by {factor}; a positive whole number was wanted.")
    filtered = trace if anti_alias is None else anti_alias(trace)
    return filtered[..., :: int(factor)]
