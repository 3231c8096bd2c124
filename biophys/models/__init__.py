"""Published models as data: Brian2 equations, parameters with sources, and the conditions of measurement."""

from biophys.models.from_text import from_equations, with_currents
from biophys.models.group import neuron_group, set_values
from biophys.models.library import ALL, KINDS
from biophys.models.model import Kinetics, NeuronModel, Parameter
from biophys.models.morphology import MorphologyModel, Section, spatial_neuron
from biophys.models.opsin import OpsinModel, with_opsin
from biophys.models.synapse import SynapseModel, synapses

__all__ = [
    "ALL",
    "KINDS",
    "Kinetics",
    "MorphologyModel",
    "NeuronModel",
    "OpsinModel",
    "Parameter",
    "Section",
    "SynapseModel",
    "from_equations",
    "neuron_group",
    "set_values",
    "spatial_neuron",
    "synapses",
    "with_currents",
    "with_opsin",
]
