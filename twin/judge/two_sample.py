"""The classifier two-sample test: can a classifier tell real windows from generated ones it has not seen?

Windows of one trial are alike, so they are not the unit of the test. Cross-validation keeps the windows of a unit
together and the permutation swaps the labels of whole units. Source: Lopez-Paz and Oquab 2017, "Revisiting classifier
two-sample tests"; the grouping answers the inflated size of window-wise permutation on correlated recordings.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from scipy import special

from twin.errors import InputError
from twin.judge.classifiers import FAMILIES, held_out_predictions
from twin.judge.inference import clopper_pearson, permutation_p, require_unit

# With fewer permutations their spread is too uncertain to judge an accuracy below chance.
_FEWEST_FOR_SPREAD = 50


@dataclass(frozen=True)
class ClassifierTest:
    """What one classifier family found.

    Attributes:
        accuracy: held-out accuracy over all windows, balanced by design; NaN where not testable.
        n_correct: windows told rightly.
        n: windows tested, real and generated together.
        n_groups: units.
        p: permutation p-value for accuracy above chance; None where no permutation was asked for.
        smallest_p: the least p that this many units and permutations can give; None with p.
        low: Clopper-Pearson 95 % bound. Descriptive: it counts the windows as independent.
        high: the upper one.
        group_accuracy: accuracy within each unit.
        below_chance: accuracy under 1/2 - 2 sd, as happens where the generator saw the reference; the sd is that of the
            permutations, or of the group means where there are too few. About 3 % of honest generators are flagged.
        testable: False where there are too few units to hold any out.
        reason: why not, or empty.
        family: the classifier family; the figures are relative to it.
        unit: what a group is.
    """

    accuracy: float
    n_correct: int
    n: int
    n_groups: int
    p: float | None
    smallest_p: float | None
    low: float
    high: float
    group_accuracy: tuple[float, ...]
    below_chance: bool
    testable: bool
    reason: str
    family: str
    unit: str


def classifier_two_sample(
    real: np.ndarray,
    generated: np.ndarray,
    groups: np.ndarray,
    *,
    unit: str,
    family: str,
    n_permutations: int,
    seed: int,
    n_folds: int = 5,
) -> ClassifierTest:
    """Grouped cross-validated accuracy, with a permutation test that swaps real and generated of whole groups.

    Args:
        real: features of real windows, `(row, feature)`.
        generated: features of generated windows, as many as real ones.
        groups: `(row,)`, the unit that row i of `real` and row i of `generated` belong to.
        unit: what a group is, one of `UNITS`.
        family: "logistic", "random_forest" or "knn".
        n_permutations: 0 for no p-value; a forest is refitted for each and is slow.
        seed: of folds, permutations and forest.
        n_folds: folds, or as many as there are groups if those are fewer.

    Raises:
        InputError: unknown unit or family, shapes that differ, NaN in a row, or a negative number of permutations.
    """
    require_unit(unit)
    _check_rows(real, generated, groups)
    if family not in FAMILIES:
        raise InputError(f"The classifier family {family!r} is unknown; name one of {', '.join(FAMILIES)}.")
    if n_permutations < 0 or n_folds < 2:
        raise InputError(f"{n_permutations} permutations and {n_folds} folds; give 0 or more, and 2 or more.")
    index = np.unique(groups, return_inverse=True)[1].reshape(-1)
    n_groups = int(index.max()) + 1 if index.size else 0
    if n_groups < 2:
        return _not_testable(2 * len(real), n_groups, family=family, unit=unit)

    rng = np.random.default_rng(seed)
    swaps = rng.integers(0, 2, size=(n_groups, 1 + n_permutations)).astype(bool)
    swaps[:, 0] = False
    fold_of_group = np.empty(n_groups, dtype=np.int64)
    fold_of_group[rng.permutation(n_groups)] = np.arange(n_groups) % min(n_folds, n_groups)
    labels = np.concatenate([swaps[index], ~swaps[index]])
    rows = np.concatenate([real, generated])
    folds = np.tile(fold_of_group[index], 2)
    correct = held_out_predictions(rows, labels, folds, family=family, seed=seed) == labels
    return _summary(correct, np.tile(index, 2), n_groups, family=family, unit=unit)


def c2st_sample_size(epsilon: float, *, alpha: float = 0.05, power: float = 0.8) -> int:
    """Independent held-out windows needed to find an accuracy of 1/2 + epsilon; .05 needs 617.

    Lopez-Paz and Oquab 2017, theorem 1, solved for the size of the test set.
    """
    if not 0 < epsilon < 0.5:
        raise InputError(f"epsilon is {epsilon}; accuracies above chance lie between 0 and 0.5 from it.")
    root = special.ndtri(1.0 - alpha) / 2.0 + special.ndtri(power) * np.sqrt(0.25 - epsilon**2)
    return int(np.ceil((root / epsilon) ** 2))


def _summary(
    correct: np.ndarray, group: Int[np.ndarray, " row"], n_groups: int, *, family: str, unit: str
) -> ClassifierTest:
    """`correct` is `(row, labelling)`; the first labelling is the true one, the others the null."""
    accuracy = correct.mean(axis=0)
    observed, null, n = float(accuracy[0]), accuracy[1:], len(correct)
    n_correct = int(correct[:, 0].sum())
    low, high = clopper_pearson(n_correct, n)
    per_group = np.bincount(group, weights=correct[:, 0]) / np.bincount(group)
    # Windows of one group are right or wrong together, which the binomial spread alone would take for a leak.
    spread = max(0.5 / np.sqrt(n), float(np.std(per_group, ddof=1)) / np.sqrt(n_groups))
    sd = float(np.std(null)) if null.size >= _FEWEST_FOR_SPREAD else spread
    # Swapping every group gives the same test again, so there are 2^(groups - 1) different labellings.
    smallest_p = max(1.0 / (1 + null.size), 2.0 ** (1 - n_groups)) if null.size else None
    return ClassifierTest(
        accuracy=observed,
        n_correct=n_correct,
        n=n,
        n_groups=n_groups,
        p=permutation_p(observed, null) if null.size else None,
        smallest_p=smallest_p,
        low=low,
        high=high,
        group_accuracy=tuple(per_group.tolist()),
        below_chance=bool(observed < 0.5 - 2.0 * sd),
        testable=True,
        reason="",
        family=family,
        unit=unit,
    )


def _not_testable(n: int, n_groups: int, *, family: str, unit: str) -> ClassifierTest:
    return ClassifierTest(
        accuracy=float("nan"),
        n_correct=0,
        n=n,
        n_groups=n_groups,
        p=None,
        smallest_p=None,
        low=float("nan"),
        high=float("nan"),
        group_accuracy=(),
        below_chance=False,
        testable=False,
        reason=f"{n_groups} {unit}(s): at least two are needed to hold one out",
        family=family,
        unit=unit,
    )


def _check_rows(real: np.ndarray, generated: np.ndarray, groups: np.ndarray) -> None:
    if real.ndim != 2 or real.shape != generated.shape or groups.shape != real.shape[:1]:
        raise InputError(
            f"real has shape {real.shape}, generated {generated.shape} and groups {groups.shape}; give two tables "
            "(row, feature) of the same shape and one group for each row."
        )
    for name, rows in (("real", real), ("generated", generated)):
        bad = ~np.all(np.isfinite(rows), axis=1)
        if np.any(bad):
            raise InputError(
                f"{int(bad.sum())} of {len(rows)} {name} rows hold a NaN or an infinity (first: row "
                f"{int(np.argmax(bad))}); fill them by a stated rule, as window_features does, or leave the pair out."
            )
