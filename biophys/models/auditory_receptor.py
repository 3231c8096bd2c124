"""A grasshopper auditory receptor neuron: the Connor-Stevens spike generator with a slow potassium current.

The spike generator (sodium, delayed rectifier, A current, leak) is the one that Roemschied et al. used for this very
cell type, with its temperature dependence. The slow, non-inactivating part of the potassium current of Korngreen and
Sakmann gives spike-frequency adaptation; its published voltages were not corrected for the junction potential.
"""

from brian2 import mmetre, mS, mV, nA, nF

from biophys.models.currents import CONNOR_STEVENS
from biophys.models.model import Kinetics, NeuronModel, Parameter
from twin.protocol import Covariate, Protocol

_ROEMSCHIED = "Roemschied et al. 2014, eLife 3:e02078, Methods (after Connor et al. 1977 and Dayan & Abbott 2005)"
_KORNGREEN = "Korngreen & Sakmann 2000, J Physiol 525:621, as used by Hay et al. 2011, PLoS Comput Biol 7:e1002107"
_FITTED = "nominal; scales with the unknown membrane area of the cell and is calibrated"

EQUATIONS = (
    """
dv/dt = ((I_drive + I_offset + sigma_noise*noise)/area - I_na - I_k - I_a - I_slow - I_l)/c_m : volt

I_na = conductance_warming*g_na*m**3*h*(v - absolute_warming*E_na) : amp/meter**2
I_k = conductance_warming*g_k*n**4*(v - absolute_warming*E_k) : amp/meter**2
I_a = conductance_warming*g_a*a**3*b*(v - absolute_warming*E_a) : amp/meter**2
I_slow = conductance_warming*g_slow*p**2*(v - absolute_warming*E_k) : amp/meter**2
I_l = conductance_warming*g_l*(v - absolute_warming*E_l) : amp/meter**2

conductance_warming = q10_conductance**((temperature_c - 18)/10) : 1
absolute_warming = (temperature_c + 273.15)/(18 + 273.15) : 1
gate_warming = q10_gate**((temperature_c - 18)/10) : 1
slow_gate_warming = q10_slow_gate**((temperature_c - 21)/10) : 1
"""
    + CONNOR_STEVENS
    + """
dp/dt = slow_gate_warming*(p_inf - p)/tau_p : 1
v_slow = v + junction_slow : volt
p_inf = 1/(1 + exp(-(v_slow + 1*mV)/(12*mV))) : 1
tau_p = (1.25 + is_low*175.03*exp(0.026*v_slow/mV) + (1 - is_low)*13*exp(-0.026*v_slow/mV))*ms : second
is_low = int(v_slow < -50*mV) : 1

I_drive : amp
I_offset : amp
noise : 1
sigma_noise : amp
area : meter**2
c_m : farad/meter**2
g_na : siemens/meter**2
g_k : siemens/meter**2
g_a : siemens/meter**2
g_slow : siemens/meter**2
g_l : siemens/meter**2
E_na : volt
E_k : volt
E_a : volt
E_l : volt
temperature_c : 1
q10_conductance : 1
q10_gate : 1
q10_slow_gate : 1
junction_slow : volt
"""
)

SPIKE_GENERATOR = Kinetics(
    name="spike generator (m, h, n, a, b)",
    measured=Protocol(
        {
            "temperature": Covariate(18.0, "degC", "reported", _ROEMSCHIED),
            "junction_potential_corrected": Covariate(
                True,
                "1",
                "computed",
                "nothing left to remove: these are the squid-axon equations shifted along the voltage axis to fit "
                "crustacean axons (Connor et al. 1977, Biophys J 18:81, abstract), whose zero is set by the rest",
            ),
        }
    ),
    q10_rate=3.0,
    shift_parameter=None,
    half_voltages={},
    source=_ROEMSCHIED + "; Q10 3 is the middle of the range 2 to 4 that was explored there",
)

SLOW_POTASSIUM = Kinetics(
    name="slow potassium current (p)",
    measured=Protocol(
        {
            "temperature": Covariate(21.0, "degC", "reported", _KORNGREEN),
            "junction_potential": Covariate(10.0, "mV", "reported", _KORNGREEN + " (shift of -10 mV)"),
            "junction_potential_corrected": Covariate(False, "1", "reported", _KORNGREEN),
        }
    ),
    q10_rate=2.3,
    shift_parameter="junction_slow",
    half_voltages={"half activation of p": -1.0, "edge of the slow branch of tau_p": -50.0},
    source=_KORNGREEN,
)

MODEL = NeuronModel(
    name="auditory_receptor",
    title="grasshopper auditory receptor neuron, Connor-Stevens with a slow potassium current",
    equations=EQUATIONS,
    threshold="v > -10*mV",
    refractory="v > -10*mV",
    reset="",
    method="exponential_euler",
    parameters=(
        Parameter("area", 0.001, mmetre**2, "nominal: currents in nA are relative to it"),
        Parameter("c_m", 10.0, nF / mmetre**2, _ROEMSCHIED),
        Parameter("g_na", 1.2, mS / mmetre**2, _ROEMSCHIED, bounds=(0.15, 4.0)),
        Parameter("g_k", 0.2, mS / mmetre**2, _ROEMSCHIED, bounds=(0.03, 1.0)),
        Parameter("g_a", 0.477, mS / mmetre**2, _ROEMSCHIED, bounds=(0.01, 1.0)),
        Parameter("g_slow", 0.2, mS / mmetre**2, _FITTED, bounds=(0.02, 1.0)),
        Parameter("g_l", 0.003, mS / mmetre**2, _ROEMSCHIED, bounds=(0.0006, 0.015)),
        Parameter("E_na", 55.0, mV, _ROEMSCHIED),
        Parameter("E_k", -72.0, mV, _ROEMSCHIED),
        Parameter("E_a", -75.0, mV, _ROEMSCHIED),
        Parameter("E_l", -17.0, mV, _ROEMSCHIED),
        Parameter("I_offset", 0.0, nA, "no current is injected unless an intervention does"),
        Parameter("sigma_noise", 0.1, nA, _FITTED, bounds=(0.01, 0.5)),
        Parameter("temperature_c", 18.0, 1, _ROEMSCHIED),
        Parameter("q10_conductance", 1.6, 1, _ROEMSCHIED + "; middle of the range 1.2 to 2.0 explored there"),
        Parameter("q10_gate", 3.0, 1, SPIKE_GENERATOR.source),
        Parameter("q10_slow_gate", 2.3, 1, _KORNGREEN),
        Parameter("junction_slow", 0.0, mV, "as published: not corrected"),
    ),
    inputs=("I_drive", "noise"),
    current="I_drive",
    recommended_dt_ms=0.05,
    initial={
        "v": "-68*mV",
        "m": "alpha_m/(alpha_m + beta_m)",
        "h": "alpha_h/(alpha_h + beta_h)",
        "n": "alpha_n/(alpha_n + beta_n)",
        "a": "a_inf",
        "b": "b_inf",
        "p": "p_inf",
    },
    kinetics=(SPIKE_GENERATOR, SLOW_POTASSIUM),
    channels={"na": "g_na", "k": "g_k", "a": "g_a", "slow": "g_slow", "leak": "g_l"},
    q10_conductance=1.6,
    reversal_potentials=("E_na", "E_k", "E_a", "E_l"),
    reference_c=18.0,
    source=f"{_ROEMSCHIED}; {_KORNGREEN}",
)
