"""The crustacean axon of Connor and Stevens: an A current lets it fire as slowly as the input asks for."""

from brian2 import mmetre, mS, mV, nF, um

from biophys.models.auditory_receptor import SPIKE_GENERATOR
from biophys.models.currents import CONNOR_STEVENS, REST
from biophys.models.model import NeuronModel, Parameter

_SOURCE = "Connor et al. 1977, Biophys J 18:81, in the form of Dayan & Abbott 2001, Theoretical Neuroscience, ch. 6"
_AREA = mmetre**2

MODEL = NeuronModel(
    name="connor_stevens",
    title="crustacean axon with an A current, Connor and Stevens",
    equations="""
dv/dt = (I/area - g_Na*m**3*h*(v - E_Na) - g_K*n**4*(v - E_K) - g_A*a**3*b*(v - E_A) - g_L*(v - E_L))/c_m : volt
gate_warming = q10_gate**((temperature_c - 18)/10) : 1
"""
    + CONNOR_STEVENS
    + """
I : amp
area : meter**2
c_m : farad/meter**2
g_Na : siemens/meter**2
g_K : siemens/meter**2
g_A : siemens/meter**2
g_L : siemens/meter**2
E_Na : volt
E_K : volt
E_A : volt
E_L : volt
temperature_c : 1
q10_gate : 1
""",
    source=_SOURCE,
    threshold="v > -20*mV",
    refractory="v > -20*mV",
    parameters=(
        Parameter("area", 1e4, um**2, "nominal: currents are relative to it"),
        Parameter("c_m", 10.0, nF / _AREA, _SOURCE, bounds=(5.0, 20.0)),
        Parameter("g_Na", 1.2, mS / _AREA, _SOURCE, bounds=(0.2, 4.0)),
        Parameter("g_K", 0.2, mS / _AREA, _SOURCE, bounds=(0.03, 1.0)),
        Parameter("g_A", 0.477, mS / _AREA, _SOURCE, bounds=(0.0, 1.5)),
        Parameter("g_L", 0.003, mS / _AREA, _SOURCE, bounds=(0.0005, 0.02)),
        Parameter("E_Na", 55.0, mV, _SOURCE),
        Parameter("E_K", -72.0, mV, _SOURCE),
        Parameter("E_A", -75.0, mV, _SOURCE),
        Parameter("E_L", -17.0, mV, _SOURCE),
        Parameter("temperature_c", 18.0, 1, SPIKE_GENERATOR.source),
        Parameter("q10_gate", SPIKE_GENERATOR.q10_rate, 1, SPIKE_GENERATOR.source),
    ),
    initial={"v": "-68*mV", **{gate: REST[gate] for gate in "mhn"}, "a": "a_inf", "b": "b_inf"},
    recommended_dt_ms=0.025,
    kinetics=(SPIKE_GENERATOR,),
    channels={"na": "g_Na", "k": "g_K", "a": "g_A", "leak": "g_L"},
    reference_c=18.0,
)
