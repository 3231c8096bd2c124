"""Known rates, found again for a new animal: `python -m benchmarks.synthetic_vision [--peer PYTHON]`; see --help.

Animals differ in units, receptive fields, rates, gain by behaviour and temperature. A core is trained on all but the
last; the last one gets a readout of its own from some minutes of data, and is trained from scratch beside it. Scores
are CC_norm on repeats of a movie that nobody was trained on, by formula and by the true rates. With PYTHON, one that
has neuralpredictors (`benchmarks/neuralpredictors_model.py` says how), its core and readout do the same.
The exit code is 1 if the adapted model is below .9, if the formula misses the truth, or if a planted defect is missed.
"""

import argparse
import os
import sys
from pathlib import Path

from benchmarks.synthetic_vision.animals import Sizes, animals
from benchmarks.synthetic_vision.models import Plan, expected
from benchmarks.synthetic_vision.peer_job import peer_scores
from benchmarks.synthetic_vision.report import print_defects, print_scores, print_truth, write_scores
from benchmarks.synthetic_vision.scores import defects, score


def main() -> int:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, nargs="+", default=[1.0, 4.0, 13.5], help="of the new animal's data")
    parser.add_argument("--steps", type=int, default=2000, help="of the core; a readout gets a quarter, scratch half")
    parser.add_argument("--peer", default=os.environ.get("NEUROTWIN_PEER"), help="Python that has neuralpredictors")
    parser.add_argument("--threads", type=int, default=1, help="of the peer")
    parser.add_argument("--seed", type=int, default=0, help="of everything random")
    parser.add_argument("--out", type=Path, help="file for the scores of every unit (.csv)")
    options = parser.parse_args()
    *known, new = animals(Sizes(), options.seed)
    print_truth(new)
    plan = Plan(options.steps, options.steps // 4, options.steps // 2, seed=options.seed)
    found = []
    core = plan.core(known)
    for minutes in options.minutes:
        adapted = plan.adapted(core, new, minutes)
        found.append(score("adapted", minutes, expected(adapted, new.tree, new), new))
        scratch = plan.from_scratch(new, minutes)
        found.append(score("from scratch", minutes, expected(scratch, new.tree, new), new))
    if options.peer:
        found += peer_scores(options.peer, [*known, new], options.minutes, plan, options.threads)
    else:
        print("\nNo Python with neuralpredictors is given (--peer): its rows are left out.")
    wrong = defects(adapted, new, options.minutes[-1], options.seed)
    if options.out is not None:
        write_scores([*found, *wrong], options.out)
    is_right = print_scores(found)
    return 0 if print_defects(wrong) and is_right else 1


if __name__ == "__main__":
    sys.exit(main())
