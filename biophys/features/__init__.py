"""What calibration looks at in a response to a current step: eFEL's features, and differentiable counterparts."""

from biophys.features.extraction import Feature, extract
from biophys.features.smooth import Step, smooth_features
from biophys.features.steps import STEP_FEATURES, Kind

__all__ = ["STEP_FEATURES", "Feature", "Kind", "Step", "extract", "smooth_features"]
