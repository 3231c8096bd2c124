"""Objectives: what a calibration makes small, one file for each kind."""

from biophys.calibrate.objectives.coincidence import Coincidence
from biophys.calibrate.objectives.expected_count import count_loss, expected_count, rate_loss
from biophys.calibrate.objectives.features import Features
from biophys.calibrate.objectives.intervals import IntervalError, RateError
from biophys.calibrate.objectives.objective import Likelihood, Objective, Prepared, Weighted
from biophys.calibrate.objectives.point_process import PointProcess
from biophys.calibrate.objectives.trace import TraceError
from biophys.calibrate.objectives.van_rossum import VanRossum

__all__ = [
    "Coincidence",
    "Features",
    "IntervalError",
    "Likelihood",
    "Objective",
    "PointProcess",
    "Prepared",
    "RateError",
    "TraceError",
    "VanRossum",
    "Weighted",
    "count_loss",
    "expected_count",
    "rate_loss",
]
