"""How good a prediction of a repeated stimulus is, measured by what noise leaves to be predicted.

With R_t the response to repeat t of n, y its mean over repeats and f the prediction, all over time:

- signal power SP = (Var(sum_t R_t) - sum_t Var(R_t)) / (n (n - 1)), the mean covariance of two repeats,
- CC_max = sqrt(SP / Var(y)), the correlation of y with what is repeatable of it,
- CC_norm = Cov(f, y) / sqrt(Var(f) SP) = Pearson(f, y) / CC_max,
- FEVE = 1 - (MSE(R, f) - noise) / (Var(R) - noise), with noise the mean over time of the variance over repeats.

Where a prediction differs between repeats, since behaviour does, f is its mean over them: what differs is noise here.

Sahani and Linden 2003 (NeurIPS 15); Schoppe et al. 2016, doi 10.3389/fncom.2016.00010, equations 3 to 8; Cadena et al.
2019, doi 10.1371/journal.pcbi.1006897, for FEVE. None is clipped: an estimate from few repeats may be above 1. A value
that the data do not define is NaN: no signal power, or a flat prediction.
"""

import numpy as np
from jaxtyping import Float

from twin.errors import InputError

Repeats = Float[np.ndarray, "repeat time unit"]
Predicted = Float[np.ndarray, "predicted_repeat predicted_time predicted_unit"]
OfUnit = Float[np.ndarray, " unit"]


def signal_power(responses: Repeats) -> OfUnit:
    """Variance over time of the repeatable part of each unit's response; below zero where noise says so.

    Args:
        responses: to repeats of one stimulus, two or more.

    Raises:
        InputError: fewer than two repeats or time bins, or a value that is not finite.
    """
    _check(responses)
    n = len(responses)
    return (responses.sum(axis=0).var(axis=0) - responses.var(axis=1).sum(axis=0)) / (n * (n - 1))


def cc_max(responses: Repeats) -> OfUnit:
    """Correlation of the mean response with the true one, from the repeats; see `signal_power`."""
    power, total = signal_power(responses), responses.mean(axis=0).var(axis=0)
    return np.sqrt(_ratio(np.where(power > 0, power, np.nan), total))


def cc_norm(prediction: Predicted, responses: Repeats) -> OfUnit:
    """Correlation of mean prediction and mean response over `cc_max`: 1 is the true rate, whatever the noise.

    Args:
        prediction: expected responses, to each repeat.
        responses: to repeats of one stimulus.

    Raises:
        InputError: shapes differ, or as `signal_power`.
    """
    _check_pair(prediction, responses)
    f, y = prediction.mean(axis=0), responses.mean(axis=0)
    power = signal_power(responses)
    covariance = ((f - f.mean(axis=0)) * (y - y.mean(axis=0))).mean(axis=0)
    return _ratio(covariance, np.sqrt(f.var(axis=0) * np.where(power > 0, power, np.nan)))


def feve(prediction: Predicted, responses: Repeats) -> OfUnit:
    """Share of the explainable variance that is explained; 1 is the true rate, 0 the mean, below 0 worse than it.

    Args:
        prediction: expected responses, to each repeat.
        responses: to repeats of one stimulus.

    Raises:
        InputError: shapes differ, or as `signal_power`.
    """
    _check_pair(prediction, responses)
    noise = responses.var(axis=0, ddof=1).mean(axis=0)
    total = responses.var(axis=(0, 1), ddof=1)
    error = np.square(responses - prediction.mean(axis=0, keepdims=True)).mean(axis=(0, 1))
    explainable = total - noise
    return 1.0 - _ratio(error - noise, np.where(explainable > 0, explainable, np.nan))


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """NaN where there is nothing to divide by."""
    return above / np.where(below > 0, below, np.nan)


def _check(responses: np.ndarray) -> None:
    if len(responses) < 2 or responses.shape[1] < 2:
        raise InputError(
            f"the responses have the shape {responses.shape}; wanted (repeat, time, unit) with two repeats of one "
            "stimulus or more, without which nothing tells signal from noise."
        )
    if not np.isfinite(responses).all():
        raise InputError("the responses hold a value that is NaN or infinite; cut repeats to their common length.")


def _check_pair(prediction: np.ndarray, responses: np.ndarray) -> None:
    if prediction.shape != responses.shape:
        raise InputError(
            f"the prediction has the shape {prediction.shape} and the responses {responses.shape}; give one prediction "
            "for every repeat, time bin and unit."
        )
    _check(responses)
    if not np.isfinite(prediction).all():
        raise InputError("the prediction holds a value that is NaN or infinite; leave those bins out of both.")
