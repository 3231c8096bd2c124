"""Recording conditions as columns of numbers that are all zero at the most frequent, or mean, condition."""

import dataclasses

import numpy as np
import xarray as xr
from jaxtyping import Float

from experiments.neuroelectro.table import texts

FACTORS = ("species", "strain", "electrode", "preparation", "junction_potential")
NUMBERS = ("log_age", "temperature")
SQUARES = {"log_age_squared": "log_age", "temperature_squared": "temperature"}
# What is offered to the stepwise models (squares to some), and what is used where no term is chosen: the strain is left
# out there, because every mouse of the table is of one strain.
OFFERED = (*FACTORS, *NUMBERS)
ALL_TERMS = (*OFFERED, *SQUARES)
METADATA = ("species", "electrode", "preparation", "junction_potential", "log_age", "temperature")


@dataclasses.dataclass(frozen=True)
class Coding:
    """Levels of each factor, the most frequent first, and mean and standard deviation of each number.

    With it the adjusted value of the authors, residual plus prediction at the mode and mean of all conditions, is the
    value less `encode(...) @ effects`. A level that the coding has not seen, and a number that is missing, count as
    the most frequent level and as the mean, which is the authors' rule for a missing predictor.
    """

    levels: dict[str, tuple[str, ...]]
    centre: dict[str, float]
    spread: dict[str, float]

    @classmethod
    def of(cls, rows: xr.Dataset) -> "Coding":
        """From the conditions of some rows; no measured value is looked at."""
        levels = {}
        for factor in FACTORS:
            names, counts = np.unique(texts(rows, factor), return_counts=True)
            levels[factor] = tuple(names[np.argsort(-counts, kind="stable")].tolist())
        known = {name: rows[name].values[np.isfinite(rows[name].values)] for name in NUMBERS}
        centre = {name: float(values.mean()) if len(values) else 0.0 for name, values in known.items()}
        spread = {name: float(values.std(ddof=1)) if len(values) > 1 else 0.0 for name, values in known.items()}
        return cls(levels, centre, {name: deviation or 1.0 for name, deviation in spread.items()})

    def columns(self, terms: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """For each column of `encode` its term and its level ("" for a number)."""
        return tuple(
            (term, level) for term in terms for level in (self.levels[term][1:] if term in self.levels else ("",))
        )

    def places(self, terms: tuple[str, ...]) -> list[int]:
        """Where the columns of some terms lie among the columns of all terms, `ALL_TERMS`."""
        every = self.columns(ALL_TERMS)
        return [at for term in terms for at, (name, _) in enumerate(every) if name == term]

    def encode(self, rows: xr.Dataset, terms: tuple[str, ...]) -> Float[np.ndarray, "row column"]:
        """The columns of some terms: 0 or 1 for each level but the most frequent; a number in standard deviations."""
        return np.column_stack(
            [
                np.empty((rows.sizes["row"], 0)),
                *(self._column(rows, term, level) for term, level in self.columns(terms)),
            ]
        )

    def _column(self, rows: xr.Dataset, term: str, level: str) -> np.ndarray:
        if term in self.levels:
            return (texts(rows, term) == level).astype(np.float64)
        name = SQUARES.get(term, term)
        scaled = np.nan_to_num((rows[name].values - self.centre[name]) / self.spread[name], nan=0.0)
        return scaled**2 if term in SQUARES else scaled
