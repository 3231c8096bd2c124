"""Four classes of cortical neurons by Pospischil et al. 2008: each is the one before it with a current more.

Fast spiking (FS) has sodium and delayed rectifier, regular spiking (RS) adds the M current, intrinsically bursting (IB)
adds a high-threshold and low-threshold spiking (LTS) a low-threshold calcium current. Numbers are those of the authors'
NEURON files, which run at 36 degC; the calcium reversal potential is constant, as in the paper, where those files let
it follow the calcium that enters.
"""

from brian2 import cm, mS, ms, mV, uF, um, uS

from biophys.models.currents import L_CALCIUM, M_CURRENT, REST, T_CALCIUM, TRAUB_MILES
from biophys.models.model import Kinetics, NeuronModel, Parameter
from biophys.models.traub_miles import SPIKE_GENERATOR
from twin.protocol import Covariate, Protocol

_PAPER = "Pospischil et al. 2008, Biol Cybern 99:427"
_FILES = f"{_PAPER}, authors' NEURON files"
_AT_36 = Protocol({"temperature": Covariate(36.0, "degC", "reported", _FILES)})
_DENSITY = mS / cm**2

# The instantaneous gate s makes the voltage equation of LTS nonlinear in v, which exponential Euler excludes; and
# exponential Euler of the others at the same step misses two spikes of the burst of IB.
_METHOD = "rk4"


def _kinetics(name: str, measured: Protocol, q10: float, source: str) -> Kinetics:
    return Kinetics(name, measured, q10_rate=q10, shift_parameter=None, half_voltages={}, source=source)


_M = _kinetics("M current (p)", _AT_36, 2.3, "Yamada et al. 1989, in Methods in Neuronal Modeling, p. 97")
_L = _kinetics("high-threshold calcium current (q, r)", _AT_36, 3.0, "Reuveni et al. 1993, J Neurosci 13:4609")
_T = _kinetics(
    "low-threshold calcium current (u)",
    Protocol({"temperature": Covariate(24.0, "degC", "reported", "authors' NEURON file IT_huguenard")}),
    3.0,
    "Huguenard & McCormick 1992, J Neurophysiol 68:1373",
)

_DECLARED = """
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
gate_warming = q10_gate**((temperature_c - 36)/10) : 1
"""
_WITH_M = """
m_current_warming = q10_m_current**((temperature_c - 36)/10) : 1
g_M : siemens/meter**2
tau_max : second
q10_m_current : 1
"""
_WITH_L = """
l_calcium_warming = q10_l_calcium**((temperature_c - 36)/10) : 1
g_Ca_L : siemens/meter**2
E_Ca : volt
q10_l_calcium : 1
"""
_WITH_T = """
t_calcium_warming = q10_t_calcium**((temperature_c - 24)/10) : 1
g_Ca_T : siemens/meter**2
E_Ca : volt
V_x : volt
q10_t_calcium : 1
"""


def _membrane(*currents: str) -> str:
    flows = ("g_Na*m**3*h*(v - E_Na)", "g_K*n**4*(v - E_K)", "g_L*(v - E_L)", *currents)
    return f"\ndv/dt = (I/area - {' - '.join(flows)})/c_m : volt\n"


def _spike_generator(area_um2: float, g_k: float, g_l: float, e_l: float) -> tuple[Parameter, ...]:
    return (
        Parameter("area", area_um2, um**2, _FILES, bounds=(1e3, 2e5)),
        Parameter("c_m", 1.0, uF / cm**2, _FILES, bounds=(0.5, 2.0)),
        Parameter("g_Na", 50.0, _DENSITY, _FILES, bounds=(10.0, 200.0)),
        Parameter("g_K", g_k, _DENSITY, _FILES, bounds=(1.0, 50.0)),
        Parameter("g_L", g_l, uS / cm**2, _FILES, bounds=(2.0, 500.0)),
        Parameter("E_Na", 50.0, mV, _FILES),
        Parameter("E_K", -100.0, mV, _FILES),
        Parameter("E_L", e_l, mV, _FILES, bounds=(-95.0, -55.0)),
        Parameter("V_T", -55.0, mV, _FILES, bounds=(-70.0, -45.0)),
        Parameter("temperature_c", 36.0, 1, _FILES),
        Parameter("q10_gate", SPIKE_GENERATOR.q10_rate, 1, _FILES),
    )


def _m_current(g_m: float) -> tuple[Parameter, ...]:
    return (
        Parameter("g_M", g_m, uS / cm**2, _FILES, bounds=(0.0, 500.0)),
        Parameter("tau_max", 1000.0, ms, _FILES, bounds=(200.0, 4000.0)),
        Parameter("q10_m_current", _M.q10_rate, 1, _FILES),
    )


