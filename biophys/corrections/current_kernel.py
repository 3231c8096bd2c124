"""The linear kernel from injected current to recorded voltage, by least squares, with errors from the recording itself.

`V[n] = V_0 + slope n + sum_k K[k] I[n - k]`. The kernel has one free value a sample while the electrode acts, and after
that its values at knots that lie further and further apart, joined by straight lines: the membrane is smooth there, and
this is the regularisation. Errors are those of a jackknife that leaves out one block of time after another, because the
noise of a membrane is far from white.
"""

from dataclasses import dataclass

import numpy as np
from scipy import signal

from twin.errors import InputError

KNOT_RATIO = 1.12
"""How much later one knot is than the one before; the membrane changes little between them."""

SMALLEST_RECORDING = 10
"""A recording has to last this many kernels."""


@dataclass(frozen=True)
class CurrentKernel:
    """A kernel from current to voltage.

    Attributes:
        kernel_mohm: (lag,) response to a current of one sample, MOhm: K[k] in V[n] = sum_k K[k] I[n - k].
        replicates_mohm: (block, lag) the kernel without one block of the recording each.
        dt_ms: sampling interval, ms.
        explained_variance: share of the variance of the voltage that the kernel explains, drift taken off.
        residual_sd_mv: standard deviation of what it does not explain, mV.
    """

    kernel_mohm: np.ndarray
    replicates_mohm: np.ndarray
    dt_ms: float | int
    explained_variance: float
    residual_sd_mv: float

    @property
    def sd_mohm(self) -> np.ndarray:
        """(lag,) one standard deviation of the kernel, MOhm."""
        return jackknife_sd(self.replicates_mohm)


def jackknife_sd(replicates: np.ndarray) -> np.ndarray:
    """Standard deviation of an estimate from its replicates, (block, ...), that leave out one block each.

    Efron & Stein 1981 (Ann Stat 9:586): the sum of squares around their mean, times (n - 1) / n.
    """
    n_blocks = len(replicates)
    return np.asarray(np.sqrt((n_blocks - 1) / n_blocks * np.sum((replicates - replicates.mean(axis=0)) ** 2, axis=0)))


def current_kernel(
    v_mv: np.ndarray,
    i_na: np.ndarray,
    dt_ms: float | int,
    *,
    dense_ms: float | int,
    kernel_ms: float | int,
    n_blocks: int = 20,
) -> CurrentKernel:
    """Estimate the kernel of a recording that never spikes.

    Args:
        v_mv: (time,) recorded voltage, mV.
        i_na: (time,) injected current, nA, noise with power up to high frequencies.
        dt_ms: sampling interval, ms.
        dense_ms: up to this lag the kernel has a value at every sample, ms.
        kernel_ms: the kernel is zero from this lag on, ms; several membrane time constants.
        n_blocks: blocks of the jackknife.

    Raises:
        InputError: the two arrays do not fit, hold values that are not finite, are too short for the kernel, or the
            current is constant.
    """
    v_mv, i_na = np.asarray(v_mv, np.float64), np.asarray(i_na, np.float64)
    n_dense, n_lags = round(dense_ms / dt_ms), round(kernel_ms / dt_ms)
    _check(v_mv, i_na, n_dense, n_lags)
    hats = _hats(n_dense, n_lags)
    columns = _regressors(i_na - i_na.mean(), hats)[n_lags:]
    target = v_mv[n_lags:] - v_mv[n_lags:].mean()

    blocks = np.array_split(np.arange(len(target)), n_blocks)
    squares = [columns[block].T @ columns[block] for block in blocks]
    products = [columns[block].T @ target[block] for block in blocks]
    total_square, total_product = sum(squares), sum(products)
    weights = np.linalg.solve(total_square, total_product)
    without = np.stack(
        [
            np.linalg.solve(total_square - square, total_product - product)
            for square, product in zip(squares, products, strict=True)
        ]
    )
    residual = target - columns @ weights
    drift = columns[:, -2:] @ weights[-2:]
    n_hats = hats.shape[1]
    return CurrentKernel(
        kernel_mohm=hats @ weights[:n_hats],
        replicates_mohm=without[:, :n_hats] @ hats.T,
        dt_ms=dt_ms,
        explained_variance=float(1.0 - residual.var() / (target - drift).var()),
        residual_sd_mv=float(residual.std()),
    )


def _check(v_mv: np.ndarray, i_na: np.ndarray, n_dense: int, n_lags: int) -> None:
    if v_mv.ndim != 1 or v_mv.shape != i_na.shape:
        raise InputError(
            f"Voltage and current have the shapes {v_mv.shape} and {i_na.shape}; wanted one trace (time,) of each."
        )
    if not (np.isfinite(v_mv).all() and np.isfinite(i_na).all()):
        raise InputError("Voltage or current has values that are not finite: cut them out, and give one whole stretch.")
    if not 1 <= n_dense < n_lags:
        raise InputError(
            f"The kernel was to be dense for {n_dense} and to last {n_lags} samples; wanted one or more, and longer."
        )
    if len(v_mv) < SMALLEST_RECORDING * n_lags:
        raise InputError(
            f"A recording has {len(v_mv)} samples for a kernel of {n_lags}; wanted {SMALLEST_RECORDING} times: "
            "record for longer, or shorten the kernel."
        )
    if np.ptp(i_na) == 0:
        raise InputError("The injected current is constant, so it shows no kernel: inject noise.")


def _hats(n_dense: int, n_lags: int) -> np.ndarray:
    """(lag, knot) piecewise linear functions of the lag, one at each knot, that vanish at `n_lags`."""
    knots = list(range(n_dense))
    while knots[-1] < n_lags:
        knots.append(max(knots[-1] + 1, round(knots[-1] * KNOT_RATIO)))
    knots[-1] = n_lags
    lags = np.arange(n_lags)
    return np.stack([np.interp(lags, knots, one) for one in np.eye(len(knots))[:-1]], axis=1)


def _regressors(current: np.ndarray, hats: np.ndarray) -> np.ndarray:
    """(time, knot + 2) the current seen through each hat, a constant, and a drift."""
    seen = signal.oaconvolve(current[:, None], hats, axes=0)[: len(current)]
    time = np.linspace(-1.0, 1.0, len(current))
    return np.column_stack([seen, np.ones_like(time), time])
