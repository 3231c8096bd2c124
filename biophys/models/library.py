"""All published models by name: a new one is a new module and one line here."""

from biophys.models import (
    adex,
    auditory_receptor,
    connor_stevens,
    gif,
    hodgkin_huxley,
    lif,
    lif_conductance,
    opsins,
    passive,
    plasticity,
    pospischil,
    pyramidal,
    receptors,
    traub_miles,
    wang_buzsaki,
)
from biophys.models.model import NeuronModel
from biophys.models.morphology import MorphologyModel
from biophys.models.opsin import OpsinModel
from biophys.models.synapse import SynapseModel

NEURONS = (
    auditory_receptor.MODEL,
    passive.MODEL,
    lif.LIF,
    lif.ADAPTIVE,
    lif_conductance.MODEL,
    adex.MODEL,
    gif.MODEL,
    hodgkin_huxley.MODEL,
    traub_miles.MODEL,
    pospischil.FS,
    pospischil.RS,
    pospischil.IB,
    pospischil.LTS,
    connor_stevens.MODEL,
    wang_buzsaki.MODEL,
)

SYNAPSES = (
    receptors.AMPA,
    receptors.NMDA,
    receptors.GABA_A,
    receptors.GABA_B,
    plasticity.TSODYKS_MARKRAM,
    plasticity.STDP,
)

OPSINS = (
    opsins.CHR2,
    opsins.CHR2_H134R,
    opsins.CHRIMSON,
    opsins.GTACR2,
    opsins.ENPHR3,
)

MORPHOLOGIES = (pyramidal.PYRAMIDAL,)

# The neurons that a command takes by name.
ALL: dict[str, NeuronModel] = {model.name: model for model in NEURONS}

# Kind -> name -> model: everything there is.
KINDS: dict[str, dict[str, NeuronModel | SynapseModel | OpsinModel | MorphologyModel]] = {
    "neuron": {model.name: model for model in NEURONS},
    "synapse": {model.name: model for model in SYNAPSES},
    "opsin": {model.name: model for model in OPSINS},
    "morphology": {model.name: model for model in MORPHOLOGIES},
}
