"""What a pretrained network makes of a recording: its hidden features, averaged over units and stretches of time."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from experiments.retina_corpus.adapting import for_prediction
from experiments.retina_corpus.corpus import Recorded
from surrogate import Surrogate, introduce
from twin.split import Parts, Segment

STRETCHES, STRETCH = 8, 256  # evenly spaced, windows


def embedded(surrogate: Surrogate, recordings: Sequence[Recorded]) -> Float[np.ndarray, "recording feature"]:
    """The mean hidden features of the shared decoder, a row for each recording."""
    new = [one for one in recordings if surrogate.vocabulary.session(one.name) is None]
    parts = {one.name: _spread(one) for one in recordings}
    known = introduce(surrogate, [one.tree for one in new], parts=parts) if new else surrogate
    wide = for_prediction(known)
    return np.stack([wide.mean_activation(one.tree, "decoder", parts[one.name].validation) for one in recordings])


def _spread(one: Recorded) -> Parts:
    n = len(one.counts)
    starts = np.unique(np.linspace(0, max(n - STRETCH, 0), STRETCHES).astype(int))
    stretches = tuple(Segment(0, int(start), int(min(start + STRETCH, n))) for start in starts)
    return Parts((Segment(0, 0, n),), stretches)
