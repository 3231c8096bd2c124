"""The leaky integrate-and-fire neuron, alone and with an adaptation current and a moving threshold."""

from brian2 import ms, mV, nS, pA, pF

from biophys.models.model import NeuronModel, Parameter

_NOMINAL = "nominal: a cortical pyramidal cell's order of magnitude, to be calibrated"

_MEMBRANE = (
    Parameter("C", 200.0, pF, _NOMINAL, bounds=(20.0, 2000.0)),
    Parameter("g_L", 10.0, nS, _NOMINAL, bounds=(0.5, 200.0)),
    Parameter("E_L", -70.0, mV, _NOMINAL, bounds=(-90.0, -50.0)),
    Parameter("V_T", -50.0, mV, _NOMINAL, bounds=(-65.0, -20.0)),
    Parameter("V_r", -58.0, mV, _NOMINAL, bounds=(-90.0, -40.0)),
    Parameter("t_ref", 2.0, ms, _NOMINAL),
)

LIF = NeuronModel(
    name="lif",
    title="leaky integrate-and-fire",
    equations="""
dv/dt = (g_L*(E_L - v) + I)/C : volt (unless refractory)
I : amp
C : farad
g_L : siemens
E_L : volt
V_T : volt
V_r : volt
t_ref : second
""",
    source="Lapicque 1907, J Physiol Pathol Gen 9:620; Stein 1967, Biophys J 7:37",
    threshold="v > V_T",
    reset="v = V_r",
    refractory="t_ref",
    parameters=_MEMBRANE,
    initial={"v": "E_L"},
    channels={"leak": "g_L"},
)

ADAPTIVE = NeuronModel(
    name="lif_adaptive",
    title="leaky integrate-and-fire with an adaptation current and a moving threshold",
    equations="""
dv/dt = (g_L*(E_L - v) - w + I)/C : volt (unless refractory)
dw/dt = (a*(v - E_L) - w)/tau_w : amp
dtheta/dt = -theta/tau_theta : volt
I : amp
C : farad
g_L : siemens
E_L : volt
V_T : volt
V_r : volt
t_ref : second
a : siemens
b : amp
tau_w : second
delta_theta : volt
tau_theta : second
""",
    source="Treves 1993, Network 4:259 (current); Chacron et al. 2003, Neural Comput 15:253 (threshold)",
    threshold="v > V_T + theta",
    reset="v = V_r; w += b; theta += delta_theta",
    refractory="t_ref",
    parameters=(
        *_MEMBRANE,
        Parameter("a", 0.0, nS, _NOMINAL, bounds=(-20.0, 50.0)),
        Parameter("b", 40.0, pA, _NOMINAL, bounds=(0.0, 1000.0)),
        Parameter("tau_w", 100.0, ms, _NOMINAL, bounds=(5.0, 1000.0)),
        Parameter("delta_theta", 2.0, mV, _NOMINAL, bounds=(0.0, 30.0)),
        Parameter("tau_theta", 20.0, ms, _NOMINAL, bounds=(1.0, 500.0)),
    ),
    initial={"v": "E_L"},
    channels={"leak": "g_L"},
)
