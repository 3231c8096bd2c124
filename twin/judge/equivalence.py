"""Equivalence: "indistinguishable" as something to be shown, not as the lack of a small p-value.

The statement is relative to a classifier family, a number of windows and a margin, and the margin is always given.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from twin.errors import InputError
from twin.judge.inference import clopper_pearson_lower, clopper_pearson_upper
from twin.judge.two_sample import ClassifierTest


@dataclass(frozen=True)
class Equivalence:
    """A verdict (pass, fail or not_testable), the one-sided bounds that decided it, and why."""

    verdict: str
    accuracy: float
    lower: float
    upper: float
    margin: float
    n: int
    reason: str


def accuracy_equivalence(n_correct: int, n: int, *, margin: float, level: float = 0.95) -> Equivalence:
    """Whether an accuracy over independent windows lies below 1/2 + margin.

    fail: the one-sided lower Clopper-Pearson bound is above 1/2 + margin. not_testable: at this n not even an accuracy
    of 1/2 would have its upper bound below 1/2 + margin, so that passing would be luck. pass: the upper bound is below.
    fail: all else.

    Args:
        n_correct: windows told rightly.
        n: windows tested.
        margin: how far above 1/2 an accuracy may lie and still count as chance.
        level: confidence of each bound.

    Raises:
        InputError: margin not between 0 and 1/2.
    """
    _check_margin(margin)
    return _decide(n_correct, n, 0.0, margin, level)


def c2st_equivalence(test: ClassifierTest, *, margin: float, level: float = 0.95) -> Equivalence:
    """`accuracy_equivalence` for a classifier test, whose windows need not be independent.

    Each bound is the wider of Clopper-Pearson over windows and a t bound over the accuracies of the groups, which is
    the wider where windows of one group are alike. Below-chance accuracy fails: it is a leak, not a likeness.

    Raises:
        InputError: margin not between 0 and 1/2.
    """
    _check_margin(margin)
    if not test.testable:
        nan = float("nan")
        return Equivalence("not_testable", nan, nan, nan, margin, test.n, test.reason)
    per_group = np.array(test.group_accuracy)
    reach = special.stdtrit(per_group.size - 1, level) * np.std(per_group, ddof=1) / np.sqrt(per_group.size)
    found = _decide(test.n_correct, test.n, float(reach), margin, level)
    if test.below_chance:
        reason = f"accuracy {test.accuracy:.3f} lies more than 2 sd below 1/2, as where the generator saw the reference"
        return replace(found, verdict="fail", reason=reason)
    return found


def equivalence_power(n: int, *, margin: float, level: float = 0.95) -> float:
    """Chance that `accuracy_equivalence` passes when the true accuracy is 1/2 and the windows are independent."""
    _check_margin(margin)
    if _best_upper(n, level) >= 0.5 + margin:
        return 0.0
    # The bound grows with the number of hits, so those that pass are 0 .. k; bisect for k.
    passing, failing = (n + 1) // 2, n
    while failing - passing > 1:
        middle = (passing + failing) // 2
        if clopper_pearson_upper(middle, n, level=level) < 0.5 + margin:
            passing = middle
        else:
            failing = middle
    return float(special.bdtr(passing, n, 0.5))


def _decide(n_correct: int, n: int, reach: float, margin: float, level: float) -> Equivalence:
    """`reach` is how far the bounds lie from the accuracy at least."""
    limit, accuracy = 0.5 + margin, n_correct / n
    lower = max(min(clopper_pearson_lower(n_correct, n, level=level), accuracy - reach), 0.0)
    upper = min(max(clopper_pearson_upper(n_correct, n, level=level), accuracy + reach), 1.0)
    best = max(_best_upper(n, level), 0.5 + reach)
    if lower > limit:
        verdict, reason = "fail", f"lower bound {lower:.3f} is above {limit:.3f}"
    elif best >= limit:
        reason = (
            f"with these {n} windows even an accuracy of 1/2 has an upper bound of {best:.3f}, not below {limit:.3f}"
        )
        verdict = "not_testable"
    elif upper < limit:
        verdict, reason = "pass", f"upper bound {upper:.3f} is below {limit:.3f}"
    else:
        verdict, reason = "fail", f"upper bound {upper:.3f} is not below {limit:.3f}"
    return Equivalence(verdict, accuracy, lower, upper, margin, n, reason)


def _best_upper(n: int, level: float) -> float:
    return clopper_pearson_upper((n + 1) // 2, n, level=level)


def _check_margin(margin: float) -> None:
    if not 0 < margin < 0.5:
        raise InputError(f"The margin is {margin}; give an accuracy above chance between 0 and 0.5, for example 0.1.")
