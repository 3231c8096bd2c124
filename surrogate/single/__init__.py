"""The surrogate of one unit, in the role that a twin couples: a waveform and past spikes give the next spike's chance.

The circuit of a twin owns its refractoriness, so this model gives its answer in parts (stimulus, slow and fast
history), which the population model has no need of.
"""

from surrogate.single.config import SurrogateConfig
from surrogate.single.stepper import PointProcessSurrogate
from surrogate.single.train import Fit, fit

__all__ = ["Fit", "PointProcessSurrogate", "SurrogateConfig", "fit"]
