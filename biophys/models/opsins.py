"""Light-gated channels and a pump: four-state and three-state Markov models.

A four-state channel has two closed and two open states, C_1 - O_1 - O_2 - C_2 - C_1; light drives C to O, and moves
channels between the two open states. In the dark all are in C_1, which is what the others leave: were another state
that, exponential Euler would open more channels in strong light than have left C_1 (a fifth too many of GtACR2).

Every parameter set is that of cleosim (`cleo.opto`), which names the publication.
"""

from brian2 import mmetre, mmolar, ms, mV, nS, pcoulomb, second

from biophys.models.model import Parameter
from biophys.models.opsin import OpsinModel

_BANSAL = "Bansal et al. 2020, Biomed Phys Eng Express, doi 10.1088/2057-1976/ab90a1, as in cleosim's opsin library"
_PYRHO = (
    "Evans et al. 2016, PLoS Comput Biol 12:e1004851: PyRhO's default four-state ChR2, as in cleosim's opsin library"
)
_FLUX = 1 / (mmetre**2 * second)
_PER_MS = 1 / ms

_FOUR_STATES = """
C_1 = 1 - O_1 - O_2 - C_2 : 1
dO_1/dt = k_1*hill_p*C_1 + G_b*O_2 - (G_d1 + G_f)*O_1 : 1
dO_2/dt = k_2*hill_p*C_2 + G_f*O_1 - (G_d2 + G_b)*O_2 : 1
dC_2/dt = G_d2*O_2 - (k_2*hill_p + G_r0)*C_2 : 1
open_share = O_1 + gamma_opsin*O_2 : 1
hill_p = (phi/phi_m)**p_light/(1 + (phi/phi_m)**p_light) : 1
hill_q = (phi/phi_m)**q_light/(1 + (phi/phi_m)**q_light) : 1
G_f = k_f*hill_q + G_f0 : Hz
G_b = k_b*hill_q + G_b0 : Hz
phi : 1/meter**2/second
g_opsin : siemens
gamma_opsin : 1
E_opsin : volt
phi_m : 1/meter**2/second
p_light : 1
q_light : 1
k_1 : Hz
k_2 : Hz
G_f0 : Hz
k_f : Hz
G_b0 : Hz
k_b : Hz
G_d1 : Hz
G_d2 : Hz
G_r0 : Hz
"""
_OHMIC = "I_opsin = -g_opsin*open_share*({voltage} - E_opsin) : amp\n"
# Rectification (1 - exp(-(v - E)/v_0))/((v - E)/v_1), multiplied out, so that nothing is singular at v = E.
_RECTIFYING = """
I_opsin = -g_opsin*open_share*v_1*(1 - exp(-({voltage} - E_opsin)/v_0)) : amp
v_0 : volt
v_1 : volt
"""
_RATES = ("k_1", "k_2", "G_f0", "k_f", "G_b0", "k_b", "G_d1", "G_d2", "G_r0")


def _four_state(
    g_ns: float, gamma: float, e_mv: float, phi_m: float, p: float, q: float, rates: tuple[float, ...], source: str
) -> tuple[Parameter, ...]:
    """Parameters; phi_m in photons per mm**2 and second, the rates of `_RATES` per ms."""
    return (
        Parameter("g_opsin", g_ns, nS, source, bounds=(0.0, 20 * g_ns)),
        Parameter("gamma_opsin", gamma, 1, source),
        Parameter("E_opsin", e_mv, mV, source),
        Parameter("phi_m", phi_m, _FLUX, source),
        Parameter("p_light", p, 1, source),
        Parameter("q_light", q, 1, source),
        *(Parameter(name, rate, _PER_MS, source) for name, rate in zip(_RATES, rates, strict=True)),
    )


def _bansal(
    name: str,
    title: str,
    peak_nm: float,
    g_ns: float,
    phi_m: float,
    rates: tuple[float, ...],
    e_mv: float = 0.0,
    q: float = 1.0,
) -> OpsinModel:
    return OpsinModel(
        name=name,
        title=title,
        equations=_OHMIC + _FOUR_STATES,
        source=_BANSAL,
        parameters=_four_state(g_ns, 0.05, e_mv, phi_m, 1.0, q, rates, _BANSAL),
        peak_nm=peak_nm,
    )


