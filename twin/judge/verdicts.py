"""From figures to claims: each rule that turns a bound into pass, fail or not testable, once."""

import math
from collections.abc import Mapping

from twin.judge.battery import caught
from twin.judge.claims import Claim
from twin.judge.equivalence import c2st_equivalence
from twin.judge.inference import Interval
from twin.judge.two_sample import ClassifierTest

# More than this share of real spikes met to 10 microseconds is no prediction but a copy.
COPY_LIMIT = 0.5


def marginal_claim(name: str, distance: float, interval: Interval, *, margin: float, separation: str) -> Claim:
    """L1: a distance to the real train whose upper bound is within the distance of real from real.

    The margin compares halves, so it carries the sampling noise of half a recording; a model that is true has the noise
    of a whole one, and passes in more than nine of ten recordings of ten 1 s blocks. A rate 20 % too high passes in
    less than one of ten.
    """
    if not math.isfinite(margin):
        verdict, reason = "not_testable", "the real recording is too short to be compared with itself"
    elif not math.isfinite(distance):
        verdict, reason = "fail", "the generated trains do not define this distribution (too few spikes)"
    elif not math.isfinite(interval.high):
        verdict, reason = "not_testable", f"{interval.n} {interval.unit}(s) give no interval"
    elif interval.high <= margin:
        verdict, reason = "pass", f"upper bound {interval.high:.4g} is within real against real, {margin:.4g}"
    else:
        verdict, reason = "fail", f"upper bound {interval.high:.4g} is above real against real, {margin:.4g}"
    return Claim(
        "L1",
        name,
        verdict,
        distance,
        interval.low,
        interval.high,
        interval.n,
        interval.unit,
        separation,
        margin,
        reason,
    )


def beats_claim(name: str, difference: float, interval: Interval, *, separation: str) -> Claim:
    """L1: a paired difference, model less baseline, whose lower bound is above zero."""
    if not math.isfinite(interval.low):
        verdict, reason = "not_testable", f"{interval.n} {interval.unit}(s) give no interval of the paired difference"
    elif interval.low > 0:
        verdict, reason = "pass", f"paired difference {difference:.4g}, lower bound {interval.low:.4g} above 0"
    else:
        verdict, reason = "fail", f"paired difference {difference:.4g}, lower bound {interval.low:.4g} not above 0"
    return Claim(
        "L1", name, verdict, difference, interval.low, interval.high, interval.n, interval.unit, separation, 0.0, reason
    )


def indistinguishable_claim(
    name: str,
    test: ClassifierTest,
    *,
    margin: float,
    separation: str,
    ceiling: ClassifierTest,
    defects: Mapping[str, ClassifierTest],
    copied: float,
) -> Claim:
    """L2: accuracy equivalent to chance, for a family that notices planted defects and a model that did not copy.

    The bounds of the claim are the two one-sided 95 % bounds of the equivalence.
    """
    equivalence = c2st_equivalence(test, margin=margin)
    verdict, reason = equivalence.verdict, equivalence.reason
    found = [defect for defect, planted in defects.items() if caught(planted)]
    if copied > COPY_LIMIT:
        verdict, reason = "fail", f"{100 * copied:.0f} % of the real spikes are copied: the generator saw the reference"
    elif verdict == "pass" and not found:
        verdict, reason = "not_testable", "this family notices none of the planted defects at this number of windows"
    missed = ", ".join(sorted(set(defects) - set(found))) or "none"
    details = [
        f"family {test.family}",
        f"{test.n} windows",
        f"real against real {_figure(ceiling)}",
        f"misses: {missed}",
    ]
    if test.p is not None:
        details.insert(2, f"permutation p {test.p:.3g} (least possible {test.smallest_p:.3g})")
    return Claim(
        "L2",
        name,
        verdict,
        equivalence.accuracy,
        equivalence.lower,
        equivalence.upper,
        test.n,
        test.unit,
        separation,
        margin,
        f"{reason}; {'; '.join(details)}",
    )


def sensitivity_claim(family: str, defects: Mapping[str, ClassifierTest], *, unit: str, separation: str) -> Claim:
    """L2: the family tells every planted defect from the real train; the figure is the share that it does."""
    tests = list(defects.values())
    missed = sorted(name for name, test in defects.items() if not caught(test))
    verdict = "not_testable" if not all(t.testable for t in tests) else "fail" if missed else "pass"
    share = 1.0 - len(missed) / len(tests) if verdict != "not_testable" else None
    reason = tests[0].reason if share is None else f"misses {', '.join(missed)}" if missed else "misses none"
    name = f"{family}_catches_planted_defects"
    return Claim("L2", name, verdict, share, None, None, len(tests), unit, separation, 1.0, reason)


def not_testable_claim(level: str, name: str, *, unit: str, separation: str, reason: str) -> Claim:
    """A claim that these data cannot decide, kept in the report so that no one reads silence as support."""
    return Claim(level, name, "not_testable", None, None, None, None, unit, separation, None, reason)


def _figure(ceiling: ClassifierTest) -> str:
    return f"{ceiling.accuracy:.3f} on {ceiling.n} windows" if ceiling.testable else f"not testable ({ceiling.reason})"
