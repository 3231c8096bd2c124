"""Calibration: find the parameters with which a model does what a recording shows.

```
calibrate        the one call; calibrate_cells for many cells as one batch
├── target       what is to be reproduced: current, voltage, spikes, and which stretch counts
├── space        what is free: bounds, scales, priors
├── problem      a plan and a target
├── plan         positions in, losses out; the same for many cells
│   ├── simulation   a population on all sweeps, one loop over time
│   ├── observer     what the amplifier shows, sample by sample
│   └── objectives   losses that are added up while the model runs
├── evaluator    populations in batches, on all devices or cores; cells_evaluator of many cells
├── hosts        work divided over the processes of one job
├── methods      searches
├── jobs         searches run to their end
│   ├── course       one search on its way
│   └── journal      written down as it goes, and taken up again
└── fit          the result
    ├── curvature    intervals and identifiability, from the second derivatives
    ├── frames       potentials as recorded and as corrected
    ├── script       the fitted cell for Brian2 alone
    └── store        on disk
profile          what each value of a quantity costs at best
posterior        draws, by NUTS
evolution        CMA-ES of any function of named quantities
```
"""

from biophys.calibrate.calibration import calibrate
from biophys.calibrate.curvature import Curvature, curvature
from biophys.calibrate.evolution import Calibration, evolve
from biophys.calibrate.fit import Fit
from biophys.calibrate.many import Cells, calibrate_cells
from biophys.calibrate.methods import DifferentialEvolution, Evolution, Gradient
from biophys.calibrate.objectives import (
    Coincidence,
    Features,
    IntervalError,
    PointProcess,
    RateError,
    TraceError,
    VanRossum,
    Weighted,
    count_loss,
    expected_count,
    rate_loss,
)
from biophys.calibrate.posterior import Posterior, sample
from biophys.calibrate.profile import Profile, profiles
from biophys.calibrate.space import Free, Prior
from biophys.calibrate.store import load, save
from biophys.calibrate.target import Target, target_of

__all__ = [
    "Calibration",
    "Cells",
    "Coincidence",
    "Curvature",
    "DifferentialEvolution",
    "Evolution",
    "Features",
    "Fit",
    "Free",
    "Gradient",
    "IntervalError",
    "PointProcess",
    "Posterior",
    "Prior",
    "Profile",
    "RateError",
    "Target",
    "TraceError",
    "VanRossum",
    "Weighted",
    "calibrate",
    "calibrate_cells",
    "count_loss",
    "curvature",
    "evolve",
    "expected_count",
    "load",
    "profiles",
    "rate_loss",
    "sample",
    "save",
    "target_of",
]
