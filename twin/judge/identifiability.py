"""The identifiability gate: which differences a design can tell from the laboratory, rig or method they came with.

Rows of data carry two labels, such as a neuron type and a lab. In the additive model `y = type + lab` the difference
of two types is determined by the data if, and only if, a chain of labs that measured several types leads from one to
the other (Weeks and Williams 1964, Technometrics 6:319): if both lie in one connected component of the graph whose
edges are the pairs that occur. A contrast across components is refused, not estimated.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from twin.errors import InputError, UnsupportedError

Labels = Sequence[str] | np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Crossing:
    """How two factors cross, and into which islands the design falls.

    Attributes:
        factor: what the rows of `counts` are, such as "neuron type".
        other: what its columns are, such as "lab".
        levels: of the factor, sorted.
        other_levels: of the other factor, sorted.
        counts: rows of data with each pair of levels.
        component: island of each level, 0 for the one with the most rows of data.
        other_component: the same for the other factor.
    """

    factor: str
    other: str
    levels: tuple[str, ...]
    other_levels: tuple[str, ...]
    counts: Int[np.ndarray, "level other_level"]
    component: Int[np.ndarray, " level"]
    other_component: Int[np.ndarray, " other_level"]

    @property
    def n_components(self) -> int:
        """Islands; 1 is a design in which every two levels can be compared."""
        return int(self.component.max()) + 1

    @property
    def largest_share(self) -> float:
        """Share of the rows of data in the largest island."""
        return float(self.counts[self.component == 0].sum() / self.counts.sum())

    @property
    def seen_with_one(self) -> tuple[str, ...]:
        """Levels that occur with a single level of the other factor: nothing separates the two there."""
        return _where(self.levels, (self.counts > 0).sum(axis=1) == 1)

    @property
    def others_seen_with_one(self) -> tuple[str, ...]:
        """Levels of the other factor that occur with a single level of this one."""
        return _where(self.other_levels, (self.counts > 0).sum(axis=0) == 1)

    @property
    def comparable_pairs(self) -> tuple[int, int]:
        """Pairs of levels within one island, and all pairs: islands of 3 and 2 levels have (4, 10)."""
        sizes = np.bincount(self.component)
        return int((sizes * (sizes - 1) // 2).sum()), len(self.levels) * (len(self.levels) - 1) // 2

    @property
    def smallest_cell(self) -> int:
        """Rows of data in the emptiest pair of levels; 0 unless the two are fully crossed."""
        return int(self.counts.min())

    def comparable(self, one: str, two: str) -> bool:
        """Whether the data determine the difference of two levels whatever the other factor does.

        Raises:
            InputError: a level that does not occur.
        """
        return self._island(one) == self._island(two)

    def require_comparable(self, one: str, two: str) -> None:
        """Refuse a contrast that the design cannot tell from the other factor.

        Raises:
            InputError: a level that does not occur.
            UnsupportedError: the two lie in different islands.
        """
        if not self.comparable(one, two):
            raise UnsupportedError(
                f"the {self.factor}s {one!r} and {two!r} cannot be contrasted: no chain of {self.other}s that have "
                f"several {self.factor}s leads from one to the other (islands {self._island(one) + 1} and "
                f"{self._island(two) + 1} of {self.n_components}), so their difference may be one between "
                f"{self.other}s; compare within an island, or add a {self.other} that has both."
            )

    def _island(self, level: str) -> int:
        if level not in self.levels:
            raise InputError(
                f"the {self.factor} {level!r} does not occur; there are {len(self.levels)}, the first is "
                f"{self.levels[0]!r}."
            )
        return int(self.component[self.levels.index(level)])


def crossing(values: Labels, others: Labels, *, factor: str, other: str) -> Crossing:
    """Cross two labels of the same rows.

    Args:
        values: the factor's level of each row of data, `(row,)`.
        others: the other factor's, `(row,)`.
        factor: what the factor is, in the singular: "neuron type".
        other: what the other one is: "lab".

    Raises:
        InputError: no row, or different numbers of them.
    """
    levels, other_levels, counts = _contingency(values, others)
    n_levels, n_others = counts.shape
    at, other_at = np.nonzero(counts)
    edges = coo_array((np.ones(len(at)), (at, n_levels + other_at)), shape=(n_levels + n_others,) * 2)
    _, found = connected_components(edges, directed=False)
    rows = np.bincount(found[:n_levels], weights=counts.sum(axis=1), minlength=found.max() + 1)
    rank = np.empty(len(rows), np.int64)
    rank[np.argsort(-rows, kind="stable")] = np.arange(len(rows))
    component = rank[found]
    return Crossing(factor, other, levels, other_levels, counts, component[:n_levels], component[n_levels:])


def cramers_v(values: Labels, others: Labels) -> float:
    """Association of two labels, 0 for none and 1 where one determines the other, corrected for the bias of few rows.

    Bergsma 2013, J. Korean Stat. Soc. 42:323. NaN where a label has one level only.

    Raises:
        InputError: no row, or different numbers of them.
    """
    counts = _contingency(values, others)[2].astype(np.float64)
    n, (n_rows, n_columns) = counts.sum(), counts.shape
    if min(n_rows, n_columns) < 2 or n < 2:
        return float("nan")
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / n
    phi2 = ((counts - expected) ** 2 / expected).sum() / n
    phi2 = max(0.0, phi2 - (n_rows - 1) * (n_columns - 1) / (n - 1))
    room = min(n_rows - (n_rows - 1) ** 2 / (n - 1), n_columns - (n_columns - 1) ** 2 / (n - 1)) - 1.0
    return float(np.sqrt(phi2 / room)) if room > 0 else float("nan")


@dataclasses.dataclass(frozen=True)
class DesignRank:
    """How many coefficients a design determines.

    Attributes:
        rank: of all columns together.
        n_columns: coefficients asked for.
        lost: for each block of columns, how many it has that earlier blocks already hold (or it holds twice).
    """

    rank: int
    n_columns: int
    lost: Mapping[str, int]


def design_rank(blocks: Mapping[str, Float[np.ndarray, "row column"]]) -> DesignRank:
    """Rank of a design that is given block by block, and which block adds columns that say nothing new.

    Args:
        blocks: for each factor its columns, `(row, column)`, in the order in which they claim what they share.

    Raises:
        InputError: no block, or blocks of different numbers of rows.
    """
    n_rows = {len(columns) for columns in blocks.values()}
    if len(n_rows) != 1:
        raise InputError(f"a design has blocks with the row counts {sorted(n_rows)}; give one number for all.")
    ranks = [0]
    for index in range(len(blocks)):
        ranks.append(int(np.linalg.matrix_rank(np.hstack(list(blocks.values())[: index + 1]))))
    widths = [columns.shape[1] for columns in blocks.values()]
    gains = np.diff(ranks)
    return DesignRank(
        ranks[-1], sum(widths), {name: int(w - g) for name, w, g in zip(blocks, widths, gains, strict=True)}
    )


def one_hot(values: Labels) -> Float[np.ndarray, "row level"]:
    """A column of 0 and 1 for each level, in sorted order."""
    levels, at = np.unique(np.asarray(values, dtype=str), return_inverse=True)
    return np.eye(len(levels))[at]


def _contingency(values: Labels, others: Labels) -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray]:
    if len(values) != len(others) or len(values) == 0:
        raise InputError(f"two labels have {len(values)} and {len(others)} rows; give both for the same rows.")
    levels, at = np.unique(np.asarray(values, dtype=str), return_inverse=True)
    other_levels, other_at = np.unique(np.asarray(others, dtype=str), return_inverse=True)
    counts = np.zeros((len(levels), len(other_levels)), np.int64)
    np.add.at(counts, (at, other_at), 1)
    return tuple(levels.tolist()), tuple(other_levels.tolist()), counts


def _where(levels: tuple[str, ...], chosen: np.ndarray) -> tuple[str, ...]:
    return tuple(level for level, is_chosen in zip(levels, chosen, strict=True) if is_chosen)
