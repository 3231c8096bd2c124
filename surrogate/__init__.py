"""The surrogate: what recordings predict about themselves, learned with Flax.

Flax lives in this package and nowhere else; the package knows `twin` and never meets the biophysics.

`fit` trains one model on many sessions, `adapt` gives it a readout for a new one, `Surrogate` predicts, samples and
unrolls. `surrogate.single` is the model of one unit that a twin couples with a circuit.
"""

from surrogate.adapt import adapt, introduce, minutes_curve
from surrogate.config import Config
from surrogate.train import Fit, fit
from surrogate.trained import Prediction, Surrogate

__all__ = ["Config", "Fit", "Prediction", "Surrogate", "adapt", "fit", "introduce", "minutes_curve"]
