"""The additive model `value = level of the neuron type + conditions @ effects`, fitted by weighted least squares.

Types are taken out first (Frisch, Waugh and Lovell): effects are estimated from differences within a type.
"""

import dataclasses
import functools

import numpy as np
import xarray as xr
from jaxtyping import Float, Int
from scipy import stats

from experiments.neuroelectro.coding import ALL_TERMS, Coding
from experiments.neuroelectro.table import distinct_within, texts

_TOLERANCE = 1e-9  # of a singular value, relative to the largest


@dataclasses.dataclass(frozen=True, eq=False)
class Measured:
    """The rows that have a value of one property.

    Attributes:
        values: of the property, on its scale of analysis.
        types: index of the neuron type in `type_names`.
        labs: index of the lab in `lab_names`.
        articles: index of the article.
        rows: the rows themselves.
        coding: how conditions become columns.
    """

    values: Float[np.ndarray, " row"]
    types: Int[np.ndarray, " row"]
    labs: Int[np.ndarray, " row"]
    articles: Int[np.ndarray, " row"]
    type_names: tuple[str, ...]
    lab_names: tuple[str, ...]
    rows: xr.Dataset
    coding: Coding

    @classmethod
    def of(cls, rows: xr.Dataset, name: str, coding: Coding, *, labs_per_type: int = 1) -> "Measured":
        """The rows with a value of the property, of types that so many labs have measured."""
        rows = rows.isel(row=np.isfinite(rows[name].values))
        n_labs = distinct_within(texts(rows, "lab"), texts(rows, "neuron_type"))
        rows = rows.isel(row=n_labs >= labs_per_type)
        type_names, types = np.unique(texts(rows, "neuron_type"), return_inverse=True)
        lab_names, labs = np.unique(texts(rows, "lab"), return_inverse=True)
        articles = np.unique(texts(rows, "article"), return_inverse=True)[1]
        values = rows[name].values
        return cls(values, types, labs, articles, tuple(type_names.tolist()), tuple(lab_names.tolist()), rows, coding)

    @functools.cached_property
    def membership(self) -> Float[np.ndarray, "row type"]:
        """1 where a row is of a type."""
        return np.eye(len(self.type_names))[self.types]

    def conditions(self, terms: tuple[str, ...]) -> Float[np.ndarray, "row column"]:
        """The columns of some terms."""
        return self._every_condition[:, self.coding.places(terms)]

    @functools.cached_property
    def _every_condition(self) -> Float[np.ndarray, "row column"]:
        return self.coding.encode(self.rows, ALL_TERMS)

    @property
    def n_free(self) -> int:
        """Rows beyond one for each type: what effects of conditions can be estimated from."""
        return len(self.values) - len(self.type_names)


@dataclasses.dataclass(frozen=True, eq=False)
class Model:
    """A fitted additive model.

    Attributes:
        level: of each type at the reference conditions; NaN for a type without rows.
        effects: of each column of conditions; 0 for one that does not vary within any type.
        rank: coefficients that the rows determine, types included.
        sse: sum of squared residuals.
        sst: sum of squares around the mean.
        n: rows.
    """

    level: Float[np.ndarray, " type"]
    effects: Float[np.ndarray, " column"]
    rank: int
    sse: float
    sst: float
    n: int

    def predict(self, types: np.ndarray, conditions: np.ndarray) -> Float[np.ndarray, " row"]:
        """Expected values; NaN for a type that was not fitted."""
        return self.level[types] + conditions @ self.effects

    @property
    def bic(self) -> float:
        """Bayesian information criterion, up to a constant of the rows: n log(sse / n) + rank log n."""
        return self.n * float(np.log(self.sse / self.n)) + self.rank * float(np.log(self.n))

    @property
    def adjusted_r2(self) -> float:
        """1 - (sse / (n - rank)) / (sst / (n - 1))."""
        return 1.0 - self.sse / (self.n - self.rank) / (self.sst / (self.n - 1))


