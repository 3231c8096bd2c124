"""The adaptive leaky integrate-and-fire neuron whose threshold follows the voltage as well."""

import dataclasses

from biophys.models import ALL, lif
from biophys.models.model import NeuronModel, Parameter

_SOURCE = "nominal, to be calibrated"
_EQUATIONS = """
dphi/dt = (k_phi*(v - E_L) - phi)/tau_phi : volt
k_phi : 1
tau_phi : second
"""

# A threshold that rises with the voltage (Platkiewicz & Brette 2011, PLoS Comput Biol 7:e1001129): what is slow is
# followed and does not fire the cell, what is fast does.
COUPLED: NeuronModel = dataclasses.replace(
    lif.ADAPTIVE,
    name="lif_coupled",
    title="leaky integrate-and-fire with an adaptation current, a moving threshold, and one that follows the voltage",
    equations=lif.ADAPTIVE.equations + _EQUATIONS,
    threshold="v > V_T + theta + phi",
    parameters=(
        *lif.ADAPTIVE.parameters,
        Parameter("k_phi", 0.3, 1, _SOURCE, bounds=(0.0, 1.0)),
        Parameter("tau_phi", 5.0, lif.ADAPTIVE.parameter("tau_theta").unit, _SOURCE, bounds=(0.5, 100.0)),
    ),
)

# What can be fitted to spike times, by name.
SPIKING = {**ALL, COUPLED.name: COUPLED}
