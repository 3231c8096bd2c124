"""What a recording holds in a few numbers, whatever its size: it is read block by block."""

import dataclasses

import numpy as np
import xarray as xr

from twin.recording.validation import BLOCK, blocks


@dataclasses.dataclass(frozen=True)
class Summary:
    """Lowest and highest value, mean and number of values."""

    n: int
    low: float
    high: float
    mean: float


def summarise(variable: xr.DataArray) -> Summary | None:
    """The summary of an array of numbers; None of texts and of an empty one."""
    if variable.dtype.kind not in "iufb" or not variable.size:
        return None
    low, high, total = np.inf, -np.inf, 0.0
    for block in blocks(variable):
        low, high = min(low, float(block.min())), max(high, float(block.max()))
        total += float(block.sum(dtype=np.float64))
    return Summary(variable.size, low, high, total / variable.size)


def envelope(variable: xr.DataArray, n_columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest value of each of `n_columns` equal stretches of a line; fewer if it has fewer samples.

    Args:
        variable: (time,), in memory or not.
        n_columns: about how many stretches.

    Returns:
        Two arrays (column,).
    """
    n = variable.sizes[variable.dims[0]]
    edges = np.linspace(0, n, min(n_columns, n) + 1).astype(int)
    low, high = np.full(len(edges) - 1, np.inf), np.full(len(edges) - 1, -np.inf)
    for start in range(0, n, BLOCK):
        piece = variable[start : start + BLOCK].values
        first = int(np.searchsorted(edges, start, side="right")) - 1
        last = int(np.searchsorted(edges, start + len(piece), side="left"))
        cuts = np.maximum(edges[first:last] - start, 0)
        low[first:last] = np.minimum(low[first:last], np.minimum.reduceat(piece, cuts))
        high[first:last] = np.maximum(high[first:last], np.maximum.reduceat(piece, cuts))
    return low, high
