"""A hippocampal fast-spiking interneuron of Wang and Buzsaki, whose sodium activation is instantaneous."""

from brian2 import cm, mS, mV, uF, um

from biophys.models.currents import REST
from biophys.models.model import NeuronModel, Parameter

_SOURCE = "Wang & Buzsaki 1996, J Neurosci 16:6402, Methods"

MODEL = NeuronModel(
    name="wang_buzsaki",
    title="hippocampal fast-spiking interneuron, Wang and Buzsaki 1996",
    equations="""
dv/dt = (I/area - g_Na*m_inf**3*h*(v - E_Na) - g_K*n**4*(v - E_K) - g_L*(v - E_L))/c_m : volt
m_inf = alpha_m/(alpha_m + beta_m) : 1
alpha_m = 1/exprel(-(v + 35*mV)/(10*mV))/ms : Hz
beta_m = 4*exp(-(v + 60*mV)/(18*mV))/ms : Hz
dh/dt = phi*(alpha_h*(1 - h) - beta_h*h) : 1
alpha_h = 0.07*exp(-(v + 58*mV)/(20*mV))/ms : Hz
beta_h = 1/(1 + exp(-(v + 28*mV)/(10*mV)))/ms : Hz
dn/dt = phi*(alpha_n*(1 - n) - beta_n*n) : 1
alpha_n = 0.1/exprel(-(v + 34*mV)/(10*mV))/ms : Hz
beta_n = 0.125*exp(-(v + 44*mV)/(80*mV))/ms : Hz
I : amp
area : meter**2
c_m : farad/meter**2
g_Na : siemens/meter**2
g_K : siemens/meter**2
g_L : siemens/meter**2
E_Na : volt
E_K : volt
E_L : volt
phi : 1
""",
    source=_SOURCE,
    threshold="v > -20*mV",
    refractory="v > -20*mV",
    # The instantaneous gate makes the voltage equation nonlinear in v, which exponential Euler excludes.
    method="rk4",
    parameters=(
        Parameter("area", 2e4, um**2, "nominal: currents are relative to it"),
        Parameter("c_m", 1.0, uF / cm**2, _SOURCE, bounds=(0.5, 2.0)),
        Parameter("g_Na", 35.0, mS / cm**2, _SOURCE, bounds=(10.0, 100.0)),
        Parameter("g_K", 9.0, mS / cm**2, _SOURCE, bounds=(2.0, 40.0)),
        Parameter("g_L", 0.1, mS / cm**2, _SOURCE, bounds=(0.01, 1.0)),
        Parameter("E_Na", 55.0, mV, _SOURCE),
        Parameter("E_K", -90.0, mV, _SOURCE),
        Parameter("E_L", -65.0, mV, _SOURCE, bounds=(-80.0, -50.0)),
        Parameter("phi", 5.0, 1, _SOURCE, bounds=(2.0, 10.0)),
    ),
    initial={"v": "E_L", **{gate: REST[gate] for gate in "hn"}},
    recommended_dt_ms=0.025,
    channels={"na": "g_Na", "k": "g_K", "leak": "g_L"},
)
