"""The surrogate: what a recording predicts about itself, learned with Flax.

Flax lives in this package and nowhere else; the package knows `twin` and never meets the biophysics.
"""

from surrogate.config import SurrogateConfig
from surrogate.stepper import Surrogate
from surrogate.train import Fit, fit

__all__ = ["Fit", "Surrogate", "SurrogateConfig", "fit"]
