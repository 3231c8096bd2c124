"""How weights move: AdamW, warm-up and cosine, clipped gradients, and a decay each for shared and for unit weights."""

from collections.abc import Collection

import optax

from surrogate.config import Training
from surrogate.weights import Weights


def schedule(training: Training) -> optax.Schedule:
    """The rate by step: linear to the peak, then a cosine to `final_rate` of it."""
    warm_up = min(training.warm_up, training.steps)
    return optax.warmup_cosine_decay_schedule(
        training.learning_rate / max(warm_up, 1),
        training.learning_rate,
        warm_up,
        max(training.steps, warm_up + 1),
        training.learning_rate * training.final_rate,
    )


def optimiser(training: Training, owned: Collection[str]) -> optax.GradientTransformation:
    """The optimiser of weights by name, of which `owned` belong to single units.

    Vectors that all units share (biases and scales) do not decay, as is usual for AdamW.
    """

    def shared(weights: Weights) -> dict[str, bool]:
        return {name: name not in owned and value.ndim > 1 for name, value in weights.items()}

    def of_units(weights: Weights) -> dict[str, bool]:
        # What a unit does when nothing is known, and where it looks, is no weight that should shrink.
        kept = ("start", "place", "extent")
        return {name: name in owned and name.split("/")[-1] not in kept for name in weights}

    # One vector instead of many small arrays compiles and runs in half of the time.
    adam = optax.flatten(optax.chain(optax.clip_by_global_norm(training.clip), optax.scale_by_adam()))
    return optax.chain(
        adam,
        optax.add_decayed_weights(training.weight_decay, mask=shared),
        optax.add_decayed_weights(training.unit_decay, mask=of_units),
        optax.scale_by_learning_rate(schedule(training)),
    )
