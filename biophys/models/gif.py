"""The generalised integrate-and-fire neuron: spike-triggered currents, moving threshold, escape noise.

The spike-triggered current eta and the movement of the threshold gamma are sums of exponentials, three and two of them.
The hazard is `hazard = lambda_0*exp((v - V_threshold)/Delta_V)` (Mensi et al. 2012), and the probability of a
spike within a step is 1 - exp(-hazard*dt): 0.0198 for 200 Hz and 0.1 ms.
"""

from brian2 import Hz, ms, mV, nS, pA, pF

from biophys.models.model import NeuronModel, Parameter

_NOMINAL = "nominal: the order of magnitude of layer 5 pyramidal cells in the source, to be calibrated"
_FIXED = "convention of the source: lambda_0 and V_T_star only act together, so one is fixed"

MODEL = NeuronModel(
    name="gif",
    title="generalised integrate-and-fire with adaptation kernels, moving threshold and escape noise",
    equations="""
dv/dt = (g_L*(E_L - v) - eta_1 - eta_2 - eta_3 + I)/C : volt (unless refractory)
deta_1/dt = -eta_1/tau_eta_1 : amp
deta_2/dt = -eta_2/tau_eta_2 : amp
deta_3/dt = -eta_3/tau_eta_3 : amp
dgamma_1/dt = -gamma_1/tau_gamma_1 : volt
dgamma_2/dt = -gamma_2/tau_gamma_2 : volt
V_threshold = V_T_star + gamma_1 + gamma_2 : volt
hazard = lambda_0*exp((v - V_threshold)/Delta_V) : Hz
I : amp
C : farad
g_L : siemens
E_L : volt
V_r : volt
t_ref : second
V_T_star : volt
Delta_V : volt
lambda_0 : Hz
a_eta_1 : amp
a_eta_2 : amp
a_eta_3 : amp
tau_eta_1 : second
tau_eta_2 : second
tau_eta_3 : second
a_gamma_1 : volt
a_gamma_2 : volt
tau_gamma_1 : second
tau_gamma_2 : second
""",
    source="Mensi et al. 2012, J Neurophysiol 107:1756; Pozzorini et al. 2015, PLoS Comput Biol 11:e1004275",
    threshold="rand() < -expm1(-hazard*dt)",
    reset="""
v = V_r
eta_1 += a_eta_1
eta_2 += a_eta_2
eta_3 += a_eta_3
gamma_1 += a_gamma_1
gamma_2 += a_gamma_2
""",
    refractory="t_ref",
    parameters=(
        Parameter("C", 150.0, pF, _NOMINAL, bounds=(20.0, 2000.0)),
        Parameter("g_L", 8.0, nS, _NOMINAL, bounds=(0.5, 200.0)),
        Parameter("E_L", -65.0, mV, _NOMINAL, bounds=(-90.0, -50.0)),
        Parameter("V_r", -55.0, mV, _NOMINAL, bounds=(-90.0, -20.0)),
        Parameter("t_ref", 4.0, ms, "convention of Pozzorini et al. 2015"),
        Parameter("V_T_star", -48.0, mV, _NOMINAL, bounds=(-65.0, -20.0)),
        Parameter("Delta_V", 1.0, mV, _NOMINAL, bounds=(0.1, 10.0)),
        Parameter("lambda_0", 10000.0, Hz, _FIXED),
        Parameter("a_eta_1", 50.0, pA, _NOMINAL, bounds=(-1000.0, 1000.0)),
        Parameter("a_eta_2", 20.0, pA, _NOMINAL, bounds=(-500.0, 500.0)),
        Parameter("a_eta_3", 5.0, pA, _NOMINAL, bounds=(-100.0, 100.0)),
        Parameter("tau_eta_1", 5.0, ms, _NOMINAL, bounds=(1.0, 20.0)),
        Parameter("tau_eta_2", 50.0, ms, _NOMINAL, bounds=(20.0, 200.0)),
        Parameter("tau_eta_3", 300.0, ms, _NOMINAL, bounds=(200.0, 2000.0)),
        Parameter("a_gamma_1", 10.0, mV, _NOMINAL, bounds=(-20.0, 50.0)),
        Parameter("a_gamma_2", 1.0, mV, _NOMINAL, bounds=(-10.0, 20.0)),
        Parameter("tau_gamma_1", 10.0, ms, _NOMINAL, bounds=(1.0, 50.0)),
        Parameter("tau_gamma_2", 150.0, ms, _NOMINAL, bounds=(50.0, 2000.0)),
    ),
    initial={"v": "E_L"},
    channels={"leak": "g_L"},
)
