"""A batch: what a model is shown, in one fixed shape for each bucket."""

import dataclasses

import jax
from jaxtyping import Array, Bool, Float, Int
import numpy as np


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Batch:
    """Items of the same padded shape; what is padding has `valid` False.

    Attributes:
        response: counts or classes as they are, other values standardised by unit.
        valid: where there is a response.
        scored: windows that count; the others lend context.
        unit: row of each unit in the unit table.
        stimulus: features of the streams, then the clock.
        behaviour: features of the behaviour.
        video: frames, of zero height where there is no video.
        drift: bumps over the number of the trial.
        level: index of each covariate's level, 0 unknown.
        number: standardised covariates that are numbers, 0 where unknown.
        known: whether each of them is known.
        subject: index of the animal, 0 the average one.
    """

    response: Float[Array | np.ndarray, "item time unit"]
    valid: Bool[Array | np.ndarray, "item time unit"]
    scored: Bool[Array | np.ndarray, "item time"]
    unit: Int[Array | np.ndarray, "item unit"]
    stimulus: Float[Array | np.ndarray, "item time stimulus"]
    behaviour: Float[Array | np.ndarray, "item time behaviour"]
    video: Float[Array | np.ndarray, "item time height width channel"]
    drift: Float[Array | np.ndarray, "item time bump"]
    level: Int[Array | np.ndarray, "item level"]
    number: Float[Array | np.ndarray, "item number"]
    known: Float[Array | np.ndarray, "item number"]
    subject: Int[Array | np.ndarray, " item"]