_REST = {"v": "E_L", **{gate: REST[gate] for gate in "mhn"}}
_CHANNELS = {"na": "g_Na", "k": "g_K", "leak": "g_L"}
_E_CA = Parameter("E_Ca", 120.0, mV, _PAPER)

FS = NeuronModel(
    name="pospischil_fs",
    title="fast-spiking cortical interneuron, Pospischil et al. 2008",
    equations=_membrane() + TRAUB_MILES + _DECLARED,
    source=_PAPER,
    threshold="v > -20*mV",
    refractory="v > -20*mV",
    method=_METHOD,
    parameters=_spike_generator(14103.0, g_k=10.0, g_l=150.0, e_l=-70.0),
    initial=_REST,
    recommended_dt_ms=0.025,
    kinetics=(SPIKE_GENERATOR,),
    channels=_CHANNELS,
    reference_c=36.0,
)

RS = NeuronModel(
    name="pospischil_rs",
    title="regular-spiking cortical pyramidal cell, Pospischil et al. 2008",
    equations=_membrane("g_M*p*(v - E_K)") + TRAUB_MILES + M_CURRENT + _DECLARED + _WITH_M,
    source=_PAPER,
    threshold="v > -20*mV",
    refractory="v > -20*mV",
    method=_METHOD,
    parameters=_spike_generator(28953.0, g_k=5.0, g_l=100.0, e_l=-70.0) + _m_current(70.0),
    initial={**_REST, "p": "p_inf"},
    recommended_dt_ms=0.025,
    kinetics=(SPIKE_GENERATOR, _M),
    channels={**_CHANNELS, "m": "g_M"},
    reference_c=36.0,
)

IB = NeuronModel(
    name="pospischil_ib",
    title="intrinsically bursting cortical pyramidal cell, Pospischil et al. 2008",
    equations=_membrane("g_M*p*(v - E_K)", "g_Ca_L*q**2*r*(v - E_Ca)")
    + TRAUB_MILES
    + M_CURRENT
    + L_CALCIUM
    + _DECLARED
    + _WITH_M
    + _WITH_L,
    source=_PAPER,
    threshold="v > -20*mV",
    refractory="v > -20*mV",
    method=_METHOD,
    parameters=_spike_generator(28953.0, g_k=5.0, g_l=10.0, e_l=-85.0)
    + _m_current(30.0)
    + (
        Parameter("g_Ca_L", 170.0, uS / cm**2, _FILES, bounds=(0.0, 500.0)),
        _E_CA,
        Parameter("q10_l_calcium", 3.0, 1, "assumed as for the sodium current: the authors' file has none"),
    ),
    initial={**_REST, "p": "p_inf", "q": REST["q"], "r": REST["r"]},
    recommended_dt_ms=0.025,
    kinetics=(SPIKE_GENERATOR, _M, _L),
    channels={**_CHANNELS, "m": "g_M", "ca_l": "g_Ca_L"},
    reference_c=36.0,
)

LTS = NeuronModel(
    name="pospischil_lts",
    title="low-threshold spiking cortical cell, Pospischil et al. 2008",
    equations=_membrane("g_M*p*(v - E_K)", "g_Ca_T*s_inf**2*u*(v - E_Ca)")
    + TRAUB_MILES
    + M_CURRENT
    + T_CALCIUM
    + _DECLARED
    + _WITH_M
    + _WITH_T,
    source=f"{_PAPER}; Destexhe et al. 2001, Neurocomputing 38:555",
    threshold="v > -20*mV",
    refractory="v > -20*mV",
    method=_METHOD,
    parameters=_spike_generator(28953.0, g_k=5.0, g_l=10.0, e_l=-60.0)
    + _m_current(30.0)
    + (
        Parameter("g_Ca_T", 400.0, uS / cm**2, _FILES, bounds=(0.0, 2000.0)),
        _E_CA,
        Parameter("V_x", 2.0, mV, _FILES + ": shift for 2 mM of external calcium"),
        Parameter("q10_t_calcium", _T.q10_rate, 1, _FILES),
    ),
    initial={**_REST, "p": "p_inf", "u": "u_inf"},
    recommended_dt_ms=0.025,
    kinetics=(SPIKE_GENERATOR, _M, _T),
    channels={**_CHANNELS, "m": "g_M", "ca_t": "g_Ca_T"},
    reference_c=36.0,
)
