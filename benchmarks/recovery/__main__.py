"""Recovery of known parameters: `python -m benchmarks.recovery [MODEL ...] [--sets 50] [--sampler nuts]`; see --help.

Parameter sets are drawn from the prior and recorded with Brian2 under a noise current, noise is added to the voltage,
and every recording is calibrated without the truth. Tables are Markdown: how found and true values go together, how
often the 90 % intervals hold the truth, and whether the rank of the truth among draws from the posterior is even
(simulation-based calibration). `junction` records with a junction potential and fits with and without its correction.
The exit code is 1 if a table is not as it should be.
"""

import argparse
import sys
from pathlib import Path

import jax
import numpy as np

from benchmarks.recovery import junction
from benchmarks.recovery.cases import ALL_CASES
from benchmarks.recovery.recover import Recovered, recover
from benchmarks.recovery.report import draw_figure, print_junction, print_recovery, print_summary

JUNCTION = "junction"


def main() -> int:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    everything = [*ALL_CASES, JUNCTION]
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"some of {', '.join(everything)}; all if not given")
    parser.add_argument("--sets", type=int, default=50, help="parameter sets of each model")
    parser.add_argument("--seed", type=int, default=0, help="of everything random")
    parser.add_argument("--sampler", choices=("laplace", "nuts"), default="laplace", help="of the posteriors")
    parser.add_argument("--out", type=Path, help="folder for the numbers (.npz) and a figure of each model")
    options = parser.parse_args()
    chosen = options.models or everything
    if unknown := sorted(set(chosen) - set(everything)):
        parser.error(f"no model {', '.join(unknown)}; there are {', '.join(everything)}")
    jax.config.update("jax_enable_x64", True)
    found = []
    for name in (one for one in everything if one in chosen and one != JUNCTION):
        one = recover(ALL_CASES[name], options.sets, options.seed, sampler=options.sampler)
        print_recovery(one)
        if options.out is not None:
            _keep(one, options.out)
        found.append(one)
    is_right = print_summary(found) if found else True
    if JUNCTION in chosen:
        for case in junction.CASES:
            is_right &= print_junction(junction.compare(case, options.sets, options.seed))
    return 0 if is_right else 1


def _keep(found: Recovered, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    arrays = {one: getattr(found, one) for one in ("truth", "found", "low", "high", "undecided", "surplus", "draws")}
    np.savez(out / f"{found.case.name}.npz", names=np.array(found.case.space.names), **arrays)
    draw_figure(found, out / f"{found.case.name}.png")


if __name__ == "__main__":
    sys.exit(main())