@dataclasses.dataclass(frozen=True, eq=False)
class Within:
    """Values and conditions less the mean of their type, from which the effects of any of the columns are fitted.

    Attributes:
        x: conditions, `(row, column)`, times the root of the row's weight.
        y: values, `(row,)`, likewise.
        means: of value and conditions for each type, `(type, 1 + column)`.
        total: weight of each type.
        sst: weighted sum of squares around the mean.
        n: sum of the weights.
    """

    x: Float[np.ndarray, "row column"]
    y: Float[np.ndarray, " row"]
    means: Float[np.ndarray, "type value_and_column"]
    total: Float[np.ndarray, " type"]
    sst: float
    n: int

    def fit(self, columns: list[int] | slice = slice(None), penalty: float = 0.0) -> Model:
        """The model with some of the columns."""
        x = self.x[:, columns]
        effects, rank = _solve(x, self.y, penalty)
        level = np.where(self.total > 0, self.means[:, 0] - self.means[:, 1:][:, columns] @ effects, np.nan)
        residual = self.y - x @ effects
        rank += int((self.total > 0).sum())
        return Model(level, effects, rank, float(residual @ residual), self.sst, self.n)


def within_types(data: Measured, conditions: np.ndarray, weights: np.ndarray | None = None) -> Within:
    """Take the types out of values and conditions; see `fit`."""
    weights = np.ones(len(data.values)) if weights is None else weights
    both = np.column_stack([data.values, conditions])
    total = weights @ data.membership
    means = (data.membership * weights[:, None]).T @ both / np.where(total > 0, total, 1.0)[:, None]
    scaled = np.sqrt(weights)[:, None] * (both - means[data.types])
    n = int(round(weights.sum()))
    sst = float(weights @ (data.values - weights @ data.values / n) ** 2)
    return Within(scaled[:, 1:], scaled[:, 0], means, total, sst, n)


def fit(
    data: Measured,
    conditions: Float[np.ndarray, "row column"],
    *,
    weights: np.ndarray | None = None,
    penalty: float = 0.0,
) -> Model:
    """Fit the additive model.

    Args:
        data: the rows; types are never penalised.
        conditions: columns beside the types.
        weights: of each row: 0 leaves it out, 2 counts it twice; all 1 by default.
        penalty: ridge on the effects of conditions, in units of the residual variance.
    """
    return within_types(data, conditions, weights).fit(penalty=penalty)


def resampled_effects(
    data: Measured, conditions: Float[np.ndarray, "row column"], draws: Float[np.ndarray, "draw row"]
) -> Float[np.ndarray, "draw column"]:
    """The effects of `fit` for many weights of the rows at once, by the normal equations of each draw."""
    both = np.column_stack([data.values - data.values.mean(), conditions])
    n_draws, (n_rows, n_columns), n_types = len(draws), both.shape, len(data.type_names)
    total = draws @ data.membership
    by_type = (data.membership[:, :, None] * both[:, None, :]).reshape(n_rows, -1)
    sums = (draws @ by_type).reshape(n_draws, n_types, n_columns)
    squares = (draws @ (both[:, :, None] * both[:, None, :]).reshape(n_rows, -1)).reshape(-1, n_columns, n_columns)
    roots = sums / np.sqrt(np.where(total > 0, total, 1.0))[:, :, None]
    within = squares - np.swapaxes(roots, 1, 2) @ roots
    inverse = np.linalg.pinv(within[:, 1:, 1:], rcond=_TOLERANCE, hermitian=True)
    return (inverse @ within[:, 1:, :1])[:, :, 0]


def _solve(x: np.ndarray, y: np.ndarray, penalty: float) -> tuple[np.ndarray, int]:
    if x.shape[1] == 0:
        return np.zeros(0), 0
    if penalty > 0:
        return np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y), x.shape[1]
    effects, _, rank, _ = np.linalg.lstsq(x, y, rcond=_TOLERANCE)
    return effects, int(rank)


def difference(data: Measured, conditions: np.ndarray, contrast: Float[np.ndarray, " column"]) -> tuple[float, float]:
    """A contrast of effects and the two-sided p-value of its t test, which takes rows as independent.

    NaN where the rows do not determine it.
    """
    within = within_types(data, conditions)
    model, gram = within.fit(), within.x.T @ within.x
    inverse = np.linalg.pinv(gram, rcond=_TOLERANCE)
    if not np.allclose(contrast @ inverse @ gram, contrast, atol=1e-6) or model.n <= model.rank:
        return float("nan"), float("nan")
    value = float(contrast @ model.effects)
    error = float(np.sqrt(model.sse / (model.n - model.rank) * (contrast @ inverse @ contrast)))
    return value, float(2.0 * stats.t.sf(abs(value) / error, model.n - model.rank))
