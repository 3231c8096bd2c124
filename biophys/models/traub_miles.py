"""A hippocampal pyramidal cell's spike generator after Traub and Miles, as it is used for network benchmarks."""

from brian2 import cm, mS, mV, uF, um, uS

from biophys.models.currents import REST, TRAUB_MILES
from biophys.models.model import Kinetics, NeuronModel, Parameter
from twin.protocol import Covariate, Protocol

_KINETICS = "Traub & Miles 1991, Neuronal Networks of the Hippocampus"
_BRETTE = "Brette et al. 2007, J Comput Neurosci 23:349, benchmark 3"

# Where the voltages were measured, and with which electrodes, is not stated with the equations.
SPIKE_GENERATOR = Kinetics(
    name="sodium and delayed rectifier (m, h, n)",
    measured=Protocol(
        {"temperature": Covariate(36.0, "degC", "reported", "authors' NEURON file HH_traub of Pospischil et al. 2008")}
    ),
    q10_rate=3.0,
    shift_parameter=None,
    half_voltages={},
    source=_KINETICS,
)

MODEL = NeuronModel(
    name="traub_miles",
    title="hippocampal pyramidal cell, Traub and Miles 1991",
    equations="""
dv/dt = (I/area - g_Na*m**3*h*(v - E_Na) - g_K*n**4*(v - E_K) - g_L*(v - E_L))/c_m : volt
gate_warming = q10_gate**((temperature_c - 36)/10) : 1
"""
    + TRAUB_MILES
    + """
I : amp
area : meter**2
c_m : farad/meter**2
g_Na : siemens/meter**2
g_K : siemens/meter**2
g_L : siemens/meter**2
E_Na : volt
E_K : volt
E_L : volt
V_T : volt
temperature_c : 1
q10_gate : 1
""",
    source=f"{_KINETICS}; {_BRETTE}",
    threshold="v > -20*mV",
    refractory="v > -20*mV",
    parameters=(
        Parameter("area", 2e4, um**2, _BRETTE, bounds=(1e3, 2e5)),
        Parameter("c_m", 1.0, uF / cm**2, _BRETTE, bounds=(0.5, 2.0)),
        Parameter("g_Na", 100.0, mS / cm**2, _BRETTE, bounds=(10.0, 300.0)),
        Parameter("g_K", 30.0, mS / cm**2, _BRETTE, bounds=(1.0, 100.0)),
        Parameter("g_L", 50.0, uS / cm**2, _BRETTE, bounds=(5.0, 500.0)),
        Parameter("E_Na", 50.0, mV, _BRETTE),
        Parameter("E_K", -90.0, mV, _BRETTE),
        Parameter("E_L", -60.0, mV, _BRETTE, bounds=(-80.0, -50.0)),
        Parameter("V_T", -63.0, mV, _BRETTE, bounds=(-75.0, -45.0)),
        Parameter("temperature_c", 36.0, 1, SPIKE_GENERATOR.source),
        Parameter("q10_gate", 3.0, 1, "authors' NEURON file HH_traub of Pospischil et al. 2008"),
    ),
    initial={"v": "E_L", **{gate: REST[gate] for gate in "mhn"}},
    recommended_dt_ms=0.025,
    kinetics=(SPIKE_GENERATOR,),
    channels={"na": "g_Na", "k": "g_K", "leak": "g_L"},
    reference_c=36.0,
)
