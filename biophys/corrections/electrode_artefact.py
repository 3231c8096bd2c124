"""How much of a recorded voltage is the electrode's: what the injected current explains at the shortest lags.

A membrane integrates. What the current of the last half millisecond did to it depends on the charge alone, and not on
when within that half millisecond it came. An electrode answers at once. Everything the current explains beyond its
charge is therefore the electrode's, whatever the membrane's capacitance is.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from twin.errors import InputError


@dataclass(frozen=True)
class EarlyVariance:
    """Shares of variance that the injected current explains at short lags, beyond what it explains at longer ones.

    Attributes:
        window_ms: lags below this are short.
        electrode: share of the variance of V(t) - V(t - window) that the single currents of the window explain beyond
            their sum. 0 for a membrane alone, whatever its capacitance; the electrode artefact.
        increments: share of the variance of V(t) - V(t - dt) that the currents of the window explain, charge and all.
            A membrane without electrode has some of it too, so it falls under compensation, but not to 0.
        voltage: the same share of the variance of V(t).
        increments_by_lag: (lag,) what each lag adds to the longer ones, of the variance of V(t) - V(t - dt).
    """

    window_ms: float | int
    electrode: float
    increments: float
    voltage: float
    increments_by_lag: np.ndarray


def early_variance(
    v_mv: np.ndarray,
    i_na: np.ndarray,
    dt_ms: float | int,
    *,
    window_ms: float | int = 0.5,
    memory_ms: float | int = 10.0,
    first_lag: int = 1,
    keep: np.ndarray | None = None,
) -> EarlyVariance:
    """Measure the electrode artefact of a recording under injected noise.

    Regressions by least squares on the current at every lag up to `memory_ms`, each lag added to all longer ones: with
    the past known, a lag adds what is new in its current.

    Args:
        v_mv: (time,) or (sweep, time) voltage, mV.
        i_na: injected current, nA, of the same shape.
        dt_ms: sampling interval, ms.
        window_ms: lags below this are short, ms; three samples or more.
        memory_ms: longest lag that is looked at, ms.
        first_lag: first lag at which a membrane shows a current; the lags before it carry no charge.
        keep: truth values of the same shape; False where samples are left out, as around spikes.

    Raises:
        InputError: shapes that do not fit, a window of fewer than three samples, or too few samples.
    """
    v_mv, i_na = np.atleast_2d(np.asarray(v_mv, np.float64)), np.atleast_2d(np.asarray(i_na, np.float64))
    keep = np.ones(v_mv.shape, bool) if keep is None else np.atleast_2d(keep)
    n_window, n_lags = round(window_ms / dt_ms), round(memory_ms / dt_ms)
    if not v_mv.shape == i_na.shape == keep.shape:
        raise InputError(f"Voltage, current and keep have the shapes {v_mv.shape}, {i_na.shape} and {keep.shape}.")
    if not 3 <= n_window < n_lags:
        raise InputError(
            f"A window of {n_window} samples within a memory of {n_lags} cannot tell electrode from membrane; wanted a "
            "window of three samples or more, and a longer memory: record faster."
        )
    if keep[:, n_lags:].sum() < 20 * n_lags:
        raise InputError(f"{keep[:, n_lags:].sum()} samples are too few for {n_lags} lags: give a longer recording.")
    return _measured(v_mv, i_na, keep[:, n_lags:], n_lags, n_window, first_lag, window_ms)


def _measured(
    v_mv: np.ndarray,
    i_na: np.ndarray,
    rows: np.ndarray,
    n_lags: int,
    n_window: int,
    first_lag: int,
    window_ms: float | int,
) -> EarlyVariance:
    past = np.lib.stride_tricks.sliding_window_view(i_na, n_lags, axis=1)[:, 1:][rows]  # the longest lag comes first
    now = v_mv[:, n_lags:]
    targets = [now, now - v_mv[:, n_lags - 1 : -1], now - v_mv[:, n_lags - n_window : -n_window]]
    past = past - past.mean(axis=0)
    values = np.stack([target[rows] - target[rows].mean() for target in targets], axis=1)
    square, product, variance = past.T @ past, past.T @ values, np.sum(values**2, axis=0)

    # The same columns, but the charge of the window comes before its single currents, in the place of one of them.
    lags = np.arange(n_lags)[::-1]
    charge = ((lags >= first_lag) & (lags < n_window)).astype(float)
    singles = np.eye(n_lags)[:, lags != first_lag]
    n_past = n_lags - n_window
    with_charge = np.column_stack([singles[:, :n_past], charge, singles[:, n_past:]])
    gains = _gains(square, product) / variance
    after_charge = _gains(with_charge.T @ square @ with_charge, with_charge.T @ product) / variance
    return EarlyVariance(
        window_ms=window_ms,
        electrode=float(after_charge[1 - n_window :, 2].sum()),
        increments=float(gains[-n_window:, 1].sum()),
        voltage=float(gains[-n_window:, 0].sum()),
        increments_by_lag=gains[::-1, 1],
    )


def _gains(square: np.ndarray, product: np.ndarray) -> np.ndarray:
    """(column, target) sum of squares that each column explains beyond those before it.

    With `square = X'X = L L'` the columns of `X L'^-1` are X made orthonormal from left to right.
    """
    return linalg.solve_triangular(linalg.cholesky(square, lower=True), product, lower=True) ** 2
