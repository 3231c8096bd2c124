"""Continuous targets from feature streams: `python -m benchmarks.feature_streams [--parcels 200] [--seed 0]`.

Six subjects watch a film each; the surrogate learns what they share and what is their own. New subjects watch another:
they are predicted as the average subject, and after 2, 6 and 20 minutes of it; all are scored on one more film.
Tables are Markdown: correlation by parcel beside what the generator allows and beside ridge regressions, what is lost
without a modality beside what the generator says, and two defects that have to show. `fmri` runs the real series alone.
The exit code is 1 if a table is not as it should be.
"""

import argparse
import sys

from benchmarks.feature_streams import bold, known
from benchmarks.feature_streams.report import print_fmri, print_known


def main() -> int:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="some of known, fmri; both if not given")
    parser.add_argument("--parcels", type=int, default=200, help="of each subject")
    parser.add_argument("--minutes", type=float, default=20, help="of film that each known subject watches")
    parser.add_argument("--seed", type=int, default=0, help="of everything random")
    options = parser.parse_args()
    if unknown := sorted(set(options.parts) - {"known", "fmri"}):
        parser.error(f"no part {', '.join(unknown)}; there are known and fmri")
    is_right = True
    if "known" in options.parts or not options.parts:
        sizes = known.Sizes(parcels=options.parcels, train_s=round(60 * options.minutes))
        is_right &= print_known(known.run(sizes, options.seed), options.seed)
    if "fmri" in options.parts or not options.parts:
        is_right &= print_fmri(bold.predict(options.seed), options.seed)
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
