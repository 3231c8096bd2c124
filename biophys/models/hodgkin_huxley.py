"""The squid giant axon of Hodgkin and Huxley, with voltages as inside minus outside and rest at -65 mV."""

from brian2 import cm, mS, mV, uF, um

from biophys.models.currents import REST
from biophys.models.model import Kinetics, NeuronModel, Parameter
from twin.protocol import Covariate, Protocol

_SOURCE = "Hodgkin & Huxley 1952, J Physiol 117:500"
_SHIFTED = _SOURCE + ", as inside minus outside with rest at -65 mV"

SQUID = Kinetics(
    name="squid axon gates (m, h, n)",
    # The paper gives voltages relative to rest, so that an offset of the electrodes cancels; it reports none.
    measured=Protocol({"temperature": Covariate(6.3, "degC", "reported", _SOURCE)}),
    q10_rate=3.0,
    shift_parameter=None,
    half_voltages={},
    source=_SOURCE,
)

MODEL = NeuronModel(
    name="hodgkin_huxley",
    title="squid giant axon, Hodgkin and Huxley 1952",
    equations="""
dv/dt = (I/area - g_Na*m**3*h*(v - E_Na) - g_K*n**4*(v - E_K) - g_L*(v - E_L))/c_m : volt
gate_warming = q10_gate**((temperature_c - 6.3)/10) : 1
dm/dt = gate_warming*(alpha_m*(1 - m) - beta_m*m) : 1
alpha_m = 1/exprel(-(v + 40*mV)/(10*mV))/ms : Hz
beta_m = 4*exp(-(v + 65*mV)/(18*mV))/ms : Hz
dh/dt = gate_warming*(alpha_h*(1 - h) - beta_h*h) : 1
alpha_h = 0.07*exp(-(v + 65*mV)/(20*mV))/ms : Hz
beta_h = 1/(1 + exp(-(v + 35*mV)/(10*mV)))/ms : Hz
dn/dt = gate_warming*(alpha_n*(1 - n) - beta_n*n) : 1
alpha_n = 0.1/exprel(-(v + 55*mV)/(10*mV))/ms : Hz
beta_n = 0.125*exp(-(v + 65*mV)/(80*mV))/ms : Hz
I : amp
area : meter**2
c_m : farad/meter**2
g_Na : siemens/meter**2
g_K : siemens/meter**2
g_L : siemens/meter**2
E_Na : volt
E_K : volt
E_L : volt
temperature_c : 1
q10_gate : 1
""",
    source=_SOURCE,
    threshold="v > -20*mV",
    refractory="v > -20*mV",
    parameters=(
        Parameter("area", 1e4, um**2, "nominal: currents are relative to it"),
        Parameter("c_m", 1.0, uF / cm**2, _SOURCE, bounds=(0.5, 2.0)),
        Parameter("g_Na", 120.0, mS / cm**2, _SOURCE, bounds=(40.0, 360.0)),
        Parameter("g_K", 36.0, mS / cm**2, _SOURCE, bounds=(12.0, 108.0)),
        Parameter("g_L", 0.3, mS / cm**2, _SOURCE, bounds=(0.05, 2.0)),
        Parameter("E_Na", 50.0, mV, _SHIFTED),
        Parameter("E_K", -77.0, mV, _SHIFTED),
        Parameter("E_L", -54.387, mV, _SHIFTED + "; so that the current at rest is zero"),
        Parameter("temperature_c", 6.3, 1, _SOURCE),
        Parameter("q10_gate", 3.0, 1, "Hodgkin & Huxley 1952"),
    ),
    initial={"v": "-65*mV", **{gate: REST[gate] for gate in "mhn"}},
    recommended_dt_ms=0.025,
    kinetics=(SQUID,),
    channels={"na": "g_Na", "k": "g_K", "leak": "g_L"},
    reversal_potentials=(),
    reference_c=6.3,
)
