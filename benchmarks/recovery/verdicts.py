"""Whether what was found is right: regression on the truth, coverage of intervals, uniformity of ranks."""

import dataclasses

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import chi2, chisquare, kstest

from benchmarks.recovery.recover import N_DRAWS, Recovered
from twin.judge import clopper_pearson, holm

COVERED = (0.85, 0.95)  # of what is wanted to be 90 %
LEAST_P = 0.01  # of the smallest p of a model, corrected for its tests: 0.05 over the five models
_BINS = 10
_MISSED = -6.0  # twice nats; Newton steps end within 0.0002 of the mode


@dataclasses.dataclass(frozen=True)
class Quantity:
    """One free quantity over all sets.

    Attributes:
        name: of it.
        r2: coefficient of determination about the line on which found equals true.
        slope: least squares, of found by true.
        covered: in how many sets the interval of `calibrate` holds the truth.
        drawn: the same for the central 90 % of the draws; None without draws.
        undecided: in how many sets the data do not decide it.
        p_chi2: of the ranks in ten bins (Talts et al. 2018, arXiv:1804.06788, algorithm 1); NaN without draws.
        p_ks: of the ranks, by Kolmogorov and Smirnov.
    """

    name: str
    r2: float
    slope: float
    covered: int
    drawn: int | None
    undecided: int
    p_chi2: float
    p_ks: float


def quantities(found: Recovered) -> list[Quantity]:
    """A line for each."""
    inside, has = covered(found), found.draws.shape[1] > 0
    ranked = ranks(found.draws, found.truth) if has else None
    rows = []
    for k, name in enumerate(found.case.space.names):
        true, mode = found.truth[:, k], found.found[:, k]
        tests = (np.nan, np.nan) if ranked is None else (chi2_uniform(ranked[:, k]), ks_uniform(ranked[:, k]))
        rows.append(
            Quantity(
                name,
                r2=1.0 - float(np.sum((mode - true) ** 2) / np.sum((true - true.mean()) ** 2)),
                slope=float(np.polyfit(true, mode, 1)[0]),
                covered=int(inside[:, k].sum()),
                drawn=int(covered_by_draws(found)[:, k].sum()) if has else None,
                undecided=int(found.undecided[:, k].sum()),
                p_chi2=tests[0],
                p_ks=tests[1],
            )
        )
    return rows


def covered(found: Recovered) -> Bool[np.ndarray, "set free"]:
    """Whether the interval of `calibrate` holds the truth."""
    return (found.low <= found.truth) & (found.truth <= found.high)


def covered_by_draws(found: Recovered) -> Bool[np.ndarray, "set free"]:
    """Whether the truth has more than 5 % of the draws on each side: ranks 5 to 94 of 0 to 99 are 90 %."""
    ranked, tail = ranks(found.draws, found.truth), (N_DRAWS + 1) // 20
    return (ranked >= tail) & (ranked <= N_DRAWS - tail)


def pooled(inside: Bool[np.ndarray, "set free"]) -> tuple[float, float, float]:
    """Share over all quantities, with its 95 % interval as if all were independent."""
    low, high = clopper_pearson(int(inside.sum()), inside.size)
    return float(inside.mean()), low, high


def is_covered(inside: Bool[np.ndarray, "set free"]) -> bool:
    """Whether the pooled share is what it should be."""
    return COVERED[0] <= float(inside.mean()) <= COVERED[1]


def ranks(draws: Float[np.ndarray, "set draw free"], truth: Float[np.ndarray, "set free"]) -> Int[np.ndarray, "..."]:
    """How many draws are below the truth: (set, free). Even from 0 to the number of draws if the posterior is right."""
    return (draws < truth[:, None, :]).sum(axis=1)


def chi2_uniform(ranked: Int[np.ndarray, " set"]) -> float:
    """p of ranks that are even, in ten bins."""
    counts = np.bincount(ranked * _BINS // (N_DRAWS + 1), minlength=_BINS)
    return float(chisquare(counts).pvalue)


def ks_uniform(ranked: Int[np.ndarray, " set"]) -> float:
    """p of ranks that are even, by their largest distance from it."""
    return float(kstest((ranked + 0.5) / (N_DRAWS + 1), "uniform").pvalue)


def least_p(found: Recovered) -> float:
    """The smallest p of all ranks of a model, both tests, corrected."""
    rows = quantities(found)
    return float(holm(np.array([p for one in rows for p in (one.p_chi2, one.p_ks)])).min())


def missed(found: Recovered) -> int:
    """Sets whose search ended where the data are less likely than at the truth: not at the mode."""
    return int(np.sum(found.surplus < _MISSED))


def p_surplus(found: Recovered) -> float:
    """p of the truth lying as far below the mode as it should: chi-squared (Wilks 1938, Ann Math Stat 9:60)."""
    return float(kstest(found.surplus, chi2(len(found.case.free)).cdf).pvalue)
