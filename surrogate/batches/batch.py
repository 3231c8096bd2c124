"""A batch: what a model is shown, in one fixed shape for each bucket."""

import dataclasses
from typing import Any, TypeAlias

import jax

# An array; JAX also builds trees with other things in the leaves' place, so that no shape can be demanded here.
Leaf: TypeAlias = Any


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Batch:
    """Items of the same padded shape; what is padding has `valid` False.

    Attributes:
        response: (item, time, unit) counts or classes as they are, other values standardised by unit.
        valid: (item, time, unit) where there is a response.
        scored: (item, time) windows that count; the others lend context.
        past: (item, unit, trace) of the windows before the item; no trace where nothing is carried.
        near: (item, unit, other) weights of each unit's nearest units; no other where they are not asked for.
        unit: (item, unit) row of each unit in the unit table.
        largest: (item, unit) size of the largest response of training, and one more, in the units of `response`.
        stimulus: (item, time, stimulus) features of the streams, then the clock.
        behaviour: (item, time, behaviour) features of the behaviour.
        video: (item, time, height, width, channel) frames, of zero height where there is no video.
        drift: (item, time, bump) bumps over the number of the trial.
        level: (item, level) index of each covariate's level, 0 unknown.
        number: (item, number) standardised covariates that are numbers, 0 where unknown.
        known: (item, number) whether each of them is known.
        subject: (item) index of the animal, 0 the average one.
    """

    response: Leaf
    valid: Leaf
    scored: Leaf
    past: Leaf
    near: Leaf
    unit: Leaf
    largest: Leaf
    stimulus: Leaf
    behaviour: Leaf
    video: Leaf
    drift: Leaf
    level: Leaf
    number: Leaf
    known: Leaf
    subject: Leaf
