"""A neocortical pyramidal cell with dendrites and an axon's initial segment: channels of Mainen and Sejnowski.

Kinetics and densities are published; the geometry is not a reconstruction: a ball with an apical and a basal stick and
an initial segment, of a size that is usual for layer 5. The calcium and calcium-dependent currents of the publication
are left out, so that it fires regularly, without bursts.
"""

from brian2 import cm, mV, ohm, psiemens, uF, um

from biophys.models.model import Kinetics, Parameter
from biophys.models.morphology import MorphologyModel, Section
from twin.protocol import Covariate, Protocol

_MAINEN = "Mainen & Sejnowski 1996, Nature 382:363"
_FILES = f"{_MAINEN}, authors' NEURON files"
_DENSITY = psiemens / um**2

_GATES = Kinetics(
    name="sodium (m, h), fast potassium (n) and M current (p)",
    measured=Protocol({"temperature": Covariate(23.0, "degC", "reported", _FILES)}),
    q10_rate=2.3,
    shift_parameter=None,
    half_voltages={},
    source="Mainen et al. 1995, Neuron 15:1427; Hamill et al. 1991, Cereb Cortex 1:48",
)

PYRAMIDAL = MorphologyModel(
    name="pyramidal",
    title="neocortical pyramidal cell: ball, two sticks and an initial segment, channels of Mainen and Sejnowski",
    sections=(
        Section("soma", "", 25.0, 25.0),
        Section("initial_segment", "soma", 25.0, 1.5, 5),
        Section("apical", "soma", 600.0, 4.0, 24),
        Section("basal", "soma", 200.0, 4.0, 8),
    ),
    equations="""
Im = warming*(g_Na*m**3*h*(E_Na - v) + (g_Kv*n + g_M*p)*(E_K - v)) + g_L*(E_L - v) : amp/meter**2
warming = q10**((temperature_c - 23)/10) : 1
v_na = v + V_shift : volt
dm/dt = warming*(alpha_m*(1 - m) - beta_m*m) : 1
alpha_m = 1.638/exprel((-35*mV - v_na)/(9*mV))/ms : Hz
beta_m = 1.116/exprel((v_na + 35*mV)/(9*mV))/ms : Hz
dh/dt = warming*(h_inf - h)*(alpha_h + beta_h) : 1
alpha_h = 0.12/exprel((-50*mV - v_na)/(5*mV))/ms : Hz
beta_h = 0.0455/exprel((v_na + 75*mV)/(5*mV))/ms : Hz
h_inf = 1/(1 + exp((v_na + 65*mV)/(6.2*mV))) : 1
dn/dt = warming*(alpha_n*(1 - n) - beta_n*n) : 1
alpha_n = 0.18/exprel((25*mV - v)/(9*mV))/ms : Hz
beta_n = 0.018/exprel((v - 25*mV)/(9*mV))/ms : Hz
dp/dt = warming*(alpha_p*(1 - p) - beta_p*p) : 1
alpha_p = 0.009/exprel((-30*mV - v)/(9*mV))/ms : Hz
beta_p = 0.009/exprel((v + 30*mV)/(9*mV))/ms : Hz
I : amp (point current)
g_Na : siemens/meter**2
g_Kv : siemens/meter**2
g_M : siemens/meter**2
g_L : siemens/meter**2
E_Na : volt
E_K : volt
E_L : volt
V_shift : volt
temperature_c : 1
q10 : 1
""",
    source=_MAINEN,
    capacitance=Parameter("capacitance", 0.75, uF / cm**2, _FILES),
    axial_resistivity=Parameter("axial_resistivity", 150.0, ohm * cm, _FILES),
    parameters=(
        Parameter("g_Na", 20.0, _DENSITY, _FILES + ": soma and dendrites", bounds=(0.0, 40000.0)),
        Parameter("g_Kv", 0.0, _DENSITY, _FILES + ": none in dendrites", bounds=(0.0, 4000.0)),
        Parameter("g_M", 0.1, _DENSITY, _FILES, bounds=(0.0, 5.0)),
        Parameter("g_L", 1 / 3, _DENSITY, _FILES + ": 30 kOhm cm2", bounds=(0.05, 5.0)),
        Parameter("E_Na", 60.0, mV, _FILES),
        Parameter("E_K", -90.0, mV, _FILES),
        Parameter("E_L", -70.0, mV, _FILES),
        Parameter("V_shift", -5.0, mV, _FILES + ": for cells with dendrites"),
        Parameter("temperature_c", 37.0, 1, _FILES),
        Parameter("q10", 2.3, 1, _FILES),
    ),
    densities={"soma": {"g_Kv": 200.0}, "initial_segment": {"g_Na": 30000.0, "g_Kv": 2000.0}},
    initial={
        "v": "E_L",
        "m": "alpha_m/(alpha_m + beta_m)",
        "h": "h_inf",
        "n": "alpha_n/(alpha_n + beta_n)",
        "p": "alpha_p/(alpha_p + beta_p)",
    },
    kinetics=(_GATES,),
)
