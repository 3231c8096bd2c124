"""Published neuron models as data: Brian2 equations, parameters with sources, and the conditions of measurement."""

from biophys.models.library import ALL
from biophys.models.model import Kinetics, NeuronModel, Parameter

__all__ = ["ALL", "Kinetics", "NeuronModel", "Parameter"]
