"""Calibration: find the parameters with which a model does what a recording shows."""

from biophys.calibrate.evolution import Calibration, Free, evolve
from biophys.calibrate.objectives import count_loss, expected_count, rate_loss

__all__ = ["Calibration", "Free", "count_loss", "evolve", "expected_count", "rate_loss"]
