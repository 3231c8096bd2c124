"""An integrate-and-fire neuron whose spikes open potassium conductances: its afterpotentials follow the current.

A reset sets the voltage after a spike to one value whatever is injected, and a spike-triggered current adds the same
slope at every voltage. In a cell the afterhyperpolarisation is a balance of conductances and current: with 250 pA more
it lies 10 to 15 mV higher. Here the reset is to where the spike ends, and the fast conductance does the rest.
"""

from brian2 import ms, mV, nS, pF

from biophys.models.model import NeuronModel, Parameter

_NOMINAL = "nominal: a cortical pyramidal cell's order of magnitude, to be calibrated"

MODEL = NeuronModel(
    name="lif_conductance",
    title="leaky integrate-and-fire with conductances that spikes open, a slow current and a moving threshold",
    equations="""
dv/dt = (g_L*(E_L - v) + (g_fast + g_slow)*(E_K - v) - w + I)/C : volt
dw/dt = (a*(v - E_L) - w)/tau_w : amp
dg_fast/dt = -g_fast/tau_fast : siemens
dg_slow/dt = -g_slow/tau_slow : siemens
dtheta/dt = (c*(v - E_L) - theta)/tau_theta : volt
I : amp
C : farad
g_L : siemens
E_L : volt
E_K : volt
V_T : volt
V_r : volt
a : siemens
tau_w : second
b_fast : siemens
tau_fast : second
b_slow : siemens
tau_slow : second
c : 1
delta_theta : volt
tau_theta : second
""",
    source=(
        "Muller et al. 2007, Neural Comput 19:2958 (conductances); Treves 1993, Network 4:259 (current); Chacron et "
        "al. 2003, Neural Comput 15:253, and Platkiewicz & Brette 2010, PLoS Comput Biol 6:e1000850 (threshold)"
    ),
    threshold="v > V_T + theta",
    reset="v = V_r; g_fast += b_fast; g_slow += b_slow; theta += delta_theta",
    parameters=(
        Parameter("C", 100.0, pF, _NOMINAL, bounds=(20.0, 1000.0)),
        Parameter("g_L", 5.0, nS, _NOMINAL, bounds=(0.5, 100.0)),
        Parameter("E_L", -70.0, mV, _NOMINAL, bounds=(-90.0, -50.0)),
        Parameter("E_K", -80.0, mV, _NOMINAL, bounds=(-110.0, -60.0)),
        Parameter("V_T", -42.0, mV, _NOMINAL, bounds=(-65.0, -20.0)),
        Parameter("V_r", -35.0, mV, _NOMINAL, bounds=(-70.0, -20.0)),
        Parameter("a", 1.0, nS, _NOMINAL, bounds=(-20.0, 50.0)),
        Parameter("tau_w", 50.0, ms, _NOMINAL, bounds=(2.0, 1000.0)),
        Parameter("b_fast", 10.0, nS, _NOMINAL, bounds=(0.1, 300.0)),
        Parameter("tau_fast", 5.0, ms, _NOMINAL, bounds=(1.0, 50.0)),
        Parameter("b_slow", 0.3, nS, _NOMINAL, bounds=(0.001, 100.0)),
        Parameter("tau_slow", 300.0, ms, _NOMINAL, bounds=(20.0, 2000.0)),
        Parameter("c", 0.1, 1, _NOMINAL, bounds=(0.0, 0.9)),
        Parameter("delta_theta", 12.0, mV, _NOMINAL, bounds=(0.0, 30.0)),
        Parameter("tau_theta", 60.0, ms, _NOMINAL, bounds=(1.0, 300.0)),
    ),
    initial={"v": "E_L"},
    channels={"leak": "g_L"},
)