CHR2 = OpsinModel(
    name="chr2",
    title="channelrhodopsin-2, four states, rectifying",
    equations=_RECTIFYING + _FOUR_STATES,
    source=_PYRHO,
    parameters=(
        *_four_state(
            114.0,
            0.00742,
            0.0,
            2.33e17,
            0.833,
            1.94,
            (4.15, 0.868, 0.0373, 0.0581, 0.0161, 0.063, 0.105, 0.0138, 0.00033),
            _PYRHO,
        ),
        Parameter("v_0", 43.0, mV, _PYRHO),
        Parameter("v_1", 17.1, mV, _PYRHO),
    ),
    peak_nm=470.0,
    is_linear=False,
)
CHR2_H134R = _bansal(
    "chr2_h134r",
    "channelrhodopsin-2 (H134R), four states",
    450.0,
    37.2,
    1e16,
    (0.3, 0.12, 0.014, 0.01, 0.01, 0.01, 0.045, 0.01, 1e-4),
)
CHRIMSON = _bansal(
    "chrimson",
    "Chrimson, four states",
    590.0,
    22.0,
    2e14,
    (0.05, 0.5, 0.001, 0.01, 0.01, 0.004, 0.041, 0.01, 6.67e-7),
)
GTACR2 = _bansal(
    "gtacr2",
    "the anion channel GtACR2, four states",
    470.0,
    44.0,
    2e17,
    (40.0, 20.0, 0.001, 0.001, 0.003, 0.005, 0.017, 0.01, 5.8e-4),
    e_mv=-69.5,
    q=0.1,
)

ENPHR3 = OpsinModel(
    name="enphr3",
    title="the chloride pump eNpHR3.0, three states",
    equations="""
I_opsin = -(I_pump + I_chloride_leak) : amp
P_0 = 1 - P_4 - P_6 : 1
dP_4/dt = k_a*hill_p*P_0 - G_d*P_4 : 1
dP_6/dt = G_d*P_4 - G_r*P_6 : 1
hill_p = (phi/phi_m)**p_light/(1 + (phi/phi_m)**p_light) : 1
I_pump = g_opsin*P_4*saturation*({voltage} - E_opsin) : amp
saturation = pump_max*Cl_out/(K_d + Cl_out)/pump_0 : 1
dCl_in/dt = a_chloride*(I_pump + b_chloride*I_chloride_leak) : mmolar
E_chloride = -RT_over_F*log(Cl_out/Cl_in) : volt
I_chloride_leak = g_chloride*(E_chloride_0 - E_chloride) : amp
phi : 1/meter**2/second
g_opsin : siemens
E_opsin : volt
phi_m : 1/meter**2/second
p_light : 1
k_a : Hz
G_d : Hz
G_r : Hz
a_chloride : mmolar/coulomb
b_chloride : 1
pump_max : mmolar/second
pump_0 : mmolar/second
K_d : mmolar
Cl_out : mmolar
g_chloride : siemens
E_chloride_0 : volt
RT_over_F : volt
""",
    # cleosim also holds the voltage between -400 and 50 mV here, for neurons whose voltage runs away at a spike.
    source=_BANSAL,
    parameters=(
        Parameter("g_opsin", 22.34, nS, _BANSAL, bounds=(0.0, 450.0)),
        Parameter("E_opsin", -400.0, mV, _BANSAL),
        Parameter("phi_m", 1.2e18, _FLUX, _BANSAL),
        Parameter("p_light", 0.7, 1, _BANSAL),
        Parameter("k_a", 1.0, _PER_MS, _BANSAL),
        Parameter("G_d", 0.025, _PER_MS, _BANSAL + "; its class has 0.25 per ms as a default, its parameter set 0.025"),
        Parameter("G_r", 0.05, _PER_MS, _BANSAL),
        Parameter("a_chloride", 2e-4, mmolar / pcoulomb, _BANSAL),
        Parameter("b_chloride", 12.0, 1, _BANSAL),
        Parameter("pump_max", 5.0, mmolar / second, _BANSAL),
        Parameter("pump_0", 4.4286, mmolar / second, _BANSAL),
        Parameter("K_d", 16.0, mmolar, _BANSAL),
        Parameter("Cl_out", 124.0, mmolar, _BANSAL),
        Parameter("g_chloride", 2.3, nS, _BANSAL),
        Parameter("E_chloride_0", -70.0, mV, _BANSAL),
        Parameter("RT_over_F", 26.67, mV, _BANSAL),
    ),
    initial={"Cl_in": "Cl_out*exp(E_chloride_0/RT_over_F)"},
    peak_nm=590.0,
    is_linear=False,
)
