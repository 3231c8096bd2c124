"""Synapses whose strength follows from the spikes: short-term plasticity, and spike-timing-dependent plasticity.

Both inject a current that decays exponentially.
"""

from brian2 import ms, pA

from biophys.models.model import UNVERIFIED, Parameter
from biophys.models.synapse import SynapseModel

_TSODYKS = "Tsodyks, Pawelzik & Markram 1998, Neural Comput 10:821"
_SONG = "Song, Miller & Abbott 2000, Nat Neurosci 3:919"
_EXPONENTIAL = """
dI_decaying/dt = -I_decaying/tau_I : amp (clock-driven)
{current}_post = I_decaying : amp (summed)
tau_I : second (shared)
"""

TSODYKS_MARKRAM = SynapseModel(
    name="tsodyks_markram",
    title="short-term depression and facilitation, Tsodyks and Markram",
    equations="""
du/dt = -u/tau_facil : 1 (event-driven)
dx/dt = (1 - x)/tau_rec : 1 (event-driven)
A : amp
U : 1
tau_rec : second
tau_facil : second
"""
    + _EXPONENTIAL,
    source=f"{_TSODYKS}; Markram, Wang & Tsodyks 1998, PNAS 95:5323",
    on_pre="u += U*(1 - u); I_decaying += A*u*x; x -= u*x",
    parameters=(
        Parameter("A", 250.0, pA, _TSODYKS + ", depressing" + UNVERIFIED, bounds=(0.0, 5000.0)),
        Parameter("U", 0.5, 1, _TSODYKS + ", depressing" + UNVERIFIED, bounds=(0.01, 1.0)),
        Parameter("tau_rec", 800.0, ms, _TSODYKS + ", depressing" + UNVERIFIED, bounds=(5.0, 3000.0)),
        Parameter("tau_facil", 1.0, ms, "next to none: the depressing synapse of the source", bounds=(0.1, 3000.0)),
        Parameter("tau_I", 3.0, ms, _TSODYKS + UNVERIFIED),
    ),
    initial={"x": "1"},
)

STDP = SynapseModel(
    name="stdp",
    title="additive spike-timing-dependent plasticity of all pairs",
    equations="""
w : 1
dtrace_plus/dt = -trace_plus/tau_plus : 1 (event-driven)
dtrace_minus/dt = -trace_minus/tau_minus : 1 (event-driven)
I_max : amp (shared)
w_max : 1 (shared)
A_plus : 1 (shared)
A_minus : 1 (shared)
tau_plus : second (shared)
tau_minus : second (shared)
"""
    + _EXPONENTIAL,
    source=_SONG,
    on_pre="I_decaying += w*I_max; trace_plus += A_plus; w = clip(w + trace_minus, 0, w_max)",
    on_post="trace_minus -= A_minus; w = clip(w + trace_plus, 0, w_max)",
    parameters=(
        Parameter("w", 0.5, 1, "nominal: the middle of the range"),
        Parameter("w_max", 1.0, 1, "convention: the current is in I_max"),
        Parameter("I_max", 50.0, pA, "nominal: the strength is the network's"),
        Parameter("A_plus", 0.005, 1, _SONG + UNVERIFIED, bounds=(0.0, 0.1)),
        Parameter("A_minus", 0.00525, 1, _SONG + ": 1.05 times A_plus" + UNVERIFIED, bounds=(0.0, 0.1)),
        Parameter("tau_plus", 20.0, ms, _SONG + UNVERIFIED, bounds=(2.0, 100.0)),
        Parameter("tau_minus", 20.0, ms, _SONG + UNVERIFIED, bounds=(2.0, 100.0)),
        Parameter("tau_I", 5.0, ms, "nominal: a fast excitatory synapse"),
    ),
)
