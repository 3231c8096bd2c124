"""Work that is divided over the processes of one job, on one or several hosts; without `jax.distributed` it is one.

Every process runs the same search on the same data; each evaluates its share of a generation, and all learn all scores.
So every process ends with the same result, and the first one alone writes files.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils


def is_first() -> bool:
    """Whether this process writes files."""
    return jax.process_index() == 0


def agreed(number: int) -> int:
    """The first process's number, for all: what one finds in a folder another may find a moment later."""
    if jax.process_count() == 1:
        return number
    return int(multihost_utils.broadcast_one_to_all(np.int32(number)))


def divided(evaluate: Callable[[np.ndarray], list[np.ndarray]], n: int) -> list[np.ndarray]:
    """Arrays of n rows, of which every process computes its share.

    Args:
        evaluate: from row numbers to arrays with as many rows.
        n: rows in all.
    """
    count = jax.process_count()
    if count == 1:
        return evaluate(np.arange(n))
    # shares of one size, as gathering wants it: the last row is computed again where they do not come out even
    rows = np.minimum(np.arange(-(-n // count) * count), n - 1).reshape(count, -1)
    own: Any = tuple(evaluate(rows[jax.process_index()]))
    return [np.concatenate(list(one))[:n] for one in multihost_utils.process_allgather(own)]
