"""Methods: ways to search, one file each."""

from biophys.calibrate.methods.cma_es import Evolution
from biophys.calibrate.methods.differential_evolution import DifferentialEvolution
from biophys.calibrate.methods.gradient import Gradient
from biophys.calibrate.methods.method import Ending, Method

__all__ = ["DifferentialEvolution", "Ending", "Evolution", "Gradient", "Method"]
