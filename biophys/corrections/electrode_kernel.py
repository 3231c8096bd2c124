"""Active electrode compensation: the electrode as a measured linear filter, and its removal from a recorded voltage.

Brette et al. 2008 (Neuron 59:379-391); Pozzorini et al. 2015 (PLoS Comput Biol 11:e1004275). Weak noise through the
electrode gives the kernel of electrode and membrane together. Its tail is the membrane's alone and shows what the
membrane adds at short lags; the rest is the electrode. Current is positive into the cell.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from scipy import linalg, optimize, signal

from biophys.corrections.current_kernel import CurrentKernel, current_kernel, jackknife_sd
from biophys.corrections.electrical import Numbers
from twin.errors import InputError

LARGEST_EXCURSION_MV = 40.0
"""A voltage that leaves its median by more has spikes in it."""

NEGATIVE_SHARE = 0.05
"""Negative samples above this share of a kernel are more than noise."""


@dataclass(frozen=True)
class ElectrodeKernel:
    """An electrode as it was measured, and the membrane it was measured on.

    Attributes:
        kernel_mohm: (lag,) kernel of the electrode, MOhm a sample: V_electrode[n] = sum_k kernel[k] I[n - k]. Where the
            amplifier balanced its bridge, it is what the bridge left, and its first samples may be negative.
        kernel_sd_mohm: (lag,) one standard deviation of it.
        dt_ms: sampling interval, ms.
        resistance_mohm: sum of the kernel, the electrode resistance (after the bridge), with `resistance_sd_mohm`.
        tau_ms: time constant of the decay after the kernel's peak, ms, with `tau_sd_ms`.
        membrane_resistance_mohm: input resistance of the membrane, MOhm, with `membrane_resistance_sd_mohm`.
        membrane_tau_ms: time constant of the membrane, ms, with `membrane_tau_sd_ms`.
        membrane_mohm: (long lag,) what the membrane adds to `whole.kernel_mohm`.
        whole: kernel of electrode and membrane together.
    """

    kernel_mohm: np.ndarray
    kernel_sd_mohm: np.ndarray
    dt_ms: float | int
    resistance_mohm: float
    resistance_sd_mohm: float
    tau_ms: float
    tau_sd_ms: float
    membrane_resistance_mohm: float
    membrane_resistance_sd_mohm: float
    membrane_tau_ms: float
    membrane_tau_sd_ms: float
    membrane_mohm: np.ndarray
    whole: CurrentKernel


def estimate_electrode_kernel(
    v_mv: np.ndarray,
    i_na: np.ndarray,
    dt_ms: float | int,
    *,
    bridge_balanced: bool,
    electrode_ms: float | int = 5.0,
    kernel_ms: float | int = 100.0,
    first_lag: int = 1,
    n_blocks: int = 20,
) -> ElectrodeKernel:
    """Estimate the electrode's kernel from weak noise that never makes the cell spike; 10 s at 10 kHz are plenty.

    The membrane is a single exponential, fitted to the tail from `electrode_ms` on. Where no bridge was balanced the
    current reaches the membrane through the electrode, `K = K_e + K_m * K_e / R_e` (Brette et al. 2008),
    which is solved for K_e and iterated over R_e. What a balanced bridge leaves of the electrode no longer says how the
    current arrived, so there the membrane takes the current as it is, `K = K_e + K_m` (Pozzorini et al. 2015); the
    error is the electrode's delay over the membrane's time constant, about 1 %.

    Args:
        v_mv: (time,) recorded voltage, mV.
        i_na: (time,) injected current, nA.
        dt_ms: sampling interval, ms.
        bridge_balanced: whether the amplifier subtracted a bridge while this was recorded.
        electrode_ms: length of the electrode's kernel, ms; the tail begins here.
        kernel_ms: length of the whole kernel, ms; several membrane time constants.
        first_lag: first lag at which the membrane shows a current: 1 where a current acts after its own sample.
        n_blocks: blocks of the jackknife that the standard deviations come from.

    Raises:
        InputError: the voltage has spikes in it, the tail is no decaying exponential, the kernel is negative without a
            bridge, or as `current_kernel`.
    """
    excursion_mv = float(np.max(np.abs(v_mv - np.median(v_mv))))
    if excursion_mv > LARGEST_EXCURSION_MV:
        raise InputError(
            f"The voltage leaves its median by {excursion_mv:.0f} mV; a kernel needs a recording without spikes: "
            "inject weaker noise, or cut the spikes out."
        )
    whole = current_kernel(v_mv, i_na, dt_ms, dense_ms=electrode_ms, kernel_ms=kernel_ms, n_blocks=n_blocks)
    split = _Split(dt_ms, round(electrode_ms / dt_ms), first_lag, bridge_balanced)
    electrode, membrane, tau_ms, membrane_resistance, membrane_tau_ms = split(whole.kernel_mohm)
    replicates = [split(one) for one in whole.replicates_mohm]
    kernels, _, taus, membrane_resistances, membrane_taus = map(np.array, zip(*replicates, strict=True))
    return ElectrodeKernel(
        kernel_mohm=electrode,
        kernel_sd_mohm=jackknife_sd(kernels),
        dt_ms=dt_ms,
        resistance_mohm=float(electrode.sum()),
        resistance_sd_mohm=float(jackknife_sd(kernels.sum(axis=1))),
        tau_ms=tau_ms,
        tau_sd_ms=float(jackknife_sd(taus)),
        membrane_resistance_mohm=membrane_resistance,
        membrane_resistance_sd_mohm=float(jackknife_sd(membrane_resistances)),
        membrane_tau_ms=membrane_tau_ms,
        membrane_tau_sd_ms=float(jackknife_sd(membrane_taus)),
        membrane_mohm=membrane,
        whole=whole,
    )


@dataclass(frozen=True)
class _Split:
    """Splits a whole kernel into those of the electrode and the membrane."""

    dt_ms: float | int
    n_electrode: int
    first_lag: int
    bridge_balanced: bool

    def __call__(self, whole: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float, float]:
        """Electrode (lag,) and membrane (long lag,) kernel, electrode tau, membrane resistance and tau."""
        lags = np.arange(len(whole))
        height, tau_ms = _exponential(lags[self.n_electrode :] * self.dt_ms, whole[self.n_electrode :], "tail")
        since = (lags - self.first_lag) * self.dt_ms
        membrane = np.where(since >= 0, np.exp(-since / tau_ms), 0.0)  # of unit height
        # The fitted height is that of an exponential which starts at lag 0.
        height *= np.exp(-self.first_lag * self.dt_ms / tau_ms)
        if self.bridge_balanced:
            membrane *= height
            electrode = (whole - membrane)[: self.n_electrode]
        else:
            electrode, height = self._behind_electrode(whole, membrane, height, tau_ms)
            arriving = electrode / electrode.sum()
            membrane = signal.convolve(height * membrane, arriving)[: len(whole)]
        resistance = height / (1.0 - np.exp(-self.dt_ms / tau_ms))
        peak = int(np.argmax(electrode))
        _, electrode_tau = _exponential(
            np.arange(len(electrode) - peak) * self.dt_ms, electrode[peak:], "electrode's kernel after its peak"
        )
        return electrode, membrane, electrode_tau, float(resistance), tau_ms

    def _behind_electrode(
        self, whole: np.ndarray, membrane: np.ndarray, tail_height: float, tau_ms: float
    ) -> tuple[np.ndarray, float]:
        """Solve K = K_e + height K_m * K_e / R_e, in which the delay in the electrode lifts the tail."""
        early = slice(0, self.n_electrode)
        lags_ms = np.arange(self.n_electrode) * self.dt_ms
        height = tail_height
        electrode = whole[early] - height * membrane[early]
        for _ in range(50):
            resistance = electrode.sum()
            if resistance <= 0 or -electrode[electrode < 0].sum() > NEGATIVE_SHARE * np.abs(electrode).sum():
                raise InputError(
                    f"The electrode's kernel sums to {resistance:.1f} MOhm and has negative samples; no electrode does "
                    "that by itself: give bridge_balanced=True if the amplifier subtracted a bridge."
                )
            height = tail_height / float(electrode @ np.exp(lags_ms / tau_ms) / resistance)
            mixing = np.eye(self.n_electrode) + linalg.toeplitz(
                height * membrane[early] / resistance, np.zeros(self.n_electrode)
            )
            electrode = linalg.solve_triangular(mixing, whole[early], lower=True)
        return electrode, height


def _exponential(time_ms: np.ndarray, values: np.ndarray, what: str) -> tuple[float, float]:
    """Height at time 0 and time constant of the exponential nearest to `values`; time starts anywhere."""
    start_ms, length_ms = time_ms[0], time_ms[-1] - time_ms[0]
    guess = (values[0], max(length_ms / 5.0, time_ms[1] - start_ms)) if len(time_ms) > 2 else None
    if guess is None or values[0] <= 0:
        raise InputError(f"The {what} starts at {values[0]:.3g} MOhm; a positive, decaying one was wanted.")
    try:
        (height, rate), _ = optimize.curve_fit(
            lambda t, height, rate: height * np.exp(-rate * (t - start_ms)),
            time_ms,
            values,
            p0=(guess[0], 1.0 / guess[1]),
            bounds=([0.0, 1e-6], [np.inf, np.inf]),
        )
    except RuntimeError as error:
        raise InputError(f"The {what} is no decaying exponential ({error}).") from error
    if rate * length_ms < 0.5:
        raise InputError(
            f"The {what} decays with {1.0 / rate:.1f} ms over {length_ms:.1f} ms; a kernel that lasts several time "
            "constants was wanted: make it longer."
        )
    return float(height * np.exp(rate * start_ms)), float(1.0 / rate)


def compensate(v_mv: Numbers, i_na: Numbers, kernel_mohm: Numbers) -> Numbers:
    """Membrane potential, mV: the recorded voltage minus what the current does in the electrode, `V - K_e * I`.

    Before the first sample the current is taken to have been what it is there, so the first samples, as many as the
    kernel has, are only right if it was. With a kernel of 10, 5 MOhm a step of 0.1 nA is seen 1, then 1.5 mV lower.

    Args:
        v_mv: (..., time) recorded voltage, mV, a numpy or a JAX array.
        i_na: injected current, nA, of the same shape.
        kernel_mohm: (lag,) kernel of the electrode, MOhm a sample, estimated at the same sampling interval.

    Raises:
        InputError: the shapes do not fit.
    """
    if np.shape(v_mv) != np.shape(i_na) or np.ndim(v_mv) == 0 or np.ndim(kernel_mohm) != 1:
        raise InputError(
            f"Voltage, current and kernel have the shapes {np.shape(v_mv)}, {np.shape(i_na)} and "
            f"{np.shape(kernel_mohm)}; wanted (..., time) twice, and (lag,)."
        )
    return v_mv - _through(i_na, kernel_mohm)


def _through(i_na: Numbers, kernel_mohm: Numbers) -> Numbers:
    """(..., time) the kernel's response to a current that held its first value for ever before."""
    if not isinstance(i_na, jax.Array) and not isinstance(kernel_mohm, jax.Array):
        i_na = np.asarray(i_na)
        first = i_na[..., :1]
        return signal.lfilter(kernel_mohm, [1.0], i_na - first, axis=-1) + first * np.sum(kernel_mohm)
    i_na, kernel_mohm = jnp.asarray(i_na), jnp.asarray(kernel_mohm)
    flat = (i_na - i_na[..., :1]).reshape(-1, i_na.shape[-1])
    answer = jax.vmap(lambda one: jnp.convolve(one, kernel_mohm)[: one.shape[0]])(flat)
    return answer.reshape(i_na.shape) + i_na[..., :1] * jnp.sum(kernel_mohm)
